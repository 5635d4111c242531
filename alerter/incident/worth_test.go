package incident_test

import (
	"testing"
	"time"

	"unconnected/alerter/incident"
	"unconnected/events"
)

func TestWhatATickEndsIsAsOldAsItsBeginning(t *testing.T) {
	const maxAge = 30 * time.Minute
	old := func(a *events.Alert) { a.Stored = a.Stored.Add(3 * time.Hour) }
	byTick := func(a *events.Alert) {
		a.Cause.Tick, a.Window = minute(200).Unix(), nil
		a.Stored = minute(200).Add(time.Second)
	}
	for _, c := range []struct {
		name   string
		alerts []events.Alert
		want   bool
	}{
		{"an old alert whose rule is removed now is no news", []events.Alert{
			with(fires("A", "critical", 0), old), with(resolves("A", "critical", 10), byTick)}, false},
		{"a young one is", []events.Alert{
			fires("A", "critical", 0), with(resolves("A", "critical", 10), byTick)}, true},
		{"what a tick makes fire is", []events.Alert{with(fires("A", "critical", 0), byTick)}, true},
	} {
		inc := folded(c.alerts...)
		got := incident.Worth(&inc, incident.Record{}, incident.Progress{}, maxAge, minute(201))
		if got != c.want {
			t.Errorf("%s: told is %v", c.name, got)
		}
	}
}

// TestDrillsAreToldWhileTheyLast: nobody is told hours later of a drill that was conducted while the alerter was away.
func TestDrillsAreToldWhileTheyLast(t *testing.T) {
	drill := func(a *events.Alert) {
		a.Labels, a.Window, a.Cause.Tick, a.Stored = map[string]string{events.LabelDrill: "true"}, nil, a.Window.Start.Unix(), a.Window.Start
	}
	begins, ends := with(fires("Drill", "critical", 0), drill), with(resolves("Drill", "critical", 1), drill)
	begun := incident.Record{}
	begun.Root.Posted = true
	for _, c := range []struct {
		name   string
		alerts []events.Alert
		rec    incident.Record
		at     int
		want   bool
	}{
		{"under way", []events.Alert{begins}, incident.Record{}, 0, true},
		{"left behind by whoever began it", []events.Alert{begins}, incident.Record{}, 61, false},
		{"over before anybody was told", []events.Alert{begins, ends}, incident.Record{}, 1, false},
		{"over and told", []events.Alert{begins, ends}, begun, 200, true},
		{"beside something real", []events.Alert{begins, ends, fires("A", "critical", 5)}, incident.Record{}, 10, true},
	} {
		inc := folded(c.alerts...)
		if got := incident.Worth(&inc, c.rec, incident.Progress{}, 30*time.Minute, minute(c.at)); got != c.want {
			t.Errorf("%s: told is %v", c.name, got)
		}
	}
}

func TestAnAmbiguousAnswerEndsTheAttempt(t *testing.T) {
	inc := folded(fires("A", "critical", 0))
	caps := incident.Caps{Threads: true, Edits: true, Lookup: true}
	began := minute(10)
	action := incident.Next(&inc, incident.Record{}, caps, incident.Wishes{}, began)
	rec := incident.Record{}.Intend(action, &inc, began, began.Add(10*time.Second))
	answered := began.Add(time.Second)
	after := rec.Failed(action, incident.Failure{Class: incident.Ambiguous, Code: "http_500"}, answered)
	next := incident.Next(&inc, after, caps, incident.Wishes{}, answered)
	if want := answered.Add(incident.Grace); next.Step != incident.Wait || !next.Until.Equal(want) {
		t.Errorf("it does %v until %v, want to look it up at %v", next.Step, next.Until, want)
	}
	if rec.Root.Intent.Deadline.Equal(after.Root.Intent.Deadline) {
		t.Error("the record that was handed in changed, too")
	}
}
