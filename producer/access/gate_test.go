package access_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"unconnected/internal/natsio"
	"unconnected/producer/access"
	"unconnected/producer/budget"
	"unconnected/producer/wolkvox"
	"unconnected/producer/wolkvox/simulator"
)

func TestOneRequestAtATime(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{Latency: 2 * time.Millisecond})
	const processes, runs, run = 4, 6, 4
	var all sync.WaitGroup
	for i := range processes {
		p, class := s.process(t, "one of many"), budget.Class(i%3)
		all.Go(func() {
			defer p.leave()
			for range runs {
				for i := range run {
					if _, err := p.Enter(t.Context(), class, run-i); err != nil {
						t.Error(err)
						return
					}
					if err := p.report(); err != nil {
						t.Error(err)
					}
				}
				p.leave()
			}
		})
	}
	all.Wait()
	s.alone(t)
	if n := len(s.api.Ledger()); n != processes*runs*run {
		t.Errorf("%d requests, want %d", n, processes*runs*run)
	}
}

// TestFresh: whoever had the token all the time knows that nobody else has asked.
func TestFresh(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	p := s.process(t, "one")
	for i, step := range []struct {
		class budget.Class
		leave bool
		fresh bool
	}{
		{budget.Live, false, true}, // the first
		{budget.Live, false, false},
		{budget.Live, false, false},
		{budget.Correction, false, true}, // given away for somebody more urgent, if there had been any
		{budget.Correction, false, false},
		{budget.Live, false, true},
		{budget.Live, true, true},
		{budget.Live, false, false},
	} {
		if step.leave {
			p.leave()
		}
		if fresh := p.ask(step.class, 1); fresh != step.fresh {
			t.Errorf("step %d: fresh = %v, want %v", i, fresh, step.fresh)
		}
	}
	if n := p.outcomes[access.Fine]; n != 8 {
		t.Errorf("told of %v, want 8 requests that were answered", p.outcomes)
	}
}

// TestKeptWhenNobodyWaits: a run of requests costs the lease nothing, however long it is.
func TestKeptWhenNobodyWaits(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.timeout = time.Minute
	p := s.process(t, "one")
	p.ask(budget.Live, 1000)
	before := s.writes(t)
	for range 20 {
		p.ask(budget.Live, 1000)
	}
	if n := s.writes(t) - before; n > 0 {
		t.Errorf("%d writes to the bucket during a run", n)
	}
	p.leave()
	if n := s.writes(t) - before; n == 0 {
		t.Error("nothing is given back")
	}
}

// writes counts what was written to the bucket.
func (s *site) writes(t *testing.T) uint64 {
	t.Helper()
	stream, err := s.js.Stream(t.Context(), "KV_"+natsio.BucketLeases)
	if err != nil {
		t.Fatal(err)
	}
	return stream.CachedInfo().State.LastSeq
}

// TestTheUrgentGoFirst: whoever asks for live windows waits for one request of a backfill at the most, or thereabouts, and
// corrections for those of live windows.
func TestTheUrgentGoFirst(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{Latency: 10 * time.Millisecond})
	live, correction, backfill := s.process(t, "live"), s.process(t, "correction"), s.process(t, "backfill")
	backfill.ask(budget.Backfill, 1)
	corrected := correction.inBackground(budget.Correction)
	s.awaitWaiting(t, 1)
	lived := live.inBackground(budget.Live)
	s.awaitWaiting(t, 2)
	filled := make(chan error, 1)
	go func() {
		for fresh := false; !fresh; {
			var err error
			if fresh, err = backfill.Enter(t.Context(), budget.Backfill, 1); err == nil {
				err = backfill.report()
			}
			if err != nil {
				filled <- err
				return
			}
		}
		filled <- nil
	}()
	served(t, "live", lived)
	select {
	case <-corrected:
		t.Error("a correction goes before live windows")
	case <-filled:
		t.Error("a backfill goes before live windows")
	default:
	}
	if err := live.report(); err != nil {
		t.Error(err)
	}
	live.leave()
	served(t, "the correction", corrected)
	select {
	case <-filled:
		t.Error("a backfill goes before a correction")
	default:
	}
	correction.leave()
	served(t, "the backfill", filled)
	s.alone(t)
}

// awaitWaiting awaits that so many wait for the token.
func (s *site) awaitWaiting(t *testing.T, n int) {
	t.Helper()
	bucket, err := s.js.KeyValue(t.Context(), natsio.BucketLeases)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "they wait", func() bool {
		keys, err := bucket.ListKeysFiltered(t.Context(), "*.wait.*")
		if err != nil {
			t.Fatal(err)
		}
		waiting := 0
		for range keys.Keys() {
			waiting++
		}
		return waiting == n
	})
}

// TestRestAfterATimeOut: the server may be at work for longer than we wait. Nobody sends anything meanwhile.
func TestRestAfterATimeOut(t *testing.T) {
	for name, other := range map[string]bool{"whoever asked": false, "somebody else": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, simulator.Options{})
			p := s.process(t, "slow")
			next := p
			if other {
				next = s.process(t, "next")
			}
			const longer = 5 // quarters of the time limit, counted from the arrival, which may be late
			s.api.Fail(simulator.Slow(s.timeout * longer / 4))
			p.enter(budget.Live, 1)
			var failure *wolkvox.Error
			if err := p.report(); !errors.As(err, &failure) || !failure.Timeout {
				t.Fatalf("Report = %v, want a time-out", err)
			}
			p.leave() // too early
			if other {
				next.shut(budget.Live, s.timeout/5)
			}
			next.ask(budget.Live, 1)
			if gap := s.gap(t); gap < s.timeout*longer/4 {
				t.Errorf("the next request came %v after one that timed out", gap)
			}
			s.alone(t)
			if p.outcomes["retry"] != 1 {
				t.Errorf("told of %v, want one that failed", p.outcomes)
			}
		})
	}
}

