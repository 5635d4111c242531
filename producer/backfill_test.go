package producer_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"unconnected/events"
	"unconnected/internal/natsio"
	"unconnected/producer"
	"unconnected/producer/wolkvox/simulator"
)

// tally counts what a backfill does.
type tally map[producer.Outcome]int

func (c tally) Done(_ events.Window, outcome producer.Outcome) { c[outcome]++ }
func (c tally) Waiting(string, time.Time)                      {}

// backfill fills the first operation of the site, and returns what became of the windows.
func (s *site) backfill(t testing.TB, o producer.BackfillOptions) tally {
	t.Helper()
	counts := tally{}
	if err := s.fill(t, t.Context(), o, counts); err != nil {
		t.Fatal(err)
	}
	return counts
}

// fill fills the first operation of the site until it is done, or ctx ends.
func (s *site) fill(t testing.TB, ctx context.Context, o producer.BackfillOptions, progress producer.Progress) error {
	t.Helper()
	config := s.config
	config.URL = []string{s.nats.URL()}
	o.Log = slog.New(slog.DiscardHandler)
	nc, err := natsio.Connect("backfill", &config.NATS, o.Log)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	o.Conn = nc
	b, err := producer.NewBackfill(t.Context(), &config, o)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	filling, err := b.Plan(t.Context(), config.TheOperations()[0])
	if err != nil {
		t.Fatal(err)
	}
	return filling.Run(ctx, progress)
}

// untilItWaits ends a filling when it begins to wait.
type untilItWaits struct {
	tally
	stop func()
}

func (u untilItWaits) Waiting(string, time.Time) { u.stop() }

// history is a site whose producer has polled the last hour, window by window of a minute, and has stopped.
func history(t testing.TB, o simulator.Options) *site {
	t.Helper()
	s := newSite(t, o)
	p := s.start(t, real)
	s.caughtUp(t)
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestBackfillOlderThanTheHistory, whose bounds lie in the middle of windows, and once more, which finds nothing to do.
func TestBackfillOlderThanTheHistory(t *testing.T) {
	t.Parallel()
	s := history(t, simulator.Options{})
	before := len(s.checked(t))
	first := latestStart(s.checked(t))
	from := first.Add(-30*time.Minute - 20*time.Second)
	got := s.backfill(t, producer.BackfillOptions{From: from})
	if got[producer.Filled] != 31 || len(got) != 1 {
		t.Errorf("outcomes %v, want 31 filled", got)
	}
	log := s.checked(t)
	s.requireTruth(t, log, time.Now())
	if len(log) != before+31 || !log[len(log)-1].Checkpoint.Equal(log[before-1].Checkpoint) {
		t.Errorf("%d messages, checkpoint %v", len(log), log[len(log)-1].Checkpoint)
	}
	began := time.Now()
	for _, again := range []time.Time{from, from.Add(10 * time.Second), {}} {
		if got := s.backfill(t, producer.BackfillOptions{From: again}); len(got) > 0 {
			t.Errorf("from %v: outcomes %v the second time", again, got)
		}
	}
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("the token was not given back: %v", took)
	}
	s.alone(t)
}

// latestStart is the start of the log's first window.
func latestStart(log []events.Event) time.Time { return log[0].Window.Start }

func TestBackfillWithoutHistory(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	config := s.config
	config.URL = []string{s.nats.URL()}
	log := slog.New(slog.DiscardHandler)
	nc, err := natsio.Connect("backfill", &config.NATS, log)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	b, err := producer.NewBackfill(t.Context(), &config, producer.BackfillOptions{Log: log, Conn: nc})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := b.Plan(t.Context(), config.TheOperations()[0]); !errors.Is(err, producer.ErrNoHistory) {
		t.Errorf("Plan: %v", err)
	}
}

