package alerter

import (
	"context"
	"time"

	"unconnected/alerter/incident"
	"unconnected/alerter/slack"
)

const (
	// blindAfter is for how long nothing must be seen before people are told.
	blindAfter = 5 * time.Minute
	// blindPatience is how much longer, as a part of that, an alerter waits that was not the one that judged: that one tells
	// first.
	blindPatience = 10
	// blindOpen and blindOver are what the message bears while it lasts, and afterwards.
	blindOpen = "@blind/open"
	blindOver = "@blind/over"
	// blindSince is how old a message may be that is taken for one of ours that was not brought to its end.
	blindSince = 24 * time.Hour
)

// blindness is that nothing can be judged, because NATS is away. What is done about it can't be stored then, so it is kept in
// memory; a process that was started in the meantime finds the message in the channel, if it may read the history. The zero
// blindness is none.
type blindness struct {
	since   time.Time // zero while all is seen
	back    time.Time // when it was over, while the message was not brought to its end yet; else zero
	onDuty  bool      // this alerter was the one that judged
	reason  string
	record  incident.Record // what was done about the message
	adopted bool            // the channel was searched for a message of another process
	orphan  bool            // this process began without NATS: there may be a message of another one
}

// look notes whether anything is seen, and tells whether people must be told that it is not.
func (b *blindness) look(seeing, onDuty bool, reason string, now time.Time, after time.Duration) (tell bool) {
	switch {
	case seeing:
		if !b.record.Begun() && !b.orphan {
			*b = blindness{onDuty: onDuty}
		}
		b.onDuty = onDuty
		if b.back.IsZero() {
			b.back = now
		}
		return false
	case b.since.IsZero():
		*b = blindness{since: now, onDuty: b.onDuty, orphan: b.orphan}
	}
	b.reason, b.back = reason, time.Time{}
	patience := after
	if !b.onDuty {
		patience += after / blindPatience
	}
	return now.Sub(b.since) >= patience
}

// watch tells people when NATS has been away for a while, and that it is back, until ctx ends.
func (a *Alerter) watch(ctx context.Context) {
	b := blindness{orphan: !a.options.Conn.IsConnected()}
	for rhythm := time.Second; ctx.Err() == nil; waitFor(ctx, nil, time.Now().Add(rhythm)) {
		seeing, reason := a.sees()
		tell := b.look(seeing, a.onDuty(), reason, time.Now(), a.blindAfter)
		switch {
		case tell:
			a.tellBlind(ctx, &b)
		case seeing && (b.record.Begun() || b.orphan && !b.since.IsZero()):
			a.tellSeeing(ctx, &b)
		case seeing:
			b.orphan = false
		}
	}
}

// sees tells whether windows are judged, and if not, why, as far as that is more than that NATS is away.
func (a *Alerter) sees() (seeing bool, reason string) {
	conn, s := a.options.Conn, a.current.Load()
	switch problem := a.problem.Load(); {
	case !conn.IsConnected():
		if err := conn.LastError(); err != nil {
			reason = err.Error()
		}
		return false, reason
	case s != nil:
		reason = s.evaluator.calls.state()
		return reason == "", reason
	case problem != nil:
		return false, *problem
	}
	return true, "" // it is only beginning
}

// blindComposer writes the message in the zone of the operations, where they share one: its times are read beside theirs.
func (a *Alerter) blindComposer() slack.Composer {
	c := a.composer()
	if s := a.current.Load(); c.Zone == nil && s != nil {
		c.Zone = s.evaluator.zone()
	}
	return c
}

// tellBlind posts the message, once. Before it posts, it looks whether another process has.
func (a *Alerter) tellBlind(ctx context.Context, b *blindness) {
	if !b.adopted {
		b.adopted = true
		b.record.Incident, b.record.Channel = blindOpen, a.channel("")
		a.adopt(ctx, b)
	}
	c := a.blindComposer()
	message := c.Blind(blindOpen, b.since, time.Time{}, b.reason)
	a.step(ctx, b, incident.NextNotice(b.record, a.sink.Caps(), time.Now()), message)
}

// adopt takes the message of another process for ours.
func (a *Alerter) adopt(ctx context.Context, b *blindness) {
	if !a.sink.Caps().Lookup {
		return
	}
	since := time.Now().Add(-blindSince)
	find := incident.Action{Step: incident.FindRoot, Transition: blindOpen, Since: since}
	reading, cancel := context.WithTimeout(ctx, a.attempt)
	defer cancel()
	if got, err := slack.Deliver(reading, a.sink, find, b.record, slack.Message{}); err == nil {
		b.record = b.record.Done(find, got, time.Now())
		a.options.Log.Info("the message that nothing is seen is there already, from another process", "channel", b.record.Channel)
	}
}

// tellSeeing brings the message to its end.
func (a *Alerter) tellSeeing(ctx context.Context, b *blindness) {
	if b.orphan && !b.record.Begun() {
		b.record.Incident, b.record.Channel = blindOpen, a.channel("")
		a.adopt(ctx, b)
		b.orphan = false
	}
	if b.record.Root.Intent != nil { // it may have arrived
		a.step(ctx, b, incident.NextNotice(b.record, a.sink.Caps(), time.Now()), slack.Message{})
		if b.record.Root.Intent != nil && !b.record.Root.Intent.Deadline.IsZero() {
			return
		}
	}
	c := a.blindComposer()
	message := c.Blind(blindOver, b.since, b.back, b.reason)
	switch caps := a.sink.Caps(); {
	case !b.record.Root.Posted || b.record.Root.Gone: // nobody was told
	case caps.Edits:
		if t := b.record.Trouble; t != nil && time.Now().Before(t.Until) {
			return
		}
		a.step(ctx, b, incident.Action{Step: incident.EditRoot, Shows: 2}, message)
		if b.record.Trouble != nil {
			return
		}
	default:
		again := incident.Record{Incident: blindOver, Channel: b.record.Channel}
		b.record = again
		a.step(ctx, b, incident.NextNotice(again, caps, time.Now()), message)
	}
	*b = blindness{}
}

// step does one thing about the message. It is not stored, because there is nowhere to store it.
func (a *Alerter) step(ctx context.Context, b *blindness, action incident.Action, m slack.Message) {
	if action.Step == incident.Nothing || action.Step == incident.Wait {
		return
	}
	now := time.Now()
	deadline := now.Add(a.attempt)
	b.record = b.record.Intend(action, nil, now, deadline)
	if a.pacer.Wait(ctx, b.record.Channel) != nil {
		return
	}
	sending, cancel := finishing(ctx, deadline)
	defer cancel()
	got, err := slack.Deliver(sending, a.sink, action, b.record, m)
	a.pacer.Observe(b.record.Channel, err)
	b.record = slack.Settle(b.record, action, got, err, time.Now())
	if err != nil {
		failure := slack.FailureOf(err)
		a.options.Log.Warn("Slack was not told that nothing is seen; trying again", "class", failure.Class.String(), "error", err, "next_step", nextStep(failure))
	}
}
