package producer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natsio"
	"unconnected/producer/oplog"
)

// Errors of the fenced log.
var (
	// errMoved says that somebody else appended first, or that it cannot be known who did: what was decided is void.
	errMoved = errors.New("the log has moved on")
	// errLost says that the log ends before a place that it certainly had reached.
	errLost = errors.New("the end of the log is lost")
)

// storage is where the logs are: the stream and the buckets.
type storage struct {
	js            jetstream.JetStream
	config        jetstream.StreamConfig
	marks, status jetstream.KeyValue
	log           *slog.Logger
}

// openStorage makes sure that stream and buckets exist.
func openStorage(ctx context.Context, nc *nats.Conn, c *Config, log *slog.Logger) (*storage, error) {
	js, err := natsio.JetStream(nc)
	if err != nil {
		return nil, err
	}
	s := &storage{js: js, config: events.CallsStream(natsio.StreamOptions(&c.NATS, &c.History)), log: log}
	_, err = s.ensure(ctx)
	return s, err
}

// ensure creates what is missing.
func (s *storage) ensure(ctx context.Context) (jetstream.Stream, error) {
	stream, err := natsio.EnsureStream(ctx, s.js, s.config, s.log)
	if err != nil {
		return nil, err
	}
	if s.marks, err = natsio.EnsureBucket(ctx, s.js, natsio.BucketMarks, s.config.Replicas); err != nil {
		return nil, err
	}
	s.status, err = natsio.EnsureBucket(ctx, s.js, natsio.BucketStatus, s.config.Replicas)
	return stream, err
}

// operationLog is the fenced log of one operation. One goroutine at a time may use it.
type operationLog struct {
	storage
	operation string
	stream    jetstream.Stream
	created   time.Time  // of the stream, which the sequences belong to
	mark      oplog.Mark // as last read or written
	reached   oplog.Mark // as it should be
	marked    time.Time  // when mark was written
}

// open finds the end of the log, and refuses one that lost its end. It may be called again at any time.
func (l *operationLog) open(ctx context.Context) (oplog.Head, error) {
	stream, err := l.js.Stream(ctx, events.StreamCalls)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		l.log.Warn("the stream is gone; creating it again", "stream", events.StreamCalls)
		stream, err = l.ensure(ctx)
	}
	if err != nil {
		return oplog.Head{}, natsio.Explain(l.js, err)
	}
	l.stream, l.created = stream, stream.CachedInfo().Created.UTC()
	if err := l.readMark(ctx); err != nil { // the bucket may be gone although somebody has made the stream again
		if _, ensureErr := l.ensure(ctx); ensureErr != nil {
			return oplog.Head{}, err
		}
		if err := l.readMark(ctx); err != nil {
			return oplog.Head{}, err
		}
	}
	return l.trustedHead(ctx)
}

// head reads the end of the log. Where the last message is no event of ours, it is folded from the messages before it;
// the fence is the last message all the same.
func (l *operationLog) head(ctx context.Context) (oplog.Head, error) {
	last, err := events.Last(ctx, l.stream, l.operation)
	var invalid *events.InvalidError
	switch {
	case errors.As(err, &invalid):
		l.log.Warn("the last message of the log is no event; looking before it", "sequence", invalid.Sequence, "reason", invalid.Reason)
		return l.headBefore(ctx, invalid.Sequence)
	case err != nil:
		return oplog.Head{}, err
	case last == nil:
		return oplog.Head{}, nil
	}
	head := oplog.HeadOf(last)
	if !oplog.Plausible(last, time.Now()) {
		l.log.Warn("the last message of the log has a checkpoint in the future; looking before it",
			"sequence", head.Sequence, "checkpoint", head.Checkpoint)
		return l.headBefore(ctx, head.Sequence)
	}
	return head, nil
}

// headBefore folds the whole log: rare, and a second per hundred thousand windows.
func (l *operationLog) headBefore(ctx context.Context, fence uint64) (oplog.Head, error) {
	head := oplog.Head{Sequence: fence}
	for e, err := range events.History(ctx, l.js, events.Query{Operations: []string{l.operation}}) {
		if errors.Is(err, events.ErrInvalid) {
			continue
		}
		if err != nil {
			return oplog.Head{}, err
		}
		if h := oplog.HeadOf(&e); e.Sequence < fence && oplog.Plausible(&e, time.Now()) {
			h.Sequence = fence
			head = h
		}
	}
	return head, nil
}

// staleness is how long a follower in a cluster may answer with an old end of the log.
const staleness = 10 * time.Second

