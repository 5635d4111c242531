package journal

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natsio"
	"unconnected/producer/oplog"
)

// Log is the fenced log of one operation. One goroutine at a time may use it.
type Log struct {
	store     *Store
	operation string
	now       func() time.Time
	log       *slog.Logger
	stream    jetstream.Stream
	created   time.Time  // of the stream, which the sequences belong to
	mark      oplog.Mark // as last read or written
	reached   oplog.Mark // as it should be
	marked    time.Time  // when mark was written
}

// Open finds the end of the log, and refuses one that lost its end. It may be called again at any time.
func (l *Log) Open(ctx context.Context) (oplog.Head, error) {
	stream, err := l.store.js.Stream(ctx, events.StreamCalls)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		l.log.Warn("the stream is gone; creating it again", "stream", events.StreamCalls)
		stream, _, err = l.store.ensure(ctx)
	}
	if err != nil {
		return oplog.Head{}, natsio.Explain(l.store.js, err)
	}
	l.stream, l.created = stream, stream.CachedInfo().Created.UTC()
	if err := l.readMark(ctx); err != nil { // the bucket may be gone although somebody has made the stream again
		if _, _, ensureErr := l.store.ensure(ctx); ensureErr != nil {
			return oplog.Head{}, err
		}
		if err := l.readMark(ctx); err != nil {
			return oplog.Head{}, err
		}
	}
	return l.trustedHead(ctx)
}

// Head reads the end of the log. Where the last message is no event of ours, it is folded from the messages before it;
// the fence is the last message all the same.
func (l *Log) Head(ctx context.Context) (oplog.Head, error) {
	last, err := events.Last(ctx, l.stream, l.operation)
	var invalid *events.InvalidError
	switch {
	case errors.As(err, &invalid):
		l.log.Warn("the last message of the log is no event; looking before it", "sequence", invalid.Sequence, "reason", invalid.Reason)
		return l.headBefore(ctx, invalid.Sequence)
	case err != nil:
		return oplog.Head{}, fmt.Errorf("end of the log: %w", natsio.Explain(l.store.js, err))
	case last == nil:
		return oplog.Head{}, nil
	}
	head := oplog.HeadOf(last)
	if !oplog.Plausible(last, l.now()) {
		l.log.Warn("the last message of the log has a checkpoint in the future; looking before it",
			"sequence", head.Sequence, "checkpoint", head.Checkpoint)
		return l.headBefore(ctx, head.Sequence)
	}
	return head, nil
}

// headBefore folds the whole log: rare, and a second per hundred thousand windows.
func (l *Log) headBefore(ctx context.Context, fence uint64) (oplog.Head, error) {
	head := oplog.Head{Sequence: fence}
	for e, err := range events.History(ctx, l.store.js, events.Query{Operations: []string{l.operation}}) {
		if errors.Is(err, events.ErrInvalid) {
			continue
		}
		if err != nil {
			return oplog.Head{}, natsio.Explain(l.store.js, err)
		}
		if h := oplog.HeadOf(&e); e.Sequence < fence && oplog.Plausible(&e, l.now()) {
			h.Sequence = fence
			head = h
		}
	}
	return head, nil
}

// trustedHead is the head of a log that has not lost its end.
func (l *Log) trustedHead(ctx context.Context) (head oplog.Head, err error) {
	lost, err := endLost(ctx, l.stream, l.mark, func() (_ uint64, err error) {
		head, err = l.Head(ctx)
		return head.Sequence, err
	})
	if err != nil {
		return head, natsio.Explain(l.store.js, err)
	}
	if lost {
		err = fmt.Errorf("%w: it ends at sequence %d and had reached %d (windows up to %s); "+
			"restore the stream, or accept the loss with: unconnected streams apply --accept-loss %s",
			ErrLost, head.Sequence, l.mark.Sequence, l.mark.Checkpoint.Format(time.RFC3339), l.operation)
	}
	return head, err
}

// errBehind says that the history which a server has ends before a message that another one has.
var errBehind = errors.New("a server of the cluster lags behind")

// History reads the log, in order, up to the message of the sequence end at least: whoever decides on what it yields, and
// appends behind that message, has seen all that it stands for. The server of a cluster that is asked may not have got it yet.
func (l *Log) History(ctx context.Context, end uint64) iter.Seq2[events.Event, error] {
	return l.history(ctx, events.Query{}, end)
}

// history reads what a query selects of the log, and all that is behind that, up to the message end at least.
func (l *Log) history(ctx context.Context, query events.Query, end uint64) iter.Seq2[events.Event, error] {
	query.Operations = []string{l.operation}
	return func(yield func(events.Event, error) bool) {
		until := time.Now().Add(staleness)
		for {
			whole := query.After > 0 || query.From.IsZero()
			last, ok := l.pass(ctx, query, yield)
			switch {
			case !ok || max(last, query.After) >= end:
				return
			case !time.Now().Before(until):
				yield(events.Event{}, fmt.Errorf("%w: there the log ends at sequence %d of %d", errBehind, last, end))
				return
			}
			query.After, query.From = max(last, query.After), time.Time{} // From may leave the end out
			if !whole {
				continue
			}
			select {
			case <-ctx.Done():
				yield(events.Event{}, ctx.Err())
				return
			case <-time.After(staleness / 20):
			}
		}
	}
}

