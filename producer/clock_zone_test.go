package producer_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"unconnected/events"
	"unconnected/producer/grid"
	"unconnected/producer/wolkvox/simulator"
)

// change is a night in which the clocks of a zone change, and how.
type change struct {
	zone, at, window string
	by               time.Duration // negative is back
}

func (c change) String() string { return fmt.Sprintf("%s %s %s", c.zone, c.at[:10], c.window) }

var changes = []change{
	{"America/Santiago", "2026-04-05T03:00:00Z", "15m", -time.Hour},
	{"America/Santiago", "2026-09-06T04:00:00Z", "15m", time.Hour},
	{"America/New_York", "2025-11-02T06:00:00Z", "5m", -time.Hour},
	{"America/New_York", "2026-11-01T06:00:00Z", "1h", -time.Hour},
	{"America/New_York", "2026-03-08T07:00:00Z", "15m", time.Hour},
	{"America/Havana", "2026-11-01T05:00:00Z", "5m", -time.Hour},
	{"America/Havana", "2026-03-08T05:00:00Z", "1h", time.Hour},
	{"Australia/Lord_Howe", "2026-04-04T15:00:00Z", "5m", -30 * time.Minute},
	{"Australia/Lord_Howe", "2026-10-03T15:30:00Z", "15m", 30 * time.Minute},
	{"Australia/Adelaide", "2026-04-04T16:30:00Z", "15m", -time.Hour},
	{"Australia/Adelaide", "2026-10-03T16:30:00Z", "15m", time.Hour},
	// Rules that changed for good.
	{"America/Caracas", "2016-05-01T07:00:00Z", "15m", 30 * time.Minute},
	{"Asia/Pyongyang", "2018-05-04T15:00:00Z", "15m", 30 * time.Minute},
	{"Europe/Volgograd", "2020-12-26T22:00:00Z", "15m", -time.Hour},
	{"Asia/Almaty", "2024-02-29T18:00:00Z", "15m", -time.Hour},
	{"America/Mexico_City", "2022-10-30T07:00:00Z", "15m", -time.Hour},
}

// TestClocksChangeLive polls through the night, from the evening before to the morning after the next day.
func TestClocksChangeLive(t *testing.T) {
	t.Parallel()
	for _, c := range changes {
		t.Run(c.String(), func(t *testing.T) { t.Parallel(); c.live(t) })
	}
}

func (c change) live(t *testing.T) {
	zone, err := time.LoadLocation(c.zone)
	if err != nil {
		t.Fatal(err)
	}
	changes := instant(t, c.at)
	midnight := grid.NextMidnight(changes.Add(-26*time.Hour), zone)
	if day := grid.NextMidnight(midnight, zone); !day.After(changes.Add(min(c.by, 0))) {
		midnight = day
	}
	begin := midnight.Add(-3 * time.Hour)
	end := grid.NextMidnight(midnight, zone).Add(6*time.Hour + 45*time.Minute)
	d := newDays(t, begin.Format(time.RFC3339), end.Sub(begin))
	profile := simulator.AlwaysBusy().Scaled(0.01)
	s := overDays(t, d, simulator.Options{Location: zone, Profile: profile}, map[string]string{"WOLKVOX_TIMEZONE": c.zone, "POLL_WINDOW": c.window})
	s.live(t, d)
	window := time.Duration(s.config.Window)
	log := s.checked(t)
	if want := int(end.Sub(begin)/window) - 1; len(log) < want {
		t.Errorf("%d windows, want %d", len(log), want)
	}
	repeated := events.Window{Start: changes.Add(min(c.by, 0)), End: changes.Add(-min(c.by, 0))}
	c.checkWindows(t, s, log, repeated)
	c.checkRequests(t, s, log, repeated)
	if want := grid.NextMidnight(midnight, zone); !s.tail(t).Reconciled.Days.Equal(want) {
		t.Errorf("days compared up to %v, want %v", s.tail(t).Reconciled.Days, want)
	}
}

