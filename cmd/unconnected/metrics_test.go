package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"unconnected/alerter"
	"unconnected/internal/daemon"
	"unconnected/producer"
)

const (
	metricsBegin = "<!-- metrics: written by go test ./cmd/unconnected -run Readme -update -->\n"
	metricsEnd   = "<!-- /metrics -->"
)

// TestReadmeMetrics runs the demo until every metric that is registered has a series, and holds names, types, labels and
// meanings against the README's table and against the conventions of Prometheus.
func TestReadmeMetrics(t *testing.T) {
	t.Setenv("HTTP_ADDR", "off")
	t.Setenv("POLL_START", "-10m")
	s := &site{
		t:       &terminal{ctx: t.Context(), stdout: io.Discard, stderr: os.Stderr, log: slog.New(slog.DiscardHandler)},
		command: &upCommand{Data: t.TempDir(), Listen: "127.0.0.1:0"},
		demo:    newDemo(time.Now()),
	}
	if err := s.load(); err != nil {
		t.Fatal(err)
	}
	of := make(map[string]string) // :: metric → the program that has it alone
	for program, register := range map[string]func(prometheus.Registerer){
		"producer": func(r prometheus.Registerer) {
			producer.New(&s.producer, producer.Options{Log: s.t.log, Metrics: r})
		},
		"alerter": func(r prometheus.Registerer) { alerter.New(&s.alerter, alerter.Options{Log: s.t.log, Metrics: r}) },
	} {
		registry := prometheus.NewRegistry()
		register(registry)
		for _, name := range registered(registry) {
			of[name] = program
		}
	}
	all := gatherAll(t, s, slices.Collect(maps.Keys(of)))
	requireInReadme(t, metricsBegin, metricsEnd, metricsTable(all, of))
	missing := maps.Clone(reliedOn)
	for _, m := range all {
		if labels, ok := reliedOn[m.name]; ok && labels != strings.Join(m.labels, ", ") {
			t.Errorf("%s has the labels %s, want %s", m.name, m.labels, labels)
		}
		delete(missing, m.name)
	}
	for name := range missing {
		t.Errorf("there is no %s", name)
	}
}

// reliedOn are the metrics that others rely on, and their labels: a name that changes breaks their rules and dashboards.
var reliedOn = map[string]string{
	"unconnected_windows_published_total":      "`operation`",
	"unconnected_checkpoint_timestamp_seconds": "`operation`",
	"unconnected_requests_total":               "`operation`, `outcome`",
	"unconnected_request_duration_seconds":     "`operation`",
	"unconnected_quota_remaining_requests":     "`server`",
	"unconnected_revisions_total":              "`operation`",
	"unconnected_missed_windows_total":         "`operation`",
	"unconnected_calls_total":                  "`operation`, `result`",
	"unconnected_evaluated_timestamp_seconds":  "`operation`",
	"unconnected_alerts_firing":                "`operation`, `severity`",
	"unconnected_notifications_total":          "`outcome`",
	"unconnected_notification_delay_seconds":   "",
}

// metric is what the table says of one.
type metric struct {
	name, kind, help string
	labels           []string
}

// gatherAll runs a site until each of its metrics, those wanted among them, has a series, and returns those that are ours, in
// the order of names.
func gatherAll(t *testing.T, s *site, wanted []string) (ours []metric) {
	t.Helper()
	if err := s.startServer(); err != nil {
		t.Fatal(err)
	}
	defer s.stopServer()
	if err := s.demo.start(&s.producer); err != nil {
		t.Fatal(err)
	}
	defer s.demo.stop()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var missing []string
	err := daemon.Run(ctx, s.settings, s.t.log, func(ctx context.Context, d *daemon.Daemon) error {
		go func() {
			defer cancel()
			for ctx.Err() == nil {
				if ours, missing = gather(t, d.Metrics, wanted); len(missing) == 0 {
					return
				}
				<-time.After(20 * time.Millisecond)
			}
		}()
		return s.run(ctx, d)
	})
	if err != nil || len(missing) > 0 {
		t.Fatalf("%v; without a series: %v", err, missing)
	}
	return ours
}

// gather returns the metrics of ours that have a series, and the names of those that have none.
func gather(t *testing.T, r *prometheus.Registry, wanted []string) (ours []metric, missing []string) {
	families, err := r.Gather()
	if err != nil {
		t.Error(err)
	}
	missing = append(registered(r), wanted...)
	for _, f := range families {
		missing = slices.DeleteFunc(missing, func(name string) bool { return name == f.GetName() })
		if !strings.HasPrefix(f.GetName(), "unconnected_") {
			continue
		}
		m := metric{name: f.GetName(), kind: strings.ToLower(f.GetType().String()), help: f.GetHelp()}
		for _, l := range f.GetMetric()[0].GetLabel() {
			m.labels = append(m.labels, "`"+l.GetName()+"`")
		}
		ours = append(ours, m)
	}
	missing = slices.DeleteFunc(missing, func(name string) bool { return !strings.HasPrefix(name, "unconnected_") })
	if len(missing) == 0 {
		problems, err := promlint.NewWithMetricFamilies(families).Lint()
		if err != nil || len(problems) > 0 {
			t.Errorf("against the conventions: %v %v", problems, err)
		}
	}
	return ours, missing
}

var fullName = regexp.MustCompile(`fqName: "([^"]+)"`)

// registered are the names of all metrics of a registry, with a series or without.
func registered(r *prometheus.Registry) (names []string) {
	descs := make(chan *prometheus.Desc)
	go func() { defer close(descs); r.Describe(descs) }()
	for desc := range descs {
		names = append(names, fullName.FindStringSubmatch(desc.String())[1])
	}
	return names
}

// metricsTable is a row per metric.
func metricsTable(all []metric, of map[string]string) string {
	var b strings.Builder
	b.WriteString("\n| metric | type | labels | of | meaning |\n| --- | --- | --- | --- | --- |\n")
	for _, m := range all {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", m.name, m.kind, strings.Join(m.labels, ", "),
			cmp.Or(of[m.name], "both"), escapeCell(m.help))
	}
	b.WriteString("\n")
	return b.String()
}
