// Package natstest gives tests a real NATS server with JetStream of their own.
package natstest

import (
	"context"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natsserver"
)

// Server starts a server in a directory of the test, on a free port, and stops it when the test ends.
func Server(t testing.TB) *natsserver.Server {
	t.Helper()
	return ServerIn(t, t.TempDir(), "127.0.0.1:0")
}

// ServerIn starts a server on a given directory and address, so that a test can stop it and start it again.
func ServerIn(t testing.TB, dir, listen string) *natsserver.Server {
	t.Helper()
	s, err := natsserver.Start(natsserver.Options{Dir: dir, Listen: listen, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Connect opens a connection to s for the length of the test.
func Connect(t testing.TB, s *natsserver.Server) (*nats.Conn, jetstream.JetStream) {
	t.Helper()
	nc, err := nats.Connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return nc, js
}

// Streams creates CALLS and ALERTS on a new server and returns the connection to them.
func Streams(t testing.TB) jetstream.JetStream {
	t.Helper()
	_, js := Connect(t, Server(t))
	CreateStreams(t, js)
	return js
}

// CreateStreams creates CALLS and ALERTS.
func CreateStreams(t testing.TB, js jetstream.JetStream) {
	t.Helper()
	for _, config := range []jetstream.StreamConfig{
		events.CallsStream(events.StreamOptions{}), events.AlertsStream(events.StreamOptions{}),
	} {
		if _, err := js.CreateStream(context.Background(), config); err != nil {
			t.Fatal(err)
		}
	}
}