// trustedHead is the head of a log that has not lost its end. The mark is believed only when the end stays short of it for
// as long as a replica may be behind; a single one never is.
func (l *operationLog) trustedHead(ctx context.Context) (oplog.Head, error) {
	until := time.Now()
	if l.stream.CachedInfo().Config.Replicas > 1 {
		until = until.Add(staleness)
	}
	for {
		head, err := l.head(ctx)
		if err != nil || !l.mark.Lost(l.created, natsio.FirstRetained(l.stream.CachedInfo()), head) {
			return head, err
		}
		if !time.Now().Before(until) {
			return head, fmt.Errorf("%w: it ends at sequence %d and had reached %d (windows up to %s); "+
				"restore the stream, or accept the loss with: unconnected streams apply --accept-loss %s",
				errLost, head.Sequence, l.mark.Sequence, l.mark.Checkpoint.Format(time.RFC3339), l.operation)
		}
		if err := sleep(ctx, staleness/20); err != nil {
			return head, err
		}
	}
}

func (l *operationLog) readMark(ctx context.Context) error {
	entry, err := l.marks.Get(ctx, l.operation)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		l.mark, l.reached = oplog.Mark{}, oplog.Mark{}
		return nil
	}
	if err != nil {
		return fmt.Errorf("mark of %s: %w", l.operation, err)
	}
	var mark oplog.Mark
	if err := json.Unmarshal(entry.Value(), &mark); err != nil {
		l.log.Warn("the mark of the log is damaged and is written anew", "error", err)
		mark = oplog.Mark{}
	}
	l.mark, l.reached = mark, mark
	return nil
}

// markRhythm bounds how often the mark is written; one that lags is still true.
const markRhythm = time.Second

// noteMark remembers how far the log reaches, and writes it if that was not done for a while.
func (l *operationLog) noteMark(head oplog.Head) {
	l.reached = oplog.Mark{Stream: l.created, Sequence: head.Sequence, Checkpoint: head.Checkpoint}
	if time.Since(l.marked) >= markRhythm {
		l.writeMark(context.Background())
	}
}

// settleMark writes what noteMark left, when the log comes to rest.
func (l *operationLog) settleMark(ctx context.Context) {
	if l.reached != l.mark {
		l.writeMark(ctx)
	}
}

// writeMark writes the mark. Failing to is no failure of the append: the next one tries again.
func (l *operationLog) writeMark(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, markRhythm)
	defer cancel()
	value, err := json.Marshal(l.reached)
	if err == nil {
		_, err = l.marks.Put(ctx, l.operation, value)
	}
	if err != nil {
		l.log.Debug("the mark was not written; the next append tries again", "error", err)
		return
	}
	l.mark, l.marked = l.reached, time.Now()
}

// appendTimeout is how long the stream may take to store one event.
const appendTimeout = 5 * time.Second

// append stores e behind the message of the sequence after (0: as the log's first), and returns its own. An error that
// wraps [errMoved] means that e was not stored, or that somebody stored another event in its place: the log must be
// opened again and everything decided anew. Other errors leave open whether e was stored; they ask for the same.
func (l *operationLog) append(ctx context.Context, e *events.Event, after uint64) (uint64, error) {
	msg, err := events.Encode(e)
	if err != nil {
		return 0, err
	}
	publish, cancel := context.WithTimeout(ctx, appendTimeout)
	ack, err := l.js.PublishMsg(publish, msg, jetstream.WithExpectLastSequencePerSubject(after))
	cancel()
	if err == nil && !ack.Duplicate {
		return ack.Sequence, nil
	}
	// A conflict, a duplicate or a time-out: only what is stored tells.
	sequence, stored, readErr := l.readBack(ctx, e.ID(), after)
	switch {
	case readErr != nil:
		return 0, fmt.Errorf("append %s: %w", e.ID(), errors.Join(err, readErr))
	case stored:
		return sequence, nil
	case err == nil || natsio.IsConflict(err):
		return 0, fmt.Errorf("append %s: %w", e.ID(), errMoved)
	}
	timedOut := errors.Is(err, context.DeadlineExceeded)
	err = natsio.Explain(l.js, err)
	if timedOut && !errors.Is(err, natsio.ErrPermission) {
		// The end can be read but nothing is stored: what a server does whose disk was full.
		err = fmt.Errorf("%w; after its disk was full it must be restarted", err)
	}
	return 0, fmt.Errorf("append %s: %w", e.ID(), err)
}

// readBack tells whether the last message of the log, stored after the given sequence, bears the id.
func (l *operationLog) readBack(ctx context.Context, id string, after uint64) (uint64, bool, error) {
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

// sleep waits, unless ctx ends before.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
