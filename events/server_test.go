package events_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natsserver"
	"unconnected/internal/natstest"
)

// deadline is a context that ends a test which hangs.
func deadline(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// mortal is a server that a test stops and starts again, on the same address.
type mortal struct {
	*natsserver.Server
	dir, address string
}

func newMortal(t *testing.T) (*mortal, jetstream.JetStream) {
	t.Helper()
	dir := t.TempDir()
	m := &mortal{natstest.ServerIn(t, dir, "127.0.0.1:0"), dir, ""}
	m.address = strings.TrimPrefix(m.URL(), "nats://")
	// As the daemons connect, only faster: what is published while the connection is away fails at once.
	nc, err := nats.Connect(m.URL(), nats.MaxReconnects(-1), nats.ReconnectBufSize(-1),
		nats.ReconnectWait(10*time.Millisecond), nats.ReconnectJitter(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	natstest.CreateStreams(t, js)
	return m, js
}

func (m *mortal) restart(t *testing.T) {
	t.Helper()
	m.Close()
	m.Server = natstest.ServerIn(t, m.dir, m.address)
}

// store appends events as they are.
func store(t testing.TB, js jetstream.JetStream, all ...events.Event) {
	t.Helper()
	acks := make([]jetstream.PubAckFuture, len(all))
	for i, e := range all {
		ack, err := js.PublishMsgAsync(encode(t, e), jetstream.WithStallWait(10*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		acks[i] = ack
	}
	for i, ack := range acks {
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			t.Fatalf("%s: %v", all[i].ID(), err)
		}
	}
}

// storeJunk appends a message that is no event to the log of the default operation.
func storeJunk(t testing.TB, js jetstream.JetStream) {
	t.Helper()
	if _, err := js.Publish(context.Background(), "calls.unconnected", []byte("hello")); err != nil {
		t.Fatal(err)
	}
}

// lives are the windows of an operation from the i-th up to, not including, the j-th.
func lives(operation string, i, j int) []events.Event {
	var all []events.Event
	for ; i < j; i++ {
		all = append(all, live(operation, i))
	}
	return all
}

// past moves events back by five years: what is selected by its time must have been stored after it, whatever the clock
// of the machine.
func past(all ...events.Event) []events.Event {
	moved := slices.Clone(all)
	for i := range moved {
		e := &moved[i]
		for _, t := range []*time.Time{&e.Window.Start, &e.Window.End, &e.Checkpoint, &e.PolledAt} {
			*t = t.AddDate(-5, 0, 0)
		}
	}
	return moved
}

func ids(all []events.Event) []string {
	ids := make([]string, len(all))
	for i := range all {
		ids[i] = all[i].ID()
	}
	return ids
}

func compareIDs(t testing.TB, got, want []events.Event) {
	t.Helper()
	if g, w := ids(got), ids(want); !slices.Equal(g, w) {
		t.Errorf("got  %v\nwant %v", g, w)
	}
}
