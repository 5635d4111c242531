package events

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Query selects a part of the history. The zero Query selects all of it.
type Query struct {
	// Operations to read; none means all.
	Operations []string
	// From and To bound the start of the windows, half-open, in any zone; a zero time leaves that side open.
	From, To time.Time
	// After leaves out the messages up to this sequence of the stream; 0 leaves out none.
	After uint64
}

// selects tells whether the window of e is asked for.
func (q *Query) selects(e *Event) bool {
	return (q.From.IsZero() || !e.Window.Start.Before(q.From)) && (q.To.IsZero() || e.Window.Start.Before(q.To))
}

// clockMargin is how far the clocks of the server and of the host that polled may differ. A window is stored after it
// began, so reading may begin at the query's From, less this.
const clockMargin = time.Hour

// History reads what the stream CALLS holds at the moment of the call, in the order in which it was stored: live windows
// of one operation in time order, with revisions, backfills and missed markers where they were stored. Use [Latest] for
// one event a window in time order.
//
// A message that is no event yields an [*InvalidError]; the iteration may go on behind it. Any other error ends it. While
// the connection is away the iteration waits for it, until ctx ends.
//
// It reads with an ordered consumer of its own, so any number of readers do not disturb each other.
func History(ctx context.Context, js jetstream.JetStream, q Query) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if err := history(ctx, js, q, yield); err != nil {
			yield(Event{}, fmt.Errorf("events: history: %w", err))
		}
	}
}

func history(ctx context.Context, js jetstream.JetStream, q Query, yield func(Event, error) bool) error {
	reader, err := openHistory(ctx, js, q)
	if err != nil || reader == nil {
		return err
	}
	defer reader.close()
	for {
		msg, err := reader.next(ctx)
		if err != nil || msg == nil {
			return err
		}
		meta, err := msg.Metadata()
		if err != nil {
			return err
		}
		if meta.Sequence.Stream > reader.end {
			return nil
		}
		reader.cursor = meta.Sequence.Stream
		e, err := reader.decoder.decodeMsg(msg, meta)
		if (err != nil || q.selects(&e)) && !yield(e, err) {
			return nil
		}
		if meta.NumPending == 0 || meta.Sequence.Stream == reader.end {
			return nil
		}
	}
}

// Supersedes tells whether e replaces o, an event of the same operation and window: it is a later revision, or counts
// where o only marks the window missed.
func (e *Event) Supersedes(o *Event) bool {
	if (e.Missed == nil) != (o.Missed == nil) {
		return o.Missed != nil
	}
	return e.Revision > o.Revision
}

// Latest gathers a history into one event a window, the one that supersedes all others, in the order of the windows'
// starts, then of the operations' names. Invalid messages are left out; any other error ends the gathering. All of it is
// held in memory: about one kilobyte a window.
func Latest(history iter.Seq2[Event, error]) ([]Event, error) {
	type slot struct {
		operation  string
		start, end int64
	}
	var latest []Event
	place := make(map[slot]int)
	for e, err := range history {
		if errors.Is(err, ErrInvalid) {
			continue
		}
		if err != nil {
			return nil, err
		}
		key := slot{e.Operation, e.Window.Start.Unix(), e.Window.End.Unix()}
		i, known := place[key]
		switch {
		case !known:
			place[key] = len(latest)
			latest = append(latest, e)
		case e.Supersedes(&latest[i]):
			latest[i] = e
		}
	}
	slices.SortStableFunc(latest, func(a, b Event) int {
		return cmp.Or(a.Window.Start.Compare(b.Window.Start), cmp.Compare(a.Operation, b.Operation))
	})
	return latest, nil
}

// Last reads the last message of an operation's log. It returns nil without an error when the log is empty; when the
// message is no event, an [*InvalidError] that carries its sequence.
func Last(ctx context.Context, stream jetstream.Stream, operation string) (*Event, error) {
	raw, err := stream.GetLastMsgForSubject(ctx, Subject(operation))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("events: last message of %s: %w", operation, err)
	}
	var d Decoder
	e, err := d.DecodeRaw(raw)
	if err != nil {
		return nil, err
	}
	return &e, nil
}
