package producer

import (
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"unconnected/events"
	"unconnected/internal/daemon"
	"unconnected/producer/wolkvox"
)

// metrics are the producer's Prometheus metrics.
type metrics struct {
	published, missed, revisions, backfills *prometheus.CounterVec
	checkpoint                              *prometheus.GaugeVec
	requests                                *prometheus.CounterVec
	duration                                *prometheus.HistogramVec
	calls                                   *prometheus.CounterVec
	bytes, limit, messages                  prometheus.Gauge
	quota                                   *quotaCollector
}

// outcomeFine is the outcome of a request that was answered; the others are named like the kinds of error.
const outcomeFine = "ok"

func newMetrics(r prometheus.Registerer) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	m := &metrics{
		published: counter("unconnected_windows_published_total", "Live windows stored in the log.", "operation"),
		missed:    counter("unconnected_missed_windows_total", "Windows that were declared missed.", "operation"),
		revisions: counter("unconnected_revisions_total", "Corrected windows stored in the log.", "operation"),
		backfills: counter("unconnected_backfilled_windows_total", "Missed windows that were had after all, by comparing again.", "operation"),
		calls:     counter("unconnected_calls_total", "Unconnected calls in the live windows stored.", "operation", "result"),
		requests:  counter("unconnected_requests_total", "Requests to the API by outcome: ok, retry, maintenance, token_busy, quota, refused, garbage.", "operation", "outcome"),
		bytes:     gauge("unconnected_history_bytes", "Size of the stream CALLS, looked at every minute."),
		limit:     gauge("unconnected_history_limit_bytes", "Size at which the oldest windows go; -1 when there is no limit."),
		messages:  gauge("unconnected_history_messages", "Messages in the stream CALLS, looked at every minute."),
		checkpoint: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "unconnected_checkpoint_timestamp_seconds", Help: "Up to when the log is complete, in Unix seconds.",
		}, []string{"operation"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "unconnected_request_duration_seconds", Help: "How long a request to the API took.",
			Buckets: []float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 75},
		}, []string{"operation"}),
	}
	m.quota = newQuotaCollector()
	r.MustRegister(m.published, m.missed, m.revisions, m.backfills, m.calls, m.requests, m.checkpoint, m.duration,
		m.bytes, m.limit, m.messages, m.quota)
	return m
}

// begin makes an operation's series appear at zero, so that a rate over them is right from the first event on.
func (m *metrics) begin(operation string) {
	m.published.WithLabelValues(operation)
	m.missed.WithLabelValues(operation)
	m.revisions.WithLabelValues(operation)
	m.backfills.WithLabelValues(operation)
	m.requests.WithLabelValues(operation, outcomeFine)
	for _, kind := range wolkvox.Kinds {
		m.requests.WithLabelValues(operation, kind.String())
	}
}

func (m *metrics) requested(operation, outcome string, took time.Duration) {
	m.requests.WithLabelValues(operation, outcome).Inc()
	m.duration.WithLabelValues(operation).Observe(took.Seconds())
}

func (m *metrics) stored(e *events.Event) {
	m.reached(e.Operation, e.Checkpoint)
	switch {
	case e.Missed != nil:
		m.missed.WithLabelValues(e.Operation).Inc()
		return
	case e.Revision > 0:
		m.revisions.WithLabelValues(e.Operation).Inc()
		return
	case e.Backfill:
		m.backfills.WithLabelValues(e.Operation).Inc()
		return
	}
	m.published.WithLabelValues(e.Operation).Inc()
	for result, n := range e.Counts {
		m.calls.WithLabelValues(e.Operation, result).Add(float64(n))
	}
}

func (m *metrics) reached(operation string, checkpoint time.Time) {
	m.checkpoint.WithLabelValues(operation).Set(float64(checkpoint.Unix()))
}

// sized notes how large the history is.
func (m *metrics) sized(info *jetstream.StreamInfo) {
	m.bytes.Set(float64(info.State.Bytes))
	m.limit.Set(float64(info.Config.MaxBytes))
	m.messages.Set(float64(info.State.Msgs))
}

// stateCollector tells what /readyz tells of each operation.
type stateCollector struct{ report func() daemon.Report }

var stateDesc = prometheus.NewDesc("unconnected_operation_state",
	"What an operation is doing, as /readyz says: 1 for its state, 0 for every other of starting, ok, catching up, retrying, quota, refused, maintenance.", []string{"operation", "state"}, nil)

// Describe implements [prometheus.Collector].
func (c *stateCollector) Describe(descs chan<- *prometheus.Desc) { descs <- stateDesc }

// Collect implements [prometheus.Collector].
func (c *stateCollector) Collect(metrics chan<- prometheus.Metric) {
	for _, o := range c.report().Operations {
		for _, state := range states {
			value := 0.0
			if o.State == string(state) {
				value = 1
			}
			metrics <- prometheus.MustNewConstMetric(stateDesc, prometheus.GaugeValue, value, o.Operation, string(state))
		}
	}
}