// TestBackfillFillsGaps: windows that were missed, and a span that no producer polled, of which some windows are longer than
// the present ones.
func TestBackfillFillsGaps(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	begin := time.Now().UTC().Truncate(time.Hour).Add(-3 * time.Hour)
	for _, e := range []struct {
		start, length time.Duration
		missed        bool
	}{{-120, 15, false}, {-90, 5, false}, {0, 5, false}, {5, 5, true}, {10, 5, false}} {
		s.store(t, s.made(begin, e.start*time.Minute, e.length*time.Minute, e.missed, begin.Add(15*time.Minute)))
	}
	s.set(t, map[string]string{"POLL_WINDOW": "1m"})
	got := s.backfill(t, producer.BackfillOptions{From: begin.Add(-2 * time.Hour)})
	// Between the windows of 15 and 5 minutes: 15 single minutes; after them 85; the missed window as a whole.
	if got[producer.Filled] != 15+85+1 {
		t.Errorf("outcomes %v", got)
	}
	log, _ := s.log(t, events.DefaultOperation)
	s.requireTruth(t, log, time.Now())
	if got := s.backfill(t, producer.BackfillOptions{From: begin.Add(-110 * time.Minute), To: begin.Add(12 * time.Minute)}); len(got) > 0 {
		t.Errorf("outcomes %v the second time", got)
	}
}

// made is an event of a true window that starts so long after begin; those that end before the checkpoint are backfills.
func (s *site) made(begin time.Time, after, length time.Duration, missed bool, checkpoint time.Time) *events.Event {
	w := events.Window{Start: begin.Add(after), End: begin.Add(after + length)}
	e := &events.Event{
		Operation: events.DefaultOperation, Timezone: "America/Bogota", Source: "//127.0.0.1/cdr_6", Window: w,
		Checkpoint: w.End, PolledAt: w.End.Add(time.Minute),
	}
	if after < 0 {
		e.Backfill, e.Checkpoint = true, checkpoint
	}
	if missed {
		e.Missed = &events.Missed{Reason: "garbage", Attempts: 3}
		return e
	}
	e.Counts = s.api.Truth(w.Start, w.End)
	for _, n := range e.Counts {
		e.Total += n
	}
	return e
}

// store appends an event to the stream without any fence.
func (s *site) store(t testing.TB, e *events.Event) {
	t.Helper()
	if _, err := s.js.Stream(t.Context(), events.StreamCalls); err != nil {
		if _, err := s.js.CreateStream(t.Context(), events.CallsStream(events.StreamOptions{})); err != nil {
			t.Fatal(err)
		}
	}
	msg, err := events.Encode(e)
	if err != nil {
		t.Fatal(err)
	}
	s.publish(t, msg)
}

// TestRecheckRepairsTheWrongZone: an hour polled in the wrong zone becomes true by revisions; a second recheck changes nothing.
func TestRecheckRepairsTheWrongZone(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.set(t, map[string]string{"WOLKVOX_TIMEZONE": "America/Caracas"}) // an hour ahead of Bogotá: no calls yet
	p := s.start(t, real)
	s.caughtUp(t)
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	s.set(t, nil)
	log := s.checked(t)
	got := s.backfill(t, producer.BackfillOptions{Recheck: true})
	if got[producer.Revised] < 58 || got[producer.Revised]+got[producer.Unchanged] != len(log) {
		t.Errorf("outcomes %v of %d windows", got, len(log))
	}
	s.requireTruth(t, s.checked(t), time.Now())
	if again := s.backfill(t, producer.BackfillOptions{Recheck: true}); again[producer.Unchanged] != len(log) {
		t.Errorf("outcomes %v the second time", again)
	}
}

