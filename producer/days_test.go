package producer_test

import (
	"context"
	"maps"
	"sync"
	"testing"
	"time"

	"unconnected/events"
	"unconnected/internal/daemon"
	"unconnected/producer"
	"unconnected/producer/oplog"
	"unconnected/producer/wolkvox/simulator"
)

// days is a clock on which days pass as fast as the work allows: whoever sleeps, wakes up at once, later. It serves the
// producer and the simulated API alike.
type days struct {
	mu      sync.Mutex
	at, end time.Time
	hooks   []hook // what happens on the way
	over    chan struct{}
	wrong   time.Duration // by how much the producer's host is ahead of it; guarded by mu
	slept   time.Duration // how long that host slept, unnoticed by its monotonic clock; guarded by mu
	working chan running  // the producer that runs on it
}

// hook does something when the clock reaches an instant.
type hook struct {
	at time.Time
	do func()
}

// newDays is a clock that stands still when it reaches the end.
func newDays(t testing.TB, begin string, length time.Duration, hooks ...hook) *days {
	t.Helper()
	at, err := time.Parse(time.RFC3339, begin)
	if err != nil {
		t.Fatal(err)
	}
	return &days{at: at, end: at.Add(length), hooks: hooks, over: make(chan struct{}), working: make(chan running, 1)}
}

// set lets the clock of the producer's host be wrong from now on.
func (d *days) set(ahead time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wrong = ahead
}

// suspend lets the producer's host sleep for some time.
func (d *days) suspend(length time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at, d.slept = d.at.Add(length), d.slept+length
}

// host is the clock of the producer's host.
func (d *days) host() producer.Clock {
	read := func() (wall, steady time.Time) {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.at.Add(d.wrong), d.at.Add(-d.slept)
	}
	return producer.Clock{
		Sleep:   d.sleep,
		Now:     func() time.Time { wall, _ := read(); return wall },
		Elapsed: func() time.Duration { _, steady := read(); return time.Duration(steady.UnixNano()) },
	}
}

// report is what the producer says that runs on the clock.
func (d *days) report() daemon.Report {
	p := <-d.working
	d.working <- p
	return p.Report()
}

// on adds what happens at an instant.
func (d *days) on(at time.Time, do func()) { d.hooks = append(d.hooks, hook{at, do}) }

// extend lets the clock, which stands still, go on for some time.
func (d *days) extend(length time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.end, d.over = d.at.Add(length), make(chan struct{})
}

func (d *days) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at
}

func (d *days) sleep(ctx context.Context, length time.Duration) error {
	for _, h := range d.pass(length) {
		h.do()
	}
	if d.now().Before(d.end) {
		return ctx.Err()
	}
	<-ctx.Done()
	return ctx.Err()
}

// pass moves the clock on and returns the hooks whose time has come.
func (d *days) pass(length time.Duration) (due []hook) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := d.at
	d.at = d.at.Add(length)
	for _, h := range d.hooks {
		if h.at.After(before) && !h.at.After(d.at) {
			due = append(due, h)
		}
	}
	if !before.Before(d.end) {
		return due
	}
	if !d.at.Before(d.end) {
		d.at = d.end
		close(d.over)
	}
	return due
}

// live runs a producer from the clock's beginning to its end.
func (s *site) live(t testing.TB, d *days, change ...func(*producer.Options)) running {
	t.Helper()
	p := s.start(t, append(change, func(o *producer.Options) { o.Clock = d.host() })...)
	select {
	case <-d.working:
	default:
	}
	d.working <- p
	select {
	case <-d.over:
	case err := <-p.ended:
		t.Fatalf("it ended with %v", err)
	case <-time.After(patience):
		t.Fatalf("not in time; at %v: %+v", d.now(), p.Report())
	}
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	return p
}

// requests counts what the API was asked in a span of time: all, and those for one window of a length.
func (s *site) requests(from, to time.Time, window time.Duration) (all, single, reports int) {
	for _, r := range s.api.Ledger() {
		if r.At.Before(from) || !r.At.Before(to) {
			continue
		}
		all++
		if r.API != "cdr_6" {
			reports++
			continue
		}
		ini, _ := time.Parse("20060102150405", r.From)
		end, _ := time.Parse("20060102150405", r.To)
		if end.Sub(ini) == window-time.Second {
			single++
		}
	}
	return all, single, reports
}

// checked is the log of the default operation, which must have no faults.
func (s *site) checked(t testing.TB) []events.Event {
	t.Helper()
	log, _ := s.log(t, events.DefaultOperation)
	var c oplog.Checker
	for i := range log {
		c.Add(&log[i])
	}
	for _, fault := range c.Finish(events.DefaultOperation) {
		t.Errorf("the log is not sound: %+v", fault)
	}
	return log
}

// latest is the event that holds of each window, by its start.
func latest(log []events.Event) map[time.Time]events.Event {
	all := make(map[time.Time]events.Event)
	for _, e := range log {
		if before, ok := all[e.Window.Start]; !ok || e.Supersedes(&before) {
			all[e.Window.Start] = e
		}
	}
	return all
}

