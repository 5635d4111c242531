package alerter

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"unconnected/alerter/incident"
	"unconnected/events"
)

// metrics are the alerter's Prometheus metrics.
type metrics struct {
	evaluated     *prometheus.GaugeVec
	firing        *prometheus.GaugeVec
	notifications *prometheus.CounterVec
	delay         prometheus.Histogram
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		evaluated: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "unconnected_evaluated_timestamp_seconds", Help: "End of the newest window that was evaluated, in Unix seconds.",
		}, []string{"operation"}),
		firing: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "unconnected_alerts_firing", Help: "Alerts that fire now.",
		}, []string{"operation", "severity"}),
		notifications: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "unconnected_notifications_total", Help: "Attempts to tell people, by outcome: delivered, ambiguous, undelivered, permanent, payload.",
		}, []string{"outcome"}),
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "unconnected_notification_delay_seconds", Help: "From the storing of an alert event until people were told.",
			Buckets: []float64{0.002, 0.005, 0.01, 0.05, 0.25, 1, 5, 30, 120, 600, 3600},
		}),
	}
	r.MustRegister(m.evaluated, m.firing, m.notifications, m.delay)
	m.notifications.WithLabelValues("delivered")
	for _, class := range []incident.Class{incident.Ambiguous, incident.Undelivered, incident.Permanent, incident.Payload} {
		m.notifications.WithLabelValues(class.String())
	}
	return m
}

// judged notes how far the evaluation of an operation got.
func (m *metrics) judged(operation string, windowEnd time.Time) {
	if !windowEnd.IsZero() {
		m.evaluated.WithLabelValues(operation).Set(float64(windowEnd.Unix()))
	}
}

// fires notes what fires of an operation.
func (m *metrics) fires(operation string, published map[string]events.Alert) {
	firing := map[string]int{events.Info: 0, events.Warning: 0, events.Critical: 0}
	for _, a := range published {
		if a.Status == events.Firing {
			firing[a.Severity]++
		}
	}
	for severity, n := range firing {
		m.firing.WithLabelValues(operation, severity).Set(float64(n))
	}
}

// gauges are the metrics that are read off the alerter when they are asked for.
func (a *Alerter) gauges() []prometheus.Collector {
	gauge := func(name, help string, read func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read)
	}
	return []prometheus.Collector{
		gauge("unconnected_on_duty", "1 while this alerter judges and tells, 0 while it stands by.", func() float64 {
			if a.onDuty() {
				return 1
			}
			return 0
		}),
		gauge("unconnected_notifications_waiting", "Messages about incidents that failed, and will be tried again.", func() float64 {
			n, _ := a.waiting()
			return float64(n)
		}),
		gauge("unconnected_notifications_waiting_since_timestamp_seconds",
			"Since when the oldest of them has failed, in Unix seconds; 0 when none waits.", func() float64 {
				n, since := a.waiting()
				if n == 0 {
					return 0
				}
				return float64(since.Unix())
			}),
	}
}

// waiting counts the messages that failed and will be tried again, and says since when the oldest of them has.
func (a *Alerter) waiting() (n int, since time.Time) {
	s := a.current.Load()
	if s == nil || !s.duty.has() {
		return 0, time.Time{} // whoever is on duty tells it
	}
	return s.notifier.waiting()
}

// waiting is safe for concurrent use.
func (n *notifier) waiting() (count int, since time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, q := range n.queues {
		for id := range q.pending {
			trouble := n.records.get(id, q.channel).Trouble
			if trouble == nil {
				continue
			}
			count++
			if since.IsZero() || trouble.Since.Before(since) {
				since = trouble.Since
			}
		}
	}
	return count, since
}
