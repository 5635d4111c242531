package evaluate_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/evaluate"
	"unconnected/alerter/rule"
	"unconnected/events"
)

// A script is a log in short. Its words are messages, in the order in which they were stored:
//
//	H       a live window: High, 100 calls, 30 % of them congestion
//	m       Middle, 15 %          q   quiet, 5 %
//	s       small: 10 calls, 90 % of them congestion
//	e       empty: no calls
//	?       a missed marker       a   an ambiguous H
//	-       a hole: no message at all for this window
//	q*12    twelve of them
//	4=H     a revision of window 4, stored when the newest window was two minutes old
//	4=H@45m the same, stored when it was 45 minutes old
//	4+H     a backfill of window 4
//
// Windows are numbered from 0 and five minutes long.
type script struct {
	log    []events.Event
	length time.Duration
	next   int // number of the next live window
	start  time.Time
}

var monday = time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC) // 10:00 in Bogotá

func parseScript(text string) []events.Event {
	s := script{length: 5 * time.Minute, start: monday}
	for _, word := range strings.Fields(text) {
		s.word(word)
	}
	return s.log
}

func (s *script) word(word string) {
	if at := strings.IndexAny(word, "=+"); at > 0 {
		s.correction(word, at)
		return
	}
	kind, times, repeated := strings.Cut(word, "*")
	count := 1
	if repeated {
		count = must(strconv.Atoi(times))
	}
	for range count {
		if kind != "-" {
			ev := s.window(s.next, kind)
			ev.Stored = ev.Window.End.Add(2 * time.Minute)
			s.add(ev)
		}
		s.next++
	}
}

func (s *script) correction(word string, at int) {
	kind, late, given := strings.Cut(word[at+1:], "@")
	age := 2 * time.Minute
	if given {
		age = must(time.ParseDuration(late))
	}
	ev := s.window(must(strconv.Atoi(word[:at])), kind)
	ev.Stored = s.start.Add(time.Duration(s.next)*s.length + age)
	if ev.Backfill = word[at] == '+'; !ev.Backfill {
		ev.Revision = len(s.log) // higher than any before
	}
	s.add(ev)
}

func (s *script) add(ev events.Event) {
	ev.Sequence = uint64(len(s.log) + 1)
	s.log = append(s.log, ev)
}

// window is the event of window n of a kind.
func (s *script) window(n int, kind string) events.Event {
	start := s.start.Add(time.Duration(n) * s.length)
	ev := events.Event{
		Operation: "default", Timezone: "America/Bogota",
		Window: events.Window{Start: start, End: start.Add(s.length)},
	}
	congestion, ok := map[string][2]int64{
		"H": {30, 100}, "m": {15, 100}, "q": {5, 100}, "s": {9, 10}, "e": {0, 0}, "a": {30, 100}, "?": {},
	}[kind]
	switch {
	case !ok:
		panic("no such window: " + kind)
	case kind == "?":
		ev.Missed = &events.Missed{Reason: "garbage", Attempts: 3}
	default:
		ev.Ambiguous = kind == "a"
		ev.Total = congestion[1]
		ev.Counts = map[string]int64{
			"busy": 0, "cancel": 0, "chanunavail": 0, "congestion": congestion[0], "do_not_call": 0,
			"no_answer": congestion[1] - congestion[0], "tcpa": 0,
		}
	}
	return ev
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// congestionRule is a rule that tells High, Middle and quiet apart and wants 50 calls, with more keys, one per line.
func congestionRule(keys ...string) string {
	return "rules:\n  - alert: Congestion\n    expr: share.congestion >= 0.2 && total >= 50\n" +
		"    clear: share.congestion < 0.1\n    value: share.congestion\n    threshold: 0.2\n    severity: critical\n    " +
		strings.Join(keys, "\n    ") + "\n"
}

func rules(t testing.TB, text string) *rule.Set {
	t.Helper()
	set, err := rule.Parse("rules.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return set
}

var options = evaluate.Options{MaxAge: 30 * time.Minute}

// run applies a log and publishes what each message causes.
func run(t testing.TB, set *rule.Set, log []events.Event, opts evaluate.Options) []events.Alert {
	t.Helper()
	operation := evaluate.New("default", set, opts)
	published := map[string]events.Alert{}
	var all []events.Alert
	for i := range log {
		changed := operation.Apply(&log[i])
		alerts := operation.Transitions(published, events.Cause{Sequence: log[i].Sequence}, "en")
		if changed != (len(alerts) > 0) {
			t.Errorf("message %d: Apply says %v, %d transitions follow", i, changed, len(alerts))
		}
		for _, a := range alerts {
			if err := a.Validate(); err != nil {
				t.Errorf("message %d causes an alert that breaks the contract: %v", i, err)
			}
			published[a.Rule] = a
		}
		all = append(all, alerts...)
	}
	return all
}

// story is what happened in short: "3 firing from 1; 9 cleared at 7" means that the newest window was number 3 when the
// alert began to fire, with window 1, and number 9 when it was cleared, having ended with the start of window 7.
func story(alerts []events.Alert) string {
	var lines []string
	for _, a := range alerts {
		newest := number(a.Window.Start)
		if a.Status == events.Firing {
			lines = append(lines, fmt.Sprintf("%s firing from %s", newest, number(a.StartsAt)))
		} else {
			lines = append(lines, fmt.Sprintf("%s %s at %s", newest, a.Reason, number(*a.EndsAt)))
		}
	}
	return strings.Join(lines, "; ")
}

func number(t time.Time) string {
	return strconv.Itoa(int(t.Sub(monday) / (5 * time.Minute)))
}
