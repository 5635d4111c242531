package producer_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"unconnected/events"
	"unconnected/internal/natsio"
	"unconnected/internal/natstest"
	"unconnected/producer"
	"unconnected/producer/wolkvox/simulator"
)

// many are operations with an API each, behind one address.
type many struct {
	names  []string
	apis   []*simulator.Simulator
	server *httptest.Server
}

func newMany(t testing.TB, n int) *many {
	t.Helper()
	m := &many{}
	mux := http.NewServeMux()
	for i := range n {
		name := fmt.Sprintf("op%04d", i)
		api := simulator.New(simulator.Options{Seed: int64(i), Profile: simulator.AlwaysBusy().Scaled(0.05)})
		mux.Handle("/"+name+"/", api)
		m.names, m.apis = append(m.names, name), append(m.apis, api)
	}
	m.server = httptest.NewServer(mux)
	t.Cleanup(m.server.Close)
	return m
}

// settings are the environment of a producer of all operations.
func (m *many) settings(t testing.TB, window, settle time.Duration) producer.Config {
	t.Helper()
	for _, name := range m.names {
		prefix := "WOLKVOX_" + strings.ToUpper(name)
		t.Setenv(prefix+"_TOKEN", simulator.DefaultToken)
		t.Setenv(prefix+"_BASE_URL", m.server.URL+"/"+name)
	}
	return load(t, map[string]string{
		"WOLKVOX_OPERATIONS": strings.Join(m.names, ","), "POLL_WINDOW": window.String(), "POLL_SETTLE": settle.String(),
		"POLL_START": "-" + (2 * window).String(), "WOLKVOX_TIMEOUT": "5s",
	})
}

// peak is the most requests that began within a tenth of a second, of all operations together, between two instants.
func (m *many) peak(from, to time.Time) (all, peak int) {
	slots := make(map[int64]int)
	for _, api := range m.apis {
		for _, r := range api.Ledger() {
			if !r.At.Before(from) && r.At.Before(to) && r.API == "cdr_6" {
				all++
				slots[r.At.UnixMilli()/100]++
			}
		}
	}
	for _, n := range slots {
		peak = max(peak, n)
	}
	return all, peak
}

// BenchmarkThousandOperations polls a thousand operations in one process for three windows of ten seconds after the first
// ones, and reports what that takes of memory and goroutines an operation, and how many requests begin within the same
// tenth of a second: without the spread it would be all of them.
func BenchmarkThousandOperations(b *testing.B) {
	const window, settle = 10 * time.Second, 5 * time.Second
	for b.Loop() {
		m := newMany(b, 1000)
		server := natstest.Server(b)
		config := m.settings(b, window, settle)
		config.URL = []string{server.URL()}
		log := slog.New(slog.DiscardHandler)
		nc, err := natsio.Connect("producer", &config.NATS, log)
		if err != nil {
			b.Fatal(err)
		}
		defer nc.Close()
		_, js := natstest.Connect(b, server)
		before, goroutines := heap(), runtime.NumGoroutine()
		p := producer.New(&config, producer.Options{Log: log, Conn: nc, Metrics: prometheus.NewRegistry()})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- p.Run(ctx) }()
		complete := func(at time.Time) func() bool {
			return func() bool { return m.complete(js, at) }
		}
		begin := time.Now().Truncate(window)
		eventually(b, "the first windows", complete(begin))
		first := heap()
		steady := time.Now()
		for i := range 3 {
			eventually(b, "the next window of all", complete(begin.Add(time.Duration(i+1)*window)))
		}
		all, peak := m.peak(steady, time.Now())
		b.ReportMetric(float64(peak), "requests/100ms")
		b.ReportMetric(float64(all)/time.Since(steady).Seconds(), "requests/s")
		b.ReportMetric(float64(heap()-before)/1000/float64(len(m.names)), "kB/operation")
		b.ReportMetric(float64(heap()-first)/1000/float64(len(m.names)), "kB-growth/operation")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/float64(len(m.names)), "goroutines/operation")
		cancel()
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
}

// heap is what is in use after a collection.
func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// complete tells whether the logs of all operations are complete up to an instant. It asks one after the other, and stops
// at the first that is not.
func (m *many) complete(js jetstream.JetStream, at time.Time) bool {
	stream, err := js.Stream(context.Background(), events.StreamCalls)
	if err != nil {
		return false
	}
	for _, name := range m.names {
		last, err := events.Last(context.Background(), stream, name)
		if err != nil || last == nil || last.Checkpoint.Before(at) {
			return false
		}
	}
	return true
}
