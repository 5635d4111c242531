package producer_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"unconnected/events"
	"unconnected/producer"
	"unconnected/producer/wolkvox/simulator"
)

// pages is a log that a test reads. It is safe for concurrent use.
type pages struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *pages) Write(line []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(line)
}

// count is how many lines hold a text.
func (p *pages) count(text string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for line := range strings.Lines(p.text.String()) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// into lets a producer write its log there.
func (p *pages) into(o *producer.Options) { o.Log = slog.New(slog.NewTextHandler(p, nil)) }

// asked is when the API was last asked for each window of a length, by its start, up to the first request that is later than
// some time after its end: those are corrections.
func (s *site) askedAt(t testing.TB, window, within time.Duration) map[time.Time]time.Time {
	t.Helper()
	zone := s.config.TheOperations()[0].Zone
	last := make(map[time.Time]time.Time)
	for _, r := range s.api.Ledger() {
		from, err := time.ParseInLocation("20060102150405", r.From, zone)
		if r.API != "cdr_6" || err != nil {
			continue
		}
		to, err := time.ParseInLocation("20060102150405", r.To, zone)
		if start := from.UTC(); err == nil && to.Sub(from) == window-time.Second && r.At.Before(start.Add(window+within)) {
			last[start] = r.At
		}
	}
	return last
}

// TestAHostClockThatJumps: whatever the host's clock says, each window is asked for when it is over and settled by the API's
// clock, and within minutes. Nothing is corrected afterwards, so that a window that was asked for too early would stay wrong.
func TestAHostClockThatJumps(t *testing.T) {
	t.Parallel()
	const window, settle = 5 * time.Minute, 90 * time.Second
	type jump struct{ at, ahead time.Duration }
	for name, c := range map[string]struct {
		jumps []jump
		notes []string // in the report half an hour after each jump; empty: none
	}{
		"back and right again": {
			[]jump{{61 * time.Minute, -3 * time.Hour}, {137 * time.Minute, 0}}, []string{"3h0m0s behind", ""}},
		"forward and right again": {
			[]jump{{61 * time.Minute, 5 * time.Hour}, {137 * time.Minute, 0}}, []string{"4h59m59s ahead", ""}},
		"a day back, a day forward": {
			[]jump{{61 * time.Minute, -24 * time.Hour}, {137 * time.Minute, 24 * time.Hour}, {200 * time.Minute, 0}}, []string{"behind", "ahead", ""}},
		"forward, further, back": {
			[]jump{{61 * time.Minute, 2 * time.Minute}, {137 * time.Minute, 40 * time.Minute}, {200 * time.Minute, -40 * time.Minute}},
			[]string{"1m59s ahead", "39m59s ahead", "40m0s behind"}},
		"within what is tolerated": {
			[]jump{{61 * time.Minute, 40 * time.Second}, {137 * time.Minute, -40 * time.Second}}, []string{"", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDays(t, "2026-11-10T14:00:00Z", 5*time.Hour)
			s := overDays(t, d, simulator.Options{Late: simulator.Late{Share: 0.3, Most: 40 * time.Second}}, map[string]string{"POLL_RECONCILE": "0"})
			var book pages
			for i, j := range c.jumps {
				d.on(d.at.Add(j.at), func() { d.set(j.ahead) })
				d.on(d.at.Add(j.at+30*time.Minute), func() {
					notes := strings.Join(d.report().Notes, "; ")
					if want := c.notes[i]; !strings.Contains(notes, want) || want == "" && notes != "" {
						t.Errorf("half an hour after jump %d it says %q, want %q", i, notes, want)
					}
				})
			}
			s.live(t, d, real, book.into)
			log := s.checked(t)
			s.requireTruth(t, log, d.end)
			if want := int(5*time.Hour/window) - 1; len(log) < want {
				t.Errorf("%d windows in five hours, want %d", len(log), want)
			}
			asked := s.askedAt(t, window, time.Hour)
			for _, e := range log {
				if wait := asked[e.Window.Start].Sub(e.Window.End); wait < settle/2 || wait > settle+window {
					t.Errorf("%v was asked for %v after its end", e.Window, wait)
				}
				if wait := e.PolledAt.Sub(e.Window.End); wait < 0 || wait > settle+window {
					t.Errorf("%v says that it was polled %v after its end", e.Window, wait)
				}
			}
			if all, _, _ := s.requests(d.at.Add(-6*time.Hour), d.end, window); all > len(log)+len(c.jumps)+3 {
				t.Errorf("%d requests for %d windows", all, len(log))
			}
			changes := 0
			for i, note := range c.notes {
				if note != "" && (i == 0 || c.notes[i-1] == "") {
					changes++
				}
			}
			if n := book.count("synchronise it (NTP)"); n != changes {
				t.Errorf("warned %d times, want %d", n, changes)
			}
		})
	}
}

// TestAHostClockThatDrifts runs slow and then fast, by a minute an hour, and is synchronised once a day.
func TestAHostClockThatDrifts(t *testing.T) {
	t.Parallel()
	d := newDays(t, "2026-11-10T14:00:00Z", 8*time.Hour)
	begin := d.at
	s := overDays(t, d, simulator.Options{}, map[string]string{"POLL_RECONCILE": "0"})
	for minute := range 8 * 60 {
		ahead := time.Duration(minute) * time.Second
		if minute >= 240 {
			ahead = time.Duration(240-minute) * time.Second
		}
		d.on(begin.Add(time.Duration(minute)*time.Minute), func() { d.set(ahead) })
	}
	s.live(t, d, real)
	log := s.checked(t)
	s.requireTruth(t, log, d.end)
	if len(log) < 94 {
		t.Errorf("%d windows in eight hours", len(log))
	}
}

// TestAHostThatSlept goes on at once when it wakes, although no monotonic clock has noticed.
func TestAHostThatSlept(t *testing.T) {
	t.Parallel()
	d := newDays(t, "2026-11-10T14:00:00Z", 8*time.Hour)
	asleep := d.at.Add(2*time.Hour + 10*time.Minute)
	s := overDays(t, d, simulator.Options{}, map[string]string{"POLL_WINDOW": "1h", "POLL_RECONCILE": "0"})
	d.on(asleep, func() { d.suspend(200 * time.Minute) }) // till half past seven
	s.live(t, d, real)
	log := s.checked(t)
	s.requireTruth(t, log, d.end)
	awake := asleep.Add(200 * time.Minute)
	for start, asked := range s.askedAt(t, time.Hour, 24*time.Hour) {
		if end := start.Add(time.Hour); end.After(asleep) && end.Before(awake) && asked.Sub(awake) > 2*time.Minute {
			t.Errorf("the window from %v, over while asleep, was asked for at %v", start, asked)
		}
	}
	if len(log) != 7 {
		t.Errorf("%d windows in eight hours", len(log))
	}
}

// TestCorrectionsUnderAWrongClock: late calls and corrections are found although the clock jumps about, and restarts with a
// clock that is hours behind, or ahead.
func TestCorrectionsUnderAWrongClock(t *testing.T) {
	t.Parallel()
	begin := instant(t, "2026-11-10T05:00:00Z")
	d := newDays(t, "2026-11-10T05:00:00Z", 0)
	s := overDays(t, d, simulator.Options{Late: simulator.Late{Share: 0.1, Most: 40 * time.Minute}}, nil)
	for _, ahead := range []time.Duration{0, -3 * time.Hour, 0, 26 * time.Hour, 5 * time.Hour, -25 * time.Hour, 0} {
		d.on(d.now().Add(90*time.Minute), func() { d.set(-ahead) })
		d.on(d.now().Add(150*time.Minute), func() { d.set(ahead / 2) })
		d.set(ahead)
		inTime := func() {
			if behind := d.now().Sub(s.tail(t).Checkpoint); behind > 15*time.Minute {
				t.Errorf("at %v, %v ahead, the log is %v behind", d.now(), ahead, behind)
			}
		}
		d.on(d.now().Add(80*time.Minute), inTime)
		d.extend(5 * time.Hour)
		s.live(t, d, real)
		inTime()
	}
	d.set(0)
	log := s.checked(t)
	s.requireTruth(t, log, begin.Add(24*time.Hour))
}

// tail is the last event of the default operation's log.
func (s *site) tail(t testing.TB) events.Event {
	t.Helper()
	log, _ := s.log(t, events.DefaultOperation)
	return log[len(log)-1]
}

// TestANewHistoryUnderAWrongClock: it begins at the earlier of two nows, and the zone is judged by the API's.
func TestANewHistoryUnderAWrongClock(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ahead time.Duration
		zone  string
		right bool
	}{
		"behind, the right zone":       {-3 * time.Hour, "America/Bogota", true},
		"ahead, the right zone":        {5 * time.Hour, "America/Bogota", true},
		"a day behind, the right zone": {-24 * time.Hour, "America/Bogota", true},
		"behind, a wrong zone":         {-3 * time.Hour, "America/Mexico_City", false},
		"ahead, a wrong zone":          {5 * time.Hour, "America/Mexico_City", false},
		"right, a wrong zone":          {0, "America/Mexico_City", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDays(t, "2026-11-10T15:00:00Z", 70*time.Minute)
			begin := d.at
			d.set(c.ahead)
			s := overDays(t, d, simulator.Options{}, map[string]string{"WOLKVOX_TIMEZONE": c.zone})
			s.live(t, d, real)
			if !c.right {
				if log, _ := s.tryLog(t); len(log) > 0 {
					t.Errorf("%d windows published", len(log))
				}
				report := d.report()
				if report.Ready || !strings.Contains(report.Reason, "WOLKVOX_TIMEZONE") {
					t.Errorf("it says %+v", report)
				}
				return
			}
			log := s.checked(t)
			if want := begin.Add(min(c.ahead, 0)); len(log) < 12 || !log[0].Window.Start.Equal(want) {
				t.Errorf("%d windows from %v on", len(log), log[0].Window)
			}
			s.requireTruth(t, log, d.end)
		})
	}
}

// TestTheClockOfNATSIsBehind by hours: what the log holds is neither forgotten nor stored again.
func TestTheClockOfNATSIsBehind(t *testing.T) {
	t.Parallel()
	begin := time.Now().UTC().Add(5 * time.Hour).Truncate(time.Hour)
	d := newDays(t, begin.Format(time.RFC3339), 0)
	s := overDays(t, d, simulator.Options{Profile: simulator.AlwaysBusy().Scaled(0.02), Late: simulator.Late{Share: 0.1, Most: 20 * time.Minute}}, nil)
	for range 3 {
		d.extend(3 * time.Hour)
		s.live(t, d)
	}
	log := s.checked(t)
	s.requireTruth(t, log, begin.Add(7*time.Hour))
	if len(latest(log)) < 9*12-2 {
		t.Errorf("%d windows in nine hours", len(latest(log)))
	}
	for _, e := range log {
		if e.Backfill {
			t.Fatalf("stored again: %+v", e)
		}
	}
}