// checkWindows checks that every window is true, and marked where it is no more than a guess.
func (c change) checkWindows(t *testing.T, s *site, log []events.Event, repeated events.Window) {
	ambiguous := 0
	for i, e := range log {
		if i > 0 && !e.Window.Start.Equal(log[i-1].Window.End) || e.Revision > 0 || e.Backfill || e.Missed != nil {
			t.Errorf("after %v comes %+v", log[i-1].Window, e)
		}
		second := c.by < 0 && !e.Window.Start.Before(repeated.Start.Add(-c.by)) && e.Window.Start.Before(repeated.End)
		// An answer for as much as an hour comes when the second pass has begun: the first one is a guess, too.
		first := c.window == "1h" && c.by < 0 && e.Window.Start.Equal(repeated.Start)
		if e.Ambiguous != (second || first) {
			t.Errorf("%v: ambiguous %v", e.Window, e.Ambiguous)
		}
		if e.Ambiguous {
			ambiguous++
		}
		if truth := s.api.Truth(e.Window.Start, e.Window.End); !e.Ambiguous && !maps.Equal(e.Counts, truth) {
			t.Errorf("%v: %v, were %v", e.Window, e.Counts, truth)
		}
		if second {
			twin := latest(log)[e.Window.Start.Add(c.by)]
			sum := maps.Clone(e.Counts)
			for result, n := range s.api.Truth(twin.Window.Start, twin.Window.End) {
				sum[result] += twin.Counts[result] - n
			}
			if truth := s.api.Truth(e.Window.Start, e.Window.End); !maps.Equal(sum, truth) {
				t.Errorf("%v and its twin: %v and %v", e.Window, e.Counts, twin.Counts)
			}
		}
	}
	if (ambiguous > 0) != (c.by < 0) {
		t.Errorf("%d ambiguous windows", ambiguous)
	}
}

// checkRequests checks that each window was asked for once, that nothing was compared in a repeated hour, and that the days were
// compared once as a whole, but for that hour.
func (c change) checkRequests(t *testing.T, s *site, log []events.Event, repeated events.Window) {
	zone, window := s.config.TheOperations()[0].Zone, time.Duration(s.config.Window)
	most := make(map[string]int) // local time of a window → how often it may be asked for
	for _, e := range log {
		from := e.Window.Start.In(zone).Format("20060102150405")
		most[from]++
		if pass, _ := grid.Repeated(e.Window, zone); pass == grid.Once && window == time.Duration(s.config.Reconcile) {
			most[from] += 2 // and compared by itself, and where it is all that remains of a day
		}
	}
	var days time.Duration
	for _, r := range s.api.Ledger() {
		from, fromErr := time.ParseInLocation("20060102150405", r.From, zone)
		to, toErr := time.ParseInLocation("20060102150405", r.To, zone)
		if r.API != "cdr_6" || fromErr != nil || toErr != nil {
			continue
		}
		to = to.Add(time.Second)
		if length := to.Sub(from); length > time.Hour {
			days += length
		} else if length <= window {
			most[r.From]--
		}
		if to.Sub(from) > window && c.by < 0 && from.Before(repeated.End) && to.After(repeated.Start) {
			t.Errorf("at %v it was asked for %s to %s, in a repeated hour", r.At, r.From, r.To)
		}
	}
	for from, n := range most {
		if n < 0 {
			t.Errorf("asked %d times too often for the window at %s", -n, from)
		}
	}
	if want := c.compared(log[0].Window.Start, repeated, zone); days != want {
		t.Errorf("%v compared by days, want %v", days, want)
	}
}

// compared is how much is compared by days, in spans of more than an hour.
func (c change) compared(begin time.Time, repeated events.Window, zone *time.Location) (all time.Duration) {
	midnight := grid.NextMidnight(begin, zone)
	next := grid.NextMidnight(midnight, zone)
	spans := []events.Window{{Start: begin, End: midnight}, {Start: midnight, End: next}}
	if c.by < 0 {
		spans = []events.Window{
			{Start: begin, End: earlier(midnight, repeated.Start)}, {Start: midnight, End: earlier(next, repeated.Start)}, {Start: repeated.End, End: next},
		}
	}
	for _, span := range spans {
		if span.Length() > time.Hour {
			all += span.Length()
		}
	}
	return all
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
