package incident_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/incident"
	"unconnected/events"
)

func TestTransitions(t *testing.T) {
	sameCause := func(a events.Alert) events.Alert {
		return with(a, func(a *events.Alert) { a.Cause = events.Cause{Sequence: 1000} })
	}
	cases := []struct {
		name   string
		alerts []events.Alert
		want   string // kinds; an asterisk marks what the whole channel sees
		open   bool
	}{
		{"the first alert opens it", []events.Alert{fires("A", "critical", 0)}, "opened", true},
		{"its resolution closes it", []events.Alert{fires("A", "critical", 0), resolves("A", "critical", 10)}, "opened closed*", false},
		{"another rule from the same cause is no worse", []events.Alert{fires("A", "critical", 0), sameCause(fires("B", "warning", 0))}, "opened joined", true},
		{"another rule from the same cause, but more severe, is", []events.Alert{fires("A", "warning", 0), sameCause(fires("B", "critical", 0))}, "opened worse*", true},
		{"another rule from a later cause is worse", []events.Alert{fires("A", "critical", 0), fires("B", "info", 5)}, "opened worse*", true},
		{"a rule that comes again is not", []events.Alert{fires("A", "critical", 0), fires("B", "info", 5), resolves("B", "info", 10), fires("B", "info", 15)},
			"opened worse* better joined", true},
		{"unless it brings back the severity", []events.Alert{fires("A", "critical", 0), fires("B", "info", 5), resolves("A", "critical", 10), fires("A", "critical", 15)},
			"opened worse* better worse*", true},
		{"a firing alert whose severity rises is worse", []events.Alert{fires("A", "warning", 0), fires("A", "critical", 5)}, "opened worse*", true},
		{"one of two resolved is better", []events.Alert{fires("A", "critical", 0), fires("B", "info", 5), resolves("A", "critical", 10)}, "opened worse* better", true},
		{"the other closes it", []events.Alert{fires("A", "critical", 0), fires("B", "info", 5), resolves("A", "critical", 10), resolves("B", "info", 15)},
			"opened worse* better closed*", false},
		{"firing again opens it again", []events.Alert{fires("A", "critical", 0), resolves("A", "critical", 10), fires("A", "critical", 15)}, "opened closed* reopened*", true},
		{"after which a rule of the same cause is no worse", []events.Alert{fires("A", "critical", 0), resolves("A", "critical", 10), fires("A", "critical", 15),
			with(fires("B", "info", 15), func(a *events.Alert) { a.Sequence++ })}, "opened closed* reopened* joined", true},
		{"an end without a beginning is a closed incident", []events.Alert{resolves("A", "critical", 10)}, "closed*", false},
		{"an end of a rule whose beginning is lost is better", []events.Alert{fires("A", "critical", 0), resolves("B", "info", 10)}, "opened better", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			inc := folded(c.alerts...)
			if got := kinds(inc); got != c.want {
				t.Errorf("transitions are %q, want %q", got, c.want)
			}
			if inc.Open != c.open {
				t.Errorf("open is %v, want %v", inc.Open, c.open)
			}
		})
	}
}

