package producer

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"unconnected/internal/lease"
	"unconnected/internal/natsio"
	"unconnected/internal/natstest"
	"unconnected/producer/access"
	"unconnected/producer/budget"
	"unconnected/producer/journal"
	"unconnected/producer/oplog"
)

// TestATurnThatNATSDoesNotStore: who waits for the token because its claim is not stored says so, and not that it does not know
// whose turn it is.
func TestATurnThatNATSDoesNotStore(t *testing.T) {
	t.Parallel()
	dir, log := t.TempDir(), slog.New(slog.DiscardHandler)
	server := natstest.ServerIn(t, dir, "127.0.0.1:0")
	_, js := natstest.Connect(t, server)
	if _, err := natsio.EnsureBucket(t.Context(), js, natsio.BucketLeases, 1); err != nil {
		t.Fatal(err)
	}
	server.Close()
	_, js = natstest.Connect(t, natstest.ServerIn(t, dir, "127.0.0.1:0"))
	natstest.Freeze(t, dir, natsio.StreamOf(natsio.BucketLeases))
	keeper, err := lease.New(t.Context(), js, lease.Options{Bucket: natsio.BucketLeases, Name: "producer"})
	if err != nil {
		t.Fatal(err)
	}
	defer keeper.Close()
	clock := Clock{}.withDefaults()
	operation := Operation{Name: "default"}
	p := &poller{board: newBoard([]Operation{operation}, clock.now()), desk: &desk{
		Operation: operation, timekeeper: newTimekeeper(clock, time.Second), log: log,
		gate: access.New(access.Options{API: "api", Token: func() string { return "token" }, Timeout: time.Second, Leases: keeper, Log: log}),
	}}
	ctx, cancel := context.WithCancel(t.Context())
	entered := make(chan error, 1)
	go func() {
		_, err := p.gate.Enter(ctx, budget.Live, 0)
		entered <- err
	}()
	reason := func() string { return p.board.report(nil).Reason }
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(reason(), "disk is full"); <-time.After(10 * time.Millisecond) {
		if p.sayWaiting(nil); time.Now().After(deadline) {
			t.Fatalf("it says %q", reason())
		}
	}
	cancel()
	if err := <-entered; err == nil {
		t.Error("it has its turn")
	}
}

func TestEvery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		stop := every(2*time.Second, func() { n.Add(1) })
		for want := range int64(4) {
			if n.Load() != want {
				t.Errorf("after %d rhythms it was called %d times", want, n.Load())
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
		}
		stop()
		time.Sleep(time.Minute)
		if synctest.Wait(); n.Load() != 4 {
			t.Errorf("it was called %d times, of which %d after it was stopped", n.Load(), n.Load()-4)
		}
	})
}

// BenchmarkEvery: each window that is asked for waits for its turn, and hardly ever for long.
func BenchmarkEvery(b *testing.B) {
	for b.Loop() {
		every(waitingRhythm, func() {})()
	}
}

// TestWhatWasSaidIsTakenBack: that the log can be used again is said once a window is stored, and not before, whatever there is to
// wait for in between.
func TestWhatWasSaidIsTakenBack(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	log, clock, operation := slog.New(slog.NewTextHandler(&said, nil)), Clock{}.withDefaults(), Operation{Name: "default"}
	p := &poller{board: newBoard([]Operation{operation}, clock.now()), desk: &desk{
		Operation: operation, timekeeper: newTimekeeper(clock, time.Second), log: log, journal: new(journal.Log),
	}}
	p.failed, p.complained = natsio.ErrStuck, true
	if _, err := p.quiet(t.Context(), oplog.Head{}, clock.now().Add(-time.Minute)); err != nil || p.failed != nil || said.Len() > 0 {
		t.Errorf("before a window is stored: %v, failed %v, said %q", err, p.failed, &said)
	}
	stored := finished(oplog.Head{})
	stored.sent = true
	for range 2 {
		if _, err := p.settled(stored); err != nil || strings.Count(said.String(), "can be used again") != 1 {
			t.Errorf("after it: %v, said %q", err, &said)
		}
	}
}
