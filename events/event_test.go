package events_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"unconnected/events"
)

// origin is where the windows of the tests begin: the window of the contract's sample.
var origin = time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)

// window is the i-th of the tests.
func window(i int) events.Window {
	start := origin.Add(time.Duration(i) * 5 * time.Minute)
	return events.Window{Start: start, End: start.Add(5 * time.Minute)}
}

// live is the first answer for the i-th window of an operation: i congested calls and nothing else.
func live(operation string, i int) events.Event {
	w := window(i)
	return events.Event{
		Operation: operation, Server: "0011", Timezone: "America/Bogota", Source: "//wv0011.wolkvox.com/cdr_6", Window: w,
		Total: int64(i), Counts: counts(events.Congestion, int64(i)),
		PolledAt: w.End.Add(90 * time.Second), Checkpoint: w.End,
	}
}

// revised is a later revision of the i-th window, appended when the log had reached the window last.
func revised(operation string, i, revision, last int) events.Event {
	e := live(operation, i)
	e.Revision, e.Total, e.Checkpoint = revision, e.Total+int64(revision), window(last).End
	e.Counts = counts(events.Congestion, e.Total)
	return e
}

// backfilled is the i-th window, appended when the log had reached the window last.
func backfilled(operation string, i, last int) events.Event {
	e := live(operation, i)
	e.Backfill, e.Checkpoint = true, window(last).End
	return e
}

// missed is the marker that the i-th window could not be had.
func missed(operation string, i int) events.Event {
	e := live(operation, i)
	e.Total, e.Counts, e.Missed = 0, nil, &events.Missed{Reason: "negative count", Attempts: 7}
	return e
}

// counts has the documented results and n calls of one more or the same.
func counts(result string, n int64) map[string]int64 {
	counts := map[string]int64{result: n}
	for _, r := range events.DocumentedResults() {
		if r != result {
			counts[r] = 0
		}
	}
	return counts
}

// firing is the alert of the contract's page.
func firing() events.Alert {
	w, value, threshold := window(0), 0.44, 0.2
	return events.Alert{
		Operation: "default", Rule: "CongestionSpike", Severity: events.Critical, Status: events.Firing,
		StartsAt: origin.Add(-5 * time.Minute), Window: &w, Value: &value, Threshold: &threshold,
		Summary: "congestion is 44 % of unconnected calls", Labels: map[string]string{"team": "noc"},
		Incident: "default/2026-11-22T14:55:00Z", Cause: events.Cause{Sequence: 1234},
	}
}

// resolved is the end of firing, by a tick of the clock.
func resolved() events.Alert {
	a, ends := firing(), origin.Add(time.Hour)
	a.Status, a.EndsAt, a.Reason = events.Resolved, &ends, events.ReasonNoTraffic
	a.Window, a.Value, a.Cause.Tick = nil, nil, ends.Unix()
	return a
}

func TestEventID(t *testing.T) {
	second, hour := live("cob", 0), live("cob", 0)
	second.Window.End = origin.Add(time.Second)
	hour.Window.End = origin.Add(time.Hour)
	abroad := live("cob", 0)
	abroad.Window.Start = abroad.Window.Start.In(time.FixedZone("", -5*60*60))
	tests := []struct {
		event         events.Event
		id, eventType string
	}{
		{live("default", 0), "default/20261122T150000Z/PT300S/0", events.TypeCalls},
		{live("ventas-2_b", 13), "ventas-2_b/20261122T160500Z/PT300S/0", events.TypeCalls},
		{revised("default", 0, 12, 3), "default/20261122T150000Z/PT300S/12", events.TypeCalls},
		{backfilled("default", 0, 3), "default/20261122T150000Z/PT300S/0", events.TypeCalls},
		{missed("default", 0), "default/20261122T150000Z/PT300S/missed", events.TypeMissed},
		{second, "cob/20261122T150000Z/PT1S/0", events.TypeCalls},
		{hour, "cob/20261122T150000Z/PT3600S/0", events.TypeCalls},
		{abroad, "cob/20261122T150000Z/PT300S/0", events.TypeCalls},
	}
	for _, test := range tests {
		if got := test.event.ID(); got != test.id {
			t.Errorf("id %s, want %s", got, test.id)
		}
		if got := test.event.Type(); got != test.eventType {
			t.Errorf("%s: type %s, want %s", test.id, got, test.eventType)
		}
	}
}

