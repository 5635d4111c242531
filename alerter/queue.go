package alerter

import (
	"context"
	"time"

	"unconnected/alerter/slack"
)

// queue is the work for one channel. Channels do not wait for each other.
type queue struct {
	channel string
	pending map[string]bool // incidents that something may have to be done about; guarded by notifier.mu
	took    time.Time       // when Slack answered as it should, the last time; guarded by notifier.mu
	wake    chan struct{}   // capacity 1
}

func newQueue(channel string) *queue {
	return &queue{channel: channel, pending: make(map[string]bool), wake: make(chan struct{}, 1)}
}

// add makes the worker consider an incident, or whatever else has that id. It must be called with notifier.mu held.
func (q *queue) add(id string) {
	if !q.pending[id] {
		q.pending[id] = true
		q.ring()
	}
}

// ring wakes the queue's worker, or leaves it a note to look again.
func (q *queue) ring() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// work does what there is to do in the channel, the most urgent first, until ctx ends.
func (n *notifier) work(ctx context.Context, q *queue) {
	for ctx.Err() == nil {
		next, until := n.next(q, n.now())
		if next == nil {
			waitFor(ctx, q.wake, until)
			continue
		}
		if n.pacer.Wait(ctx, slack.Lane(q.channel, next.action.Step)) == nil && n.duty.has() {
			n.do(ctx, q, next)
		}
	}
}

// standby is how often a queue looks whether it is its turn; it is rung when it is, except after a lease that ran out and was
// had back.
const standby = time.Second

// waitFor waits for a ring, until an instant (zero: none), or until ctx ends.
func waitFor(ctx context.Context, wake <-chan struct{}, until time.Time) {
	var timer <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(time.Until(until))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-ctx.Done():
	case <-wake:
	case <-timer:
	}
}
