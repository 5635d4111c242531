package evaluate_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/evaluate"
	"unconnected/alerter/rule"
	"unconnected/events"
)

const severalRules = twoRules + `  - alert: Slow
    expr: share.congestion >= 0.2 && total >= 50
    clear: share.congestion < 0.1
    value: share.congestion
    for: 2 of 4
    keep: 3
  - {alert: Daytime, expr: count.congestion >= 20, keep: 2, hours: "10:30-12:00"}
`

// randomScript is a log with everything in it that a log can have, and some things that it should not have.
func randomScript(r *rand.Rand, words int) string {
	kinds := []string{"H", "H", "H", "m", "q", "q", "q", "s", "e", "?", "a", "-"}
	var out []string
	windows := 0
	for range words {
		kind := kinds[r.IntN(len(kinds))]
		switch {
		case windows > 0 && r.IntN(4) == 0 && kind != "-" && kind != "?":
			mark := []string{"=", "+"}[r.IntN(2)]
			late := []string{"", "@45m"}[r.IntN(2)]
			out = append(out, fmt.Sprint(r.IntN(windows), mark, kind, late))
		case r.IntN(40) == 0:
			out = append(out, "e*13")
			windows += 13
		default:
			out = append(out, kind)
			windows++
		}
	}
	return strings.ReplaceAll(strings.Join(out, " "), " = ", "=")
}

// TestARestartChangesNothingWithThePack: the same of the built-in rules, which look at the past and at what is usual.
func TestARestartChangesNothingWithThePack(t *testing.T) {
	t.Parallel()
	set := rule.Builtin()
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 4))
		log := parseScript("q*45 " + randomScript(r, 100) + " q*5 H*4 q*9")
		want := runPlain(set, log)
		if got := runWithCrashes(r, set, log); !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d\ngot  %s\nwant %s", seed, story(got), story(want))
		}
		if len(want) == 0 {
			t.Fatalf("seed %d: nothing fires", seed)
		}
	}
}

// TestARestartChangesNothing: whoever folds the log anew up to any message, even after publishing only a part of what
// that message caused, goes on with the transitions that an uninterrupted run gives, incidents included.
func TestARestartChangesNothing(t *testing.T) {
	set := rules(t, severalRules)
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		text := randomScript(r, 80)
		log := parseScript(text)
		want := runPlain(set, log)
		got := runWithCrashes(r, set, log)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d, log %s\ngot  %s\nwant %s", seed, text, story(got), story(want))
		}
	}
}

func runPlain(set *rule.Set, log []events.Event) (all []events.Alert) {
	operation, published := evaluate.New("default", set, options), map[string]events.Alert{}
	for i := range log {
		operation.Apply(&log[i])
		all = publish(all, published, operation.Transitions(published, cause(log[i].Sequence), "en"))
	}
	return all
}

func publish(all []events.Alert, published map[string]events.Alert, alerts []events.Alert) []events.Alert {
	for _, a := range alerts {
		published[a.Rule] = a
	}
	return append(all, alerts...)
}

// runWithCrashes dies now and then after publishing a part of what a message causes. It then folds the log anew and asks
// again for what the last messages caused, as somebody does who did not write down how far he got.
func runWithCrashes(r *rand.Rand, set *rule.Set, log []events.Event) (all []events.Alert) {
	operation, published := evaluate.New("default", set, options), map[string]events.Alert{}
	for i := range log {
		operation.Apply(&log[i])
		alerts := operation.Transitions(published, cause(log[i].Sequence), "en")
		if r.IntN(3) == 0 {
			all = publish(all, published, alerts[:r.IntN(len(alerts)+1)])
			from := max(0, i-r.IntN(5))
			operation = fold(set, log[:from])
			for j := from; j <= i; j++ {
				operation.Apply(&log[j])
				alerts = operation.Transitions(published, cause(log[j].Sequence), "en")
				if j < i && len(alerts) > 0 {
					panic(fmt.Sprintf("message %d causes %s for the second time", j, story(alerts)))
				}
			}
		}
		all = publish(all, published, alerts)
	}
	return all
}

// TestStatesAreWhatTheDefinitionSays compares with the definitions, written down without regard to cost: everything is
// looked for in the whole of the past.
func TestStatesAreWhatTheDefinitionSays(t *testing.T) {
	set := rules(t, severalRules)
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		log := parseScript(liveOnly(randomScript(r, 120)))
		operation := evaluate.New("default", set, options)
		naive := map[string]*definition{}
		for i := range log {
			operation.Apply(&log[i])
			for _, state := range operation.States() {
				d := naive[state.Rule.Name]
				if d == nil {
					d = &definition{rule: state.Rule}
					naive[state.Rule.Name] = d
				}
				d.next(&log[i])
				if state.Firing != d.firing || state.Reason != d.reason ||
					!state.StartsAt.Equal(d.starts) || !state.EndsAt.Equal(d.ends) {
					t.Fatalf("seed %d, message %d, %s:\ngot  %v %v %v %q\nwant %v %v %v %q", seed, i, d.rule.Name, state.Firing,
						state.StartsAt, state.EndsAt, state.Reason, d.firing, d.starts, d.ends, d.reason)
				}
			}
		}
	}
}

