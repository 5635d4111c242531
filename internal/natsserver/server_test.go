package natsserver_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natsserver"
)

func start(t *testing.T, dir, listen string) *natsserver.Server {
	t.Helper()
	s, err := natsserver.Start(natsserver.Options{Dir: dir, Listen: listen, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// stream opens CALLS through either kind of connection, and creates it if it is missing.
func stream(t *testing.T, nc *nats.Conn, err error) (jetstream.JetStream, jetstream.Stream) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	s, err := js.CreateStream(context.Background(), events.CallsStream(events.StreamOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	return js, s
}

// address is where a server listens, to be used again.
func address(s *natsserver.Server) string { return strings.TrimPrefix(s.URL(), "nats://") }

func TestRestartKeepsTheStreams(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir, "127.0.0.1:0")
	listen := address(first)
	nc, err := first.Connect()
	js, before := stream(t, nc, err)
	if _, err := js.Publish(t.Context(), "calls.unconnected", []byte("kept")); err != nil {
		t.Fatal(err)
	}
	first.Close()

	second := start(t, dir, listen)
	if address(second) != listen {
		t.Errorf("listens on %s, not on %s again", address(second), listen)
	}
	nc, err = nats.Connect(second.URL())
	_, after := stream(t, nc, err)
	if !after.CachedInfo().Created.Equal(before.CachedInfo().Created) {
		t.Error("the stream is another one")
	}
	if msg, err := after.GetMsg(t.Context(), 1); err != nil || string(msg.Data) != "kept" {
		t.Errorf("the message is %v, %v", msg, err)
	}
}

func TestInProcessAndTCPAreTheSameServer(t *testing.T) {
	s := start(t, t.TempDir(), "127.0.0.1:0")
	nc, err := s.Connect(nats.Name("inside"))
	js, _ := stream(t, nc, err)
	if _, err := js.Publish(t.Context(), "calls.unconnected", []byte("x")); err != nil {
		t.Fatal(err)
	}
	nc, err = nats.Connect(s.URL())
	if _, outside := stream(t, nc, err); outside.CachedInfo().State.Msgs != 1 {
		t.Errorf("%d messages seen from outside", outside.CachedInfo().State.Msgs)
	}
}

func TestStartRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		options func(t *testing.T) natsserver.Options
		want    error
		says    string
	}{
		"a taken port": {func(t *testing.T) natsserver.Options {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { listener.Close() })
			return natsserver.Options{Dir: t.TempDir(), Listen: listener.Addr().String()}
		}, natsserver.ErrListen, "--listen"},
		"an address that is not ours": {func(t *testing.T) natsserver.Options {
			return natsserver.Options{Dir: t.TempDir(), Listen: "192.0.2.1:4222"}
		}, natsserver.ErrListen, "192.0.2.1"},
		"an address without a port": {func(t *testing.T) natsserver.Options {
			return natsserver.Options{Dir: t.TempDir(), Listen: "127.0.0.1"}
		}, natsserver.ErrListen, "missing port"},
		"a port that is no number": {func(t *testing.T) natsserver.Options {
			return natsserver.Options{Dir: t.TempDir(), Listen: "127.0.0.1:nats"}
		}, natsserver.ErrListen, `"nats"`},
		"a directory in use": {func(t *testing.T) natsserver.Options {
			dir := t.TempDir()
			start(t, dir, "127.0.0.1:0")
			return natsserver.Options{Dir: dir, Listen: "127.0.0.1:0"}
		}, natsserver.ErrInUse, "--data"},
		"a directory below a file": {func(t *testing.T) natsserver.Options {
			return natsserver.Options{Dir: filepath.Join(file(t, t.TempDir(), "file"), "data"), Listen: "127.0.0.1:0"}
		}, natsserver.ErrStore, "not a directory"},
		"a lock that can't be opened": {func(t *testing.T) natsserver.Options {
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, "lock"), 0o700); err != nil {
				t.Fatal(err)
			}
			return natsserver.Options{Dir: dir, Listen: "127.0.0.1:0"}
		}, natsserver.ErrStore, "lock"},
		"a store that can't be written": {func(t *testing.T) natsserver.Options {
			dir := t.TempDir()
			file(t, dir, "jetstream")
			return natsserver.Options{Dir: dir, Listen: "127.0.0.1:0"}
		}, natsserver.ErrStore, "directory"},
	} {
		t.Run(name, func(t *testing.T) {
			options := c.options(t)
			s, err := natsserver.Start(options)
			if err == nil {
				s.Close()
				t.Fatal("it started")
			}
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %q is not %q, or does not say %q", err, c.want, c.says)
			}
			if text := err.Error(); strings.Contains(text, "\n") {
				t.Errorf("more than one line: %q", text)
			}
		})
	}
}

// file makes a file where a directory is needed.
func file(t *testing.T, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAFailedStartLeavesTheDirectoryFree(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dir := t.TempDir()
	if _, err := natsserver.Start(natsserver.Options{Dir: dir, Listen: listener.Addr().String()}); !errors.Is(err, natsserver.ErrListen) {
		t.Fatalf("started on a taken port: %v", err)
	}
	nc, err := start(t, dir, "127.0.0.1:0").Connect()
	stream(t, nc, err)
}
