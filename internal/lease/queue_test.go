package lease_test

import (
	"testing"
	"time"

	"unconnected/internal/lease"
	"unconnected/internal/natstest"
)

func TestTheMoreImportantGoesFirst(t *testing.T) {
	s := natstest.Server(t)
	js := dial(t, s.URL())
	a, b := keeperOn(t, js, "a"), keeper(t, s, "b")
	backfill := a.Lease(key, time.Minute, lease.Backfill)
	correction, live := b.Lease(key, time.Minute, lease.Correction), b.Lease(key, time.Minute, lease.Live)
	acquire(t, backfill)
	if backfill.Wanted() {
		t.Error("wanted by nobody")
	}
	correctionDone := waiter(t, correction)
	eventually(t, "the correction waits", func() bool { return waiting(t, js) == 1 })
	liveDone := waiter(t, live)
	eventually(t, "both wait", func() bool { return waiting(t, js) == 2 })
	eventually(t, "a backfill sees who waits", backfill.Wanted)
	release(t, backfill)
	backfillDone := waiter(t, backfill)
	served(t, liveDone)
	eventually(t, "both others wait", func() bool { return waiting(t, js) == 2 })
	if live.Wanted() {
		t.Error("live polling gives way to corrections")
	}
	release(t, live)
	served(t, correctionDone)
	release(t, correction)
	served(t, backfillDone)
	eventually(t, "nobody waits any more", func() bool { return waiting(t, js) == 0 })
}

// TestAhead: each knows its place, also when NATS has gone away.
func TestAhead(t *testing.T) {
	t.Parallel()
	s := newRestartable(t)
	js := dial(t, s.URL())
	var all []*lease.Lease
	var done []chan error
	for i, name := range []string{"a", "b", "c"} {
		all = append(all, keeper(t, s.Server, name).Lease(key, time.Minute, lease.Live))
		if got := all[i].Ahead(); got != -1 {
			t.Errorf("%s is %d before it has begun", name, got)
		}
		done = append(done, waiter(t, all[i]))
		eventually(t, "its place", func() bool { return all[i].Ahead() == i })
	}
	release(t, all[0])
	served(t, done[1])
	eventually(t, "the places behind it", func() bool { return all[0].Ahead() == -1 && all[1].Ahead() == 0 && all[2].Ahead() == 1 })
	s.Close()
	eventually(t, "that NATS is away", func() bool { return !js.Conn().IsConnected() })
	if first, second := all[1].Ahead(), all[2].Ahead(); first != 0 || second != 1 {
		t.Errorf("without NATS their places are %d and %d", first, second)
	}
}

// TestEqualsTakeTurns: who gives way and wants it back at once comes after who waited.
func TestEqualsTakeTurns(t *testing.T) {
	t.Parallel()
	s := natstest.Server(t)
	holder := keeper(t, s, "a").Lease(key, time.Minute, lease.Live)
	other := keeper(t, s, "b").Lease(key, time.Minute, lease.Live)
	acquire(t, holder)
	otherDone := waiter(t, other)
	for range 6 {
		eventually(t, "the other waits", holder.Wanted)
		release(t, holder)
		holderDone := waiter(t, holder)
		served(t, otherDone)
		if !holder.Until().IsZero() {
			t.Fatal("it has not given way")
		}
		holder, other, otherDone = other, holder, holderDone
	}
}

// TestNoHerd: of many who wait, one goes for a lease that gets free, in the order in which they came.
func TestNoHerd(t *testing.T) {
	const many = 20
	s := natstest.Server(t)
	js := dial(t, s.URL())
	w := &wire{JetStream: js}
	crowd := keeperOn(t, w, "crowd")
	first := keeper(t, s, "first").Lease(key, time.Minute, lease.Live)
	acquire(t, first)
	served := make(chan int, many)
	for i := range many {
		go func() {
			l := crowd.Lease(key, time.Minute, lease.Live)
			if l.Acquire(t.Context()) == nil {
				served <- i
				_ = l.Release(t.Context())
			}
		}()
		eventually(t, "one more waits", func() bool { return waiting(t, js) == i+1 })
	}
	release(t, first)
	for want := range many {
		select {
		case got := <-served:
			if got != want {
				t.Errorf("%d was served before %d", got, want)
			}
		case <-time.After(patience):
			t.Fatalf("%d was not served", want)
		}
	}
	if n := w.conflicts.Load(); n > many/5 {
		t.Errorf("%d times somebody went for what another took", n)
	}
}

// TestADeadWaiterIsPassedOver: the first in the queue does not answer its turn any more.
func TestADeadWaiterIsPassedOver(t *testing.T) {
	t.Parallel()
	s := natstest.Server(t)
	js, dying := dial(t, s.URL()), dial(t, s.URL())
	l := keeperOn(t, js, "holder").Lease(key, time.Minute, lease.Backfill)
	acquire(t, l)
	refusedDone := waiter(t, keeperOn(t, dying, "dead").Lease(key, time.Minute, lease.Live))
	eventually(t, "one waits", func() bool { return waiting(t, js) == 1 })
	dying.Conn().Close()
	done := waiter(t, keeper(t, s, "next").Lease(key, time.Minute, lease.Live))
	eventually(t, "two wait", func() bool { return waiting(t, js) == 2 })
	release(t, l)
	if took := served(t, done); took < 500*time.Millisecond {
		t.Errorf("overtaken after %v: the first had no chance", took)
	}
	select {
	case err := <-refusedDone:
		t.Errorf("the dead one got an answer: %v", err)
	default:
	}
}

// TestGivingUpWaiting: who stops waiting is not waited for.
func TestGivingUpWaiting(t *testing.T) {
	s := natstest.Server(t)
	js := dial(t, s.URL())
	k := keeperOn(t, js, "one process")
	l, next := k.Lease(key, time.Minute, lease.Live), k.Lease(key, time.Minute, lease.Live)
	acquire(t, l)
	refused(t, next, 100*time.Millisecond)
	eventually(t, "nobody waits", func() bool { return waiting(t, js) == 0 })
	eventually(t, "it is not wanted", func() bool { return !l.Wanted() })
	release(t, l)
	acquire(t, l)
}