// liveOnly drops corrections and holes from a script.
func liveOnly(script string) string {
	words := strings.Fields(script)
	kept := words[:0]
	for _, word := range words {
		if !strings.ContainsAny(word, "=+-") {
			kept = append(kept, word)
		}
	}
	return strings.Join(kept, " ")
}

// definition is one rule's state by the definitions.
type definition struct {
	rule         *rule.Rule
	log          []*events.Event
	after        int // windows before this one count no more
	firing       bool
	starts, ends time.Time
	reason       string
}

func (d *definition) verdict(i int) (rule.Verdict, rule.Window) {
	w := rule.Observe(d.log[i])
	return d.rule.Eval(&w), w
}

func (d *definition) next(ev *events.Event) {
	d.log = append(d.log, ev)
	newest := ev.Window
	bogota := must(time.LoadLocation(ev.Timezone))
	switch {
	case !d.rule.InHours(newest.Start, bogota):
		d.after = len(d.log)
		if d.firing {
			d.end(newest.End, events.ReasonOutOfHours)
		}
	case d.firing:
		quiet := 0
		for quiet < len(d.log) {
			if v, _ := d.verdict(len(d.log) - 1 - quiet); !v.Quiet() {
				break
			}
			quiet++
		}
		if quiet >= d.rule.Keep {
			d.end(d.log[len(d.log)-quiet].Window.Start, events.ReasonCleared)
		} else if d.withoutTraffic(newest.End) {
			d.end(newest.End, events.ReasonNoTraffic)
		}
	case !d.withoutTraffic(newest.End):
		d.fire()
	}
}

func (d *definition) fire() {
	var held []int
	for i := max(d.after, len(d.log)-d.rule.For.M); i < len(d.log); i++ {
		if v, _ := d.verdict(i); v.Expr == rule.True {
			held = append(held, i)
		}
	}
	if len(held) >= d.rule.For.N {
		d.firing, d.starts, d.ends, d.reason = true, d.log[held[0]].Window.Start, time.Time{}, ""
	}
}

func (d *definition) end(at time.Time, reason string) {
	d.firing, d.ends, d.reason, d.after = false, at, reason, len(d.log)
}

func (d *definition) withoutTraffic(until time.Time) bool {
	since := until.Add(-time.Hour)
	for i := len(d.log) - 1; i >= 0 && d.log[i].Window.End.After(since); i-- {
		if v, w := d.verdict(i); !w.Known() || w.Total() > 0 && v.Volume != rule.False {
			return false
		}
	}
	return !d.log[0].Window.Start.After(since)
}

// TestHostileLogs: messages in any order, of any window, again and again: no panic, nothing but what the contract
// allows comes out, and what is remembered stays bounded.
func TestHostileLogs(t *testing.T) {
	set := rules(t, severalRules)
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 3))
		log := parseScript(randomScript(r, 60))
		for i := range log {
			ev := &log[r.IntN(len(log))]
			switch r.IntN(6) {
			case 0:
				ev.Window.Start = ev.Window.Start.Add(time.Duration(r.IntN(7200)-3600) * time.Second)
			case 1:
				ev.Window.End = ev.Window.End.Add(time.Duration(r.IntN(7200)-3600) * time.Second)
			case 2:
				ev.Window = log[r.IntN(len(log))].Window
			case 3:
				ev.Window.End = time.Unix(r.Int64N(1<<37), 0) // up to the year 6325
			case 4:
				ev.Counts = nil
			}
			log[i].Revision = r.IntN(3)
		}
		operation, published := evaluate.New("default", set, options), map[string]events.Alert{}
		for range 4 {
			for _, i := range r.Perm(len(log)) {
				operation.Apply(&log[i])
				before := maps.Clone(published)
				for _, a := range operation.Transitions(published, cause(uint64(i)), "en") {
					if err := a.Validate(); err != nil {
						t.Fatalf("seed %d: %v", seed, err)
					}
					if a.EndsAt != nil && a.EndsAt.Before(a.StartsAt) {
						t.Fatalf("seed %d: it ends before it begins: %+v", seed, a)
					}
					published[a.Rule] = a
				}
				if again := operation.Transitions(published, cause(uint64(i)), "en"); len(again) > 0 {
					t.Fatalf("seed %d: asked again, from %v: %s", seed, before, story(again))
				}
			}
		}
	}
}
