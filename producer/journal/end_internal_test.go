package journal

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/internal/natsio"
	"unconnected/internal/natstest"
	"unconnected/producer/oplog"
)

// aging is a stream that retention has shortened since it was looked at.
type aging struct {
	jetstream.Stream
	before, now jetstream.StreamState
	created     time.Time
	asked       int
	err         error // of Info
}

func (a *aging) CachedInfo() *jetstream.StreamInfo {
	return &jetstream.StreamInfo{Created: a.created, State: a.before, Config: jetstream.StreamConfig{Replicas: 1}}
}

func (a *aging) Info(context.Context, ...jetstream.StreamInfoOpt) (*jetstream.StreamInfo, error) {
	a.asked++
	if a.err != nil {
		return nil, a.err
	}
	return &jetstream.StreamInfo{Created: a.created, State: a.now, Config: jetstream.StreamConfig{Replicas: 1}}, nil
}

func (a *aging) GetLastMsgForSubject(context.Context, string) (*jetstream.RawStreamMsg, error) {
	return nil, jetstream.ErrMsgNotFound
}

// TestALookThatGetsNoAnswer: whatever request of opening a log NATS does not answer, that is said of NATS.
func TestALookThatGetsNoAnswer(t *testing.T) {
	_, js := natstest.Connect(t, natstest.Server(t))
	created := time.Date(2026, 11, 25, 15, 0, 0, 0, time.UTC)
	l := &Log{
		store: &Store{js: js}, operation: "default", mark: oplog.Mark{Stream: created, Sequence: 10},
		stream: &aging{created: created, err: context.DeadlineExceeded},
	}
	if _, err := l.trustedHead(t.Context()); !errors.Is(err, natsio.ErrStuck) {
		t.Errorf("it says %v", err)
	}
}

// TestAMessageThatGoesForItsAge while somebody looks is no lost end: where the stream begins is looked at again before it is believed.
func TestAMessageThatGoesForItsAge(t *testing.T) {
	created := time.Date(2026, 11, 25, 15, 0, 0, 0, time.UTC)
	mark := oplog.Mark{Stream: created, Sequence: 10}
	begins := func(first uint64) jetstream.StreamState {
		return jetstream.StreamState{Msgs: 101 - first, FirstSeq: first, LastSeq: 100}
	}
	for name, test := range map[string]struct {
		stream *aging
		last   uint64 // sequence of the log's last message
		lost   bool
		asked  int
	}{
		"the end is there":             {&aging{before: begins(10), now: begins(10)}, 10, false, 0},
		"the end has gone for its age": {&aging{before: begins(10), now: begins(11)}, 0, false, 1},
		"the end is lost":              {&aging{before: begins(9), now: begins(9)}, 9, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			test.stream.created = created
			lost, err := endLost(t.Context(), test.stream, mark, func() (uint64, error) { return test.last, nil })
			if err != nil || lost != test.lost || test.stream.asked != test.asked {
				t.Errorf("lost %t, %v, asked %d times", lost, err, test.stream.asked)
			}
		})
	}
}
