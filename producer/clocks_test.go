package producer_test

import (
	"maps"
	"testing"
	"time"

	"unconnected/events"
	"unconnected/producer/wolkvox/simulator"
)

// lastSetBack is when the clocks of a zone last went back, years before now if they have not for long.
func lastSetBack(t *testing.T, zone *time.Location) time.Time {
	t.Helper()
	for instant := time.Now(); ; {
		began, _ := instant.In(zone).ZoneBounds()
		if began.IsZero() {
			t.Fatalf("the clocks of %s never went back", zone)
		}
		_, before := began.Add(-time.Second).In(zone).Zone()
		if _, after := began.In(zone).Zone(); after < before {
			return began.UTC()
		}
		instant = began.Add(-time.Second)
	}
}

// until runs a producer on windows of an hour from two hours before an instant to two hours after it, and returns its log.
func until(t *testing.T, zone string, location *time.Location, instant time.Time) (*site, map[time.Time]events.Event) {
	t.Helper()
	s := newSite(t, simulator.Options{Location: location})
	begin := instant.Truncate(time.Hour).Add(-2 * time.Hour)
	s.set(t, map[string]string{"WOLKVOX_TIMEZONE": zone, "POLL_WINDOW": "1h", "POLL_START": begin.Format(time.RFC3339)})
	p := s.start(t)
	eventually(t, "the hours around the change", func() bool { return s.checkpoint(t).After(instant.Add(2 * time.Hour)) })
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	log, _ := s.tryLog(t)
	byStart := make(map[time.Time]events.Event)
	for _, e := range log {
		byStart[e.Window.Start] = e
	}
	return s, byStart
}

// TestARepeatedHourAfterTheFact: the first pass gets all of both, the second nothing, and both say that they are a guess. The
// windows are as long as the hour, so that the twin's append is under way when the second is asked for.
func TestARepeatedHourAfterTheFact(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	change := lastSetBack(t, zone)
	s, log := until(t, "America/New_York", zone, change)
	first, second := log[change.Add(-time.Hour)], log[change]
	if !first.Ambiguous || !second.Ambiguous || second.Total != 0 {
		t.Errorf("first %+v, second %+v", first, second)
	}
	if truth := s.api.Truth(change.Add(-time.Hour), change.Add(time.Hour)); !maps.Equal(first.Counts, truth) {
		t.Errorf("first pass %v, both were %v", first.Counts, truth)
	}
	for _, start := range []time.Time{change.Add(-2 * time.Hour), change.Add(time.Hour)} {
		if e := log[start]; e.Ambiguous || !maps.Equal(e.Counts, s.api.Truth(start, start.Add(time.Hour))) {
			t.Errorf("beside the repeated hour: %+v", e)
		}
	}
}

// TestAWindowAcrossTheChangeIsMissed: its local times run backwards, and the API would say that there were no calls.
func TestAWindowAcrossTheChangeIsMissed(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Australia/Adelaide")
	if err != nil {
		t.Fatal(err)
	}
	change := lastSetBack(t, zone)
	s, log := until(t, "Australia/Adelaide", zone, change)
	if e := log[change.Truncate(time.Hour)]; e.Missed == nil || e.Missed.Attempts != 0 {
		t.Errorf("the window across the change: %+v", e)
	}
	for _, asked := range s.api.Ledger() {
		if asked.API == "cdr_6" && asked.From > asked.To {
			t.Errorf("asked for %s to %s", asked.From, asked.To)
		}
	}
}
