package producer_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/daemon"
	"unconnected/internal/natsio"
	"unconnected/internal/natsserver"
	"unconnected/internal/natstest"
	"unconnected/producer"
	"unconnected/producer/oplog"
	"unconnected/producer/wolkvox/simulator"
)

// site is a simulated API and a NATS server for producers of one operation.
type site struct {
	dir    string // of the NATS server
	nats   *natsserver.Server
	js     jetstream.JetStream
	api    *simulator.Simulator
	server *httptest.Server
	config producer.Config
}

// newSite is a site on windows of a minute whose new history begins an hour ago. Change config before starting.
func newSite(t testing.TB, o simulator.Options) *site {
	t.Helper()
	s := &site{dir: t.TempDir(), api: simulator.New(o)}
	s.startNATS(t, "127.0.0.1:0")
	s.server = httptest.NewServer(s.api)
	t.Cleanup(s.server.Close)
	s.set(t, nil)
	return s
}

// startNATS starts the NATS server on the site's directory.
func (s *site) startNATS(t testing.TB, listen string) {
	t.Helper()
	s.nats = natstest.ServerIn(t, s.dir, listen)
	_, s.js = natstest.Connect(t, s.nats)
}

// stopNATS stops the NATS server and returns where it listened.
func (s *site) stopNATS() (listen string) {
	listen = strings.TrimPrefix(s.nats.URL(), "nats://")
	s.nats.Close()
	return listen
}

// set gives the site other settings than the usual ones.
func (s *site) set(t testing.TB, settings map[string]string) {
	t.Helper()
	all := map[string]string{
		"WOLKVOX_BASE_URL": s.server.URL, "WOLKVOX_TOKEN": simulator.DefaultToken,
		"POLL_WINDOW": "1m", "POLL_SETTLE": "0s", "POLL_START": "-1h", "WOLKVOX_TIMEOUT": "5s",
	}
	maps.Copy(all, settings)
	s.config = load(t, all)
}

func load(t testing.TB, settings map[string]string) producer.Config {
	t.Helper()
	var c producer.Config
	if err := config.Load(&c, config.Defaults(settings)); err != nil {
		t.Fatal(err)
	}
	return c
}

// running is a producer at work.
type running struct {
	*producer.Producer
	registry *prometheus.Registry
	stop     func() error // stops it and returns what Run returned
	ended    <-chan error // what Run returned, once, unless stop took it
}

// start runs a producer of the site, connected like the real one, until stop is called or the test ends.
func (s *site) start(t testing.TB, change ...func(*producer.Options)) running {
	t.Helper()
	config, log := s.config, slog.New(slog.DiscardHandler)
	config.URL = []string{s.nats.URL()}
	nc, err := natsio.Connect("producer", &config.NATS, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	registry := prometheus.NewRegistry()
	options := producer.Options{Log: log, Conn: nc, Metrics: registry, Simulated: true}
	for _, f := range change {
		f(&options)
	}
	p := producer.New(&config, options)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	stopped := false
	stop := func() error {
		cancel()
		if stopped {
			return nil
		}
		stopped = true
		return <-done
	}
	r := running{p, registry, stop, done}
	t.Cleanup(cancel)
	return r
}

// real lets a producer treat the API as a real one.
func real(o *producer.Options) { o.Simulated = false }

// state is what the producer says about its first operation.
func (r running) state() daemon.Operation { return r.Report().Operations[0] }

// log reads the log of an operation as it is stored. Whatever is no event is counted.
func (s *site) log(t testing.TB, operation string) (log []events.Event, invalid int) {
	t.Helper()
	for e, err := range events.History(t.Context(), s.js, events.Query{Operations: []string{operation}}) {
		switch {
		case errors.Is(err, events.ErrInvalid):
			invalid++
		case err != nil:
			t.Fatal(err)
		default:
			log = append(log, e)
		}
	}
	return log, invalid
}

// sound checks that the log of an operation has no faults and that every window is true, and returns it.
func (s *site) sound(t testing.TB, operation string) []events.Event {
	t.Helper()
	log, _ := s.log(t, operation)
	var c oplog.Checker
	for i := range log {
		c.Add(&log[i])
		if e := &log[i]; e.Missed == nil && !maps.Equal(e.Counts, s.api.Truth(e.Window.Start, e.Window.End)) {
			t.Errorf("%v: %v, were %v", e.Window, e.Counts, s.api.Truth(e.Window.Start, e.Window.End))
		}
	}
	for _, fault := range c.Finish(operation) {
		t.Errorf("the log is not sound: %+v", fault)
	}
	return log
}

// alone checks that the API never had two requests of a token at a time.
func (s *site) alone(t testing.TB) {
	t.Helper()
	if n := s.api.MaxConcurrent(); n > 1 {
		t.Errorf("%d requests at the same time", n)
	}
}

// caughtUp waits until the log holds all windows up to a minute or two ago.
func (s *site) caughtUp(t testing.TB) {
	t.Helper()
	target := time.Now().Add(-time.Duration(s.config.Window) - 2*time.Second)
	eventually(t, "the log is complete", func() bool { return s.checkpoint(t).After(target) })
}

// checkpoint is where the log of the default operation is complete; zero while it is empty.
func (s *site) checkpoint(t testing.TB) time.Time {
	t.Helper()
	stream, err := s.js.Stream(context.Background(), events.StreamCalls)
	if err != nil {
		return time.Time{}
	}
	last, err := events.Last(context.Background(), stream, events.DefaultOperation)
	if err != nil || last == nil || last.Checkpoint.After(time.Now()) {
		return time.Time{}
	}
	return last.Checkpoint
}

// patience is how long what is bound to happen may take on a busy machine.
const patience = 5 * time.Minute

// eventually waits until ok holds, or fails the test.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("not in time: %s", what)
		case <-tick.C:
		}
	}
}
