package alerter

import (
	"cmp"
	"context"
	"errors"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"unconnected/alerter/incident"
	"unconnected/alerter/slack"
	"unconnected/internal/natsio"
)

const (
	// blindAfter is for how long nothing must be seen before people are told.
	blindAfter = 5 * time.Minute
	// blindStep is how much longer, as a part of that, an alerter waits than the one before it: the one that judged tells first,
	// and whoever comes next finds its message. Without NATS there is no other way to agree.
	blindStep = 10
	// blindScatter is over how many steps those are spread that do not know their place, having begun without NATS.
	blindScatter = 4
	// unplaced is the place of one that does not know it.
	unplaced = -1
	// blindOpen and blindOver are what the message bears while it lasts, and afterwards.
	blindOpen = "@blind/open"
	blindOver = "@blind/over"
	// blindSince is how old a message may be that is taken for one of ours that was not brought to its end.
	blindSince = 24 * time.Hour
	// searchTries is how often the channel is searched for such a message before one is posted all the same.
	searchTries = 5
)

// blindness is that nothing can be judged, because NATS is away or does not store. What is done about it can't be stored then, so
// it is kept in memory; a process that was started in the meantime finds the message in the channel, if it may read the history.
// [sighted] is none.
type blindness struct {
	since  time.Time // zero while all is seen
	back   time.Time // when it was over, while the message was not brought to its end yet; else zero
	place  int       // how many alerters were to judge before this one: 0 for the one that did; unplaced
	reason string
	record incident.Record // what was done about the message

	searched bool            // the channel was searched for a message of another process
	search   incident.Record // what hinders that
	orphan   bool            // nothing was seen since the process began: another one may have left a message
}

// sighted is no blindness, of an alerter at that place.
func sighted(place int) blindness { return blindness{place: place} }

// look notes whether anything is seen, and at which place this alerter is then, unless that is not known. It tells whether
// people must be told that nothing is.
func (b *blindness) look(seeing bool, place int, reason string, now time.Time, after time.Duration, name string) (tell bool) {
	switch {
	case seeing:
		if place == unplaced {
			place = b.place
		}
		if !b.record.Begun() {
			*b = blindness{orphan: b.orphan, searched: b.searched && b.orphan, search: b.search}
		}
		b.place = place
		if b.back.IsZero() {
			b.back = now
		}
		return false
	case b.since.IsZero():
		*b = blindness{since: now, place: b.place, orphan: b.orphan}
	}
	b.reason, b.back = reason, time.Time{}
	return now.Sub(b.since) >= blindWait(b.place, name, after)
}

// blindWait is for how long an alerter at a place sees nothing before it tells people. One without a place takes the one that its
// name gives it, which is most likely no other's.
func blindWait(place int, name string, after time.Duration) time.Duration {
	step := after / blindStep
	if place != unplaced {
		return after + time.Duration(place)*step
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(name)) // it can't fail
	return after + step + time.Duration(float64(blindScatter*step)*float64(hash.Sum32())/(1<<32))
}

// watch tells people when NATS has been away for a while, and that it is back, until ctx ends.
func (a *Alerter) watch(ctx context.Context) {
	b, name := blindness{place: unplaced, orphan: true}, processName()
	for rhythm := time.Second; ctx.Err() == nil; waitFor(ctx, nil, time.Now().Add(rhythm)) {
		seeing, reason := a.sees()
		tell := b.look(seeing, a.place(), reason, time.Now(), a.blindAfter, name)
		switch {
		case tell:
			a.tellBlind(ctx, &b)
		case seeing && (b.record.Begun() || b.orphan):
			a.tellSeeing(ctx, &b)
		}
	}
}

