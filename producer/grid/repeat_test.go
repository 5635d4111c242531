package grid_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"unconnected/events"
	"unconnected/producer/grid"
)

func TestRepeated(t *testing.T) {
	type span struct{ start, end string }
	for name, c := range map[string]struct {
		zone string
		w    span
		pass grid.Pass
		twin span
	}{
		"Bogota never": {"America/Bogota", span{"2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z"}, grid.Once, span{}},
		"UTC never":    {"UTC", span{"2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z"}, grid.Once, span{}},

		"New York: the window before":  {"America/New_York", span{"2026-11-01T04:55:00Z", "2026-11-01T05:00:00Z"}, grid.Once, span{}},
		"New York: first of the first": {"America/New_York", span{"2026-11-01T05:00:00Z", "2026-11-01T05:05:00Z"}, grid.First, span{"2026-11-01T06:00:00Z", "2026-11-01T06:05:00Z"}},
		"New York: last of the first":  {"America/New_York", span{"2026-11-01T05:55:00Z", "2026-11-01T06:00:00Z"}, grid.First, span{"2026-11-01T06:55:00Z", "2026-11-01T07:00:00Z"}},
		"New York: first of second":    {"America/New_York", span{"2026-11-01T06:00:00Z", "2026-11-01T06:05:00Z"}, grid.Second, span{"2026-11-01T05:00:00Z", "2026-11-01T05:05:00Z"}},
		"New York: last of second":     {"America/New_York", span{"2026-11-01T06:55:00Z", "2026-11-01T07:00:00Z"}, grid.Second, span{"2026-11-01T05:55:00Z", "2026-11-01T06:00:00Z"}},
		"New York: the window after":   {"America/New_York", span{"2026-11-01T07:00:00Z", "2026-11-01T07:05:00Z"}, grid.Once, span{}},
		"New York: whole hours":        {"America/New_York", span{"2026-11-01T06:00:00Z", "2026-11-01T07:00:00Z"}, grid.Second, span{"2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z"}},
		"New York: clocks go forward":  {"America/New_York", span{"2026-03-08T06:55:00Z", "2026-03-08T07:00:00Z"}, grid.Once, span{}},

		"Santiago: before midnight": {"America/Santiago", span{"2026-04-05T02:00:00Z", "2026-04-05T02:15:00Z"}, grid.First, span{"2026-04-05T03:00:00Z", "2026-04-05T03:15:00Z"}},
		"Santiago: midnight itself": {"America/Santiago", span{"2026-04-05T04:00:00Z", "2026-04-05T04:15:00Z"}, grid.Once, span{}},
		"Santiago: forward":         {"America/Santiago", span{"2026-09-06T04:00:00Z", "2026-09-06T04:15:00Z"}, grid.Once, span{}},

		"Havana: 00:00 first":  {"America/Havana", span{"2026-11-01T04:00:00Z", "2026-11-01T04:01:00Z"}, grid.First, span{"2026-11-01T05:00:00Z", "2026-11-01T05:01:00Z"}},
		"Havana: 00:00 second": {"America/Havana", span{"2026-11-01T05:00:00Z", "2026-11-01T05:01:00Z"}, grid.Second, span{"2026-11-01T04:00:00Z", "2026-11-01T04:01:00Z"}},

		"Lord Howe: half an hour, first":     {"Australia/Lord_Howe", span{"2026-04-04T14:30:00Z", "2026-04-04T14:35:00Z"}, grid.First, span{"2026-04-04T15:00:00Z", "2026-04-04T15:05:00Z"}},
		"Lord Howe: half an hour, second":    {"Australia/Lord_Howe", span{"2026-04-04T15:25:00Z", "2026-04-04T15:30:00Z"}, grid.Second, span{"2026-04-04T14:55:00Z", "2026-04-04T15:00:00Z"}},
		"Lord Howe: before":                  {"Australia/Lord_Howe", span{"2026-04-04T14:25:00Z", "2026-04-04T14:30:00Z"}, grid.Once, span{}},
		"Lord Howe: after":                   {"Australia/Lord_Howe", span{"2026-04-04T15:30:00Z", "2026-04-04T15:35:00Z"}, grid.Once, span{}},
		"Lord Howe: an hour, first in part":  {"Australia/Lord_Howe", span{"2026-04-04T14:00:00Z", "2026-04-04T15:00:00Z"}, grid.First, span{"2026-04-04T14:30:00Z", "2026-04-04T15:30:00Z"}},
		"Lord Howe: an hour, second in part": {"Australia/Lord_Howe", span{"2026-04-04T15:00:00Z", "2026-04-04T16:00:00Z"}, grid.Second, span{"2026-04-04T14:30:00Z", "2026-04-04T15:30:00Z"}},
	} {
		t.Run(name, func(t *testing.T) {
			var want events.Window
			if c.twin.start != "" {
				want = window(t, c.twin.start, c.twin.end)
			}
			pass, twin := grid.Repeated(window(t, c.w.start, c.w.end), zone(t, c.zone))
			if pass != c.pass || !twin.Equal(want) {
				t.Errorf("Repeated = %v, %v, want %v, %v", pass, twin, c.pass, want)
			}
		})
	}
}

