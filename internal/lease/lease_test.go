package lease_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/internal/lease"
	"unconnected/internal/natsio"
	"unconnected/internal/natstest"
)

// room is what a lease protects: it knows who is in and until when.
type room struct {
	mu    sync.Mutex
	in    *lease.Lease
	until time.Time
	turns int
}

// enter fails the test when somebody is in whose time is not over.
func (r *room) enter(t *testing.T, l *lease.Lease) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, until := time.Now(), l.Until()
	if r.in != nil && now.Before(r.until) && now.Before(until) {
		t.Error("two hold the lease")
	}
	r.in, r.until = l, until
	r.turns++
}

func (r *room) leave(l *lease.Lease) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.in == l {
		r.in = nil
	}
}

// wait waits for some more turns.
func (r *room) wait(t *testing.T, more int) {
	t.Helper()
	turns := func() int {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.turns
	}
	enough := turns() + more
	eventually(t, "they go on", func() bool { return turns() >= enough })
}

// TestOneAtATime lets many, on several connections, fight for a lease, while answers get lost, the server restarts and a
// connection dies. Nobody may have it together with somebody else.
func TestOneAtATime(t *testing.T) {
	s := newRestartable(t)
	ctx, cancel := context.WithCancel(t.Context())
	var r room
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	fight := func(l *lease.Lease, w *wire) {
		for l.Acquire(ctx) == nil {
			r.enter(t, l)
			for range rand.IntN(100) {
				runtime.Gosched()
			}
			r.leave(l)
			w.lose.Store(rand.Int64N(2))
			if l.Wanted() || rand.IntN(3) == 0 {
				_ = l.Release(ctx) // fails when the answer is lost or the connection dead
			}
		}
	}
	var mortal *wire
	for range 4 {
		w := &wire{JetStream: dial(t, s.URL())}
		k := keeperOn(t, w, "one of many")
		for range 3 {
			l := k.Lease(key, time.Second, lease.Priority(rand.IntN(3)))
			all.Go(func() { fight(l, w) })
		}
		mortal = w
	}
	r.wait(t, 100)
	s.Close()
	s.start()
	r.wait(t, 100)
	mortal.Conn().Close() // while it holds, perhaps
	r.wait(t, 100)
}

func TestADeadHolderIsFollowed(t *testing.T) {
	t.Parallel()
	const ttl = 2 * time.Second
	s := natstest.Server(t)
	promptly(t, ttl+time.Second, func() time.Duration {
		js := dial(t, s.URL())
		dead := keeperOn(t, js, "dead").Lease(key, ttl, lease.Live)
		next := keeper(t, s, "next").Lease(key, ttl, lease.Live)
		acquire(t, dead)
		done := waiter(t, next)
		eventually(t, "somebody waits", dead.Wanted)
		acquire(t, dead)
		js.Conn().Close()
		until := dead.Until()
		took := served(t, done)
		if time.Now().Before(until) {
			t.Errorf("taken after %v, while it was certainly another's", took)
		}
		release(t, next)
		return took
	})
}

func TestReleaseServesTheNextAtOnce(t *testing.T) {
	s := natstest.Server(t)
	first := keeper(t, s, "first").Lease(key, time.Minute, lease.Live)
	next := keeper(t, s, "next").Lease(key, time.Minute, lease.Live)
	promptly(t, 200*time.Millisecond, func() time.Duration {
		release(t, next)
		acquire(t, first)
		done := waiter(t, next)
		eventually(t, "somebody waits", first.Wanted)
		release(t, first)
		return served(t, done)
	})
	eventually(t, "the holder is known", func() bool { return first.Holder() == "next" })
	if !first.Until().IsZero() || first.Wanted() {
		t.Error("what was released is ours")
	}
	release(t, first) // once more does no harm
	if next.Until().Before(time.Now()) {
		t.Error("releasing what is not held took it from its holder")
	}
}

func TestAfterTheContext(t *testing.T) {
	k := keeper(t, natstest.Server(t), "late")
	l, other := k.Lease(key, time.Minute, lease.Live), k.Lease(key, time.Minute, lease.Live)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Acquire(ctx); !errors.Is(err, context.Canceled) || l.Holder() != "" {
		t.Errorf("Acquire = %v, and %q holds it", err, l.Holder())
	}
	acquire(t, l)
	fresh(t, l)
	if err := l.Release(ctx); err != nil {
		t.Error("a shutdown can't release: ", err)
	}
	acquire(t, other)
}