// TestBackfillBesideLivePolling: live windows go first, a backfill that takes long holds none of them up by more than a
// request, and nobody asks at the same time.
func TestBackfillBesideLivePolling(t *testing.T) {
	t.Parallel()
	const latency = 60 * time.Millisecond
	s := newSite(t, simulator.Options{Latency: latency})
	s.set(t, map[string]string{"POLL_WINDOW": "1s", "POLL_START": "-2s"})
	p := s.start(t, real)
	s.caughtUp(t)
	got := s.backfill(t, producer.BackfillOptions{From: time.Now().Add(-90 * time.Second)})
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	log := s.checked(t)
	s.requireTruth(t, log, time.Now())
	var filled []time.Time // when
	var live int
	for _, e := range log {
		switch {
		case e.Backfill:
			filled = append(filled, e.PolledAt)
		case len(filled) > 0 && len(filled) < got[producer.Filled]:
			live++
			due, _ := slices.BinarySearchFunc(filled, e.Window.End, time.Time.Compare)
			if before := len(filled) - due; before > 20 { // one is under way, and on a busy machine the poller oversleeps
				t.Errorf("%d windows of the backfill were asked for while the live one to %v was due", before, e.Window.End)
			}
		}
	}
	backfills := len(filled)
	if backfills < 80 || live < 4 {
		t.Errorf("%d windows were filled, %d live ones came meanwhile", backfills, live)
	}
	s.alone(t)
}

// TestBackfillIsOvertaken: two backfills of the same windows store each once, and ask for few of them twice.
func TestBackfillIsOvertaken(t *testing.T) {
	t.Parallel()
	s := history(t, simulator.Options{Latency: time.Millisecond})
	from := latestStart(s.checked(t)).Add(-4 * time.Hour)
	other := make(chan tally)
	go func() { other <- s.backfill(t, producer.BackfillOptions{From: from}) }()
	mine := s.backfill(t, producer.BackfillOptions{From: from})
	theirs := <-other
	if sum := mine[producer.Filled] + theirs[producer.Filled]; sum != 240 {
		t.Errorf("%v and %v were filled, want 240 in all", mine, theirs)
	}
	s.requireTruth(t, s.checked(t), time.Now())
	s.alone(t)
}

// TestBackfillStopsWhenTheQuotaIsSpent: nothing is sent once the API has said so, whatever it was asked.
func TestBackfillStopsWhenTheQuotaIsSpent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		budget string // POLL_DAILY_BUDGET: nobody asks what is left
		faults []simulator.Fault
	}{
		"in a run of windows":    {"1000", []simulator.Fault{simulator.Pass(), simulator.Pass(), simulator.QuotaSpent()}},
		"asked for what is left": {"0", []simulator.Fault{simulator.QuotaSpent()}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := history(t, simulator.Options{})
			s.set(t, map[string]string{"POLL_DAILY_BUDGET": c.budget})
			s.forgetQuota(t)
			before := len(s.api.Ledger())
			s.api.Fail(c.faults...)
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			from := latestStart(s.checked(t)).Add(-time.Hour)
			err := s.fill(t, ctx, producer.BackfillOptions{From: from}, untilItWaits{tally{}, stop})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("Run = %v, want that it waits", err)
			}
			if n := len(s.api.Ledger()) - before; n != len(c.faults) {
				t.Errorf("%d requests, want %d", n, len(c.faults))
			}
		})
	}
}

// TestBackfillRestsAfterATimeOut: the server may still be at work on the report of what is left.
func TestBackfillRestsAfterATimeOut(t *testing.T) {
	t.Parallel()
	s := history(t, simulator.Options{})
	s.set(t, map[string]string{"WOLKVOX_TIMEOUT": "1s"})
	s.forgetQuota(t)
	s.api.Fail(simulator.Slow(1250 * time.Millisecond))
	s.backfill(t, producer.BackfillOptions{From: latestStart(s.checked(t)).Add(-2 * time.Minute)})
	s.alone(t)
}

// TestBackfillIsPatientWithAQuota: what it waited for the quota does not count as an outage of the API.
func TestBackfillIsPatientWithAQuota(t *testing.T) {
	t.Parallel()
	d := newDays(t, "2026-11-10T06:00:00Z", 2*time.Hour)
	s := overDays(t, d, simulator.Options{}, map[string]string{"POLL_DAILY_BUDGET": "400", "POLL_GIVE_UP": "10m"})
	s.live(t, d, real)
	d.extend(72 * time.Hour)
	d.on(midnight(d.at), func() { s.api.Fail(simulator.Status(503)) })
	from := latestStart(s.checked(t)).Add(-10 * time.Hour)
	if got := s.backfill(t, producer.BackfillOptions{From: from, Clock: d.host()}); got[producer.Filled] != 120 {
		t.Errorf("outcomes %v", got)
	}
	if d.now().Before(instant(t, "2026-11-11T05:00:00Z")) {
		t.Errorf("done at %v, without waiting", d.now())
	}
}

