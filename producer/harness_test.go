package producer_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/natsserver"
	"unconnected/internal/natstest"
	"unconnected/producer"
	"unconnected/producer/wolkvox/simulator"
)

// site is a simulated API and a NATS server for producers of one operation.
type site struct {
	nats   *natsserver.Server
	js     jetstream.JetStream
	api    *simulator.Simulator
	server *httptest.Server
	config producer.Config
}

// newSite is a site on windows of a minute whose new history begins an hour ago. Change config before starting.
func newSite(t testing.TB, o simulator.Options) *site {
	t.Helper()
	s := &site{nats: natstest.Server(t), api: simulator.New(o)}
	_, s.js = natstest.Connect(t, s.nats)
	s.server = httptest.NewServer(s.api)
	t.Cleanup(s.server.Close)
	s.config = load(t, map[string]string{
		"WOLKVOX_BASE_URL": s.server.URL, "WOLKVOX_TOKEN": simulator.DefaultToken,
		"POLL_WINDOW": "1m", "POLL_SETTLE": "0s", "POLL_START": "-1h", "WOLKVOX_TIMEOUT": "5s",
	})
	return s
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
	stop func() error // stops it and returns what Run returned
}

// start runs a producer of the site until stop is called or the test ends.
func (s *site) start(t testing.TB) running {
	t.Helper()
	nc, _ := natstest.Connect(t, s.nats)
	config := s.config
	p := producer.New(&config, producer.Options{
		Log: slog.New(slog.DiscardHandler), Conn: nc, Metrics: prometheus.NewRegistry(), Simulated: true,
	})
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
	t.Cleanup(func() { _ = stop() })
	return running{p, stop}
}

// checkpoint is where the log of the default operation is complete; zero while it is empty.
func (s *site) checkpoint(t testing.TB) time.Time {
	t.Helper()
	stream, err := s.js.Stream(context.Background(), events.StreamCalls)
	if err != nil {
		return time.Time{}
	}
	last, err := events.Last(context.Background(), stream, events.DefaultOperation)
	if err != nil || last == nil {
		return time.Time{}
	}
	return last.Checkpoint
}

// eventually waits until ok holds, or fails the test.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
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
