// Package journal reads and writes the logs of operations in the stream CALLS. A log has one message after the other, and
// every append names the message that it expects to follow: whoever decided on an old end of the log is refused by the
// server, however late the message comes, and reads the log again.
//
//	store, err := journal.Open(ctx, js, events.CallsStream(options), log)
//	journal := store.Log("ventas", time.Now, log)
//	head, err := journal.Open(ctx)                 // where to go on; refuses a log that lost its end
//	sequence, err := journal.Append(ctx, event, head.Sequence)
//	if errors.Is(err, journal.ErrMoved) {
//		// somebody else appended first: read what came, and decide anew
//	}
//
// A mark per operation, kept in a bucket beside the stream, says how far the log certainly reached. It tells a log whose
// end was lost from a new one, and never stands in for the log.
package journal

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/internal/natsio"
)

// Errors of the fenced log.
var (
	// ErrMoved says that somebody else appended first, or that it cannot be known who did: what was decided is void.
	ErrMoved = errors.New("the log has moved on")
	// ErrLost says that the log ends before a place that it certainly had reached.
	ErrLost = errors.New("the end of the log is lost")
)

// Store is where the logs and their marks are kept. It is safe for concurrent use.
type Store struct {
	js     jetstream.JetStream
	config jetstream.StreamConfig
	marks  jetstream.KeyValue
	log    *slog.Logger
}

// Open makes sure that the stream and the bucket of the marks exist. The configuration is that of a stream to create; one
// that exists is used as it is.
func Open(ctx context.Context, js jetstream.JetStream, config jetstream.StreamConfig, log *slog.Logger) (*Store, error) {
	s := &Store{js: js, config: config, log: log}
	var err error
	_, s.marks, err = s.ensure(ctx)
	return s, err
}

// ensure creates what is missing.
func (s *Store) ensure(ctx context.Context) (jetstream.Stream, jetstream.KeyValue, error) {
	stream, err := natsio.EnsureStream(ctx, s.js, s.config, s.log)
	if err != nil {
		return nil, nil, err
	}
	marks, err := natsio.EnsureBucket(ctx, s.js, natsio.BucketMarks, s.config.Replicas)
	return stream, marks, err
}

// Log is the log of one operation. Now is the clock that tells what lies in the future.
func (s *Store) Log(operation string, now func() time.Time, log *slog.Logger) *Log {
	return &Log{store: s, operation: operation, now: now, log: log}
}
