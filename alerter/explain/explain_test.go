package explain_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/evaluate"
	"unconnected/alerter/explain"
	"unconnected/alerter/rule"
	"unconnected/events"
)

var (
	monday  = time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)
	options = evaluate.Options{MaxAge: 30 * time.Minute}
)

const length = 5 * time.Minute

const spike = `rules:
  - alert: Spike
    expr: share.congestion >= 0.20 && total >= 50
    clear: share.congestion < 0.10
    for: 2 of 3
    keep: 3
    value: share.congestion
    threshold: 0.20
`

func rules(t *testing.T, text string) *rule.Set {
	t.Helper()
	set, err := rule.Parse("rules.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// window n has 100 calls of which some met congestion.
func window(n int, congestion int64) events.Event {
	start := monday.Add(time.Duration(n) * length)
	return events.Event{
		Operation: "ventas", Timezone: "America/Bogota", Window: events.Window{Start: start, End: start.Add(length)},
		Stored: start.Add(length + 2*time.Minute), Total: 100, Counts: map[string]int64{"congestion": congestion, "no_answer": 100 - congestion},
	}
}

// log is written "5 40 ? - 3=8": congestion of live windows, a missed one, a hole, and a revision of window 3. Between two
// messages stands one of another operation.
func log(text string) (list []events.Event) {
	next := 0
	add := func(e events.Event) {
		other := window(next, 90)
		other.Operation, other.Sequence = "cobranza", uint64(len(list)+1)
		list = append(list, other)
		e.Sequence = uint64(len(list) + 1)
		list = append(list, e)
	}
	for word := range strings.FieldsSeq(text) {
		place, value, revised := strings.Cut(word, "=")
		switch {
		case revised:
			e := window(number(place), int64(number(value)))
			e.Revision, e.Stored = 1, window(next-1, 0).Stored
			add(e)
			continue
		case word == "?":
			e := window(next, 0)
			e.Total, e.Counts, e.Missed = 0, nil, &events.Missed{Reason: "garbage"}
			add(e)
		case word != "-":
			add(window(next, int64(number(word))))
		}
		next++
	}
	return list
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return n
}

func history(list []events.Event) iter.Seq2[events.Event, error] {
	return func(yield func(events.Event, error) bool) {
		for _, e := range list {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// transitions are what live alerting would have stored.
func transitions(list []events.Event, set *rule.Set) (all []events.Alert) {
	operation := evaluate.New("ventas", set, options)
	published := map[string]events.Alert{}
	for i := range list {
		operation.Apply(&list[i])
		for _, a := range operation.Transitions(published, events.Cause{Sequence: list[i].Sequence}, "en") {
			published[a.Rule] = a
			a.Stored = list[i].Stored
			all = append(all, a)
		}
	}
	return all
}

// tell is the steps in short: the window's number, its kind, what held, what is counted.
func tell(x *explain.Explanation) string {
	var lines []string
	for _, s := range x.Steps {
		count := "-"
		if c := s.Count; c != nil {
			count = fmt.Sprintf("%d/%d", c.Held, c.Quiet)
			if c.Firing {
				count += "!"
			}
		}
		lines = append(lines, fmt.Sprintf("%d@%d %s %s %s", s.Window.Start.Sub(monday)/length, s.Sequence, s.Kind, s.Expr, count))
	}
	return strings.Join(lines, "; ")
}

func TestExplain(t *testing.T) {
	set := rules(t, spike)
	for _, c := range []struct {
		name, log string
		which     int // of the transitions
		steps     string
	}{
		{"fires", "5 5 5 5 40 5 40 5", 0,
			"2@6 live false 0/3; 3@8 live false 0/4; 4@10 live true 1/0; 5@12 live false 1/1; 6@14 live true 2/0!"},
		{"is cleared", "40 40 40 5 15 5 5 5 5", 1,
			"3@8 live false 2/1!; 4@10 live false 1/0!; 5@12 live false 0/1!; 6@14 live false 0/2!; 7@16 live false 0/3"},
		{"over what is unknown", "40 ? 40 5", 0, "0@2 live true 1/0; 1@4 missed unknown 1/0; 2@6 live true 2/0!"},
		{"over a hole", "40 - 40 5", 0, "0@2 live true 1/0; 1@0 hole unknown -; 2@4 live true 2/0!"},
		{"by a revision", "5 5 40 5 3=40", 0, "0@2 live false 0/1; 1@4 live false 0/2; 2@6 live true 1/0; 3@10 revision true 2/0!"},
		{"cleared by a revision", "40 40 15 5 5 2=5", 1, "0@2 live true 1/0; 1@4 live true 2/0!; 2@12 revision false 2/0!; 3@8 live false 1/1!; 4@10 live false 0/3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := log(c.log)
			alert := transitions(list, set)[c.which]
			x, err := explain.Explain(history(list), set, explain.Question{Operation: "ventas", Rule: "Spike", Transition: &alert}, options)
			if err != nil || !x.Explained || len(x.Doubts) > 0 {
				t.Fatalf("%v %v", err, x.Doubts)
			}
			if got := tell(x); got != c.steps {
				t.Errorf("steps\n%s, want\n%s", got, c.steps)
			}
		})
	}
}

// TestParts: each window tells the numbers that made its truth, as JSON too.
func TestParts(t *testing.T) {
	set := rules(t, spike)
	list := log("40 40 ?")
	alert := transitions(list, set)[0]
	x, err := explain.Explain(history(list), set, explain.Question{Operation: "ventas", Rule: "Spike", Transition: &alert}, options)
	if err != nil {
		t.Fatal(err)
	}
	last := x.Steps[len(x.Steps)-1]
	if *last.Total != 100 || *last.Value != 0.4 || last.Counts["congestion"] != 40 || last.Quiet {
		t.Errorf("%+v", last)
	}
	text, err := json.Marshal(last)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"text":"share.congestion \u003e= 0.2","depth":0,"truth":"true"}`, `{"text":"share.congestion","depth":1,"value":0.4}`,
		`"clear_parts":[{"text":"share.congestion \u003c 0.1","depth":0,"truth":"false"}`, `"count":{"held":2,"quiet":0,"firing":true,"in_hours":true,"idle":false}`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s\nlacks\n%s", text, want)
		}
	}
}

// TestDoubts: what history no longer explains is said.
func TestDoubts(t *testing.T) {
	set := rules(t, spike)
	list := log("5 5 40 40 5 5 5")
	alerts := transitions(list, set)
	fires := alerts[0]
	changed := func(change func(*events.Alert)) *events.Alert {
		a := fires
		change(&a)
		return &a
	}
	for _, c := range []struct {
		name  string
		list  []events.Event
		rules string
		alert *events.Alert
		doubt string
	}{
		{"the cause is gone", list[9:], spike, &fires, "CALLS no longer has the message 8, which caused it; its oldest of ventas is 10"},
		{"all is gone", nil, spike, &fires, "CALLS no longer has the message 8"},
		{"older windows are gone", list[6:], spike, &fires, "does not fire after this window"},
		{"other rules, less", list, strings.ReplaceAll(spike, "0.20", "0.50"), &fires, "does not fire after this window"},
		{"another threshold", list, strings.ReplaceAll(spike, "0.20", "0.30"), &fires, "the rule's threshold was another: 0.2"},
		{"other rules, earlier", list, strings.Replace(spike, "2 of 3", "1", 1), &fires, "was firing before this window already"},
		{"another value", list, strings.Replace(spike, "value: share.congestion", "value: count.congestion", 1), &fires, "the rule's value was 0.4, and is 40"},
		{"no rule", list, strings.Replace(spike, "Spike", "Other", 1), &fires, "the rules of today have no rule Spike"},
		{"not this operation", list, spike + "    operations: [cobranza]\n", &fires, "does not judge ventas"},
		{"a tick", list, spike, changed(func(a *events.Alert) { a.Cause.Tick, a.Reason = 1, "rule_removed" }), "no window caused this, but the clock: rule_removed"},
		{"another stream", list, spike, changed(func(a *events.Alert) { a.Stored = monday.Add(-time.Hour) }), "a history that is gone"},
		{"another beginning", list, spike, changed(func(a *events.Alert) { a.StartsAt = monday }), "it began at 2026-11-23T15:10:00Z, not at 2026-11-23T15:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			question := explain.Question{Operation: "ventas", Rule: "Spike", Transition: c.alert, Created: monday.Add(-time.Minute)}
			x, err := explain.Explain(history(c.list), rules(t, c.rules), question, options)
			if err != nil || x.Explained || !strings.Contains(strings.Join(x.Doubts, "; "), c.doubt) {
				t.Errorf("explained %t, doubts %q, %v", x.Explained, x.Doubts, err)
			}
		})
	}
}

// TestWithoutTransition: the newest windows are shown as they stand.
func TestWithoutTransition(t *testing.T) {
	set := rules(t, spike)
	question := explain.Question{Operation: "ventas", Rule: "Spike", At: window(5, 0).Window.End}
	x, err := explain.Explain(history(log("5 5 5 40 5 5 40 40")), set, question, options)
	if err != nil || !x.Explained || x.Timezone != "America/Bogota" {
		t.Fatalf("%+v, %v", x, err)
	}
	if got := tell(x); got != "2@6 live false 0/3; 3@8 live true 1/0; 4@10 live false 1/1; 5@12 live false 1/2" {
		t.Errorf("steps %s", got)
	}
	if x, err = explain.Explain(history(nil), set, question, options); err != nil || x.Explained {
		t.Errorf("of nothing: %+v, %v", x, err)
	}
	ticking := rules(t, "rules: [{alert: Spike, expr: missing}]")
	if x, err = explain.Explain(history(log("5 5 5")), ticking, question, options); err != nil || x.Explained || !strings.Contains(x.Doubts[0], "by the clock") {
		t.Errorf("a rule on ticks: %+v, %v", x, err)
	}
}

// TestLongHistory: only what counts is kept, and what is invalid is passed over; other errors end it.
func TestLongHistory(t *testing.T) {
	set := rules(t, spike)
	list := log(strings.Repeat("5 ", 500) + "40 40 " + strings.Repeat("0 ", 40))
	alerts := transitions(list, set)
	broken := errors.New("the connection is gone")
	x, err := explain.Explain(func(yield func(events.Event, error) bool) {
		if !yield(events.Event{}, &events.InvalidError{}) {
			return
		}
		history(list)(yield)
	}, set, explain.Question{Operation: "ventas", Rule: "Spike", Transition: &alerts[0]}, options)
	if err != nil || !x.Explained || len(x.Steps) != 4 {
		t.Errorf("%d steps, %v, %v", len(x.Steps), x.Doubts, err)
	}
	_, err = explain.Explain(func(yield func(events.Event, error) bool) { yield(events.Event{}, broken) }, set,
		explain.Question{Operation: "ventas", Rule: "Spike", Transition: &alerts[0]}, options)
	if !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}
