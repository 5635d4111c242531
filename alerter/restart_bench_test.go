package alerter_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"unconnected/alerter"
	"unconnected/events"
	"unconnected/internal/config"
)

var (
	restartOperations = flag.Int("restart.operations", 20, "operations that BenchmarkRestart restarts with")
	restartWeeks      = flag.Int("restart.weeks", 1, "weeks of five-minute windows of each that are in the stream")
)

// BenchmarkRestart measures the time from the start of an alerter until it is ready, with the built-in rules: the first time,
// when all of the history is folded, after a stop with snapshots, and so an hour of windows after that stop. And how large the
// heap is then.
func BenchmarkRestart(b *testing.B) {
	w := newQuietWorld(b)
	w.config.RulesFile = ""
	w.config.History.MaxBytes = config.Size(8 << 30)
	start := time.Now().UTC().Add(-time.Duration(*restartWeeks) * 7 * 24 * time.Hour).Truncate(5 * time.Minute)
	next := w.fill(b, start, *restartWeeks*7*24*12)
	b.Run("folded", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			if err := w.js.DeleteKeyValue(b.Context(), "unconnected_snapshots"); err != nil {
				b.Log("no snapshots yet")
			}
			b.StartTimer()
			w.restart(b)
		}
	})
	b.Run("snapshots", func(b *testing.B) {
		for b.Loop() {
			w.restart(b)
		}
	})
	b.Run("an hour later", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			next = w.fill(b, next, 12)
			b.StartTimer()
			w.restart(b)
		}
	})
}

// fill stores windows of all operations, one time after the other.
func (w *world) fill(b *testing.B, from time.Time, windows int) (next time.Time) {
	random := rand.New(rand.NewPCG(1, 1))
	for range windows {
		for operation := range *restartOperations {
			event := w.window(fmt.Sprintf("op%d", operation), from, "q")
			event.Window.End = from.Add(5 * time.Minute)
			event.Checkpoint, event.PolledAt = event.Window.End, event.Window.End.Add(90*time.Second)
			n := int64(random.IntN(200))
			event.Counts[events.NoAnswer], event.Counts[events.Congestion] = n, n/20
			event.Total = n + n/20
			msg, err := events.Encode(event)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := w.js.PublishMsgAsync(msg); err != nil {
				b.Fatal(err)
			}
			if w.js.PublishAsyncPending() > 2000 {
				<-w.js.PublishAsyncComplete()
			}
		}
		from = from.Add(5 * time.Minute)
	}
	<-w.js.PublishAsyncComplete()
	return from
}

// restart runs an alerter until it is ready, and stops it; the time is that until it is ready.
func (w *world) restart(b *testing.B) {
	c := w.config
	if problems := c.Validate(); len(problems) > 0 {
		b.Fatal(problems)
	}
	conn, err := nats.Connect(w.server.URL())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	a := alerter.New(&c, alerter.Options{
		Log: slog.New(slog.NewJSONHandler(io.Discard, nil)), Conn: conn, Metrics: prometheus.NewRegistry(), Output: io.Discard,
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	for !a.Report().Ready {
		if ctx.Err() != nil {
			b.Fatal(ctx.Err())
		}
		runtime.Gosched()
		<-time.After(time.Millisecond)
	}
	b.StopTimer()
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	b.ReportMetric(float64(memory.HeapAlloc)/(1<<20), "MB-heap")
	cancel()
	if err := <-done; err != nil {
		b.Error(err)
	}
	b.StartTimer()
}
