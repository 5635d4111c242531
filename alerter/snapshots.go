package alerter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"unconnected/alerter/evaluate"
	"unconnected/events"
	"unconnected/internal/natsio"
)

const (
	// snapshotRhythm is how often the state of each operation is stored. What came since is read again after a restart.
	snapshotRhythm = time.Hour
	// snapshotSoon is when one is stored that has none yet.
	snapshotSoon = time.Minute
	// snapshotStop is how long storing may take when the program stops.
	snapshotStop = time.Second
	// snapshotAtOnce is how many are written at the same time then.
	snapshotAtOnce = 8
	// fewWithout is for how many operations without a snapshot it is looked where their log begins, instead of reading all.
	fewWithout = 100
)

// snapshots keeps what evaluation knows of each operation, so that a restart reads only what came later. They only shorten that:
// one that is damaged, of another CALLS or of other rules is left out, and the history of its operation is folded.
type snapshots struct {
	js     jetstream.JetStream
	bucket jetstream.KeyValue // nil when there is none: nothing is kept
	log    *slog.Logger

	due    map[string]time.Time // operation → when to store it next
	loaded map[string]uint64    // operation → the sequence that its snapshot stood for at the start
	failed atomic.Bool          // the last could not be stored
	said   atomic.Bool          // that was said
}

// openSnapshots makes sure that the bucket exists. Without it everything works, only starting takes longer.
func (a *Alerter) openSnapshots(ctx context.Context, js jetstream.JetStream) *snapshots {
	s := &snapshots{js: js, log: a.options.Log, due: make(map[string]time.Time), loaded: make(map[string]uint64)}
	bucket, err := natsio.EnsureBucket(ctx, js, natsio.BucketSnapshots, a.config.Replicas)
	if err != nil {
		s.log.Warn("no snapshots are kept: each start reads all of the history", "error", err)
		return s
	}
	s.bucket = bucket
	return s
}

// load reads all snapshots that hold for a stream and hands them to use, which tells whether they can be used.
func (s *snapshots) load(ctx context.Context, calls *jetstream.StreamInfo, use func(operation string, state []byte) error) error {
	if s.bucket == nil {
		return nil
	}
	watcher, err := s.bucket.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return fmt.Errorf("read %s: %w", s.bucket.Bucket(), err)
	}
	defer func() { _ = watcher.Stop() }() // its consumer is ephemeral
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case entry, open := <-watcher.Updates():
			if !open {
				return fmt.Errorf("read %s: %w", s.bucket.Bucket(), nats.ErrConnectionClosed)
			}
			if entry == nil { // everything that was there has come
				return nil
			}
			if err := s.take(entry, calls, use); err != nil {
				s.log.Info("a snapshot is left out; the history is read instead", "operation", entry.Key(), "reason", err)
			}
		}
	}
}

func (s *snapshots) take(entry jetstream.KeyValueEntry, calls *jetstream.StreamInfo, use func(operation string, state []byte) error) error {
	found, err := decodeSnapshot(entry.Value())
	switch {
	case err != nil:
		return err
	case !found.Stream.Equal(calls.Created) || found.Sequence > calls.State.LastSeq:
		return errors.New("it is of another stream")
	}
	if err := use(entry.Key(), found.State); err != nil {
		return err
	}
	s.loaded[entry.Key()] = found.Sequence
	s.due[entry.Key()] = time.Now().Add(rand.N(snapshotRhythm))
	return nil
}

// begin is the sequence from which on the stream must be read: the first behind what every operation's snapshot stands for.
func (s *snapshots) begin(ctx context.Context, calls jetstream.Stream) (uint64, error) {
	first := calls.CachedInfo().State.FirstSeq
	if len(s.loaded) == 0 {
		return first, nil
	}
	info, err := calls.Info(ctx, jetstream.WithSubjectFilter(">"))
	if err != nil {
		return 0, fmt.Errorf("operations in %s: %w", events.StreamCalls, err)
	}
	least := info.State.LastSeq + 1
	for _, sequence := range s.loaded {
		least = min(least, sequence+1)
	}
	var without []string
	for subject := range info.State.Subjects {
		if _, loaded := s.loaded[events.OperationOf(subject)]; !loaded {
			without = append(without, subject)
		}
	}
	if len(without) > fewWithout {
		return first, nil
	}
	for _, subject := range without {
		msg, err := calls.GetMsg(ctx, 1, jetstream.WithGetMsgSubject(subject))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue // it has gone since
		}
		if err != nil {
			return 0, fmt.Errorf("the first message on %s: %w", subject, err)
		}
		least = min(least, msg.Sequence)
	}
	return max(first, least), nil
}

