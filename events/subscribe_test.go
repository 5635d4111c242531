package events_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natstest"
)

// subscriber runs Subscribe and hands over what its handler gets.
type subscriber struct {
	got    chan events.Event
	ended  chan error
	cancel context.CancelFunc
}

// subscribe starts a subscriber whose handler gives answer's answer; nil stands for always fine.
func subscribe(t *testing.T, js jetstream.JetStream, s events.Subscription, answer func(events.Event) error) *subscriber {
	t.Helper()
	ctx, cancel := context.WithCancel(deadline(t))
	sub := &subscriber{make(chan events.Event, 1000), make(chan error, 1), cancel}
	go func() {
		sub.ended <- events.Subscribe(ctx, js, s, func(_ context.Context, e events.Event) error {
			sub.got <- e
			if answer == nil {
				return nil
			}
			return answer(e)
		})
		close(sub.ended)
	}()
	t.Cleanup(sub.stop)
	return sub
}

// stop ends the subscriber, and returns when it has ended. It may be called again.
func (s *subscriber) stop() {
	s.cancel()
	for range s.ended {
	}
}

// take waits for as many events as are wanted, and compares them.
func (s *subscriber) take(t *testing.T, want ...events.Event) {
	t.Helper()
	compareIDs(t, s.next(t, len(want)), want)
}

// next waits for n events.
func (s *subscriber) next(t *testing.T, n int) []events.Event {
	t.Helper()
	patience := time.NewTimer(10 * time.Second)
	defer patience.Stop()
	got := make([]events.Event, 0, n)
	for len(got) < n {
		select {
		case e := <-s.got:
			got = append(got, e)
		case <-patience.C:
			t.Fatalf("only %v came, %d more are missing", ids(got), n-len(got))
		}
	}
	return got
}

// settled waits until the server knows that everything was handled, and that somebody waits for more.
func settled(t *testing.T, js jetstream.JetStream, durable string) {
	t.Helper()
	await(t, js, durable, func(info *jetstream.ConsumerInfo) bool {
		return info.NumPending == 0 && info.NumAckPending == 0 && info.NumWaiting > 0
	})
}

// await waits until the server describes a subscription as is wanted.
func await(t *testing.T, js jetstream.JetStream, durable string, wanted func(*jetstream.ConsumerInfo) bool) {
	t.Helper()
	ctx := deadline(t)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		consumer, err := js.Consumer(ctx, events.StreamCalls, durable)
		if err == nil && wanted(consumer.CachedInfo()) {
			return
		}
		if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
			t.Fatal(err)
		}
		<-tick.C
	}
}

func TestSubscribeInOrder(t *testing.T) {
	t.Parallel()
	js := natstest.Streams(t)
	before := []events.Event{live("default", 1), live("ventas", 1), missed("default", 2), live("default", 3)}
	after := []events.Event{backfilled("default", 2, 3), revised("default", 1, 1, 3), live("ventas", 2)}
	store(t, js, before...)
	s := subscribe(t, js, events.Subscription{Durable: "all"}, nil)
	s.take(t, before...)
	store(t, js, after...)
	got := s.next(t, len(after))
	compareIDs(t, got, after)
	if got[0].Sequence != 5 || got[0].Stored.IsZero() || !got[0].Backfill || got[0].Checkpoint != window(3).End {
		t.Errorf("got %+v", got[0])
	}
}

func TestSubscribeToOperations(t *testing.T) {
	t.Parallel()
	js := natstest.Streams(t)
	store(t, js, live("default", 1), live("ventas", 1), live("cob", 1))
	s := subscribe(t, js, events.Subscription{Durable: "some", Operations: []string{"cob", "default", "cob"}}, nil)
	s.take(t, live("default", 1), live("cob", 1))
	settled(t, js, "some")
	s.stop()
	// Other operations from now on.
	s = subscribe(t, js, events.Subscription{Durable: "some", Operations: []string{"ventas"}}, nil)
	await(t, js, "some", func(info *jetstream.ConsumerInfo) bool {
		return slices.Equal(info.Config.FilterSubjects, []string{"calls.unconnected.ventas"})
	})
	store(t, js, live("cob", 2), live("ventas", 2))
	s.take(t, live("ventas", 2))
}

// TestSubscribeAgainAfterAnError is at least once, and in order: nothing overtakes what failed.
func TestSubscribeAgainAfterAnError(t *testing.T) {
	t.Parallel()
	js := natstest.Streams(t)
	store(t, js, lives("default", 0, 4)...)
	failed := false
	s := subscribe(t, js, events.Subscription{Durable: "shaky"}, func(e events.Event) error {
		if e.Window.Equal(window(1)) && !failed {
			failed = true
			return errors.New("the database is away")
		}
		return nil
	})
	s.take(t, live("default", 0), live("default", 1), live("default", 1), live("default", 2), live("default", 3))
}