// TestBackfillWhereTheClockOfNATSIsBehind: what was stored hours before it began, by that clock, is there all the same.
func TestBackfillWhereTheClockOfNATSIsBehind(t *testing.T) {
	t.Parallel()
	begin := time.Now().UTC().Add(5 * time.Hour).Truncate(time.Hour)
	d := newDays(t, begin.Format(time.RFC3339), 3*time.Hour)
	s := overDays(t, d, simulator.Options{}, nil)
	s.live(t, d, real)
	d.extend(time.Hour)
	if got := s.backfill(t, producer.BackfillOptions{From: begin.Add(time.Hour), To: begin.Add(2 * time.Hour), Clock: d.host()}); len(got) > 0 {
		t.Errorf("outcomes %v, want nothing to do", got)
	}
	s.checked(t)
}

// crew shares a clock on which days pass: they pass when all hands sleep, up to when the first one wakes up.
type crew struct {
	days  *days
	hands int

	mu     sync.Mutex
	asleep []*sleeper // guarded by mu
}

type sleeper struct {
	wakes time.Time
	awake chan struct{}
}

// join adds a hand.
func (c *crew) join() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hands++
}

func (c *crew) sleep(ctx context.Context, length time.Duration) error {
	me := &sleeper{c.days.now().Add(length), make(chan struct{})}
	c.mu.Lock()
	c.asleep = append(c.asleep, me)
	if len(c.asleep) == c.hands {
		first := slices.MinFunc(c.asleep, func(a, b *sleeper) int { return a.wakes.Compare(b.wakes) })
		c.days.pass(first.wakes.Sub(c.days.now()))
		c.asleep = slices.DeleteFunc(c.asleep, func(s *sleeper) bool {
			due := !s.wakes.After(c.days.now())
			if due {
				close(s.awake)
			}
			return due
		})
	}
	c.mu.Unlock()
	select {
	case <-me.awake:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TestBackfillLeavesTheReserve: what the day's live windows and corrections need is not spent on a backfill, which goes on
// the next day.
func TestBackfillLeavesTheReserve(t *testing.T) {
	t.Parallel()
	d := newDays(t, "2026-11-10T05:00:00Z", 20*24*time.Hour)
	s := overDays(t, d, simulator.Options{}, map[string]string{"POLL_DAILY_BUDGET": "500"})
	both := &crew{days: d, hands: 1}
	clock := producer.Clock{Now: d.now, Sleep: both.sleep}
	p := s.start(t, real, func(o *producer.Options) { o.Clock = clock })
	eventually(t, "the first window", func() bool { return !s.checkpoint(t).IsZero() })
	both.join()
	counts := s.backfill(t, producer.BackfillOptions{From: instant(t, "2026-11-08T17:00:00Z"), To: instant(t, "2026-11-10T05:00:00Z"), Clock: clock})
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	if counts[producer.Filled] != 36*12 {
		t.Errorf("outcomes %v", counts)
	}
	perDay := make(map[string]int)
	for _, r := range s.api.Ledger() {
		perDay[r.At.In(s.config.TheOperations()[0].Zone).Format(time.DateOnly)]++
	}
	for date, n := range perDay {
		if n > 500 {
			t.Errorf("%s: %d requests of 500", date, n)
		}
	}
	if len(perDay) < 3 {
		t.Errorf("requests by day: %v", perDay)
	}
	for _, e := range s.checked(t) {
		if late := e.PolledAt.Sub(e.Window.End); e.IsLive() && late > 10*time.Minute {
			t.Errorf("a live window was polled %v after its end", late)
		}
	}
}
