package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// When progress is told. Quick work tells nothing.
const (
	barAfter, barEvery   = 500 * time.Millisecond, 200 * time.Millisecond // on a terminal: a bar in place
	lineAfter, lineEvery = 5 * time.Second, 5 * time.Second               // elsewhere: a line each time
)

// progress tells on standard error how far long work got: a bar with percentage, rate and time left on a terminal, a line
// every few seconds elsewhere, nothing when the work is quick. Any number of goroutines may call add; one calls finish, which
// must not be left out.
type progress struct {
	out   io.Writer
	width func() int // of the terminal; nil when out is none
	work  standing   // all but what has to be counted and measured
	began time.Time
	count atomic.Int64

	stop  chan struct{} // closed when the work is done
	ended chan struct{} // closed when nothing will be told any more
	told  bool          // written before ended is closed, read after
}

// newProgress begins to tell about work on a number of units; 0 when nobody knows how many. Verb and unit are as in
// "checked 5 of 7 messages".
func newProgress(t *terminal, verb, unit string, total int64) *progress {
	fd := int(t.stderr.Fd())
	if !term.IsTerminal(fd) {
		return startProgress(t.stderr, nil, verb, unit, total)
	}
	return startProgress(t.stderr, func() int {
		width, _, err := term.GetSize(fd)
		if err != nil || width <= 0 {
			return 80
		}
		return width
	}, verb, unit, total)
}

func startProgress(out io.Writer, width func() int, verb, unit string, total int64) *progress {
	p := &progress{
		out: out, width: width, work: standing{verb: verb, unit: unit, total: total}, began: time.Now(),
		stop: make(chan struct{}), ended: make(chan struct{}),
	}
	go p.tell()
	return p
}

// add counts n more units as done.
func (p *progress) add(n int) { p.count.Add(int64(n)) }

// finish ends the telling, and takes the bar away or says how long it took. Only the first call counts.
func (p *progress) finish() {
	select {
	case <-p.stop:
		return
	default:
	}
	close(p.stop)
	<-p.ended
	switch {
	case !p.told:
	case p.width != nil:
		fmt.Fprint(p.out, "\r\033[K")
	default:
		s := p.standing()
		fmt.Fprintf(p.out, "%s %s %s in %s\n", s.verb, grouped(s.done), s.unit, brief(s.elapsed))
	}
}

func (p *progress) tell() {
	defer close(p.ended)
	after, every := lineAfter, lineEvery
	if p.width != nil {
		after, every = barAfter, barEvery
	}
	told := int64(-1) // a line that says nothing new is left out: work may wait all night
	timer := time.NewTimer(after)
	defer timer.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-timer.C:
			timer.Reset(every)
		}
		p.told = true
		s := p.standing()
		switch {
		case p.width != nil:
			fmt.Fprintf(p.out, "\r%s\033[K", s.bar(p.width()))
		case s.done != told:
			fmt.Fprintln(p.out, s.line())
			told = s.done
		}
	}
}

func (p *progress) standing() standing {
	s := p.work
	s.done, s.elapsed = p.count.Load(), time.Since(p.began)
	return s
}

// standing is how far work got at an instant.
type standing struct {
	verb, unit  string
	done, total int64 // total 0: unknown
	elapsed     time.Duration
}

// line is the standing in words.
func (s standing) line() string {
	text := s.verb + " " + grouped(s.done)
	if s.total > 0 {
		text += " of " + grouped(s.total)
	}
	text += " " + s.unit
	if s.total > 0 {
		text += fmt.Sprintf(" (%d%%)", s.percent())
	}
	return text + s.pace()
}

// bar is the standing in a line of a terminal so many characters wide, which it leaves one of free, since some terminals wrap
// a full one.
func (s standing) bar(width int) string {
	text := s.line()
	if s.total > 0 {
		text = fmt.Sprintf("%s of %s %s%s", grouped(s.done), grouped(s.total), s.unit, s.pace())
		head := fmt.Sprintf("%s %3d%% ", s.verb, s.percent())
		if room := width - 2 - utf8.RuneCountInString(head+text); room >= 8 {
			room = min(room, 30)
			full := room * s.percent() / 100
			return head + strings.Repeat("█", full) + strings.Repeat("░", room-full) + " " + text
		}
		text = head + text
	}
	if runes := []rune(text); len(runes) >= width {
		text = string(runes[:max(0, width-1)])
	}
	return text
}

// percent is rounded down, and never more than all: more may have come since the total was asked for.
func (s standing) percent() int { return int(min(100, 100*s.done/s.total)) }

// pace is the rate so far, and how long the rest takes at this rate.
func (s standing) pace() string {
	rate := float64(s.done) / s.elapsed.Seconds()
	if s.done == 0 || s.elapsed <= 0 {
		return ""
	}
	text := fmt.Sprintf(", %.1f/s", rate)
	if rate >= 10 {
		text = ", " + grouped(int64(rate)) + "/s"
	}
	if left := s.total - s.done; left > 0 {
		text += ", " + brief(time.Duration(float64(left)/rate*float64(time.Second))) + " left"
	}
	return text
}

// brief is a duration in its two largest units.
func brief(d time.Duration) string {
	const day = 24 * time.Hour
	switch d = d.Round(time.Second); {
	case d >= 2*day:
		return fmt.Sprintf("%dd%dh", d/day, d%day/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

// grouped writes a number with a comma between thousands.
func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
