package producer

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"unconnected/producer/access"
	"unconnected/producer/budget"
)

// quotaCollector tells what is left of the quota of each server. What is not known has no series.
type quotaCollector struct {
	remaining, forecast, resumes *prometheus.Desc

	mu     sync.Mutex
	quotas map[string]*access.Quota // by server; guarded by mu
	now    func() time.Time         // guarded by mu
}

func newQuotaCollector() *quotaCollector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, []string{"server"}, nil)
	}
	return &quotaCollector{
		remaining: desc("unconnected_quota_remaining_requests", "Requests that are left of the day's quota, as far as is known."),
		forecast: desc("unconnected_quota_exhaustion_timestamp_seconds",
			"When the day's quota will be spent at the present rate, in Unix seconds; 0 when it lasts for the day."),
		resumes: desc("unconnected_quota_resumes_timestamp_seconds",
			"Until when nothing is sent because the API said that the quota is spent, in Unix seconds; 0 when it is not."),
		quotas: make(map[string]*access.Quota),
	}
}

// watch makes the metrics tell of a server's quota.
func (c *quotaCollector) watch(server string, q *access.Quota, now func() time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.quotas[server], c.now = q, now
}

// Describe implements [prometheus.Collector].
func (c *quotaCollector) Describe(descs chan<- *prometheus.Desc) {
	descs <- c.remaining
	descs <- c.forecast
	descs <- c.resumes
}

// Collect implements [prometheus.Collector].
func (c *quotaCollector) Collect(metrics chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for server, quota := range c.quotas {
		gauge := func(desc *prometheus.Desc, value float64) {
			metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, server)
		}
		quota.Seen(func(b *budget.Budget) {
			now := c.now()
			left, known := b.Left(now)
			if !known {
				return
			}
			gauge(c.remaining, float64(left))
			at, foreseen := b.Forecast(now)
			gauge(c.forecast, unixIf(at, foreseen))
			gauge(c.resumes, unixIf(b.Ledger.SpentUntil, now.Before(b.Ledger.SpentUntil)))
		})
	}
}

// unixIf is an instant in Unix seconds, or 0.
func unixIf(at time.Time, holds bool) float64 {
	if !holds {
		return 0
	}
	return float64(at.Unix())
}
