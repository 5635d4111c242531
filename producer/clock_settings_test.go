package producer_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"unconnected/events"
	"unconnected/producer/wolkvox/simulator"
)

// TestSettingsChangeBetweenRuns starts a producer anew every few hours, with another window and another period, at times that lie
// on no grid in particular, while calls come late and corrections reach back.
func TestSettingsChangeBetweenRuns(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 17))
			begin := instant(t, "2026-11-10T05:00:00Z")
			d := newDays(t, "2026-11-10T05:00:00Z", 0)
			s := overDays(t, d, simulator.Options{Late: simulator.Late{Share: 0.1, Most: 30 * time.Minute}}, nil)
			for d.now().Before(begin.Add(24 * time.Hour)) {
				window := pick(random, "1m", "2m", "3m", "5m", "6m", "10m", "12m", "15m", "20m", "30m", "1h")
				period := pick(random, "1h", "2h", "6h", "24h")
				s.set(t, map[string]string{"POLL_WINDOW": window, "POLL_SETTLE": "90s", "POLL_RECONCILE": period})
				d.extend(time.Duration(30+random.IntN(300))*time.Minute + time.Duration(random.IntN(60))*time.Second)
				s.live(t, d)
			}
			s.set(t, map[string]string{"POLL_WINDOW": "5m", "POLL_SETTLE": "90s", "POLL_RECONCILE": "1h"})
			d.extend(30 * time.Hour) // a period of 24 hours may be half way, and the day is compared
			s.live(t, d)
			log := s.checked(t)
			s.requireTruth(t, log, begin.Add(24*time.Hour))
			requireGrids(t, log)
			for _, e := range log {
				if e.Backfill || e.Missed != nil {
					t.Errorf("nothing was missing, and still: %+v", e)
				}
			}
		})
	}
}

func pick(random *rand.Rand, values ...string) string { return values[random.IntN(len(values))] }

// requireGrids checks that each window lies on the grid of its length, which divides an hour.
func requireGrids(t *testing.T, log []events.Event) {
	t.Helper()
	lengths := make(map[time.Duration]bool)
	for _, e := range log {
		length := e.Window.Length()
		lengths[length] = true
		if time.Hour%length != 0 || !e.Window.Start.Truncate(length).Equal(e.Window.Start) {
			t.Errorf("%v is on no grid", e.Window)
		}
	}
	if len(lengths) < 3 {
		t.Errorf("windows of %v only", lengths)
	}
}

// TestARevisionBeforeAnotherWindowLength: the log's last message is of a window of another length than the last window, and the
// new grid is yet to be met.
func TestARevisionBeforeAnotherWindowLength(t *testing.T) {
	t.Parallel()
	d := newDays(t, "2026-11-10T14:00:00Z", 0)
	begin := d.at
	s := overDays(t, d, simulator.Options{}, nil)
	run := func(window string, length time.Duration) {
		s.set(t, map[string]string{"POLL_WINDOW": window, "POLL_SETTLE": "6m30s", "POLL_START": "now"})
		d.extend(length)
		s.live(t, d)
	}
	run("5m", time.Hour+30*time.Second)
	run("1m", 56*time.Minute)
	// The first hour is compared when the second one is over, of which 53 minutes are in the log by then.
	s.api.Plant(simulator.Incident{Start: begin.Add(30 * time.Minute), End: begin.Add(31 * time.Minute), Result: events.Congestion, Share: 0.9})
	run("1m", 3*time.Minute+35*time.Second)
	if last := s.tail(t); last.Revision != 1 || last.Window.Length() != 5*time.Minute || last.Checkpoint.Minute() != 53 {
		t.Fatalf("the log ends with %+v", last)
	}
	run("15m", time.Hour)
	log := s.checked(t)
	s.requireTruth(t, log, d.end)
	requireGrids(t, log)
}

// TestComparingOffAndOnAgain: what was stored while it was off, and shortly before, is not compared; what comes after is.
func TestComparingOffAndOnAgain(t *testing.T) {
	t.Parallel()
	d := newDays(t, "2026-11-10T12:00:00Z", 0)
	begin := d.at
	s := overDays(t, d, simulator.Options{Late: simulator.Late{Share: 0.2, Most: 20 * time.Minute}}, nil)
	for _, period := range []string{"1h", "0", "1h"} {
		s.set(t, map[string]string{"POLL_WINDOW": "5m", "POLL_SETTLE": "90s", "POLL_RECONCILE": period})
		d.extend(6 * time.Hour)
		s.live(t, d)
		if r := s.tail(t).Reconciled; r.IsZero() != (period == "0") {
			t.Errorf("period %s: compared up to %v", period, r)
		}
	}
	wrong := make(map[int]int) // by the run that they fell into
	for start, e := range latest(s.checked(t)) {
		if !maps.Equal(e.Counts, s.api.Truth(start, e.Window.End)) {
			wrong[int(start.Add(5*time.Minute).Sub(begin)/(2*time.Hour))]++
		}
	}
	// In parts of two hours: the end of the first run was not compared any more, the second run not at all, the end of the third not yet.
	if wrong[0]+wrong[1]+wrong[6]+wrong[7] != 0 || wrong[2] == 0 || wrong[4] == 0 {
		t.Errorf("wrong windows by two hours: %v", wrong)
	}
}

// TestAnotherZoneBetweenRuns: windows are instants, so the history goes on where it ended. What the old zone got wrong is found
// by comparing, as far as it was not compared before: all of the day in which the zone was mended.
func TestAnotherZoneBetweenRuns(t *testing.T) {
	t.Parallel()
	d := newDays(t, "2026-11-10T13:00:00Z", 0)
	begin := d.at
	s := overDays(t, d, simulator.Options{}, nil)
	run := func(zone string, length time.Duration) {
		s.set(t, map[string]string{"WOLKVOX_TIMEZONE": zone, "POLL_WINDOW": "5m", "POLL_SETTLE": "90s", "POLL_START": "now"})
		d.extend(length)
		s.live(t, d, real)
	}
	run("America/Santiago", 5*time.Hour+time.Minute) // two hours ahead: the API is asked for what is yet to come, and has no calls
	mended := s.tail(t).Checkpoint
	wrong := 0
	for start, e := range latest(s.checked(t)) {
		if !maps.Equal(e.Counts, s.api.Truth(start, e.Window.End)) {
			wrong++
		}
	}
	if wrong < 50 {
		t.Errorf("%d windows from the wrong zone are wrong", wrong)
	}
	run("America/Bogota", 24*time.Hour)
	log := s.checked(t)
	s.requireTruth(t, log, d.end)
	for _, e := range log {
		if want := !e.Window.Start.Before(mended) || e.Revision > 0; (e.Timezone == "America/Bogota") != want {
			t.Errorf("%v, revision %d, is from %s", e.Window, e.Revision, e.Timezone)
		}
	}
	if first := log[0].Window.Start; !first.Equal(begin) {
		t.Errorf("the log begins at %v", first)
	}
}
