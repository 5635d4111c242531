package reconcile_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"unconnected/events"
	"unconnected/producer/reconcile"
)

// A story is a span of five-minute windows, w0, w1, …: what the log has of each, and what the API answers in what order.
//
// The log is a word a window: calls of the result "busy"; "-" a missed marker; "." nothing; "~" ambiguous. The truth is the
// same, with "!" for garbage. A conversation is one exchange after the other: "0-12=78" asks for the windows [0, 12) and is
// answered 78; "!" is garbage; "→r1" a revision 1 follows, "→b" a backfill.
type story struct {
	log, truth, conversation string
}

func TestConversations(t *testing.T) {
	for name, s := range map[string]story{
		"nothing changed: one request": {
			"1 2 3 4 5 6 7 8 9 10 11 12", "1 2 3 4 5 6 7 8 9 10 11 12", "0-12=78"},
		"nothing happened at all": {
			"0 0 0 0", "0 0 0 0", "0-4=0"},
		"the first window changed": {
			"1 2 3 4 5 6 7 8 9 10 11 12", "2 2 3 4 5 6 7 8 9 10 11 12",
			"0-12=79 0-6=22 0-3=7 0=2→r1 1-3=5 3-6=15 6-12=57"},
		"the last window changed: second halves follow by subtraction": {
			"1 2 3 4 5 6 7 8 9 10 11 12", "1 2 3 4 5 6 7 8 9 10 11 13",
			"0-12=79 0-6=21 6-9=24 9=10 10=11 11=13→r1"},
		"calls may be taken back": {
			"1 2 3 4", "1 2 3 0", "0-4=6 0-2=3 2=3 3=0→r1"},
		"two windows": {
			"1 2 3 4", "5 2 3 9", "0-4=19 0-2=7 0=5→r1 1=2 2=3 3=9→r1"},
		"every window": {
			"1 2 3 4", "2 3 4 5", "0-4=14 0-2=5 0=2→r1 1=3→r1 2=4→r1 3=5→r1"},
		"changes that cancel out stay unseen": {
			"1 2 3 4", "2 1 3 4", "0-4=10"},
		"also within a half": {
			"1 2 3 4", "2 1 3 5", "0-4=11 0-2=3 2=3 3=5→r1"},
		"one window alone": {
			"3", "4", "0=4→r1"},
		"two windows, one changed": {
			"3 3", "3 4", "0-2=7 0=3 1=4→r1"},
		"a missed window is asked for first": {
			"1 2 - 4", "1 2 3 4", "2=3→b 0-4=10"},
		"missed, and others changed": {
			"1 2 - 4", "1 2 3 5", "2=3→b 0-4=11 0-2=3 2=3 3=5→r1"},
		"gaps of the log are asked for too": {
			"1 . . 4", "1 2 3 4", "1=2→b 2=3→b 0-4=10"},
		"gaps at both ends": {
			". 2 3 .", "1 2 3 4", "0=1→b 3=4→b 0-4=10"},
		"all of it": {
			". . - .", "1 2 3 4", "0=1→b 1=2→b 2=3→b 3=4→b 0-4=10"},
		"still missing: compared on both sides": {
			"1 2 - 4", "1 2 ! 5", "2! 0-2=3 3=5→r1"},
		"ambiguous windows are left alone": {
			"1 2 ~ ~ 5 6", "2 2 9 9 5 6", "0-2=4 0=2→r1 1=2 4-6=11"},
		"garbage for the span, because of one window": {
			"1 2 3 4", "1 2 ! 5", "0-4! 0-2=3 2-4! 2! 3=5→r1"},
		"garbage for everything is given up": {
			"1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", "! ! ! ! ! ! ! ! ! ! ! ! ! ! ! !",
			"0-16! 0-8! 0-4! 0-2! 0! 1! 2-4! 2! 3! 4-8! 8-16!"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := s.tell(t); got != s.conversation {
				t.Errorf("the conversation was\n%s, want\n%s", got, s.conversation)
			}
		})
	}
}

var storyBegin = time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)

func windowOf(i int) events.Window {
	start := storyBegin.Add(time.Duration(i) * 5 * time.Minute)
	return events.Window{Start: start, End: start.Add(5 * time.Minute)}
}

func busy(n int64) map[string]int64 { return map[string]int64{events.Busy: n} }

// events is what the log holds.
func (s story) events(t *testing.T) (log []events.Event) {
	for i, word := range strings.Fields(s.log) {
		e := events.Event{Window: windowOf(i)}
		switch word {
		case ".":
			continue
		case "-":
			e.Missed = &events.Missed{}
		case "~":
			e.Ambiguous, e.Counts = true, busy(7)
		default:
			e.Counts = busy(number(t, word))
		}
		log = append(log, e)
	}
	return log
}

