package slack

import (
	"context"
	"errors"
	"sync"
	"time"

	"unconnected/alerter/incident"
)

// How fast a channel may be written to.
const (
	DefaultInterval = time.Second // Slack allows about one post a second and channel
	backoffFirst    = time.Second
	backoffMost     = time.Minute
)

// Lane is what a step of [incident.Next] in a channel is paced as: Slack counts posts, edits and look-ups apart, so that who has
// asked for too much of one need not wait with another. That of posts is the channel's own name.
func Lane(channel string, step incident.Step) string {
	switch step {
	case incident.EditRoot, incident.Forgo:
		return channel + " edits"
	case incident.FindRoot, incident.FindLine, incident.FindReminder:
		return channel + " look-ups"
	}
	return channel
}

// Pacer keeps each channel, or each [Lane] of it, to about one request an interval: the first leaves at once. After "too many
// requests" it rests for as long as Slack asked or, when it did not say, ever longer. Ask it before an intent is recorded,
// because the wait would eat up the time until its deadline.
//
// The zero Pacer is ready to use. A Pacer is safe for concurrent use; of several who wait for one channel, any may be
// next.
type Pacer struct {
	Interval time.Duration // 0 for DefaultInterval; set before use

	mu       sync.Mutex
	channels map[string]*pace // guarded by mu :: channel as the caller names it → its state
}

type pace struct {
	free time.Time     // nothing leaves before
	rest time.Duration // the last rest of our own choice; 0 after a success
}

// Wait returns when something may be sent to the channel, and takes the slot, so that of several who wait each gets one.
// When ctx ends first, its error is returned and no slot is taken. Who has a channel to himself may wait until Free
// instead.
func (p *Pacer) Wait(ctx context.Context, channel string) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		wait := p.take(channel, time.Now())
		if wait <= 0 {
			return nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
	}
}

// Free is when the channel may be written to next; in the past when at once.
func (p *Pacer) Free(channel string) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.of(channel).free
}

// take takes the slot if it is free now; else it tells how long to wait.
func (p *Pacer) take(channel string, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.of(channel)
	if wait := c.free.Sub(now); wait > 0 {
		return wait
	}
	c.free = now.Add(p.interval())
	return 0
}

// Observe is told of every request to the channel, when it is over: the next leaves an interval later at the earliest, or
// when the outcome says.
func (p *Pacer) Observe(channel string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.of(channel)
	if until := time.Now().Add(max(p.interval(), c.pause(err))); until.After(c.free) {
		c.free = until
	}
}

// pause is how long err tells us to stay away.
func (c *pace) pause(err error) time.Duration {
	var e *Error
	if !errors.As(err, &e) || e.RetryAfter == 0 && e.Code != "ratelimited" && e.Code != "rate_limited" {
		c.rest = 0
		return 0
	}
	if e.RetryAfter > 0 {
		return e.RetryAfter
	}
	c.rest = min(max(2*c.rest, backoffFirst), backoffMost)
	return c.rest
}

// of is the state of a channel. The caller holds mu.
func (p *Pacer) of(channel string) *pace {
	if p.channels == nil {
		p.channels = make(map[string]*pace)
	}
	c := p.channels[channel]
	if c == nil {
		c = new(pace)
		p.channels[channel] = c
	}
	return c
}

func (p *Pacer) interval() time.Duration {
	if p.Interval == 0 {
		return DefaultInterval
	}
	return p.Interval
}
