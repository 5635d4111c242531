package alerter_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"unconnected/alerter"
	"unconnected/events"
)

// BenchmarkNotify measures from the moment at which the stream has acknowledged a window to the request that reaches Slack.
// Each sample is the first message of an operation in a channel of its own, because one channel takes one post a second.
func BenchmarkNotify(b *testing.B) {
	w := newQuietWorld(b)
	arrived := make(chan string, 1)
	slack := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		at := time.Now()
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		if strings.HasSuffix(r.URL.Path, "chat.postMessage") {
			arrived <- form.Get("channel") + "@" + at.Format(time.RFC3339Nano)
		}
		_, _ = fmt.Fprintf(rw, `{"ok": true, "channel": "C0000001", "ts": "%d.000001"}`, at.UnixNano())
	}))
	b.Cleanup(slack.Close)
	var rules strings.Builder
	rules.WriteString("rules:\n")
	for i := range b.N {
		fmt.Fprintf(&rules, "  - {alert: Congestion%d, expr: share.congestion >= 0.2 && total >= 50, value: share.congestion, severity: critical,"+
			" operations: [op%[1]d], channel: \"#op%[1]d\"}\n", i)
	}
	w.rules(rules.String())
	w.useSlack(slack.URL + "/api/")
	w.startQuietly(b)

	var took []time.Duration
	for i := range b.N {
		operation := fmt.Sprintf("op%d", i)
		w.play(operation, "c")
		stored := time.Now()
		channel, at, _ := strings.Cut(<-arrived, "@")
		reached, err := time.Parse(time.RFC3339Nano, at)
		if err != nil || channel != "#"+operation {
			b.Fatalf("a request for %s: %v", channel, err)
		}
		took = append(took, max(reached.Sub(stored), 0))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-median")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-p99")
}

// startQuietly starts an alerter that logs as a daemon does, at level info and to nowhere.
func (w *world) startQuietly(b *testing.B) {
	c := w.config
	if problems := c.Validate(); len(problems) > 0 {
		b.Fatal(problems)
	}
	conn, err := nats.Connect(w.server.URL())
	if err != nil {
		b.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(io.Discard, nil))
	a := alerter.New(&c, alerter.Options{Log: log, Conn: conn, Metrics: prometheus.NewRegistry()})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	b.Cleanup(func() { cancel(); <-done; conn.Close() })
	eventually(b, "ready", func() (bool, string) { r := a.Report(); return r.Ready, r.Reason })
}

// BenchmarkEvaluate measures how fast the history of many operations is judged when an alerter starts.
func BenchmarkEvaluate(b *testing.B) {
	w := newQuietWorld(b)
	w.rules(strings.Replace(demandingRules, "rules:", "extend: builtin\nrules:", 1))
	for i := range b.N {
		operation := fmt.Sprintf("op%d", i%50)
		l := w.log(operation)
		event := w.window(operation, l.next, string("qqqqqqqe"[i%8]))
		l.next = event.Window.End
		event.Checkpoint = l.next
		msg, err := events.Encode(event)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := w.js.PublishMsgAsync(msg); err != nil {
			b.Fatal(err)
		}
	}
	<-w.js.PublishAsyncComplete()
	b.ResetTimer()
	w.startQuietly(b)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "windows/s")
}
