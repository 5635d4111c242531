package lease_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"unconnected/internal/lease"
	"unconnected/internal/natsio"
	"unconnected/internal/natstest"
)

// TestAServerThatStoresNothing: who waits for a lease knows why, until the server was started again.
func TestAServerThatStoresNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := natstest.ServerIn(t, dir, "127.0.0.1:0")
	listen := strings.TrimPrefix(server.URL(), "nats://")
	if _, err := natsio.EnsureBucket(t.Context(), dial(t, server.URL()), bucket, 1); err != nil {
		t.Fatal(err)
	}
	server.Close()
	server = natstest.ServerIn(t, dir, listen)
	natstest.Freeze(t, dir, natsio.StreamOf(bucket))
	l := keeper(t, server, "one").Lease(key, 2*time.Second, lease.Live)
	if err := l.Problem(); err != nil {
		t.Errorf("before anybody asked: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := l.Acquire(ctx); !errors.Is(err, natsio.ErrStuck) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("its error is %v", err)
	}
	if err := l.Problem(); err != nil {
		t.Errorf("when nobody asks any more: %v", err)
	}
	had := make(chan error, 1)
	go func() { had <- l.Acquire(t.Context()) }()
	eventually(t, "it knows why it waits", func() bool { return errors.Is(l.Problem(), natsio.ErrStuck) })
	server.Close()
	natstest.Thaw(t, dir, natsio.StreamOf(bucket))
	natstest.ServerIn(t, dir, listen)
	if err := <-had; err != nil {
		t.Fatal(err)
	}
	if err := l.Problem(); err != nil {
		t.Errorf("now that it is had: %v", err)
	}
}