// sees tells whether windows are judged, and if not, why, as far as that is more than that NATS is away.
func (a *Alerter) sees() (seeing bool, reason string) {
	conn, s := a.options.Conn, a.current.Load()
	switch problem := a.problem.Load(); {
	case !conn.IsConnected():
		if why := natsio.Why(conn); why != nil {
			reason = why.Error()
		}
		return false, reason
	case s != nil:
		reason = cmp.Or(s.evaluator.calls.state(), s.duty.hindered(), s.evaluator.hindered())
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

// tellBlind posts the message, once. Before each attempt it looks whether another process has: all retry when Slack is back.
func (a *Alerter) tellBlind(ctx context.Context, b *blindness) {
	next := func() incident.Action { return incident.NextNotice(b.record, a.sink.Caps(), time.Now()) }
	if next().Step == incident.PostRoot && b.record.Root.Intent == nil && !a.find(ctx, b) {
		return
	}
	c := a.blindComposer()
	if a.step(ctx, b, next(), c.Blind(blindOpen, b.since, time.Time{}, b.reason)); !b.record.Begun() {
		b.searched = false
	}
}

// find takes the message of another process for ours. It tells whether one may be posted: it is known that there is none, or
// nobody can tell.
func (a *Alerter) find(ctx context.Context, b *blindness) bool {
	if b.searched {
		return true
	}
	now := time.Now()
	if t := b.search.Trouble; t != nil && now.Before(t.Until) {
		return false
	}
	b.record.Incident, b.record.Channel = blindOpen, a.channel("")
	if !a.sink.Caps().Lookup {
		b.searched = true
		return true
	}
	look := incident.Action{Step: incident.FindRoot, Transition: blindOpen, Since: now.Add(-blindSince)}
	reading, cancel := context.WithTimeout(ctx, a.attempt)
	defer cancel()
	got, err := slack.Deliver(reading, a.sink, look, b.record, slack.Message{})
	switch {
	case err == nil:
		b.adopt(look, got, a.blindAfter)
		a.options.Log.Info("the message that nothing is seen is there already, from another process", "channel", b.record.Channel)
	case !errors.Is(err, slack.ErrNotFound) && !errors.Is(err, slack.ErrNoHistory):
		b.search = b.search.Failed(look, slack.FailureOf(err), time.Now())
		return b.search.Trouble.Count >= searchTries
	}
	b.searched = true
	return true
}

// adopt takes a message over. Who posted it had seen nothing for so long by then.
func (b *blindness) adopt(look incident.Action, got incident.Receipt, after time.Duration) {
	b.record = b.record.Done(look, got, time.Now())
	seconds, _, _ := strings.Cut(got.TS, ".")
	posted, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return
	}
	if since := time.Unix(posted, 0).UTC().Add(-after); b.since.IsZero() || since.Before(b.since) {
		b.since = since
	}
}

// tellSeeing brings the message to its end.
func (a *Alerter) tellSeeing(ctx context.Context, b *blindness) {
	if b.orphan && !b.record.Begun() {
		if a.find(ctx, b); !b.searched {
			return
		}
	}
	b.orphan = false
	c, caps := a.blindComposer(), a.sink.Caps()
	message := c.Blind(blindOver, b.since, b.back, b.reason)
	if b.record.Root.Intent != nil { // it may have arrived: it is looked for, and where that can't be done the end is told
		a.step(ctx, b, incident.NextNotice(b.record, caps, time.Now()), message)
		if b.record.Root.Intent != nil && !b.record.Root.Intent.Deadline.IsZero() {
			return
		}
		if !caps.Lookup && b.record.Root.Posted {
			*b = sighted(b.place)
			return
		}
	}
	switch {
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
	*b = sighted(b.place)
}

// step does one thing about the message. It is not stored, because there is nowhere to store it.
func (a *Alerter) step(ctx context.Context, b *blindness, action incident.Action, m slack.Message) {
	if action.Step == incident.Nothing || action.Step == incident.Wait {
		return
	}
	now := time.Now()
	deadline := now.Add(a.attempt)
	b.record = b.record.Intend(action, nil, now, deadline)
	lane := slack.Lane(b.record.Channel, action.Step)
	if a.pacer.Wait(ctx, lane) != nil {
		return
	}
	sending, cancel := finishing(ctx, deadline)
	defer cancel()
	got, err := slack.Deliver(sending, a.sink, action, b.record, m)
	a.pacer.Observe(lane, err)
	b.record = slack.Settle(b.record, action, got, err, time.Now())
	if err != nil {
		failure := slack.FailureOf(err)
		a.options.Log.Warn("Slack was not told that nothing is seen; trying again", "class", failure.Class.String(), "error", err, "next_step", nextStep(failure))
	}
}
