// Package producer polls the API, one request at a time per token, window by window, and stores each window as one event
// in the log of its operation: once, in order, with nothing left out.
//
// The log is the state. Each append names the message that it expects to follow, so that a second producer, a late retry
// or a stale replica is refused by the server; whoever is refused reads the log again and decides anew. After a crash
// the producer goes on behind the log's last message, and keeps nothing of its own but a mark that tells a lost end from a
// new log.
package producer

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"unconnected/internal/daemon"
	"unconnected/internal/natsio"
)

// Options are what a Producer needs beside its configuration.
type Options struct {
	Log     *slog.Logger
	Conn    *nats.Conn // stays open when the producer stops
	Metrics prometheus.Registerer
	// Simulated says that the API is the built-in simulator: its events say so, and the zone is not questioned.
	Simulated bool
	// Clock is what the producer reads the time from, and waits by; the zero Clock is the host's.
	Clock Clock
	// Embedded says that the NATS server lives and dies with this process: what it lacks will not come by waiting.
	Embedded bool
}

// Producer polls the operations of a configuration.
type Producer struct {
	config  *Config
	options Options
	board   *board
	metrics *metrics
}

// New makes a Producer of a validated configuration and registers its metrics.
func New(c *Config, o Options) *Producer {
	if len(c.Operations) > 0 && c.Token.IsSet() {
		o.Log.Warn("WOLKVOX_TOKEN is ignored: with WOLKVOX_OPERATIONS each operation has its own")
	}
	o.Clock = o.Clock.withDefaults()
	p := &Producer{
		config: c, options: o,
		board: newBoard(c.operations, o.Clock.now()), metrics: newMetrics(o.Metrics),
	}
	o.Metrics.MustRegister(&stateCollector{p.Report})
	return p
}

// Report is the readiness of every operation. It is safe for concurrent use.
func (p *Producer) Report() daemon.Report { return p.board.report(natsio.Away(p.options.Conn)) }

// Run polls until ctx ends, and then returns nil once the appends under way are through. While NATS or the API are away
// it waits for them. It returns an error when it must not go on: a log that holds the other kind of history (an error for
// exit code 2), or streams that a person must make room for.
func (p *Producer) Run(ctx context.Context) error {
	store, err := p.openStorage(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer store.close()
	group, polling := errgroup.WithContext(ctx)
	group.Go(func() error { p.board.publish(polling, store.status, store.ensureStatus); return nil })
	group.Go(func() error { store.watchCapacity(polling, p.metrics.sized, p.board.setHistory); return nil })
	for i, o := range p.config.operations {
		poller := p.newPoller(o, i, len(p.config.operations), store)
		group.Go(func() error { return poller.run(polling) })
	}
	if err := group.Wait(); ctx.Err() == nil {
		return err
	}
	return nil
}

// openStorage waits until stream and buckets are there.
func (p *Producer) openStorage(ctx context.Context) (store *storage, err error) {
	err = natsio.Retry(ctx, p.options.Log, "making sure that the streams exist", p.options.Embedded, func(ctx context.Context) error {
		store, err = openStorage(ctx, p.options.Conn, p.config, "producer", p.options.Clock, p.options.Log)
		if err != nil {
			for _, o := range p.config.operations {
				p.board.set(o.Name, Retrying, err.Error(), p.options.Clock.now(), time.Time{})
			}
		}
		return err
	})
	return store, err
}