func TestSubscribeSetsInvalidMessagesAside(t *testing.T) {
	t.Parallel()
	js := natstest.Streams(t)
	storeJunk(t, js)
	store(t, js, live("default", 1))
	storeJunk(t, js)
	store(t, js, live("default", 2))
	invalid := make(chan *events.InvalidError, 10)
	subscription := events.Subscription{Durable: "strict", Invalid: func(err *events.InvalidError) { invalid <- err }}
	s := subscribe(t, js, subscription, nil)
	s.take(t, live("default", 1), live("default", 2))
	settled(t, js, "strict")
	s.stop()
	if first, second := <-invalid, <-invalid; first.Sequence != 1 || second.Sequence != 3 || !errors.Is(first, events.ErrInvalid) {
		t.Errorf("told of %v and %v", first, second)
	}
	storeJunk(t, js)
	store(t, js, live("default", 3))
	subscription.Invalid = nil
	subscribe(t, js, subscription, nil).take(t, live("default", 3)) // the former are gone for good
	if len(invalid) > 0 {
		t.Errorf("told again of %v", <-invalid)
	}
}

// TestSubscribeResumes stops the subscriber in the middle, again and again. What it had received and not handled comes at
// once to the next one, and what it had handled does not come again.
func TestSubscribeResumes(t *testing.T) {
	t.Parallel()
	js := natstest.Streams(t)
	var got []events.Event
	for i := range 8 {
		s := subscribe(t, js, events.Subscription{Durable: "resumed"}, nil)
		store(t, js, lives("default", 3*i, 3*i+3)...)
		got = append(got, s.next(t, 1)...)
		s.stop()
		for len(s.got) > 0 {
			got = append(got, <-s.got)
		}
	}
	last := subscribe(t, js, events.Subscription{Durable: "resumed"}, nil)
	got = append(got, last.next(t, 24-len(got))...)
	compareIDs(t, got, lives("default", 0, 24))
}

// TestSubscribeFromIsOfTheBeginning gives a subscription that exists another From: it has its place already.
func TestSubscribeFromIsOfTheBeginning(t *testing.T) {
	t.Parallel()
	js := natstest.Streams(t)
	all := past(lives("default", 0, 10)...)
	store(t, js, all...)
	s := subscribe(t, js, events.Subscription{Durable: "from", From: all[4].Window.Start.Local()}, nil)
	s.take(t, all[4:]...)
	settled(t, js, "from")
	s.stop()
	late := past(backfilled("default", 2, 10), live("default", 10))
	store(t, js, late...)
	for _, from := range []time.Time{all[0].Window.Start, time.Now().AddDate(1, 0, 0), {}} {
		s = subscribe(t, js, events.Subscription{Durable: "from", From: from}, nil)
		s.take(t, late[1])
		settled(t, js, "from")
		s.stop()
		late = append(late[:1], past(live("default", 20+len(from.String())))...)
		store(t, js, late[1])
	}
}

// TestSubscribeShared has two processes share a subscription: each event goes to one of them, one at a time, in order. Both get
// some, sooner or later.
func TestSubscribeShared(t *testing.T) {
	t.Parallel()
	js := natstest.Streams(t)
	var busy atomic.Bool
	var mu sync.Mutex
	var handled []events.Event
	by := [2]int{}
	progress := make(chan struct{}, 1)
	for i := range by {
		subscribe(t, js, events.Subscription{Durable: "shared"}, func(e events.Event) error {
			if !busy.CompareAndSwap(false, true) {
				t.Error("two events are handled at a time")
			}
			defer busy.Store(false)
			mu.Lock()
			by[i]++
			handled = append(handled, e)
			mu.Unlock()
			select {
			case progress <- struct{}{}:
			default:
			}
			return nil
		})
	}
	state := func() (n int, both bool) {
		mu.Lock()
		defer mu.Unlock()
		return len(handled), by[0] > 0 && by[1] > 0
	}
	const batch = 20
	ended := deadline(t).Done()
	stored := 0
	for both := false; !both; {
		store(t, js, lives("default", stored, stored+batch)...)
		stored += batch
		for n := 0; n < stored; n, both = state() {
			select {
			case <-progress:
			case <-ended:
				t.Fatalf("%d of %d are handled, %v by each", n, stored, by)
			}
		}
	}
	mu.Lock()
	defer mu.Unlock()
	compareIDs(t, handled, lives("default", 0, stored))
}