// store writes a snapshot. That it can't be written is said once, unless NATS is away, as the connection says: only the next start
// takes longer.
func (s *snapshots) store(ctx context.Context, operation string, value snapshot) error {
	data, err := value.encode()
	if err == nil {
		_, err = s.bucket.Put(ctx, operation, data)
	}
	err = natsio.Explain(s.js, err)
	s.failed.Store(err != nil)
	if errors.Is(err, natsio.ErrAway) {
		return err
	}
	if before := s.said.Swap(err != nil); err != nil && !before {
		s.log.Warn("a snapshot can't be stored; the next start reads more of the history", "operation", operation, "error", err)
	}
	return err
}

// loadSnapshots begins with the snapshots, and reads CALLS from behind them on. Where nobody knows how far evaluation got, it
// starts anew, with the whole of the history.
func (e *evaluator) loadSnapshots(ctx context.Context, calls jetstream.Stream) error {
	from := uint64(1)
	if e.position.Sequence > 0 {
		err := e.snapshots.load(ctx, calls.CachedInfo(), e.useSnapshot)
		if err == nil {
			from, err = e.snapshots.begin(ctx, calls)
		}
		if err != nil {
			return err
		}
	}
	e.calls.last = max(from, 1) - 1
	e.log.Debug("the history is read", "from", from, "snapshots", len(e.snapshots.loaded))
	return nil
}

func (e *evaluator) useSnapshot(name string, state []byte) error {
	operation := evaluate.New(name, e.rules, e.options)
	if err := operation.UnmarshalBinary(state); err != nil {
		return err
	}
	e.operations[name] = operation
	return nil
}

// keepSnapshots stores the states, one after the other, until ctx ends. Only the alerter on duty does so.
func (e *evaluator) keepSnapshots(ctx context.Context) {
	if e.snapshots.bucket == nil {
		return
	}
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if !e.duty.has() || !e.isCaughtUp() {
			continue
		}
		for _, name := range e.dueSnapshots(time.Now()) {
			if e.storeSnapshot(ctx, name) != nil {
				break // the rest is still due
			}
			e.snapshots.due[name] = time.Now().Add(snapshotRhythm)
		}
	}
}

// dueSnapshots are the operations whose state is to be stored now. New ones are spread over a while.
func (e *evaluator) dueSnapshots(now time.Time) (due []string) {
	e.work.Lock()
	defer e.work.Unlock()
	for name := range e.operations {
		at, known := e.snapshots.due[name]
		switch {
		case !known:
			e.snapshots.due[name] = now.Add(rand.N(snapshotSoon))
		case !now.Before(at):
			due = append(due, name)
		}
	}
	return due
}

// storeSnapshot stores the state of one operation. An error has been said.
func (e *evaluator) storeSnapshot(ctx context.Context, name string) error {
	value, err := e.snapshotOf(name)
	if err != nil {
		e.log.Error("the state of an operation can't be written down", "operation", name, "error", err)
		return err
	}
	if value.State == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	return e.snapshots.store(ctx, name, value)
}

// snapshotOf is the state of an operation now. It is empty when the last message was folded, but what it caused was not stored.
func (e *evaluator) snapshotOf(name string) (s snapshot, err error) {
	e.work.Lock()
	defer e.work.Unlock()
	if e.unfinished {
		return s, nil
	}
	s.Stream, s.Sequence = e.position.Stream, max(e.folded, e.snapshots.loaded[name])
	s.State, err = e.operations[name].MarshalBinary()
	return s, err
}

// storeSnapshots stores as many states as it can for a moment, when the program stops.
func (e *evaluator) storeSnapshots(ctx context.Context) {
	if e.snapshots.bucket == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), snapshotStop)
	defer cancel()
	var group errgroup.Group
	group.SetLimit(snapshotAtOnce)
	for name := range e.operations { // nothing else is at work any more
		if ctx.Err() != nil || e.snapshots.failed.Load() {
			break
		}
		group.Go(func() error { return e.storeSnapshot(ctx, name) })
	}
	_ = group.Wait() // it has been said
}