func TestIsLive(t *testing.T) {
	for _, test := range []struct {
		event events.Event
		live  bool
	}{
		{live("default", 1), true}, {missed("default", 1), true},
		{revised("default", 1, 1, 2), false}, {backfilled("default", 1, 2), false},
	} {
		if got := test.event.IsLive(); got != test.live {
			t.Errorf("%s, backfill %t: live %t", test.event.ID(), test.event.Backfill, got)
		}
	}
}

func TestSupersedes(t *testing.T) {
	first, third := revised("default", 1, 1, 5), revised("default", 1, 3, 5)
	zero, marker, filled := live("default", 1), missed("default", 1), backfilled("default", 1, 5)
	tests := []struct {
		name   string
		later  events.Event
		former events.Event
		want   bool
	}{
		{"a revision replaces the first answer", first, zero, true},
		{"a later revision replaces an earlier one", third, first, true},
		{"an earlier revision does not replace a later one", first, third, false},
		{"the same revision again changes nothing", zero, zero, false},
		{"a backfill fills a missed window", filled, marker, true},
		{"a revision fills a missed window", first, marker, true},
		{"a marker never replaces counts", marker, filled, false},
		{"a marker again changes nothing", marker, marker, false},
	}
	for _, test := range tests {
		if got := test.later.Supersedes(&test.former); got != test.want {
			t.Errorf("%s: %t", test.name, got)
		}
	}
}

func TestSameCounts(t *testing.T) {
	tests := []struct {
		name string
		a, b map[string]int64
		same bool
	}{
		{"equal", map[string]int64{"busy": 1}, map[string]int64{"busy": 1}, true},
		{"absent is zero", map[string]int64{"busy": 1, "tcpa": 0}, map[string]int64{"busy": 1}, true},
		{"absent is zero, the other way round", nil, map[string]int64{"busy": 0}, true},
		{"another number", map[string]int64{"busy": 1}, map[string]int64{"busy": 2}, false},
		{"another result", map[string]int64{"busy": 1}, map[string]int64{"cancel": 1}, false},
		{"one more result", map[string]int64{"busy": 1}, map[string]int64{"busy": 1, "cancel": 1}, false},
	}
	for _, test := range tests {
		a, b := events.Event{Counts: test.a}, events.Event{Counts: test.b}
		if got := a.SameCounts(&b); got != test.same {
			t.Errorf("%s: %t", test.name, got)
		}
	}
}

func TestEventValidate(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*events.Event)
		want  string // part of the error; "" for none
	}{
		{"whole", func(*events.Event) {}, ""},
		{"empty window", func(e *events.Event) { e.Total, e.Counts = 0, map[string]int64{} }, ""},
		{"unlisted result", func(e *events.Event) { e.Counts = map[string]int64{"r_404": e.Total} }, ""},
		{"missed", func(e *events.Event) { *e = missed("default", 1) }, ""},
		{"no operation", func(e *events.Event) { e.Operation = "" }, "operation"},
		{"operation with a dot", func(e *events.Event) { e.Operation = "a.b" }, "operation"},
		{"no window", func(e *events.Event) { e.Window = events.Window{} }, "no start"},
		{"no end", func(e *events.Event) { e.Window.End = time.Time{} }, "no end"},
		{"window of no length", func(e *events.Event) { e.Window.End = e.Window.Start }, "before it begins"},
		{"window backwards", func(e *events.Event) { e.Window.End = origin.Add(-time.Hour) }, "before it begins"},
		{"fraction of a second", func(e *events.Event) { e.Window.End = e.Window.End.Add(1) }, "whole seconds"},
		{"year 10000", func(e *events.Event) { e.Window.End = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "calendar"},
		{"negative revision", func(e *events.Event) { e.Revision = -1 }, "revision"},
		{"no counts", func(e *events.Event) { e.Counts = nil }, "counts are missing"},
		{"negative count", func(e *events.Event) { e.Counts = map[string]int64{"busy": 5, "cancel": -4} }, "negative"},
		{"wrong sum", func(e *events.Event) { e.Total++ }, "add up to"},
		{"overflow", func(e *events.Event) {
			e.Counts = map[string]int64{"busy": math.MaxInt64, "cancel": math.MaxInt64, "tcpa": 3}
		}, "overflow"},
		{"result as reported", func(e *events.Event) { e.Counts = map[string]int64{"NO ANSWER": e.Total} }, "snake_case"},
		{"result without a name", func(e *events.Event) { e.Counts = map[string]int64{"": e.Total} }, "snake_case"},
		{"result beginning with a digit", func(e *events.Event) { e.Counts = map[string]int64{"404": e.Total} }, "snake_case"},
		{"missed with a total", func(e *events.Event) { *e = missed("default", 1); e.Total = 1 }, "carries counts"},
		{"missed with counts", func(e *events.Event) { *e = missed("default", 1); e.Counts = counts("busy", 0) }, "carries counts"},
		{"missed with rows", func(e *events.Event) {
			*e = missed("default", 1)
			e.Reported = []events.Reported{{Result: "BUSY", Count: "1"}}
		}, "carries counts"},
		{"missed revision", func(e *events.Event) { *e = missed("default", 1); e.Revision = 1 }, "revision or a backfill"},
		{"missed backfill", func(e *events.Event) { *e = missed("default", 1); e.Backfill = true }, "revision or a backfill"},
		{"negative attempts", func(e *events.Event) { *e = missed("default", 1); e.Missed.Attempts = -1 }, "attempts"},
	}
	for _, test := range tests {
		e := live("default", 1)
		test.spoil(&e)
		checkError(t, test.name, e.Validate(), test.want)
	}
}