func kinds(inc incident.Incident) string {
	var words []string
	for _, t := range inc.Transitions {
		word := t.Kind.String()
		if t.Broadcast() {
			word += "*"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func TestWhatComesTwiceOrLateChangesNothing(t *testing.T) {
	first, end := fires("A", "critical", 0), resolves("A", "critical", 10)
	cases := []struct {
		name  string
		then  events.Alert
		fails bool
	}{
		{"the same message again", end, false},
		{"an older message", first, false},
		{"the same event stored twice", with(end, func(a *events.Alert) { a.Sequence += 50 }), false},
		{"another end of what has ended", with(end, func(a *events.Alert) { a.Sequence, a.Cause.Sequence = 300, 2000 }), false},
		{"an event that breaks the contract", with(end, func(a *events.Alert) { a.Sequence, a.Severity = 300, "awful" }), true},
		{"an event that claims another operation's incident", with(fires("A", "info", 20), func(a *events.Alert) { a.Operation = "other" }), true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := incident.NewFold()
			for _, a := range []events.Alert{first, end} {
				if _, changed, err := f.Apply(a); !changed || err != nil {
					t.Fatal("the incident itself does not count", err)
				}
			}
			_, changed, err := f.Apply(c.then)
			if changed || (err != nil) != c.fails {
				t.Errorf("changed is %v, the error %v", changed, err)
			}
			if f.Last() < c.then.Sequence {
				t.Errorf("the fold stands at %d, and was handed %d", f.Last(), c.then.Sequence)
			}
			inc, _ := f.Get(first.Incident)
			if got := kinds(inc); got != "opened closed*" {
				t.Errorf("the incident became %q", got)
			}
		})
	}
}

func TestIncidentKeepsItsEvidence(t *testing.T) {
	value := func(v float64) func(*events.Alert) { return func(a *events.Alert) { a.Value = &v } }
	peak, peakAt := 0.61, minute(10)
	inc := folded(
		with(fires("A", "warning", 0), value(0.44)),
		with(fires("B", "critical", 5), value(0.30)),
		with(resolves("B", "critical", 10), value(0.02)),
		with(resolves("A", "warning", 20), func(a *events.Alert) {
			a.StartsAt, a.Observed = minute(-5), &events.Observed{Peak: &peak, PeakAt: &peakAt}
			value(0.08)(a)
		}))
	a := inc.Alerts[0]
	if *a.Peak != 0.61 || !a.PeakAt.Equal(peakAt) || *a.Fired.Value != 0.44 || *a.Latest.Value != 0.08 {
		t.Errorf("A has peak %v at %v, fired with %v, ended with %v", *a.Peak, a.PeakAt, *a.Fired.Value, *a.Latest.Value)
	}
	if b := inc.Alerts[1]; *b.Peak != 0.30 {
		t.Errorf("B has peak %v: a low value at the end is none", *b.Peak)
	}
	if !inc.Start.Equal(minute(-5)) || !inc.End.Equal(minute(20)) || !inc.ClosedAt.Equal(minute(25)) {
		t.Errorf("it lasted from %v to %v and closed at %v", inc.Start, inc.End, inc.ClosedAt)
	}
	if inc.Worst != "critical" || inc.Lead().Rule() != "B" {
		t.Errorf("its worst severity is %s, and %s leads", inc.Worst, inc.Lead().Rule())
	}
	then := inc.AsOf(2)
	if !then.Open || kinds(then) != "opened worse*" || len(then.Alerts) != 2 {
		t.Errorf("as of the second event it was %q, open %v", kinds(then), then.Open)
	}
}

func TestForget(t *testing.T) {
	f := incident.NewFold()
	for _, a := range []events.Alert{fires("A", "critical", 0), resolves("A", "critical", 10)} {
		_, _, _ = f.Apply(a)
	}
	open := with(fires("A", "info", 20), func(a *events.Alert) { a.Incident = "default/2026-11-22T15:20:00Z" })
	_, _, _ = f.Apply(open)
	if dropped := f.Forget(minute(15)); dropped != nil {
		t.Errorf("forgot %v, which closed at that very minute", dropped)
	}
	if dropped := f.Forget(minute(10000)); !slices.Equal(dropped, []string{"default/2026-11-22T15:00:00Z"}) {
		t.Errorf("forgot %v, want the closed one", dropped)
	}
	if all := f.All(); len(all) != 1 || all[0].ID != open.Incident {
		t.Errorf("%d incidents are left", len(all))
	}
	if f.Last() != open.Sequence {
		t.Errorf("the last sequence is %d", f.Last())
	}
}

func TestUrgency(t *testing.T) {
	build := func(severity string, at int, closed bool) incident.Incident {
		alerts := []events.Alert{fires("A", severity, at)}
		if closed {
			alerts = append(alerts, resolves("A", severity, at+10))
		}
		return folded(alerts...)
	}
	order := []incident.Incident{build("critical", 10, false), build("warning", 0, false), build("warning", 5, false), build("critical", 0, true)}
	for i := range order[1:] {
		if order[i].Compare(&order[i+1]) >= 0 {
			t.Errorf("incident %d does not come before the next", i)
		}
	}
}

func TestWorth(t *testing.T) {
	const maxAge = 30 * time.Minute
	late := func(a events.Alert, by time.Duration) events.Alert {
		return with(a, func(a *events.Alert) { a.Stored = a.At().Add(by) })
	}
	young, old := 30*time.Minute, 31*time.Minute
	closed := minute(15)
	reached := func(operation string, age time.Duration) incident.Progress {
		return incident.Progress{Operation: operation, WindowEnd: minute(60), At: minute(60).Add(age)}
	}
	posted := incident.Record{Root: incident.Root{Posted: true}}
	intended := incident.Record{Root: incident.Root{Intent: &incident.Intent{}}}
	cases := []struct {
		name     string
		alerts   []events.Alert
		rec      incident.Record
		progress incident.Progress
		now      time.Time
		want     bool
	}{
		{"young and open", []events.Alert{late(fires("A", "info", 0), young)}, incident.Record{}, incident.Progress{}, closed, true},
		{"old and open", []events.Alert{late(fires("A", "info", 0), old)}, incident.Record{}, incident.Progress{}, closed, false},
		{"old and closed", []events.Alert{late(fires("A", "info", 0), old), late(resolves("A", "info", 10), old)}, incident.Record{}, reached("default", young), closed, false},
		{"began old, closed young", []events.Alert{late(fires("A", "info", 0), old), late(resolves("A", "info", 10), young)}, incident.Record{}, incident.Progress{}, closed, true},
		{"old and open, and evaluation reached a young window", []events.Alert{late(fires("A", "info", 0), old)}, incident.Record{}, reached("default", young), closed, true},
		{"old and open, and evaluation reached an old window", []events.Alert{late(fires("A", "info", 0), old)}, incident.Record{}, reached("default", old), closed, false},
		{"old and open, and another operation's evaluation did", []events.Alert{late(fires("A", "info", 0), old)}, incident.Record{}, reached("other", young), closed, false},
		{"old and closed, but in Slack", []events.Alert{late(fires("A", "info", 0), old), late(resolves("A", "info", 10), old)}, posted, incident.Progress{}, closed, true},
		{"old and closed, but perhaps in Slack", []events.Alert{late(fires("A", "info", 0), old), late(resolves("A", "info", 10), old)}, intended, incident.Progress{}, closed, true},
		{"young, and Slack was away for a week", []events.Alert{fires("A", "info", 0), resolves("A", "info", 10)}, incident.Record{}, incident.Progress{}, closed.Add(incident.GiveUp), true},
		{"young, and Slack was away for longer", []events.Alert{fires("A", "info", 0), resolves("A", "info", 10)}, incident.Record{}, incident.Progress{}, closed.Add(incident.GiveUp + 1), false},
		{"young, open, and Slack was away for longer", []events.Alert{fires("A", "info", 0)}, incident.Record{}, incident.Progress{}, closed.Add(2 * incident.GiveUp), true},
		{"an end whose beginning is lost", []events.Alert{resolves("A", "info", 10)}, incident.Record{}, incident.Progress{}, closed, false},
		{"nothing at all", nil, posted, incident.Progress{}, closed, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			inc := folded(c.alerts...)
			if got := incident.Worth(&inc, c.rec, c.progress, maxAge, c.now); got != c.want {
				t.Errorf("Worth is %v, want %v", got, c.want)
			}
		})
	}
}

func TestLeadOfARepeatedIncidentIsWhatBroughtItBack(t *testing.T) {
	inc := folded(
		fires("Half", "critical", 0), fires("Spike", "critical", 5),
		resolves("Half", "critical", 10), resolves("Spike", "critical", 10),
		fires("Spike", "critical", 15))
	if lead := inc.Lead().Rule(); lead != "Spike" {
		t.Errorf("while it fires again, %s leads", lead)
	}
	again := folded(
		fires("Half", "critical", 0), fires("Spike", "critical", 5),
		resolves("Half", "critical", 10), resolves("Spike", "critical", 10),
		fires("Spike", "critical", 15), resolves("Spike", "critical", 20))
	if lead := again.Lead().Rule(); lead != "Spike" {
		t.Errorf("at its end %s leads, which was resolved long before", lead)
	}
}