// changes are days on which the clocks of a zone change.
var changes = []struct{ zone, day string }{
	{"America/Santiago", "2026-04-04"}, {"America/Santiago", "2026-09-05"},
	{"America/New_York", "2026-11-01"}, {"America/New_York", "2026-03-08"},
	{"America/Havana", "2026-11-01"}, {"America/Havana", "2026-03-08"},
	{"Australia/Lord_Howe", "2026-04-04"}, {"Australia/Lord_Howe", "2026-10-03"},
	{"Australia/Adelaide", "2026-04-04"}, {"Australia/Adelaide", "2026-10-03"},
	{"America/Bogota", "2026-11-01"},
}

// wall is what the clocks show at an instant.
func wall(instant time.Time, location *time.Location) string {
	return instant.In(location).Format("20060102150405")
}

// TestRepeatedMatchesTheClocks compares Repeated with clocks looked at every minute: a window is repeated when one of its
// minutes is, and its twin shows the same times.
func TestRepeatedMatchesTheClocks(t *testing.T) {
	for _, change := range changes {
		location, noon := zone(t, change.zone), at(t, change.day+"T00:00:00Z")
		seen := make(map[string]int)
		for minute := -12 * 60; minute < 48*60; minute++ {
			seen[wall(noon.Add(time.Duration(minute)*time.Minute), location)]++
		}
		for _, length := range lengths() {
			if length%time.Minute != 0 {
				continue
			}
			for start := noon.Add(-6 * time.Hour); start.Before(noon.Add(36 * time.Hour)); start = start.Add(length) {
				w := events.Window{Start: start, End: start.Add(length)}
				checkRepeated(t, w, location, seen)
			}
		}
	}
}

func checkRepeated(t *testing.T, w events.Window, location *time.Location, seen map[string]int) {
	t.Helper()
	repeated := false
	for minute := w.Start; minute.Before(w.End); minute = minute.Add(time.Minute) {
		repeated = repeated || seen[wall(minute, location)] > 1
	}
	pass, twin := grid.Repeated(w, location)
	if (pass != grid.Once) != repeated {
		t.Fatalf("%v in %v: pass %v, repeated: %v", w, location, pass, repeated)
	}
	if pass == grid.Once || !grid.Askable(w, location) || !grid.Askable(twin, location) {
		return
	}
	back, original := grid.Repeated(twin, location)
	if back != grid.First+grid.Second-pass || !original.Equal(w) {
		t.Fatalf("%v in %v: the twin of its twin %v is %v, pass %v of %v", w, location, twin, original, back, pass)
	}
	last := w.End.Add(-time.Second)
	if first, second := wall(last, location), wall(twin.End.Add(-time.Second), location); first != second && pass == grid.First {
		t.Fatalf("%v in %v: ends at %s, its twin at %s", w, location, first, second)
	}
}

// TestAskable compares Askable with the clocks: the local times of a request must not run backwards.
func TestAskable(t *testing.T) {
	odd := 0
	for _, change := range changes {
		location, day := zone(t, change.zone), at(t, change.day+"T00:00:00Z")
		for _, length := range lengths() {
			for start := day.Add(12 * time.Hour); start.Before(day.Add(20 * time.Hour)); start = start.Add(length) {
				w := events.Window{Start: start, End: start.Add(length)}
				backwards := wall(w.End.Add(-time.Second), location) < wall(w.Start, location)
				for t := w.Start; t.Before(w.End); t = t.Add(time.Minute) {
					backwards = backwards || wall(t, location) < wall(w.Start, location)
				}
				if grid.Askable(w, location) == backwards {
					t.Fatalf("%v in %v: askable %v, its local times run backwards: %v", w, location, !backwards, backwards)
				}
				if backwards {
					odd++
				}
			}
		}
	}
	if odd == 0 {
		t.Error("no window of the test has local times that run backwards")
	}
}

