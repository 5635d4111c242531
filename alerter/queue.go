package alerter

import (
	"context"
	"errors"
	"time"

	"unconnected/alerter/incident"
	"unconnected/alerter/slack"
)

// queue is the work for one channel. Channels do not wait for each other.
type queue struct {
	channel string
	pending map[string]bool // incidents that something may have to be done about; guarded by notifier.mu
	wake    chan struct{}   // capacity 1
}

func newQueue(channel string) *queue {
	return &queue{channel: channel, pending: make(map[string]bool), wake: make(chan struct{}, 1)}
}

// ring wakes the queue's worker, or leaves it a note to look again.
func (q *queue) ring() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// job is the next thing to do in a channel.
type job struct {
	part   incident.Incident // what this channel is told of the incident
	rec    record
	action incident.Action
}

// work does what there is to do in the channel, the most urgent first, until ctx ends.
func (n *notifier) work(ctx context.Context, q *queue) {
	for ctx.Err() == nil {
		next, until := n.next(q, time.Now())
		if next == nil {
			waitFor(ctx, q.wake, until)
			continue
		}
		if free := n.pacer.Free(q.channel); time.Now().Before(free) {
			waitFor(ctx, q.wake, free)
			continue // something more urgent may have come
		}
		if n.pacer.Wait(ctx, q.channel) == nil && n.duty.has() {
			n.perform(ctx, q, next)
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

// next picks the most urgent job. When there is none it returns when to look again, or zero for when something happens.
// Incidents that need nothing more leave the queue.
func (n *notifier) next(q *queue, now time.Time) (best *job, until time.Time) {
	if !n.duty.has() {
		return nil, now.Add(standby)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for id := range q.pending {
		candidate, wait := n.consider(q, id, now)
		switch {
		case candidate != nil && (best == nil || candidate.part.Compare(&best.part) < 0):
			best = candidate
		case !wait.IsZero() && (until.IsZero() || wait.Before(until)):
			until = wait
		}
	}
	return best, until
}

// consider decides about one incident. It must be called with mu held.
func (n *notifier) consider(q *queue, id string, now time.Time) (*job, time.Time) {
	inc, known := n.fold.Get(id)
	if !known {
		delete(q.pending, id)
		return nil, time.Time{}
	}
	part, routed := incident.Routes(&inc, n.records.of(id), n.channelOf)[q.channel]
	if !routed {
		delete(q.pending, id)
		return nil, time.Time{}
	}
	rec := n.records.get(id, q.channel)
	if !incident.Worth(&part, rec.Record, n.reached(inc.Operation), n.maxAge, now) {
		if !part.Open { // while it is open, evaluation may yet reach a younger window
			delete(q.pending, id)
		}
		return nil, time.Time{}
	}
	action := incident.Next(&part, rec.Record, n.sink.Caps(), incident.Wishes{}, now)
	switch action.Step {
	case incident.Nothing:
		delete(q.pending, id)
		return nil, time.Time{}
	case incident.Wait:
		return nil, action.Until
	}
	return &job{part, rec, action}, time.Time{}
}

// stopWithin is how long Slack may still take to answer once the program stops. Container engines kill after ten seconds.
const stopWithin = 3 * time.Second

// finishing is the context of what was begun: it ends at the deadline, and a while after ctx does.
func finishing(ctx context.Context, deadline time.Time) (context.Context, context.CancelFunc) {
	sending, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(stopWithin, cancel) })
	return sending, func() { stop(); cancel() }
}

// perform does one job: the intent is stored before a post, its result after it. What was begun is finished, if it can be
// for a moment, even while the program stops, because a post whose result is not stored has to be looked up.
func (n *notifier) perform(ctx context.Context, q *queue, j *job) {
	deadline := time.Now().Add(n.attempt)
	rec := j.rec
	if j.action.Step.Posts() {
		rec.Record = rec.Intend(j.action, &j.part, time.Now(), deadline)
		var err error
		if rec, err = n.records.store(ctx, rec); err != nil {
			n.storeFailed(ctx, q, err)
			return
		}
	}
	message := n.composer.Compose(j.action, &j.part, rec.Record, incident.Wishes{}, time.Now())
	sending, cancel := finishing(ctx, deadline)
	receipt, err := slack.Deliver(sending, n.sink, j.action, rec.Record, message)
	cancel()
	n.pacer.Observe(q.channel, err)
	n.observe(j, err)
	rec.Record = slack.Settle(rec.Record, j.action, receipt, err, time.Now())
	edited := j.action.Step == incident.EditRoot && err == nil
	n.storeResult(ctx, q, rec, edited)
}

// storeResult keeps trying: whoever finds an intent without a result must look the post up, or post it again. edited says
// that the root was changed.
func (n *notifier) storeResult(ctx context.Context, q *queue, rec record, edited bool) {
	for wait := storeFirst; ; wait = min(2*wait, storeMost) {
		storing, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
		_, err := n.records.store(storing, rec)
		cancel()
		switch {
		case err == nil:
			n.setTrouble("")
			return
		case errors.Is(err, errStale):
			// Another alerter is at it. Where both edited, ours may be what the message shows, so it is not newer than that.
			current := n.records.get(rec.Incident, rec.Channel)
			if !edited || current.Root.Shown <= rec.Root.Shown {
				n.storeFailed(ctx, q, err)
				return
			}
			current.Root.Shown = rec.Root.Shown
			rec = current
		case ctx.Err() != nil:
			n.storeFailed(ctx, q, err)
			return
		default:
			n.setTrouble(err.Error())
			waitFor(ctx, nil, time.Now().Add(wait))
		}
	}
}

const (
	storeTimeout = 3 * time.Second
	storeFirst   = 50 * time.Millisecond // how long to wait before a result is stored again
	storeMost    = time.Second
)

func (n *notifier) storeFailed(ctx context.Context, q *queue, err error) {
	if errors.Is(err, errStale) {
		n.setTrouble("") // storing works
		n.log.Info("another alerter is at this incident; reading again", "channel", q.channel, "reason", err)
		return
	}
	n.setTrouble(err.Error())
	n.log.Warn("what was done for Slack can't be stored now; trying again", "channel", q.channel, "error", err)
	waitFor(ctx, nil, time.Now().Add(storeMost))
}

func (n *notifier) setTrouble(reason string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.trouble = reason
}

// observe counts and logs how a job went.
func (n *notifier) observe(j *job, err error) {
	posted := j.action.Step.Posts()
	switch {
	case err == nil && posted:
		n.metrics.notifications.WithLabelValues("delivered").Inc()
		if t, ok := j.part.Find(j.action.Sequence); ok {
			n.metrics.delay.Observe(time.Since(t.Alert.Stored).Seconds())
		}
	case err == nil, errors.Is(err, slack.ErrNotFound), errors.Is(err, slack.ErrNoHistory):
	default:
		failure := slack.FailureOf(err)
		n.metrics.notifications.WithLabelValues(failure.Class.String()).Inc()
		n.log.Warn("Slack was not told; it stays queued", "doing", j.action.Step.String(), "incident", j.part.ID,
			"class", failure.Class.String(), "error", err, "next_step", failure.Hint)
	}
}
