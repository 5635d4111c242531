package alerter

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"unconnected/alerter/incident"
	"unconnected/alerter/slack"
)

// stopWithin is how long Slack may still take to answer once the program stops. Container engines kill after ten seconds.
const stopWithin = 3 * time.Second

// finishing is the context of what was begun: it ends at the deadline, and a while after ctx does.
func finishing(ctx context.Context, deadline time.Time) (context.Context, context.CancelFunc) {
	sending, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(stopWithin, cancel) })
	return sending, func() { stop(); cancel() }
}

// do performs one job, or several look-ups at once.
func (n *notifier) do(ctx context.Context, q *queue, j *job) {
	if len(j.together) > 1 {
		n.search(ctx, q, j.together)
		return
	}
	n.perform(ctx, q, j)
}

// perform does one job: the intent is stored before a post, its result after it. What was begun is finished, if it can be
// for a moment, even while the program stops, because a post whose result is not stored has to be looked up.
func (n *notifier) perform(ctx context.Context, q *queue, j *job) {
	deadline := n.now().Add(n.attempt)
	rec := j.rec
	if j.action.Step.Posts() {
		var err error
		if rec, err = n.intend(ctx, j, deadline); err != nil {
			n.storeFailed(ctx, q, err)
			return
		}
	}
	message := j.compose(&n.composer, rec.Record, n.now())
	sending, cancel := finishing(ctx, deadline)
	receipt, err := slack.Deliver(sending, n.sink, j.action, rec.Record, message)
	cancel()
	n.pacer.Observe(slack.Lane(q.channel, j.action.Step), err)
	n.complain(j, err)
	n.settle(ctx, q, j, rec, receipt, err)
}

// settle stores what became of a job whose record is rec by now, and does what follows from that.
func (n *notifier) settle(ctx context.Context, q *queue, j *job, rec record, receipt incident.Receipt, err error) {
	n.count(j, err)
	n.noteTaken(q, j, err)
	rec.Record = slack.Settle(rec.Record, j.action, receipt, err, n.now())
	edited := j.action.Step == incident.EditRoot && err == nil
	n.storeResult(ctx, q, rec, edited)
	n.followUp(q, j, err)
}

// noteTaken notes that Slack answers as it should, after which nothing waits any longer that failed before.
func (n *notifier) noteTaken(q *queue, j *job, err error) {
	if j.action.Step == incident.Forgo || err != nil && !errors.Is(err, slack.ErrNotFound) {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	q.took = n.now()
}

// search looks for many messages in the channel at once: after an outage there may be many of which nobody knows whether they
// arrived.
func (n *notifier) search(ctx context.Context, q *queue, jobs []*job) {
	sending, cancel := finishing(ctx, n.now().Add(n.attempt))
	actions, rec := make([]incident.Action, len(jobs)), jobs[0].rec.Record
	for i, j := range jobs {
		actions[i], rec.ChannelID = j.action, cmp.Or(rec.ChannelID, j.rec.ChannelID)
	}
	receipts, errs := slack.Search(sending, n.sink, actions, rec)
	cancel()
	n.pacer.Observe(slack.Lane(q.channel, incident.FindRoot), errors.Join(errs...))
	if first := slices.IndexFunc(errs, func(err error) bool { return err != nil }); first >= 0 { // all that failed did so alike
		n.complain(jobs[first], errs[first])
	}
	for i, j := range jobs {
		n.settle(ctx, q, j, j.rec, receipts[i], errs[i])
	}
}

// intend stores what is about to be posted. Before a group's message come the claims of its members; whoever is at one of them
// keeps it.
func (n *notifier) intend(ctx context.Context, j *job, deadline time.Time) (record, error) {
	rec, part := j.rec, &j.part
	if !j.isIncident() {
		part = nil
	}
	if j.joins != nil {
		if err := n.claim(ctx, j); err != nil {
			return rec, err
		}
		rec.Members = idsOf(j.members)
	}
	rec.Record = rec.Intend(j.action, part, n.now(), deadline)
	return n.records.store(ctx, rec)
}

func idsOf(members []incident.Incident) []string {
	ids := make([]string, len(members))
	for i := range members {
		ids[i] = members[i].ID
	}
	return ids
}

// followUp gives the queue what a delivered message makes possible: the details below a group's, the picture below a root.
func (n *notifier) followUp(q *queue, j *job, err error) {
	if err != nil {
		n.reroute(j)
		return
	}
	if j.action.Step != incident.PostRoot && j.action.Step != incident.FindRoot {
		return
	}
	if j.isIncident() {
		n.picture(j.part.ID, q.channel)
	}
	if j.members == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, id := range idsOf(j.members) {
		q.pending[id] = true
	}
	q.pending[j.rec.Incident] = true
	q.ring()
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

// nextStep is what a person can do, or that nobody needs to do anything.
func nextStep(failure incident.Failure) string {
	return cmp.Or(failure.Hint, "it is tried again by itself")
}

// count counts how a job went.
func (n *notifier) count(j *job, err error) {
	switch {
	case err == nil && j.action.Step.Posts():
		n.metrics.notifications.WithLabelValues("delivered").Inc()
		if t, ok := j.part.Find(j.action.Sequence); ok && j.action.Step != incident.PostReminder {
			n.metrics.delay.Observe(time.Since(t.Stored()).Seconds())
		}
	case isFailure(err):
		n.metrics.notifications.WithLabelValues(slack.FailureOf(err).Class.String()).Inc()
	}
}

// complain logs that a request failed, once however many messages it was about.
func (n *notifier) complain(j *job, err error) {
	if !isFailure(err) {
		return
	}
	failure := slack.FailureOf(err)
	n.log.Warn("Slack was not told; it stays queued", "doing", j.action.Step.String(), "incident", j.rec.Incident,
		"class", failure.Class.String(), "error", err, "next_step", nextStep(failure))
}

// isFailure tells whether a request did not do what it should. That a look-up finds nothing, or may not look, is an answer.
func isFailure(err error) bool {
	return err != nil && !errors.Is(err, slack.ErrNotFound) && !errors.Is(err, slack.ErrNoHistory)
}