func number(t *testing.T, word string) int64 {
	n, err := strconv.ParseInt(word, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// answer is the API's, false for garbage.
func (s story) answer(t *testing.T, from, to int) (sum int64, ok bool) {
	for _, word := range strings.Fields(s.truth)[from:to] {
		if word == "!" {
			return 0, false
		}
		sum += number(t, word)
	}
	return sum, true
}

// tell goes through the whole conversation.
func (s story) tell(t *testing.T) string {
	span := events.Window{Start: storyBegin, End: windowOf(len(strings.Fields(s.truth)) - 1).End}
	schedule := reconcile.Schedule{Period: span.Length(), Window: 5 * time.Minute, Zone: time.UTC}
	check := schedule.Begin(reconcile.Job{Span: span}, s.events(t))
	var told []string
	for request, more := check.Next(); more; request, more = check.Next() {
		told = append(told, s.exchange(t, check, request))
	}
	return strings.Join(told, " ")
}

func (s story) exchange(t *testing.T, check *reconcile.Check, request reconcile.Request) string {
	from := int(request.Span.Start.Sub(storyBegin) / (5 * time.Minute))
	to := int(request.Span.End.Sub(storyBegin) / (5 * time.Minute))
	text := fmt.Sprintf("%d-%d", from, to)
	if to == from+1 {
		text = strconv.Itoa(from)
	}
	if (request.What == reconcile.Total) == (to == from+1) {
		t.Errorf("a request for %s is called %v", text, request.What)
	}
	n, ok := s.answer(t, from, to)
	if !ok {
		check.Unanswerable()
		return text + "!"
	}
	text += fmt.Sprintf("=%d", n)
	switch change, changed := check.Answer(busy(n)); {
	case changed && change.Backfill:
		return text + "→b"
	case changed:
		return fmt.Sprintf("%s→r%d", text, change.Revision)
	}
	return text
}

// TestRevisionsCount goes on from the revision that the log has, and calls a backfilled window's first change a revision.
func TestRevisionsCount(t *testing.T) {
	schedule := reconcile.Schedule{Period: time.Hour, Window: 5 * time.Minute, Zone: time.UTC}
	log := []events.Event{
		{Window: windowOf(0), Revision: 6, Counts: busy(1)},
		{Window: windowOf(1), Missed: &events.Missed{}},
	}
	check := schedule.Begin(reconcile.Job{Span: events.Window{Start: storyBegin, End: windowOf(1).End}}, log)
	var changes []reconcile.Change
	for _, n := range []int64{5, 9, 2, 6} { // the missed one; both; the first; the second again
		if c, changed := check.Answer(busy(n)); changed {
			changes = append(changes, c)
		}
	}
	want := "[{w1 r0 5 true} {w0 r7 2 false} {w1 r1 6 false}]"
	var got []string
	for _, c := range changes {
		got = append(got, fmt.Sprintf("{w%d r%d %d %v}", c.Window.Start.Sub(storyBegin)/(5*time.Minute), c.Revision, c.Counts[events.Busy], c.Backfill))
	}
	if fmt.Sprint(got) != want {
		t.Errorf("changes %v, want %v", got, want)
	}
	if _, more := check.Next(); more {
		t.Error("there is more to ask")
	}
}

// TestGarbageForAHalf: what can't be subtracted is asked for.
func TestGarbageForAHalf(t *testing.T) {
	schedule := reconcile.Schedule{Period: time.Hour, Window: 5 * time.Minute, Zone: time.UTC}
	log := story{log: "1 2 3 4"}.events(t)
	check := schedule.Begin(reconcile.Job{Span: events.Window{Start: storyBegin, End: windowOf(3).End}}, log)
	check.Answer(busy(11))
	check.Unanswerable() // of the first half: it is halved
	check.Answer(busy(1))
	check.Answer(busy(2))
	want := reconcile.Request{Span: events.Window{Start: windowOf(2).Start, End: windowOf(3).End}, What: reconcile.Total}
	if got, _ := check.Next(); got != want {
		t.Errorf("Next = %v, want %v", got, want)
	}
}

// TestWithoutAQuestion: answers that nobody asked for change nothing.
func TestWithoutAQuestion(t *testing.T) {
	schedule := reconcile.Schedule{Period: time.Hour, Window: 5 * time.Minute, Zone: time.UTC}
	check := schedule.Begin(reconcile.Job{Span: events.Window{Start: storyBegin, End: storyBegin}}, nil)
	check.Unanswerable()
	if change, changed := check.Answer(busy(1)); changed {
		t.Errorf("changed %v", change)
	}
}

// TestResultsAreComparedOneByOne: the same number of calls under another result is a change; a result that is absent is zero.
func TestResultsAreComparedOneByOne(t *testing.T) {
	schedule := reconcile.Schedule{Period: time.Hour, Window: 5 * time.Minute, Zone: time.UTC}
	job := reconcile.Job{Span: windowOf(0)}
	log := []events.Event{{Window: windowOf(0), Counts: map[string]int64{events.Busy: 3, events.Cancel: 0}}}
	if change, changed := schedule.Begin(job, log).Answer(map[string]int64{events.Busy: 3, events.TCPA: 0}); changed {
		t.Errorf("a zero more or less is a change: %v", change)
	}
	if _, changed := schedule.Begin(job, log).Answer(map[string]int64{events.Busy: 2, "r_503": 1}); !changed {
		t.Error("a call under another result is no change")
	}
}
