package producer

import (
	"context"
	"time"
)

// Clock tells the time and waits. The zero Clock is the host's; another one lets a year of polling pass in minutes.
type Clock struct {
	Now   func() time.Time                                 // nil: time.Now
	Sleep func(ctx context.Context, d time.Duration) error // until d has passed, or ctx's end, which it returns; nil: a timer
}

func (c Clock) withDefaults() Clock {
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

// longestSleep bounds how long the wall clock is not looked at, since a host's clock may jump.
const longestSleep = 30 * time.Second

// sleepUntil waits for an instant, half a minute at the most, and tells whether the instant has come.
func (c Clock) sleepUntil(ctx context.Context, until time.Time) (bool, error) {
	wait := until.Sub(c.now())
	if wait <= 0 {
		return true, nil
	}
	if err := c.Sleep(ctx, min(wait, longestSleep)); err != nil {
		return false, err
	}
	return !c.now().Before(until), nil
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