func TestRefreshKeepsIt(t *testing.T) {
	t.Parallel()
	const ttl = 2 * time.Second
	s := natstest.Server(t)
	l := keeper(t, s, "holder").Lease(key, ttl, lease.Live)
	other := keeper(t, s, "other").Lease(key, ttl, lease.Live)
	acquire(t, l)
	ctx, cancel := context.WithCancel(t.Context())
	lost := make(chan bool, 1)
	go func() {
		got := other.Acquire(ctx) == nil
		_ = other.Release(t.Context())
		lost <- got
	}()
	ticker := time.NewTicker(ttl / 20)
	defer ticker.Stop()
	late := false // the machine stopped for longer than the lease lasts
	for end := time.Now().Add(3 * ttl / 2); time.Now().Before(end); <-ticker.C {
		late = late || time.Now().After(l.Until())
		acquire(t, l)
		if left := time.Until(l.Until()); left > ttl {
			t.Errorf("ours for %v, which is longer than the server keeps it", left)
		}
	}
	cancel()
	if <-lost && !late {
		t.Error("another got it, although it was refreshed")
	}
}

// TestWhatOthersDoToTheKey: a lease that was deleted or taken by hand is lost, and is known to be before it is used.
func TestWhatOthersDoToTheKey(t *testing.T) {
	s := natstest.Server(t)
	js := dial(t, s.URL())
	l := keeperOn(t, js, "holder").Lease(key, time.Minute, lease.Live)
	acquire(t, l)
	kv, err := js.KeyValue(t.Context(), bucket)
	if err != nil {
		t.Fatal(err)
	}
	lost := func() bool { return l.Until().IsZero() }

	if err := kv.Purge(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the loss is known", lost)
	acquire(t, l)

	if _, err := kv.PutString(t.Context(), key, "stop everything"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the loss is known", lost)
	refused(t, l, 300*time.Millisecond)
	if holder := l.Holder(); holder != "unknown" {
		t.Errorf("the holder is %q", holder)
	}
	if err := kv.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	acquire(t, l)
}

func TestALostAnswer(t *testing.T) {
	t.Parallel()
	const ttl = 4 * time.Second
	s := natstest.Server(t)
	w := &wire{JetStream: dial(t, s.URL())}
	l := keeperOn(t, w, "hard of hearing").Lease(key, ttl, lease.Live)
	other := keeper(t, s, "other").Lease(key, ttl, lease.Live)

	w.lose.Store(1)
	acquire(t, l)
	refused(t, other, 100*time.Millisecond)

	w.lose.Store(2) // of the refreshing that will be due
	before := l.Until()
	eventually(t, "it is refreshed", func() bool { acquire(t, l); return l.Until().After(before) })
	refused(t, other, 100*time.Millisecond)

	w.lose.Store(1)
	if err := l.Release(t.Context()); !errors.Is(err, errLost) {
		t.Errorf("Release = %v", err)
	}
	acquire(t, other)
	refused(t, l, 100*time.Millisecond)
	release(t, other)
	acquire(t, l)
}

func TestNATSAwayForAWhile(t *testing.T) {
	s := newRestartable(t)
	l := keeper(t, s.Server, "holder").Lease(key, time.Minute, lease.Backfill)
	other := keeper(t, s.Server, "other")
	idle := other.Lease("another-thing", time.Minute, lease.Live)
	acquire(t, l)
	s.Close()
	fresh(t, l)
	refused(t, idle, 300*time.Millisecond)
	done := waiter(t, idle)
	s.start()
	served(t, done)

	low, live := other.Lease(key, time.Minute, lease.Backfill), other.Lease(key, time.Minute, lease.Live)
	refused(t, low, 300*time.Millisecond) // the restart has not freed it
	done = waiter(t, live)
	eventually(t, "the new watcher sees who waits", l.Wanted)
	release(t, l)
	served(t, done)
}

func TestALeaseThatEndsWhileNATSIsAway(t *testing.T) {
	t.Parallel()
	s := newRestartable(t)
	l := keeper(t, s.Server, "holder").Lease(key, time.Second, lease.Live)
	acquire(t, l)
	s.Close()
	eventually(t, "it ends by the local clock", func() bool { return !time.Now().Before(l.Until()) })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := l.Acquire(ctx); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, natsio.ErrAway) {
		t.Errorf("Acquire = %v", err)
	}
	if err := l.Release(t.Context()); err == nil {
		t.Error("released although NATS is away")
	}
	s.start()
	acquire(t, l)
}

func TestTheBucketIsDeleted(t *testing.T) {
	t.Parallel()
	s := natstest.Server(t)
	js := dial(t, s.URL())
	l := keeperOn(t, js, "holder").Lease(key, time.Second, lease.Live)
	for range 5 { // so that the new bucket's revisions are lower
		acquire(t, l)
		release(t, l)
	}
	acquire(t, l)
	if err := js.DeleteKeyValue(t.Context(), bucket); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is there again", func() bool {
		acquire(t, l)
		_, err := js.KeyValue(t.Context(), bucket)
		return err == nil
	})
	acquire(t, l)
	refused(t, keeper(t, s, "other").Lease(key, time.Second, lease.Live), 100*time.Millisecond)
}

