package alerter

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/internal/natsio"
	"unconnected/internal/natstest"
)

// refusing is a bucket that takes nothing, for a reason.
type refusing struct {
	jetstream.KeyValue
	reason error
}

func (r *refusing) Put(context.Context, string, []byte) (uint64, error) { return 1, r.reason }

// TestSnapshotsSayOnce: that none can be stored is said once, and also when NATS was away before, of which the connection speaks.
func TestSnapshotsSayOnce(t *testing.T) {
	_, js := natstest.Connect(t, natstest.Server(t))
	var log bytes.Buffer
	bucket := new(refusing)
	s := &snapshots{js: js, bucket: bucket, log: slog.New(slog.NewTextHandler(&log, nil))}
	full := errors.New("no room")
	for i, step := range []struct {
		reason error
		said   int // so far
	}{{natsio.ErrAway, 0}, {full, 1}, {natsio.ErrAway, 1}, {full, 1}, {nil, 1}, {full, 2}} {
		bucket.reason = step.reason
		if err := s.store(t.Context(), "default", snapshot{}); !errors.Is(err, step.reason) {
			t.Fatalf("step %d: %v", i, err)
		}
		if said := strings.Count(log.String(), "can't be stored"); said != step.said || s.failed.Load() != (step.reason != nil) {
			t.Errorf("step %d, %v: it was said %d times, want %d; %v", i, step.reason, said, step.said, s.failed.Load())
		}
	}
}
