package main

import (
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/daemon"
	"unconnected/internal/natsio"
)

// selection bounds which windows a command looks at.
type selection struct {
	From      config.Moment `placeholder:"TIME" help:"Only windows that start at or after this: RFC 3339, a date, or relative such as -24h."`
	To        config.Moment `placeholder:"TIME" help:"Only windows that start before this."`
	Operation []string      `placeholder:"NAME" help:"Only these operations; default all."`
}

// Validate refuses what could only select nothing.
func (s *selection) Validate() error {
	if q := s.query(); !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		return fmt.Errorf("--from %s is not before --to %s", q.From.Format(time.RFC3339), q.To.Format(time.RFC3339))
	}
	for _, name := range s.Operation {
		if !events.ValidOperation(name) {
			return fmt.Errorf("--operation: %q is not a name of [a-z0-9][a-z0-9_-]{0,62}", name)
		}
	}
	return nil
}

func (s *selection) query() events.Query {
	at := func(m config.Moment) time.Time {
		if !m.IsSet() {
			return time.Time{}
		}
		return m.At(now())
	}
	return events.Query{Operations: s.Operation, From: at(s.From), To: at(s.To)}
}

// connection is an open connection to the NATS of the environment.
type connection struct {
	nc *nats.Conn
	js jetstream.JetStream
}

func (c *connection) close() { c.nc.Close() }

// connect opens the connection that the environment describes.
func (t *terminal) connect() (*connection, error) {
	var settings config.NATS
	if err := config.Load(&settings); err != nil {
		return nil, daemon.Usage(err)
	}
	nc, err := natsio.Dial(t.ctx, "unconnected", &settings, t.log)
	if err != nil {
		return nil, err
	}
	js, err := natsio.JetStream(nc)
	if err != nil {
		nc.Close()
		return nil, err
	}
	t.nc = nc
	return &connection{nc, js}, nil
}
