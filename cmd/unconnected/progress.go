package main

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/term"
)

// progress tells a person at a terminal how far long work got; elsewhere it is silent.
type progress struct {
	t     *terminal
	verb  string
	n     int
	part  func() float64 // of the whole, 0 to 1; nil when nobody knows the whole
	began time.Time
	last  time.Time
	shown bool
}

func newProgress(t *terminal, verb string) *progress {
	return &progress{t: t, verb: verb, began: time.Now(), last: time.Now()}
}

func (p *progress) add(n int) {
	p.n += n
	if p.n%1024 != 0 || !p.due() {
		return
	}
	whole := ""
	if p.part != nil {
		whole = bar(p.part()) + " "
	}
	fmt.Fprintf(p.t.stderr, "\r%s %s%d messages, %.0f/s ", p.verb, whole, p.n, float64(p.n)/time.Since(p.began).Seconds())
}

// bytes shows how much of a file has been read.
func (p *progress) bytes(read, size int64) {
	if p.due() {
		fmt.Fprintf(p.t.stderr, "\r%s %s ", p.verb, bar(float64(read)/float64(size)))
	}
}

// due tells whether to show something now.
func (p *progress) due() bool {
	if time.Since(p.last) < 200*time.Millisecond || !term.IsTerminal(int(p.t.stderr.Fd())) {
		return false
	}
	p.last, p.shown = time.Now(), true
	return true
}

func (p *progress) done() {
	if p.shown {
		fmt.Fprint(p.t.stderr, "\r\033[K")
	}
}

// bar draws a part of the whole: "[######··············]  30 %".
func bar(part float64) string {
	const width = 20
	part = min(1, max(0, part))
	full := int(part * width)
	return fmt.Sprintf("[%s%s] %3.0f %%", strings.Repeat("#", full), strings.Repeat("·", width-full), 100*part)
}
