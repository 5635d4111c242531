package access

import (
	"context"
	"sync/atomic"
	"time"

	"unconnected/internal/lease"
	"unconnected/producer/budget"
)

// TTL is how long a token stays with a holder that died: a request may take the time limit, and the server may be at work
// for half of that after a time-out; as much again lets the token be refreshed rarely. It is in whole seconds, rounded up, since
// leases are cut to them.
func TTL(timeout time.Duration) time.Duration {
	return (2*timeout + time.Second - 1).Truncate(time.Second)
}

// priorities are those of the classes of requests.
var priorities = [...]lease.Priority{budget.Live: lease.Live, budget.Correction: lease.Correction, budget.Backfill: lease.Backfill}

// turn is a Gate's hold of its token, for one class of requests at a time. It protects the token alone; the log is
// protected by its fence. One goroutine at a time may use it.
type turn struct {
	keeper *lease.Keeper
	api    string
	ttl    time.Duration

	key    string
	leases [len(priorities)]*lease.Lease // of key, by class
	held   *lease.Lease                  // the one of leases that was acquired last; nil before that and after give
	rest   time.Time                     // until when the server may still be at work
	before func()                        // is called before the token is given away; nil: nothing

	known atomic.Pointer[lease.Lease] // that of live windows, for holder and problem
}

// take returns when the token is ours for long enough to send a request and to rest after it. fresh tells that it was not
// ours all the time since the last take, so that somebody else may have asked meanwhile. Its error is the end of ctx.
func (t *turn) take(ctx context.Context, token string, class budget.Class) (fresh bool, err error) {
	if ctx.Err() != nil {
		return false, ctx.Err() // what is held is held without asking, and without a look at ctx
	}
	t.use(ctx, token)
	if err := wait(ctx, t.rest); err != nil {
		return false, err
	}
	wanted := t.leases[class]
	fresh = t.held != wanted || !time.Now().Before(wanted.Until())
	if t.held != nil && (t.held != wanted || t.held.Wanted()) {
		t.give(ctx)
		fresh = true
	}
	if err := wanted.Acquire(ctx); err != nil {
		return false, err
	}
	t.held = wanted
	return fresh, nil
}

// keep makes sure again that what was taken is ours for long enough. Only when much time has passed since, such as in a
// process that was paused, does it ask anybody.
func (t *turn) keep(ctx context.Context) error { return t.held.Acquire(ctx) }

// use makes the leases those of the token, which may have been changed.
func (t *turn) use(ctx context.Context, token string) {
	key := lease.Key(t.api, token)
	if key == t.key {
		return
	}
	t.give(ctx)
	t.key, t.rest = key, time.Time{}
	for class, priority := range priorities {
		t.leases[class] = t.keeper.Lease(key, t.ttl, priority)
	}
	t.known.Store(t.leases[budget.Live])
}

// holder names who has the token now, for people. It is safe for concurrent use.
func (t *turn) holder() string {
	if l := t.known.Load(); l != nil {
		return l.Holder()
	}
	return ""
}

// problem is why the lease of live windows can't be asked for; nil while it can. It is safe for concurrent use.
func (t *turn) problem() error {
	if l := t.known.Load(); l != nil {
		return l.Problem()
	}
	return nil
}

// busy notes that the server may be at work until an instant.
func (t *turn) busy(until time.Time) { t.rest = until }

// releaseTimeout bounds how long giving a token back may take; afterwards its lease runs out by itself.
const releaseTimeout = time.Second

// give lets others have the token. While the server may be at work it does nothing: call it again, or the lease runs out.
func (t *turn) give(ctx context.Context) {
	if t.held == nil || time.Now().Before(t.rest) {
		return
	}
	if t.before != nil {
		t.before()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	_ = t.held.Release(ctx) // when that fails it runs out by itself
	t.held = nil
}

// wait returns at an instant, or with the end of ctx.
func wait(ctx context.Context, until time.Time) error {
	left := time.Until(until)
	if left <= 0 {
		return nil
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