// requireTruth checks the counts of all windows that start before an instant.
func (s *site) requireTruth(t testing.TB, log []events.Event, before time.Time) {
	t.Helper()
	wrong := 0
	for start, e := range latest(log) {
		if truth := s.api.Truth(start, e.Window.End); start.Before(before) && (e.Missed != nil || !maps.Equal(e.Counts, truth)) {
			if wrong++; wrong < 5 {
				t.Errorf("%v, revision %d: %v, were %v", e.Window, e.Revision, e.Counts, truth)
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d windows are wrong", wrong)
	}
}

func instant(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// overDays is a site whose clock is d, with windows of five minutes and the usual settle time.
func overDays(t testing.TB, d *days, o simulator.Options, settings map[string]string) *site {
	t.Helper()
	o.Clock = d.now
	if o.Profile == (simulator.Profile{}) {
		o.Profile = simulator.ContactCentre()
	}
	s := newSite(t, o)
	all := map[string]string{"POLL_WINDOW": "5m", "POLL_SETTLE": "90s", "POLL_START": "now"}
	maps.Copy(all, settings)
	s.set(t, all)
	return s
}

// TestAnUnchangedDay: comparing a day again costs a request an hour, one for the whole day, and one for the quota.
func TestAnUnchangedDay(t *testing.T) {
	t.Parallel()
	d := newDays(t, "2026-11-10T05:00:00Z", 56*time.Hour) // from midnight in Bogotá
	s := overDays(t, d, simulator.Options{}, nil)
	s.live(t, d)
	log := s.checked(t)
	s.requireTruth(t, log, d.end)
	from := instant(t, "2026-11-11T12:00:00Z")
	all, single, reports := s.requests(from, from.Add(24*time.Hour), 5*time.Minute)
	if extra := all - 288; single != 288 || extra > 26 || extra < 25 || reports > 1 {
		t.Errorf("%d requests a day, %d for single windows, %d for the quota", all, single, reports)
	}
	for _, e := range log {
		if e.Revision > 0 || e.Backfill {
			t.Errorf("nothing changed, and still: %+v", e)
		}
	}
	last := log[len(log)-1]
	if hours := last.Checkpoint.Sub(last.Reconciled.Periods); hours < time.Hour || hours > 2*time.Hour+10*time.Minute {
		t.Errorf("up to %v; compared up to %v", last.Checkpoint, last.Reconciled.Periods)
	}
	if want := instant(t, "2026-11-12T05:00:00Z"); !last.Reconciled.Days.Equal(want) {
		t.Errorf("days compared up to %v, want %v", last.Reconciled.Days, want)
	}
	s.alone(t)
}

// TestOneChangedWindow is found with ten requests more.
func TestOneChangedWindow(t *testing.T) {
	t.Parallel()
	changed := instant(t, "2026-11-10T15:35:00Z")
	d := newDays(t, "2026-11-10T12:00:00Z", 6*time.Hour)
	s := overDays(t, d, simulator.Options{}, nil)
	d.hooks = append(d.hooks, hook{changed.Add(20 * time.Minute), func() {
		s.api.Plant(simulator.Incident{Start: changed, End: changed.Add(5 * time.Minute), Result: events.Congestion, Share: 0.5})
	}})
	s.live(t, d)
	log := s.checked(t)
	s.requireTruth(t, log, d.end)
	if e := latest(log)[changed]; e.Revision != 1 {
		t.Errorf("the changed window is %+v", e)
	}
	from := instant(t, "2026-11-10T17:00:00Z") // the hour from 15:00 is compared
	all, _, reports := s.requests(from, from.Add(10*time.Minute), 5*time.Minute)
	if extra := all - 2 - reports; extra > 10 {
		t.Errorf("%d requests to find one window", extra)
	}
}

// TestLateCallsAndCorrections: a tenth of the calls comes up to forty minutes late, and the evening of the day before is
// corrected at night. After the morning every window is true.
func TestLateCallsAndCorrections(t *testing.T) {
	t.Parallel()
	begin := instant(t, "2026-11-10T05:00:00Z")
	d := newDays(t, "2026-11-10T05:00:00Z", 34*time.Hour)
	s := overDays(t, d, simulator.Options{Late: simulator.Late{Share: 0.1, Most: 40 * time.Minute}}, nil)
	night := begin.Add(25 * time.Hour)
	d.hooks = append(d.hooks, hook{night, func() {
		for _, hour := range []time.Duration{12, 15, 18} {
			start := begin.Add(hour*time.Hour + 7*time.Minute)
			s.api.Plant(simulator.Incident{Start: start, End: start.Add(11 * time.Minute), Result: events.ChanUnavail, Share: 0.3})
		}
	}})
	s.live(t, d)
	log := s.checked(t)
	s.requireTruth(t, log, begin.Add(24*time.Hour))
	revisions := 0
	for _, e := range log {
		revisions += min(e.Revision, 1)
	}
	if revisions < 150 {
		t.Errorf("%d revisions only", revisions)
	}
	s.alone(t)
}

// TestRestartsNeitherRepeatNorSkipComparing: a producer that is started anew every few hours compares every hour once.
func TestRestartsNeitherRepeatNorSkipComparing(t *testing.T) {
	t.Parallel()
	const restarts = 8
	begin := instant(t, "2026-11-10T05:00:00Z")
	d := newDays(t, "2026-11-10T05:00:00Z", 0)
	s := overDays(t, d, simulator.Options{}, nil)
	for range restarts {
		d.extend(195 * time.Minute)
		s.live(t, d)
	}
	log := s.checked(t)
	asked := make(map[string]int)
	for _, r := range s.api.Ledger() {
		if r.API == "cdr_6" {
			asked[r.From+"-"+r.To]++
		}
	}
	for span, n := range asked {
		if n > 1 {
			t.Errorf("%s was asked for %d times", span, n)
		}
	}
	last := log[len(log)-1]
	hours := int(last.Reconciled.Periods.Sub(begin) / time.Hour)
	if want := len(log) + hours; len(asked) < want || hours < 23 {
		t.Errorf("%d requests for %d windows and %d hours", len(asked), len(log), hours)
	}
}
