package lease

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"unconnected/internal/natsio"
)

const (
	// waitTTL is how long an announcement lasts that is not repeated.
	waitTTL = 10 * time.Second
	// grace is how much longer each in the queue leaves a free lease to those before it.
	grace = time.Second
	// poll is how long those who wait rely on the watcher's silence.
	poll = 2 * time.Second
	// lag is how long the watcher may take to show what we wrote ourselves.
	lag = time.Second
)

// attempt is one Acquire under way.
type attempt struct {
	*Lease
	claim     claim     // with our place in the queue
	announced time.Time // when we last said that we wait
	free      uint64    // the revision at which the lease was seen free
	since     time.Time // since when; zero when it is not free
	doubt     bool      // ask the server what is there, not the watcher
	silence   bool      // because the watcher said nothing for long
	failures  int       // in a row
	said      string    // what was said to go wrong
}

// acquire looks what is there and does the next step, until the lease is ours or ctx ends.
func (l *Lease) acquire(ctx context.Context) error {
	a := &attempt{Lease: l, claim: l.claim}
	defer a.leave()
	defer l.setProblem(nil)
	for ctx.Err() == nil {
		done, err := a.step(ctx)
		if done {
			return nil
		}
		if err != nil {
			a.recover(ctx, err)
		}
	}
	return a.ended(ctx)
}

// ended is the error of an attempt whose time is over.
func (a *attempt) ended(ctx context.Context) error {
	if problem := a.Problem(); problem != nil {
		return fmt.Errorf("%w: %w", ctx.Err(), problem)
	}
	if holder := a.Holder(); holder != "" {
		return fmt.Errorf("%w: %s has it", ctx.Err(), holder)
	}
	return ctx.Err()
}

// step tells whether the lease is ours now.
func (a *attempt) step(ctx context.Context) (bool, error) {
	seen, news, err := a.look(ctx)
	if err != nil {
		return false, err
	}
	now := time.Now()
	switch {
	case seen.holder.ID != "":
		a.since = time.Time{}
	case a.since.IsZero() || a.free != seen.revision:
		a.free, a.since = seen.revision, now
	}
	switch action, wait := decide(seen, a.claim, now.Sub(a.since)); action {
	case take:
		if seen.holder.ID == "" && seen.before(a.claim) > 0 {
			a.keeper.view.passOver(a.key, a.claim)
		}
		err := a.write(ctx, seen.revision)
		return err == nil, err
	case queue:
		return false, a.announce(ctx)
	default:
		repeat := waitTTL/3 - now.Sub(a.announced)
		if repeat <= 0 {
			return false, a.announce(ctx)
		}
		a.await(ctx, news, min(wait, repeat))
		return false, nil
	}
}

// look returns what is known of the key, from the watcher's memory if that knows of our own last write, and a channel that
// is closed when there is news.
func (a *attempt) look(ctx context.Context) (seen, <-chan struct{}, error) {
	s, news := a.keeper.view.look(a.key)
	for !a.doubt && s.revision < a.wrote {
		if wait := time.Until(a.wroteAt.Add(lag)); wait > 0 {
			a.await(ctx, news, wait)
		} else {
			a.doubt, a.silence = true, true
		}
		if ctx.Err() != nil {
			return s, nil, ctx.Err()
		}
		s, news = a.keeper.view.look(a.key)
	}
	if !a.doubt {
		return s, news, nil
	}
	holder, revision, err := a.keeper.read(ctx, a.key, a.patience())
	if err != nil {
		return s, nil, err
	}
	if a.silence && (revision > s.revision || (holder.ID == "") != (s.holder.ID == "")) {
		a.keeper.rewatch()
	}
	if revision == 0 || revision >= s.revision { // otherwise a replica answered that lags behind
		s.holder, s.revision = holder, revision
	}
	a.doubt, a.silence = false, false
	return s, news, nil
}

// await waits for news, for ctx's end, or for some time, after which the server is asked.
func (a *attempt) await(ctx context.Context, news <-chan struct{}, wait time.Duration) {
	a.failures, a.said = 0, ""
	a.setProblem(nil)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-news:
	case <-timer.C:
		a.doubt, a.silence = true, true
	}
}

// announce says that we wait, for the first time or again. Our place in the queue is the revision of the first time.
func (a *attempt) announce(ctx context.Context) error {
	revision, err := a.keeper.announce(ctx, a.key, a.claim, a.patience())
	if err != nil {
		return err
	}
	a.announced = time.Now()
	if a.claim.Since == 0 {
		a.claim.Since = revision
	}
	return nil
}

// leave says that we wait no longer, without waiting for an answer: if it gets lost, the announcement ends by itself.
func (a *attempt) leave() {
	if a.claim.Since != 0 {
		a.keeper.withdraw(a.key, a.claim.ID)
	}
}

// note says what goes wrong, each new reason once. That NATS is away the connection says itself, once for all leases; and a server
// that stops or starts does not store for a moment.
func (a *attempt) note(err error) {
	quiet := errors.Is(err, natsio.ErrAway) || errors.Is(err, natsio.ErrStuck) && a.failures == 1
	if reason := err.Error(); reason != a.said && !quiet {
		a.said = reason
		a.keeper.options.Log.Warn("a lease can't be acquired now; trying again", "lease", a.key, "error", err)
	}
	a.setProblem(err)
}

// recover waits before the next step after a failure. A conflict is no failure at first: somebody was faster.
func (a *attempt) recover(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	a.doubt = true
	a.failures++
	switch {
	case !natsio.IsConflict(err):
		a.keeper.Doubt(err)
		a.note(natsio.Explain(a.keeper.js, err))
	case a.failures == 1:
		return
	}
	wait := min(20*time.Millisecond<<min(a.failures, 10), time.Second)
	timer := time.NewTimer(wait/2 + rand.N(wait/2))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