// TestTTL: three quarters of it, which a request has at least, are enough for its time limit and the rest after it.
func TestTTL(t *testing.T) {
	for _, timeout := range []time.Duration{time.Second, 1200 * time.Millisecond, 1500 * time.Millisecond, 75 * time.Second} {
		ttl := access.TTL(timeout)
		if ttl%time.Second != 0 || ttl*3/4 < timeout*3/2 || ttl > 2*timeout+time.Second {
			t.Errorf("TTL(%v) = %v", timeout, ttl)
		}
	}
}

// TestACutRequestKeepsTheToken: a program that is stopped in the middle of a request leaves the token to its time to live.
func TestACutRequestKeepsTheToken(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.timeout = 4 * time.Second
	p, next := s.process(t, "stopped"), s.process(t, "next")
	const work = 5 * time.Second // longer than the two seconds that it is given
	s.api.Fail(simulator.Slow(work))
	p.enter(budget.Live, 1)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := p.Report(ctx, noon, noon.Add(time.Minute)); err == nil {
		t.Fatal("it has an answer")
	}
	p.leave()
	next.ask(budget.Live, 1)
	if gap := s.gap(t); gap < work {
		t.Errorf("the next request came after %v, while the API worked for %v", gap, work)
	}
	s.alone(t)
	if len(p.outcomes) != 0 {
		t.Errorf("told of %v, though nothing was answered and nothing failed", p.outcomes)
	}
}

// TestAnAnswerAfterTheEndFreesTheToken: an answer that comes within two seconds of being told to stop counts.
func TestAnAnswerAfterTheEndFreesTheToken(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{Latency: 100 * time.Millisecond})
	s.timeout = time.Hour // which the token would stay
	p, next := s.process(t, "stopped"), s.process(t, "next")
	p.enter(budget.Live, 1)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := p.Report(ctx, noon, noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	p.Leave(ctx)
	next.ask(budget.Live, 1)
	s.alone(t)
}

// TestATokenThatWasLost: whoever was away between Enter and the request for longer than the token lasts waits for it again.
func TestATokenThatWasLost(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	away, other := s.process(t, "away"), s.process(t, "other")
	away.enter(budget.Live, 1)
	other.enter(budget.Live, 1) // once the time to live is over
	s.api.Fail(simulator.Slow(s.timeout / 2))
	done := make(chan error, 2)
	go func() { done <- other.report(); other.leave() }()
	eventually(t, "a request is under way", func() bool { return len(s.api.Ledger()) == 1 })
	go func() { done <- away.report() }()
	served(t, "one of them", done)
	served(t, "the other", done)
	s.alone(t)
	if n := len(s.api.Ledger()); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

// TestANewToken: with another token the old one is free, and waits for nothing.
func TestANewToken(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{Tokens: []string{simulator.DefaultToken, "next"}})
	s.timeout = time.Hour
	p, other := s.process(t, "one"), s.process(t, "other")
	p.ask(budget.Live, 1)
	p.token("next")
	if !p.ask(budget.Live, 1) {
		t.Error("not fresh, though nobody knows who has asked with this token")
	}
	other.ask(budget.Live, 1) // with the old one
	eventually(t, "the old token has another holder", func() bool { return other.Holder() == "other" })
}

// TestBeforeGiving: what others would ask for again is finished before they can, whichever way the token goes.
func TestBeforeGiving(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.timeout = time.Hour
	p, other := s.process(t, "one"), s.process(t, "other")
	for what, give := range map[string]func(){
		"by leaving":              p.leave,
		"to somebody more urgent": func() { served(t, "it gets the token back", p.inBackground(budget.Backfill)) },
		"by having another token": func() { p.token("next"); p.enter(budget.Live, 1); p.token(simulator.DefaultToken) },
	} {
		p.leave()
		p.enter(budget.Backfill, 1)
		done, finished := make(chan error, 1), false
		go func() {
			_, err := other.Enter(t.Context(), budget.Live, 1)
			other.leave()
			done <- err
		}()
		s.awaitWaiting(t, 1)
		p.BeforeGiving(func() {
			select {
			case <-done:
				t.Errorf("%s: another had it before", what)
			case <-time.After(50 * time.Millisecond):
			}
			finished = true
			p.BeforeGiving(nil)
		})
		eventually(t, "it is given away", func() bool { give(); return finished })
		served(t, what, done)
	}
}

// TestHolderMeanwhile: people may look at any time; the race detector tells whether they may.
func TestHolderMeanwhile(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{Tokens: []string{simulator.DefaultToken, "next"}})
	p := s.process(t, "one")
	seen := make(chan struct{})
	go func() {
		defer close(seen)
		for p.Holder() == "" {
			<-time.After(time.Millisecond)
		}
	}()
	p.ask(budget.Live, 1)
	p.token("next")
	p.ask(budget.Live, 1)
	select {
	case <-seen:
	case <-time.After(patience):
		t.Error("nobody holds it")
	}
}

func TestEnterEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.timeout = time.Hour
	holder, other := s.process(t, "holder"), s.process(t, "other")
	holder.enter(budget.Live, 1)
	other.shut(budget.Live, 50*time.Millisecond)
	other.shut(budget.Backfill, 50*time.Millisecond)
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := holder.Enter(ended, budget.Live, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("Enter of the holder = %v after the end", err)
	}
	eventually(t, "the holder is known", func() bool {
		other.shut(budget.Live, 50*time.Millisecond) // on a busy machine it may not have come as far as to the token before
		return other.Holder() == "holder"
	})
}
