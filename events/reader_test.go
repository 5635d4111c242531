package events_test

import (
	"context"
	"errors"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natstest"
)

// many is more than a reader asks for ahead, so that it has to come back to the server.
const many = 7000

// TestHistoryOutlivesTheServer restarts the server in the middle: every event is read, once, in order.
func TestHistoryOutlivesTheServer(t *testing.T) {
	t.Parallel()
	server, js := newMortal(t)
	store(t, js, lives("default", 0, many)...)
	n := 0
	for e, err := range events.History(deadline(t), js, events.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		if !e.Window.Equal(window(n)) {
			t.Fatalf("event %d is %s", n, e.ID())
		}
		if n++; n == 10 || n == many-1 {
			server.restart(t)
		}
	}
	if n != many {
		t.Errorf("read %d events of %d", n, many)
	}
}

// TestHistoryEndsWithWhatIsLeft brings the server back with less than it had: the rest is not waited for.
func TestHistoryEndsWithWhatIsLeft(t *testing.T) {
	t.Parallel()
	server, js := newMortal(t)
	store(t, js, lives("default", 0, many)...)
	n := 0
	for _, err := range events.History(deadline(t), js, events.Query{Operations: []string{"default", "ventas"}}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 1 {
			server.dir = t.TempDir()
			server.restart(t)
			_, there := natstest.Connect(t, server.Server)
			natstest.CreateStreams(t, there)
			store(t, there, lives("default", 0, 3)...)
		}
	}
	if n == 0 || n >= many {
		t.Errorf("read %d events of %d", n, many)
	}
}

func TestHistoryOfADeletedStream(t *testing.T) {
	t.Parallel()
	js := natstest.Streams(t)
	store(t, js, lives("default", 0, many)...)
	var last error
	for _, err := range events.History(deadline(t), js, events.Query{}) {
		if last == nil && err == nil {
			last = errors.Join(js.DeleteStream(deadline(t), events.StreamCalls), errDeleted)
		} else if err != nil {
			last = err
		}
	}
	if !errors.Is(last, jetstream.ErrStreamNotFound) {
		t.Errorf("it ended with %v", last)
	}
}

var errDeleted = errors.New("the test has deleted the stream")

// TestHistoryContextDuringAnOutage ends the context while the server is away.
func TestHistoryContextDuringAnOutage(t *testing.T) {
	t.Parallel()
	server, js := newMortal(t)
	store(t, js, lives("default", 0, many)...)
	ctx, cancel := context.WithCancel(deadline(t))
	defer cancel()
	var last error
	n := 0
	for _, err := range events.History(ctx, js, events.Query{}) {
		if last = err; err != nil {
			break
		}
		if n++; n == 1 {
			server.Close()
		}
		if n == 1000 {
			cancel()
		}
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("it ended with %v after %d events", last, n)
	}
}
