package daemon_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"unconnected/internal/config"
	"unconnected/internal/daemon"
)

// serving calls test while a daemon serves on a free port.
func serving(t *testing.T, test func(ctx context.Context, cancel context.CancelFunc, d *daemon.Daemon)) {
	t.Helper()
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	settings := daemon.Settings{HTTP: config.HTTP{Addr: "127.0.0.1:0"}}
	err := daemon.Run(ctx, settings, slog.New(slog.DiscardHandler), func(ctx context.Context, d *daemon.Daemon) error {
		test(ctx, cancel, d)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// get asks once, without keeping the connection.
func get(t *testing.T, d *daemon.Daemon, method, path string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+d.Addr()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(content)
}

func TestPaths(t *testing.T) {
	serving(t, func(_ context.Context, _ context.CancelFunc, d *daemon.Daemon) {
		own := prometheus.NewCounter(prometheus.CounterOpts{Name: "sample_total", Help: "Samples."})
		d.Metrics.MustRegister(own)
		own.Inc()
		d.Ready(func() daemon.Report { return daemon.Report{Ready: true, State: "ok"} })

		tests := []struct {
			method, path string
			status       int
			body         string // what it contains
		}{
			{http.MethodGet, "/healthz", http.StatusOK, "ok\n"},
			{http.MethodHead, "/healthz", http.StatusOK, ""},
			{http.MethodGet, "/readyz", http.StatusOK, `"ready": true`},
			{http.MethodGet, "/metrics", http.StatusOK, "sample_total 1\n"},
			{http.MethodGet, "/metrics", http.StatusOK, "go_goroutines "},
			{http.MethodGet, "/metrics", http.StatusOK, "process_resident_memory_bytes "},
			{http.MethodGet, "/", http.StatusNotFound, ""},
			{http.MethodGet, "/debug/pprof/", http.StatusNotFound, ""},
			{http.MethodPost, "/healthz", http.StatusMethodNotAllowed, ""},
		}
		for _, test := range tests {
			status, body := get(t, d, test.method, test.path)
			if status != test.status || !strings.Contains(body, test.body) {
				t.Errorf("%s %s: %d %q, want %d %q", test.method, test.path, status, body, test.status, test.body)
			}
		}
	})
}

func TestReadyz(t *testing.T) {
	since := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	retrying := daemon.Report{
		State: "retrying", Reason: "cob: the API answers 503", Notes: []string{"no Slack settings"},
		Operations: []daemon.Operation{
			{Operation: "cob", State: "retrying", Reason: "503", Since: since, NextTry: since.Add(time.Minute)},
			{Operation: "ventas", State: "ok", Checkpoint: since},
		},
	}
	serving(t, func(ctx context.Context, cancel context.CancelFunc, d *daemon.Daemon) {
		check := func(status int, want string) {
			t.Helper()
			got, body := get(t, d, http.MethodGet, "/readyz")
			if compact := compacted(t, body); got != status || compact != want {
				t.Errorf("%d %s, want %d %s", got, compact, status, want)
			}
		}
		check(http.StatusServiceUnavailable, `{"ready":false,"state":"starting"}`)

		d.Ready(func() daemon.Report { return daemon.Report{Ready: true, State: "ok"} })
		check(http.StatusOK, `{"ready":true,"state":"ok"}`)

		d.Ready(func() daemon.Report { return retrying })
		check(http.StatusServiceUnavailable, `{"ready":false,"state":"retrying","reason":"cob: the API answers 503",`+
			`"notes":["no Slack settings"],"operations":[{"operation":"cob","state":"retrying","reason":"503",`+
			`"since":"2026-11-22T15:00:00Z","next_try":"2026-11-22T15:01:00Z"},`+
			`{"operation":"ventas","state":"ok","checkpoint":"2026-11-22T15:00:00Z"}]}`)

		cancel()
		<-ctx.Done()
		check(http.StatusServiceUnavailable, `{"ready":false,"state":"stopping"}`)
	})
}

func compacted(t *testing.T, body string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(body)); err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	return strings.TrimSpace(b.String())
}

func TestRun(t *testing.T) {
	broken := errors.New("broken")
	tests := []struct {
		name   string
		cancel bool
		result error
		want   error
	}{
		{name: "done"},
		{name: "cancelled", cancel: true, result: context.Canceled},
		{name: "cancelled, and something went wrong", cancel: true, result: broken, want: broken},
		{name: "failed", result: broken, want: broken},
		{name: "a cancellation of its own is a failure", result: context.Canceled, want: context.Canceled},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			settings := daemon.Settings{HTTP: config.HTTP{Addr: config.Off}}
			got := daemon.Run(ctx, settings, slog.New(slog.DiscardHandler), func(_ context.Context, d *daemon.Daemon) error {
				if d.Addr() != "" {
					t.Errorf("serving at %s", d.Addr())
				}
				if test.cancel {
					cancel()
				}
				return test.result
			})
			if !errors.Is(got, test.want) || (got == nil) != (test.want == nil) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
