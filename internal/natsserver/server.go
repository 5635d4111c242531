// Package natsserver runs a real nats-server with JetStream inside this process, for `unconnected up` and for tests.
package natsserver

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gofrs/flock"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Options say where and how the server runs.
type Options struct {
	// Dir is where JetStream keeps its files. It is created; one server at a time may use it.
	Dir string
	// Listen is host:port for clients; port 0 takes a free one.
	Listen string
	// NoSync leaves writing to disk to the operating system: faster, but a power failure loses the last moments.
	NoSync bool
	// Log receives what the server says; nil means nowhere.
	Log *slog.Logger
}

// Errors that [Start] wraps; each says what a person can do.
var (
	ErrInUse  = errors.New("another process uses this data directory; stop it, or choose another with --data")
	ErrListen = errors.New("the address can't be listened on; stop what uses it, or choose another with --listen")
	ErrStore  = errors.New("the data directory can't be used")
	// ErrFull is what there is to say when [Server.Full] is closed.
	ErrFull = errors.New("the disk is full; free space and start again: nothing that was stored is lost, and what was missed meanwhile is caught up")
)

// Server is a running server. Close it once.
type Server struct {
	server *server.Server
	lock   *flock.Flock
	full   chan struct{}
}

// startTimeout is how long recovering a large store may take.
const startTimeout = 2 * time.Minute

// Start runs a server and returns when it takes connections.
func Start(o Options) (*Server, error) {
	lock, err := lockDir(o.Dir)
	if err != nil {
		return nil, err
	}
	log := newLogger(o.Log)
	s, err := start(o, log)
	if err != nil {
		_ = lock.Unlock()
		return nil, err
	}
	return &Server{s, lock, log.full}, nil
}

// lockDir makes the directory and keeps others out of it: nothing in nats-server does, and two servers on one store lose
// data.
func lockDir(dir string) (*flock.Flock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStore, err)
	}
	lock := flock.New(filepath.Join(dir, "lock"))
	switch locked, err := lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrStore, err)
	case !locked:
		return nil, fmt.Errorf("%s: %w", dir, ErrInUse)
	}
	return lock, nil
}

func start(o Options, log *logger) (*server.Server, error) {
	host, port, err := splitListen(o.Listen)
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "unconnected", Host: host, Port: port,
		JetStream: true, StoreDir: o.Dir, SyncAlways: !o.NoSync,
		// The streams need no memory store; without a bound the server would reserve most of the machine's memory.
		JetStreamMaxMemory: 64 << 20,
		NoSigs:             true, NoSystemAccount: false,
	})
	if err != nil {
		return nil, fmt.Errorf("embedded NATS server: %w", err)
	}
	s.SetLogger(log, false, false)
	go s.Start()
	if err := awaitReady(s, log); err != nil {
		s.Shutdown()
		return nil, fmt.Errorf("embedded NATS server on %s: %w", o.Listen, err)
	}
	return s, nil
}

func splitListen(listen string) (string, int, error) {
	host, service, err := net.SplitHostPort(listen)
	if err != nil {
		return "", 0, fmt.Errorf("%w: %w", ErrListen, err)
	}
	port, err := strconv.Atoi(service)
	if err != nil || port < 0 || port > 65535 {
		return "", 0, fmt.Errorf("%w: port %q is not a number from 0 to 65535", ErrListen, service)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return host, port, nil
}

// awaitReady waits until the server takes connections, or says that it never will: a taken port is only a line in the
// log for it.
func awaitReady(s *server.Server, log *logger) error {
	ready := make(chan bool, 1)
	go func() { ready <- s.ReadyForConnections(startTimeout) }()
	select {
	case text := <-log.fatal:
		return classifyFatal(text)
	case ok := <-ready:
		if !ok {
			return fmt.Errorf("not ready after %v", startTimeout)
		}
	}
	if !s.JetStreamEnabled() {
		return fmt.Errorf("%w: JetStream did not start", ErrStore)
	}
	return nil
}

// Connect opens a connection that does not leave the process.
func (s *Server) Connect(options ...nats.Option) (*nats.Conn, error) {
	return nats.Connect("", append(options, nats.InProcessServer(s.server))...)
}

// Full is closed when the server found its disk full. It freezes the streams that it could not write, until it is started
// again.
func (s *Server) Full() <-chan struct{} { return s.full }

// URL is where clients reach the server.
func (s *Server) URL() string { return s.server.ClientURL() }

// Close stops the server, waits until its files are closed, and lets others use the directory.
func (s *Server) Close() {
	s.server.Shutdown()
	s.server.WaitForShutdown()
	_ = s.lock.Unlock() // the process's end releases it at the latest
}