// checkError compares an error with a part of its text; "" stands for no error.
func checkError(t *testing.T, name string, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%s: %v", name, err)
	case want != "" && err == nil:
		t.Errorf("%s: no error, want one about %q", name, want)
	case want != "" && !strings.Contains(err.Error(), want):
		t.Errorf("%s: error %q, want one about %q", name, err, want)
	}
}

func TestEncodeAsksForMoreThanValidate(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*events.Event)
		want  string
	}{
		{"invalid", func(e *events.Event) { e.Total++ }, "add up to"},
		{"no zone", func(e *events.Event) { e.Timezone = "" }, "timezone"},
		{"no source", func(e *events.Event) { e.Source = "" }, "source"},
		{"no time of polling", func(e *events.Event) { e.PolledAt = time.Time{} }, "polling"},
		{"no checkpoint", func(e *events.Event) { e.Checkpoint = time.Time{} }, "checkpoint"},
		{"fractional checkpoint", func(e *events.Event) { e.Checkpoint = e.Checkpoint.Add(time.Millisecond) }, "whole seconds"},
		{"too large", func(e *events.Event) {
			e.Reported = []events.Reported{{Result: strings.Repeat("x", 1<<20), Count: "1"}}
		}, "larger than"},
	}
	for _, test := range tests {
		e := live("default", 1)
		test.spoil(&e)
		_, err := events.Encode(&e)
		checkError(t, test.name, err, test.want)
	}
}

func TestValidOperation(t *testing.T) {
	long := strings.Repeat("a", 63)
	for _, name := range []string{"default", "a", "7", "ventas-2_b", "0-", long} {
		if !events.ValidOperation(name) {
			t.Errorf("%q is refused", name)
		}
	}
	for _, name := range []string{"", long + "a", "-a", "_a", "A", "a b", "a.b", "a/b", "*", ">", "año", "a\n", "a%20"} {
		if events.ValidOperation(name) {
			t.Errorf("%q is accepted", name)
		}
	}
}

func TestDocumentedResults(t *testing.T) {
	results := events.DocumentedResults()
	if len(results) != 7 || !slices.IsSorted(results) {
		t.Errorf("got %v, want seven in alphabetical order", results)
	}
	results[0] = "changed"
	if events.DocumentedResults()[0] != events.Busy {
		t.Error("the caller can change the list of all")
	}
}

func TestWindow(t *testing.T) {
	w := window(0)
	for _, test := range []struct {
		name      string
		got, want any
	}{
		{"length", w.Length(), 5 * time.Minute},
		{"text", w.String(), "2026-11-22T15:00:00Z/2026-11-22T15:05:00Z"},
		{"contains its start", w.Contains(w.Start), true},
		{"does not contain its end", w.Contains(w.End), false},
		{"does not contain what is before", w.Contains(w.Start.Add(-1)), false},
		{"overlaps itself", w.Overlaps(w), true},
		{"does not overlap the next", w.Overlaps(window(1)), false},
		{"does not overlap the one before", w.Overlaps(window(-1)), false},
		{"overlaps the hour", w.Overlaps(events.Window{Start: origin.Add(-time.Hour), End: origin.Add(time.Second)}), true},
		{"equals the same instants elsewhere", w.Equal(events.Window{Start: w.Start.Local(), End: w.End.Local()}), true},
		{"does not equal a shorter one", w.Equal(events.Window{Start: w.Start, End: w.Start.Add(time.Minute)}), false},
		{"is not zero", w.IsZero(), false},
		{"zero is", events.Window{}.IsZero(), true},
	} {
		if test.got != test.want {
			t.Errorf("%s: %v", test.name, test.got)
		}
	}
}
