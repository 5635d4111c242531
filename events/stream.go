package events

import (
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// StreamOptions are what an installation may choose about the streams.
type StreamOptions struct {
	Replicas int           // copies in a cluster; 0 means 1
	MaxAge   time.Duration // how long CALLS keeps its messages; 0 means for ever
	MaxBytes int64         // how large CALLS may grow, the oldest messages go first; 0 means without bound
}

// alertsMaxAge outlives every question about an incident of the last year.
const alertsMaxAge = 400 * 24 * time.Hour

// alertsMaxBytes is some sixty thousand transitions. The server sets the room aside, so it is no more than that.
const alertsMaxBytes = 64 << 20

// CallsStream is the definition of CALLS: the history of every operation and, in each log's last message, its checkpoint.
// Nobody can delete or purge from it; only retention removes messages.
func CallsStream(o StreamOptions) jetstream.StreamConfig {
	return auditStream(jetstream.StreamConfig{
		Name:        StreamCalls,
		Description: "unconnected calls by result, one log per operation",
		Subjects:    Subjects(),
		Replicas:    o.Replicas, MaxAge: o.MaxAge, MaxBytes: o.MaxBytes,
	})
}

// AlertsStream is the definition of ALERTS: the transitions of all alerts and what people did about them.
func AlertsStream(o StreamOptions) jetstream.StreamConfig {
	return auditStream(jetstream.StreamConfig{
		Name:        StreamAlerts,
		Description: "transitions of alerts, and what people did about them",
		Subjects:    append(AlertSubjects(), ActionSubjects()...),
		Replicas:    o.Replicas, MaxAge: alertsMaxAge, MaxBytes: alertsMaxBytes,
	})
}

// auditStream adds what both streams have in common.
func auditStream(c jetstream.StreamConfig) jetstream.StreamConfig {
	c.Storage = jetstream.FileStorage
	c.Retention = jetstream.LimitsPolicy
	c.Discard = jetstream.DiscardOld
	c.Compression = jetstream.S2Compression
	c.AllowDirect = true
	c.DenyDelete = true
	c.DenyPurge = true
	c.Replicas = max(c.Replicas, 1)
	// The server's default for both; stated, so that the plan compares like with like.
	c.Duplicates = 2 * time.Minute
	c.MaxConsumers, c.MaxMsgs, c.MaxMsgsPerSubject, c.MaxMsgSize = -1, -1, -1, -1
	if c.MaxBytes == 0 {
		c.MaxBytes = -1
	}
	return c
}
