package slack

import (
	"cmp"
	"context"
	"errors"
	"time"

	"unconnected/alerter/incident"
)

// Post is one message to be posted.
type Post struct {
	Channel   string // an id, or a name while no id is known
	ThreadTS  string // the root below which it hangs; "" for a message of its own
	Broadcast bool   // a thread's post is shown in the channel, too
	Plain     bool   // as text, because Slack refused the blocks
	Message   Message
}

// Sink is a way of telling people. Its methods return an [*Error] for what went wrong on the way; FindReply returns
// [ErrNotFound] when the post is surely not there, and both look-ups [ErrNoHistory] when nobody can tell. A look-up or an edit that Caps
// does not promise is never asked for. The implementations here are safe for concurrent use.
type Sink interface {
	Caps() incident.Caps
	Post(ctx context.Context, p Post) (incident.Receipt, error)
	Update(ctx context.Context, root incident.Receipt, m Message, plain bool) error
	// FindRoots finds messages of their own, by transition; found has none that is not there, and may have some beside an error.
	FindRoots(ctx context.Context, channel string, transitions []string, since time.Time) (found map[string]incident.Receipt, err error)
	FindReply(ctx context.Context, root incident.Receipt, transition string, since time.Time) (incident.Receipt, error)
}

// Deliver does one step. m is what [Composer.Compose] made of it; a look-up ignores it. The context should end at the
// deadline of the intent that was recorded, because from then on somebody else may look the post up.
func Deliver(ctx context.Context, s Sink, a incident.Action, rec incident.Record, m Message) (incident.Receipt, error) {
	channel := rec.Channel
	if rec.ChannelID != "" {
		channel = rec.ChannelID
	}
	root := incident.Receipt{ChannelID: channel, TS: rec.Root.TS}
	switch a.Step {
	case incident.PostRoot:
		return s.Post(ctx, Post{Channel: channel, Plain: a.Plain, Message: m})
	case incident.PostLine, incident.PostReminder:
		return s.Post(ctx, Post{Channel: channel, ThreadTS: root.TS, Broadcast: a.Broadcast && root.TS != "", Plain: a.Plain, Message: m})
	case incident.EditRoot:
		return incident.Receipt{}, s.Update(ctx, root, m, a.Plain)
	case incident.FindRoot:
		return FindRoot(ctx, s, channel, a.Transition, a.Since)
	case incident.FindLine, incident.FindReminder:
		return s.FindReply(ctx, root, a.Transition, a.Since)
	}
	return incident.Receipt{}, nil
}

// FindRoot looks for one message of its own. The error is [ErrNotFound] when it is surely not there.
func FindRoot(ctx context.Context, s Sink, channel, transition string, since time.Time) (incident.Receipt, error) {
	found, err := s.FindRoots(ctx, channel, []string{transition}, since)
	return only(found, transition, err)
}

// Search does several steps at once that look for messages of their own in the channel that rec names. It tells what became of
// each, in their order, as [Deliver] would.
func Search(ctx context.Context, s Sink, actions []incident.Action, rec incident.Record) ([]incident.Receipt, []error) {
	since := actions[0].Since
	transitions := make([]string, len(actions))
	for i, a := range actions {
		if transitions[i] = a.Transition; a.Since.Before(since) {
			since = a.Since
		}
	}
	found, err := s.FindRoots(ctx, cmp.Or(rec.ChannelID, rec.Channel), transitions, since)
	receipts, errs := make([]incident.Receipt, len(actions)), make([]error, len(actions))
	for i, a := range actions {
		receipts[i], errs[i] = only(found, a.Transition, err)
	}
	return receipts, errs
}

// Settle is the record after [Deliver] returned got and err for a.
func Settle(rec incident.Record, a incident.Action, got incident.Receipt, err error, now time.Time) incident.Record {
	switch {
	case err == nil:
		return rec.Done(a, got, now)
	case errors.Is(err, ErrNotFound):
		return rec.NotFound(a)
	case errors.Is(err, ErrNoHistory):
		return rec.NoHistory(a, now)
	}
	return rec.Failed(a, FailureOf(err), now)
}
