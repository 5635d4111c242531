package producer_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"unconnected/events"
	"unconnected/producer/wolkvox/simulator"
)

func TestCatchUpIsTheTruth(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{Quirks: true, Incidents: []simulator.Incident{
		{Start: time.Now().Add(-time.Hour), End: time.Now(), Result: "invalid_number", Share: 0.2},
	}})
	p := s.start(t)
	s.caughtUp(t)
	eventually(t, "state ok", func() bool { return p.Report().Ready && p.Report().State == "ok" && p.state().State == "ok" })
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	log := s.sound(t, events.DefaultOperation)
	s.alone(t)
	if len(log) < 60 {
		t.Errorf("%d windows of an hour", len(log))
	}
	if asked := s.asked(); len(asked) < len(log) || !slices.Equal(asked[:len(log)], starts(log, s)) {
		t.Errorf("asked for %v, want each window once, in order", asked)
	}
	for _, e := range log {
		if e.Timezone != "America/Bogota" || e.Source != "//simulated/cdr_6" || e.Ambiguous || e.Window.Length() != time.Minute {
			t.Errorf("event %+v", e)
		}
		if e.PolledAt.Before(e.Window.End) {
			t.Errorf("%v was polled at %v", e.Window, e.PolledAt)
		}
	}
}

// asked are the local times from which on the API was asked.
func (s *site) asked() []string {
	var asked []string
	for _, r := range s.api.Ledger() {
		asked = append(asked, r.From)
	}
	return asked
}

// starts are the local times at which the windows of a log start.
func starts(log []events.Event, s *site) []string {
	var all []string
	for _, e := range log {
		all = append(all, e.Window.Start.In(s.config.TheOperations()[0].Zone).Format("20060102150405"))
	}
	return all
}

func TestLiveWindowsFollowTheClock(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.set(t, map[string]string{"POLL_WINDOW": "1s", "POLL_SETTLE": "200ms", "POLL_START": "now"})
	p := s.start(t)
	eventually(t, "three windows", func() bool { log, _ := s.tryLog(t); return len(log) >= 3 })
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	for _, e := range s.sound(t, events.DefaultOperation) {
		if settled := e.PolledAt.Sub(e.Window.End); settled < 200*time.Millisecond {
			t.Errorf("%v was polled %v after its end", e.Window, settled)
		}
	}
	s.alone(t)
}

// tryLog is the default operation's log, empty while there is no stream.
func (s *site) tryLog(t testing.TB) ([]events.Event, int) {
	t.Helper()
	if _, err := s.js.Stream(t.Context(), events.StreamCalls); err != nil {
		return nil, 0
	}
	return s.log(t, events.DefaultOperation)
}

func TestResumesWhereItStopped(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{Latency: 2 * time.Millisecond})
	for range 4 {
		before := s.checkpoint(t)
		p := s.start(t)
		eventually(t, "some progress", func() bool { return s.checkpoint(t).After(before.Add(5 * time.Minute)) })
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
		s.set(t, map[string]string{"POLL_START": "-30h"}) // ignored once there is a history
	}
	s.start(t)
	s.caughtUp(t)
	s.sound(t, events.DefaultOperation)
	s.alone(t)
}

func TestAChangedWindowTakesEffectWhereTheGridsMeet(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{Latency: time.Millisecond})
	seen := make(map[time.Duration]bool)
	for _, length := range []string{"20s", "5m", "1m"} {
		s.set(t, map[string]string{"POLL_WINDOW": length, "POLL_START": "-3h"})
		before := s.checkpoint(t)
		p := s.start(t)
		eventually(t, "half an hour more", func() bool { return s.checkpoint(t).After(before.Add(30 * time.Minute)) })
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range s.sound(t, events.DefaultOperation) {
		seen[e.Window.Length()] = true
		if !e.Window.Start.Truncate(e.Window.Length()).Equal(e.Window.Start) {
			t.Errorf("%v is not on its grid", e.Window)
		}
	}
	if want := map[time.Duration]bool{20 * time.Second: true, 5 * time.Minute: true, time.Minute: true}; !maps.Equal(seen, want) {
		t.Errorf("windows of %v", seen)
	}
}

func TestTwoProducersOfOneOperation(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{Latency: time.Millisecond})
	s.set(t, map[string]string{"POLL_START": "-4h"})
	first, second := s.start(t), s.start(t)
	s.caughtUp(t)
	for _, p := range []running{first, second} {
		if err := p.stop(); err != nil {
			t.Error(err)
		}
	}
	if log := s.sound(t, events.DefaultOperation); len(log) < 240 {
		t.Errorf("%d windows of four hours", len(log))
	}
	if n := s.api.MaxConcurrent(); n > 2 {
		t.Errorf("%d requests at the same time from two producers", n)
	}
}

func TestSeveralOperations(t *testing.T) {
	s := newSite(t, simulator.Options{Tokens: []string{"one", "two", "three"}, Latency: time.Millisecond})
	environ(t, map[string]string{
		"WOLKVOX_OPERATIONS": "default,ventas,cobranza-co", "WOLKVOX_BASE_URL": s.server.URL, "WOLKVOX_DEFAULT_TOKEN": "one",
		"WOLKVOX_VENTAS_TOKEN": "two", "WOLKVOX_COBRANZA_CO_TOKEN": "three", "WOLKVOX_COBRANZA_CO_SERVER": "0011",
	})
	s.set(t, map[string]string{"WOLKVOX_TOKEN": ""})
	p := s.start(t)
	eventually(t, "all up to date", func() bool {
		report := p.Report()
		for _, o := range report.Operations {
			if o.State != "ok" || time.Since(o.Checkpoint) > 2*time.Minute {
				return false
			}
		}
		return report.Ready && len(report.Operations) == 3
	})
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	for operation, server := range map[string]string{"default": "", "ventas": "", "cobranza-co": "0011"} {
		log := s.sound(t, operation)
		if len(log) < 60 || log[0].Server != server {
			t.Errorf("%s: %d windows of an hour, server %q", operation, len(log), log[0].Server)
		}
	}
	s.alone(t)
}

func TestStopFinishesTheAppendUnderWay(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.set(t, map[string]string{"POLL_WINDOW": "1s", "POLL_START": "-6h"})
	for range 5 {
		before := s.checkpoint(t)
		p := s.start(t)
		eventually(t, "some progress", func() bool { return s.checkpoint(t).After(before.Add(time.Minute)) })
		stored, _ := s.tryLog(t)
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
		after, _ := s.tryLog(t)
		if len(after) < len(stored) || !p.state().Checkpoint.Equal(s.checkpoint(t)) {
			t.Errorf("stopped at %v, and the log ends at %v: an append was not waited for", p.state().Checkpoint, s.checkpoint(t))
		}
	}
	s.sound(t, events.DefaultOperation)
}