// pass yields what a query selects, and returns the sequence of the last message; false when there is no going on.
func (l *Log) pass(ctx context.Context, query events.Query, yield func(events.Event, error) bool) (last uint64, ok bool) {
	for e, err := range events.History(ctx, l.store.js, query) {
		var invalid *events.InvalidError
		switch {
		case err == nil:
			last = e.Sequence
		case errors.As(err, &invalid):
			last = invalid.Sequence
		}
		if invalid == nil {
			err = natsio.Explain(l.store.js, err)
		}
		if !yield(e, err) || err != nil && invalid == nil {
			return last, false
		}
	}
	return last, true
}

// After reads what was appended to the log after a sequence, in order, up to the message end at least. Messages that are no
// events are left out: nobody can decide anything on them.
func (l *Log) After(ctx context.Context, sequence, end uint64) ([]events.Event, error) {
	return valid(l.history(ctx, events.Query{After: sequence}, end))
}

// Windows reads what the log holds of the windows that start in a span, by its messages up to the message end at least: the
// event of each that holds, in time order. When retention has removed the beginning of the stream, reaches tells from where
// on the log is whole; otherwise it is zero.
func (l *Log) Windows(ctx context.Context, span events.Window, end uint64) (latest []events.Event, reaches time.Time, err error) {
	latest, err = events.Latest(within(span, l.history(ctx, events.Query{From: span.Start}, end)))
	if err == nil && !covered(latest, span) {
		// A server whose clock was behind has stored windows before they began, by that clock: then only the whole log tells.
		latest, err = events.Latest(within(span, l.History(ctx, end)))
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	info, err := l.stream.Info(ctx)
	if err != nil {
		return nil, time.Time{}, natsio.Explain(l.store.js, err)
	}
	if info.State.FirstSeq > 1 && info.State.FirstTime.After(span.Start) {
		reaches = span.End
		if len(latest) > 0 {
			reaches = latest[0].Window.Start
		}
	}
	return latest, reaches, nil
}

// within leaves out the windows that start elsewhere.
func within(span events.Window, history iter.Seq2[events.Event, error]) iter.Seq2[events.Event, error] {
	return func(yield func(events.Event, error) bool) {
		for e, err := range history {
			if (err != nil || span.Contains(e.Window.Start)) && !yield(e, err) {
				return
			}
		}
	}
}

// covered tells whether the windows of the events, in time order, leave nothing of a span out.
func covered(latest []events.Event, span events.Window) bool {
	at := span.Start
	for i := range latest {
		if w := latest[i].Window; w.Start.After(at) {
			return false
		} else if w.End.After(at) {
			at = w.End
		}
	}
	return !at.Before(span.End)
}

func valid(history iter.Seq2[events.Event, error]) (all []events.Event, err error) {
	for e, err := range history {
		if errors.Is(err, events.ErrInvalid) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

// appendTimeout is how long the stream may take to store one event.
const appendTimeout = 5 * time.Second

// Append stores e behind the message of the sequence after (0: as the log's first), and returns its own. An error that
// wraps [ErrMoved] means that e was not stored: somebody else appended, and everything must be decided anew from what is
// there; or, if nothing new is there, the server remembers e's id from a message of the last two minutes that the log has
// lost or holds further back. Other errors leave open whether e was stored; they ask for the same.
func (l *Log) Append(ctx context.Context, e *events.Event, after uint64) (uint64, error) {
	msg, err := events.Encode(e)
	if err != nil {
		return 0, err
	}
	publish, cancel := context.WithTimeout(ctx, appendTimeout)
	ack, err := l.store.js.PublishMsg(publish, msg, jetstream.WithExpectLastSequencePerSubject(after))
	cancel()
	if err == nil && !ack.Duplicate {
		return ack.Sequence, nil
	}
	// A conflict, a duplicate or a time-out: only what is stored tells.
	sequence, stored, readErr := l.readBack(ctx, e.ID(), after)
	switch {
	case readErr != nil:
		return 0, fmt.Errorf("append %s: %w", e.ID(), natsio.Explain(l.store.js, readErr))
	case stored:
		return sequence, nil
	case err == nil || natsio.IsConflict(err):
		return 0, fmt.Errorf("append %s: %w", e.ID(), ErrMoved)
	}
	return 0, fmt.Errorf("append %s: %w", e.ID(), natsio.Explain(l.store.js, err))
}

// readBack tells whether the last message of the log, stored after the given sequence, bears the id.
func (l *Log) readBack(ctx context.Context, id string, after uint64) (uint64, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	raw, err := l.stream.GetLastMsgForSubject(ctx, events.Subject(l.operation))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("read the log's end back: %w", err)
	}
	return raw.Sequence, raw.Sequence > after && raw.Header.Get(nats.MsgIdHdr) == id, nil
}