func TestShare(t *testing.T) {
	first := window(t, "2026-11-01T05:00:00Z", "2026-11-01T05:05:00Z")
	second := window(t, "2026-11-01T06:00:00Z", "2026-11-01T06:05:00Z")
	counts := func(busy, cancel int64) map[string]int64 { return map[string]int64{"busy": busy, "cancel": cancel} }
	live, late := at(t, "2026-11-01T05:06:30Z"), at(t, "2026-11-01T06:06:30Z")
	missed := &events.Event{Window: first, Missed: &events.Missed{}}
	for name, c := range map[string]struct {
		pass   grid.Pass
		polled time.Time
		answer map[string]int64
		twin   *events.Event
		want   map[string]int64
		guess  bool
	}{
		"once: all of it":                            {grid.Once, live, counts(5, 1), nil, counts(5, 1), false},
		"first, asked live: exact":                   {grid.First, live, counts(5, 1), nil, counts(5, 1), false},
		"first, asked as the second begins: a guess": {grid.First, second.Start, counts(5, 1), nil, counts(5, 1), true},
		"first, asked after the fact: all of it":     {grid.First, late, counts(9, 3), nil, counts(9, 3), true},
		"second: the answer less the twin":           {grid.Second, late, counts(9, 3), &events.Event{Counts: counts(5, 1)}, counts(4, 2), true},
		"second: never below zero":                   {grid.Second, late, counts(4, 3), &events.Event{Counts: counts(5, 1)}, counts(0, 2), true},
		"second, the twin had a result more":         {grid.Second, late, map[string]int64{"busy": 4}, &events.Event{Counts: counts(1, 1)}, map[string]int64{"busy": 3}, true},
		"second, the twin had all: what is new":      {grid.Second, late, counts(9, 4), &events.Event{Counts: counts(9, 3), Ambiguous: true}, counts(0, 1), true},
		"second, the twin was missed":                {grid.Second, late, counts(9, 3), missed, counts(9, 3), true},
		"second, no twin in the log":                 {grid.Second, late, counts(9, 3), nil, counts(9, 3), true},
	} {
		t.Run(name, func(t *testing.T) {
			w, twin := first, second
			if c.pass == grid.Second {
				w, twin = second, first
			}
			before := maps.Clone(c.answer)
			got, guess := grid.Share(c.pass, w, twin, c.polled, c.answer, c.twin)
			if !maps.Equal(got, c.want) || guess != c.guess {
				t.Errorf("Share = %v, a guess: %v; want %v, %v", got, guess, c.want, c.guess)
			}
			if !maps.Equal(c.answer, before) {
				t.Errorf("Share changed the answer to %v", c.answer)
			}
		})
	}
}

// api answers like the API: with the calls of all instants at which the clocks showed the times asked for.
type api struct {
	location *time.Location
	from     time.Time
	calls    []int64 // by minute since from
}

func (a *api) report(w events.Window, now time.Time) map[string]int64 {
	first, last := wall(w.Start, a.location), wall(w.End.Add(-time.Second), a.location)
	var sum int64
	for i, n := range a.calls {
		minute := a.from.Add(time.Duration(i) * time.Minute)
		if shown := wall(minute, a.location); minute.Before(now) && first <= shown && shown <= last {
			sum += n
		}
	}
	return map[string]int64{"busy": sum}
}

// TestSharesAddUp polls through the change of the clocks, live and after the fact: live every window is exact, and after the
// fact no call is counted twice or lost.
func TestSharesAddUp(t *testing.T) {
	const length = 15 * time.Minute
	for _, change := range changes {
		for _, live := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s %s live=%v", change.zone, change.day, live), func(t *testing.T) {
				a := &api{location: zone(t, change.zone), from: at(t, change.day+"T00:00:00Z")}
				var want, got int64
				for minute := range 24 * 60 {
					a.calls = append(a.calls, int64(minute%7+1))
					want += a.calls[minute]
				}
				stored := make(map[time.Time]*events.Event)
				for i := range 24 * 4 {
					e := a.poll(a.from.Add(time.Duration(i)*length), length, live, stored)
					got += e.Counts["busy"]
					if exact := a.truth(e.Window); live && e.Counts["busy"] != exact {
						t.Errorf("%v: %d calls, were %d", e.Window, e.Counts["busy"], exact)
					}
				}
				if got != want {
					t.Errorf("%d calls in all, were %d", got, want)
				}
			})
		}
	}
}

// poll asks for a window at its end, or a day later.
func (a *api) poll(start time.Time, length time.Duration, live bool, stored map[time.Time]*events.Event) *events.Event {
	w := events.Window{Start: start, End: start.Add(length)}
	now := w.End
	if !live {
		now = a.from.Add(48 * time.Hour)
	}
	pass, twin := grid.Repeated(w, a.location)
	e := &events.Event{Window: w}
	e.Counts, e.Ambiguous = grid.Share(pass, w, twin, now, a.report(w, now), stored[twin.Start])
	stored[w.Start] = e
	return e
}

// truth is the number of calls in the window.
func (a *api) truth(w events.Window) (sum int64) {
	for i, n := range a.calls {
		if w.Contains(a.from.Add(time.Duration(i) * time.Minute)) {
			sum += n
		}
	}
	return sum
}
