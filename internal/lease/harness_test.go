package lease_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/internal/lease"
	"unconnected/internal/natsio"
	"unconnected/internal/natsserver"
	"unconnected/internal/natstest"
)

const (
	bucket = "leases"
	key    = "thing"
	// patience is how long a test waits for what must happen; a busy machine may take its time.
	patience = 30 * time.Second
)

// dial connects as the programs do.
func dial(t testing.TB, url string) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectBufSize(-1), nats.ReconnectWait(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := natsio.JetStream(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// keeperOn opens the bucket on a connection.
func keeperOn(t testing.TB, js jetstream.JetStream, name string) *lease.Keeper {
	t.Helper()
	k, err := lease.New(t.Context(), js, lease.Options{Bucket: bucket, Name: name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

// keeper opens the bucket on a connection of its own, as another process would.
func keeper(t testing.TB, s *natsserver.Server, name string) *lease.Keeper {
	t.Helper()
	return keeperOn(t, dial(t, s.URL()), name)
}

// eventually waits until something is so.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); !is(); <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// promptly wants something to take no longer than limit, once in a few times, since a busy machine may stop for seconds.
func promptly(t testing.TB, limit time.Duration, what func() time.Duration) {
	t.Helper()
	var took time.Duration
	for range 5 {
		if took = what(); took <= limit {
			return
		}
	}
	t.Errorf("took %v again and again, more than %v", took, limit)
}

// acquire fails the test when the lease is not had.
func acquire(t testing.TB, l *lease.Lease) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := l.Acquire(ctx); err != nil {
		t.Fatal(err)
	}
}

// fresh fails the test when the lease is not had without asking anybody.
func fresh(t testing.TB, l *lease.Lease) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Acquire(ctx); err != nil {
		t.Fatal(err)
	}
}

// refused fails the test when the lease is had.
func refused(t testing.TB, l *lease.Lease, within time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	if err := l.Acquire(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Acquire = %v, want that it waits", err)
	}
}

func release(t testing.TB, l *lease.Lease) {
	t.Helper()
	if err := l.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// waiter acquires in the background; done has the result.
func waiter(t testing.TB, l *lease.Lease) (done chan error) {
	t.Helper()
	done = make(chan error, 1)
	go func() { done <- l.Acquire(t.Context()) }()
	return done
}

// served waits until a waiter has the lease, and tells how long that took.
func served(t testing.TB, done chan error) time.Duration {
	t.Helper()
	began := time.Now()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(patience):
		t.Fatalf("not served within %v", patience)
	}
	return time.Since(began)
}

// waiting counts the announcements there are.
func waiting(t testing.TB, js jetstream.JetStream) int {
	t.Helper()
	kv, err := js.KeyValue(t.Context(), bucket)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := kv.Keys(t.Context())
	if err != nil && !errors.Is(err, jetstream.ErrNoKeysFound) {
		t.Fatal(err)
	}
	n := 0
	for _, k := range keys {
		if strings.Contains(k, ".wait.") {
			n++
		}
	}
	return n
}

// restartable is a server that comes back where it was.
type restartable struct {
	*natsserver.Server
	t            *testing.T
	dir, address string
}

func newRestartable(t *testing.T) *restartable {
	dir := t.TempDir()
	s := natstest.ServerIn(t, dir, "127.0.0.1:0")
	return &restartable{s, t, dir, strings.TrimPrefix(s.URL(), "nats://")}
}

func (r *restartable) start() { r.Server = natstest.ServerIn(r.t, r.dir, r.address) }

// wire is a connection whose answers can get lost, and that counts conflicts.
type wire struct {
	jetstream.JetStream
	lose      atomic.Int64 // how many of the next writes are stored without an answer
	conflicts atomic.Int64
}

var errLost = errors.New("the answer got lost")

func (w *wire) PublishMsg(ctx context.Context, m *nats.Msg, options ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	ack, err := w.JetStream.PublishMsg(ctx, m, options...)
	if natsio.IsConflict(err) {
		w.conflicts.Add(1)
	}
	if err == nil && w.lose.Add(-1) >= 0 {
		return nil, errLost
	}
	return ack, err
}