func TestSubscribeContext(t *testing.T) {
	t.Parallel()
	js := natstest.Streams(t)
	store(t, js, lives("default", 0, 2)...)
	ctx, cancel := context.WithCancel(deadline(t))
	defer cancel()
	n := 0
	err := events.Subscribe(ctx, js, events.Subscription{Durable: "ended"}, func(ctx context.Context, _ events.Event) error {
		n++
		cancel()
		<-ctx.Done() // the handler sees the end as well
		return ctx.Err()
	})
	if !errors.Is(err, context.Canceled) || n != 1 {
		t.Errorf("it ended with %v after %d events", err, n)
	}
	err = events.Subscribe(ctx, js, events.Subscription{Durable: "ended"}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("begun after the end: %v", err)
	}
	subscribe(t, js, events.Subscription{Durable: "ended"}, nil).take(t, lives("default", 0, 2)...)
}

// TestSubscribeSlowHandler takes longer than an event may go unanswered: nobody else gets it meanwhile.
func TestSubscribeSlowHandler(t *testing.T) {
	t.Parallel()
	js := natstest.Streams(t)
	store(t, js, lives("default", 0, 2)...)
	slow := func(e events.Event) error {
		if e.Window.Equal(window(0)) {
			<-time.After(700 * time.Millisecond)
		}
		return nil
	}
	subscription := events.Subscription{Durable: "slow", AckWait: 200 * time.Millisecond}
	first, second := subscribe(t, js, subscription, slow), subscribe(t, js, subscription, slow)
	settled(t, js, "slow")
	first.stop()
	second.stop()
	var got []events.Event
	for _, s := range []*subscriber{first, second} {
		for len(s.got) > 0 {
			got = append(got, <-s.got)
		}
	}
	slices.SortFunc(got, func(a, b events.Event) int { return a.Window.Start.Compare(b.Window.Start) })
	compareIDs(t, got, lives("default", 0, 2))
}

// TestSubscribeOutlivesTheServer restarts the server while an event is handled: its acknowledgement is lost, and the event
// comes again before the next.
func TestSubscribeOutlivesTheServer(t *testing.T) {
	t.Parallel()
	server, js := newMortal(t)
	store(t, js, lives("default", 0, 3)...)
	handling, away := make(chan struct{}), make(chan struct{})
	lost := false
	s := subscribe(t, js, events.Subscription{Durable: "tough", AckWait: time.Second}, func(e events.Event) error {
		if e.Window.Equal(window(1)) && !lost {
			lost = true
			close(handling)
			<-away
		}
		return nil
	})
	<-handling
	server.Close()
	close(away)
	s.take(t, lives("default", 0, 2)...)
	server.restart(t)
	s.take(t, lives("default", 1, 3)...)
	settled(t, js, "tough")
	server.restart(t) // and while it waits
	store(t, reconnected(t, server), live("default", 3))
	s.take(t, live("default", 3))
}

func reconnected(t *testing.T, server *mortal) jetstream.JetStream {
	t.Helper()
	_, js := natstest.Connect(t, server.Server)
	return js
}

func TestSubscribeEndsWhenDeleted(t *testing.T) {
	t.Parallel()
	deleteSubscription := func(js jetstream.JetStream) error {
		return js.DeleteConsumer(context.Background(), events.StreamCalls, "doomed")
	}
	deleteStream := func(js jetstream.JetStream) error {
		return js.DeleteStream(context.Background(), events.StreamCalls)
	}
	for name, test := range map[string]struct {
		remove func(jetstream.JetStream) error
		inside bool // while an event is handled, so that nobody is there to be told
	}{
		"subscription":                 {deleteSubscription, false},
		"stream":                       {deleteStream, false},
		"subscription, while handling": {deleteSubscription, true},
		"stream, while handling":       {deleteStream, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			js := natstest.Streams(t)
			store(t, js, live("default", 1))
			s := subscribe(t, js, events.Subscription{Durable: "doomed"}, func(events.Event) error {
				if test.inside {
					return test.remove(js)
				}
				return nil
			})
			if !test.inside {
				settled(t, js, "doomed")
				if err := test.remove(js); err != nil {
					t.Fatal(err)
				}
			}
			if err := <-s.ended; err == nil || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("it ended with %v", err)
			}
		})
	}
}

func TestSubscribeRefuses(t *testing.T) {
	t.Parallel()
	js := natstest.Streams(t)
	handle := func(context.Context, events.Event) error { return nil }
	for name, s := range map[string]events.Subscription{
		"no name":            {},
		"name with a dot":    {Durable: "a.b"},
		"unknown operation":  {Durable: "a", Operations: []string{"Ventas"}},
		"all the operations": {Durable: "a", Operations: []string{"*"}},
	} {
		err := events.Subscribe(deadline(t), js, s, handle)
		if err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, without := natstest.Connect(t, natstest.Server(t))
	err := events.Subscribe(deadline(t), without, events.Subscription{Durable: "a"}, handle)
	if !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("without the stream: %v", err)
	}
}
