// Package natstest gives tests a real NATS server with JetStream of their own.
package natstest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
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

// Freeze makes a server unable to write streams that are empty, and to which it has written nothing since it was started. On them
// it does what it does when its disk is full: what is published there gets no answer, until [Thaw] and another start; the rest
// goes on.
func Freeze(t testing.TB, dir string, streams ...string) {
	t.Helper()
	for _, stream := range streams { // the file is opened when it is first written
		if err := os.Remove(block(dir, stream)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if err := os.Mkdir(block(dir, stream), 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

// Thaw lets a server that is stopped write the streams when it is started again.
func Thaw(t testing.TB, dir string, streams ...string) {
	t.Helper()
	for _, stream := range streams {
		if err := os.Remove(block(dir, stream)); err != nil {
			t.Fatal(err)
		}
	}
}

// block is where a server keeps the first messages of a stream.
func block(dir, stream string) string {
	return filepath.Join(dir, "jetstream", "$G", "streams", stream, "msgs", "1.blk")
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