func TestABucketWithoutTTL(t *testing.T) {
	js := dial(t, natstest.Server(t).URL())
	if _, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: bucket}); err != nil {
		t.Fatal(err)
	}
	if _, err := lease.New(t.Context(), js, lease.Options{Bucket: bucket}); !errors.Is(err, lease.ErrNoTTL) {
		t.Errorf("New = %v", err)
	}
}

func TestTwoKeysDoNotDisturbEachOther(t *testing.T) {
	s := natstest.Server(t)
	a, b := keeper(t, s, "a"), keeper(t, s, "b")
	first, second := a.Lease(lease.Key("host", "one"), time.Minute, lease.Backfill), b.Lease(lease.Key("host", "two"), time.Minute, lease.Live)
	acquire(t, first)
	acquire(t, second)
	done := waiter(t, a.Lease(lease.Key("host", "two"), time.Minute, lease.Live))
	eventually(t, "the second is wanted", second.Wanted)
	if first.Wanted() {
		t.Error("the first is wanted, because somebody waits for the second")
	}
	release(t, second)
	served(t, done)
	acquire(t, first)
}

func TestCloseAfterTheConnection(t *testing.T) {
	js := dial(t, natstest.Server(t).URL())
	k := keeperOn(t, js, "closed")
	js.Conn().Close()
	k.Close()
	k.Close()
	refused(t, k.Lease(key, time.Second, lease.Live), 50*time.Millisecond)
}

func TestSecretsStaySecret(t *testing.T) {
	const host, token = "wv0011.wolkvox.com", "tok-7f3a9c"
	js := dial(t, natstest.Server(t).URL())
	k := keeperOn(t, js, "holder")
	l := k.Lease(lease.Key(host, token), time.Minute, lease.Live)
	acquire(t, l)
	refused(t, k.Lease(lease.Key(host, token), time.Minute, lease.Live), 100*time.Millisecond)
	release(t, l)
	stream, err := js.Stream(t.Context(), "KV_"+bucket)
	if err != nil {
		t.Fatal(err)
	}
	info, err := stream.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for sequence := info.State.FirstSeq; sequence <= info.State.LastSeq; sequence++ {
		m, err := stream.GetMsg(t.Context(), sequence)
		if err != nil {
			continue // replaced
		}
		found++
		text := m.Subject + string(m.Data)
		for name, values := range m.Header {
			text += name + strings.Join(values, "")
		}
		if strings.Contains(text, token) || strings.Contains(text, host) {
			t.Errorf("a message shows what it is about: %s", text)
		}
	}
	if found == 0 {
		t.Error("nothing is stored")
	}
}

func TestKey(t *testing.T) {
	seen := map[string]bool{}
	for _, parts := range [][]string{{"host", "token"}, {"hos", "ttoken"}, {"hosttoken"}, {"token", "host"}, {"host", "token", ""}} {
		k := lease.Key(parts...)
		if seen[k] || len(k) != 32 {
			t.Errorf("Key(%q) = %q is another's or has another length", parts, k)
		}
		seen[k] = true
	}
	if k := lease.Key("host", "token"); !seen[k] {
		t.Errorf("the key of one thing differs: %q", k)
	}
}

// BenchmarkAcquireHeld is what a request costs when the lease is held: no I/O.
func BenchmarkAcquireHeld(b *testing.B) {
	l := keeper(b, natstest.Server(b), "holder").Lease(key, time.Hour, lease.Live)
	acquire(b, l)
	b.ReportAllocs()
	for b.Loop() {
		if err := l.Acquire(b.Context()); err != nil || l.Wanted() {
			b.Fatal("lost or wanted", err)
		}
	}
}

// BenchmarkAcquireRelease is what taking a lease and giving it up costs.
func BenchmarkAcquireRelease(b *testing.B) {
	l := keeper(b, natstest.Server(b), "holder").Lease(key, time.Minute, lease.Live)
	for b.Loop() {
		if err := errors.Join(l.Acquire(b.Context()), l.Release(b.Context())); err != nil {
			b.Fatal(err)
		}
	}
}
