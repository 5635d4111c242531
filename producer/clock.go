package producer

import (
	"context"
	"sync"
	"time"

	"unconnected/producer/wolkvox"
)

// Clock tells the time and waits. The zero Clock is the host's; another one lets a year of polling pass in minutes.
type Clock struct {
	Now   func() time.Time                                 // nil: time.Now
	Sleep func(ctx context.Context, d time.Duration) error // until d has passed, or ctx's end, which it returns; nil: a timer
	// Elapsed is the reading of a clock that nobody sets; nil: the host's monotonic one or, where Now is given, Now.
	Elapsed func() time.Duration
}

func (c Clock) withDefaults() Clock {
	began := time.Now()
	switch {
	case c.Elapsed != nil:
	case c.Now == nil:
		c.Elapsed = func() time.Duration { return time.Since(began) }
	default:
		c.Elapsed = func() time.Duration { return c.Now().Sub(began) }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Sleep == nil {
		c.Sleep = sleep
	}
	return c
}

// now is the instant in UTC, without a monotonic reading: the wall clock counts, which may be set.
func (c Clock) now() time.Time { return c.Now().Round(0).UTC() }

// timekeeper is a [Clock] that is not misled when the host's is set: between two answers of the API time passes as it does on
// a clock that nobody sets, and each answer says whether the host's clock is to be believed. It is safe for concurrent use.
type timekeeper struct {
	Clock
	tolerance time.Duration

	mu     sync.Mutex
	reckon reckoning // guarded by mu
}

func newTimekeeper(c Clock, tolerance time.Duration) *timekeeper {
	return &timekeeper{Clock: c, tolerance: tolerance, reckon: reckoning{at: c.now(), when: c.Elapsed()}}
}

// now is the instant in UTC, as far as we know.
func (k *timekeeper) now() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.reckon.now(k.Elapsed())
}

// before tells whether t is yet to come. A host's clock that says that it has come is given the chance to prove it: the host
// may have slept, which not every monotonic clock notices. The API's answer tells.
func (k *timekeeper) before(t time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.reckon.now(k.Elapsed()).Before(t) && k.Clock.now().Add(-k.reckon.ahead).Before(t)
}

// notBefore says that an instant has certainly come.
func (k *timekeeper) notBefore(t time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if elapsed := k.Elapsed(); k.reckon.now(elapsed).Before(t) {
		k.reckon.at, k.reckon.when = t, elapsed
	}
}

// learn takes what an answer tells that was received just now.
func (k *timekeeper) learn(answer *wolkvox.Answer) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reckon = k.reckon.learn(answer, k.Elapsed(), k.tolerance)
}

// longestSleep bounds how long the wall clock is not looked at, since a host's clock may jump.
const longestSleep = 30 * time.Second

// sleepUntil waits for an instant, half a minute at the most, and tells whether the instant has come.
func (k *timekeeper) sleepUntil(ctx context.Context, until time.Time) (bool, error) {
	wait := until.Sub(k.now())
	if wait <= 0 {
		return true, nil
	}
	if err := k.Sleep(ctx, min(wait, longestSleep)); err != nil {
		return false, err
	}
	return !k.now().Before(until), nil
}

// sleep waits, unless ctx ends before.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
