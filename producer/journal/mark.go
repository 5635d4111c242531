package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natsio"
	"unconnected/producer/oplog"
)

// readMark reads the mark that the log is held against.
func (l *Log) readMark(ctx context.Context) error {
	entry, err := l.store.marks.Get(ctx, l.operation)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		l.mark, l.reached = oplog.Mark{}, oplog.Mark{}
		return nil
	}
	if err != nil {
		return fmt.Errorf("mark of %s: %w", l.operation, natsio.Explain(l.store.js, err))
	}
	var mark oplog.Mark
	if err := json.Unmarshal(entry.Value(), &mark); err != nil {
		l.log.Warn("the mark of the log is damaged and is written anew", "error", err)
		mark = oplog.Mark{}
	}
	l.mark, l.reached = mark, mark
	return nil
}

// Reconciled is how far the mark says that the log was compared again. Whoever compared a span without finding a change
// notes it there at once; in the log it shows with the next append.
func (l *Log) Reconciled(ctx context.Context) (events.Reconciled, error) {
	entry, err := l.store.marks.Get(ctx, l.operation)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return events.Reconciled{}, nil
	}
	if err != nil {
		return events.Reconciled{}, fmt.Errorf("mark of %s: %w", l.operation, natsio.Explain(l.store.js, err))
	}
	var mark oplog.Mark
	if json.Unmarshal(entry.Value(), &mark) != nil || !mark.Stream.Equal(l.created) ||
		mark.Periods.After(mark.Checkpoint) || mark.Days.After(mark.Checkpoint) {
		return events.Reconciled{}, nil // damaged, or of another stream: it says nothing
	}
	return mark.Reconciled(), nil
}

// NoteReconciled remembers how far the log was compared again.
func (l *Log) NoteReconciled(r events.Reconciled) {
	l.reached.Periods, l.reached.Days = r.Periods.UTC(), r.Days.UTC()
}

// markRhythm bounds how often the mark is written; one that lags is still true.
const markRhythm = time.Second

// Note remembers how far the log reaches, and writes it if that was not done for a while.
func (l *Log) Note(head oplog.Head) {
	l.reached = oplog.MarkOf(l.created, head)
	if time.Since(l.marked) >= markRhythm {
		l.writeMark(context.Background())
	}
}

// Settle writes what Note left, when the log comes to rest.
func (l *Log) Settle(ctx context.Context) {
	if l.reached != l.mark {
		l.writeMark(ctx)
	}
}

// writeMark writes the mark. Failing to is no failure of the append: the next one tries again.
func (l *Log) writeMark(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, markRhythm)
	defer cancel()
	value, err := json.Marshal(l.reached)
	if err == nil {
		_, err = l.store.marks.Put(ctx, l.operation, value)
	}
	if err != nil {
		l.log.Debug("the mark was not written; the next append tries again", "error", err)
		return
	}
	l.mark, l.marked = l.reached, time.Now()
}
