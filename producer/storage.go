package producer

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/lease"
	"unconnected/internal/natsio"
	"unconnected/producer/access"
	"unconnected/producer/budget"
	"unconnected/producer/journal"
	"unconnected/producer/wolkvox"
)

// storage is all that is kept in NATS: the logs, the statuses, who may ask, and what is left of the quota. It is safe for
// concurrent use.
type storage struct {
	js       jetstream.JetStream
	journals *journal.Store
	status   jetstream.KeyValue
	replicas int
	leases   *lease.Keeper
	ledgers  jetstream.KeyValue
	timeout  time.Duration // of a request
	settle   time.Duration
	daily    int64 // POLL_DAILY_BUDGET
	clock    Clock
	log      *slog.Logger

	transport http.RoundTripper // of all requests

	mu     sync.Mutex
	quotas map[string]*access.Quota // by API; guarded by mu
}

// idleConnections are kept to each server; a run of requests uses one.
const idleConnections = 4

// openStorage makes sure that stream and buckets exist. The name says to people who holds a token. Close it after use.
func openStorage(ctx context.Context, nc *nats.Conn, c *Config, name string, clock Clock, log *slog.Logger) (*storage, error) {
	js, err := natsio.JetStream(nc)
	if err != nil {
		return nil, err
	}
	s := &storage{
		js: js, timeout: time.Duration(c.Timeout), settle: time.Duration(c.Settle), daily: int64(c.DailyBudget), clock: clock, log: log,
		transport: wolkvox.NewTransport(idleConnections), quotas: make(map[string]*access.Quota),
	}
	if s.journals, err = journal.Open(ctx, js, events.CallsStream(natsio.StreamOptions(&c.NATS, &c.History)), log); err != nil {
		return nil, err
	}
	s.replicas = c.Replicas
	if s.status, err = natsio.EnsureBucket(ctx, js, natsio.BucketStatus, c.Replicas); err != nil {
		return nil, err
	}
	host, _ := os.Hostname() // without a name people see less of who holds a token
	s.leases, err = lease.New(ctx, js, lease.Options{
		Bucket: natsio.BucketLeases, Replicas: c.Replicas, Name: name + "@" + host, Log: log,
	})
	if err != nil {
		return nil, err
	}
	if s.ledgers, err = js.KeyValue(ctx, natsio.BucketLeases); err != nil {
		s.close()
		return nil, natsio.Explain(js, err)
	}
	return s, nil
}

// ensureStatus creates the bucket of the statuses if it is gone.
func (s *storage) ensureStatus(ctx context.Context) error {
	_, err := natsio.EnsureBucket(ctx, s.js, natsio.BucketStatus, s.replicas)
	return err
}

func (s *storage) close() { s.leases.Close() }

// quota is the ledger of the operation's server.
func (s *storage) quota(o *Operation) *access.Quota {
	s.mu.Lock()
	defer s.mu.Unlock()
	api := o.API()
	if s.quotas[api] == nil {
		s.quotas[api] = access.NewQuota(s.js, s.ledgers, api, budget.Settings{Daily: s.daily, Zone: o.Zone}, s.log.With("server", o.server()))
	}
	return s.quotas[api]
}

// server names the operation's server for people and metrics: its four digits, or the API's host and path.
func (o *Operation) server() string {
	if o.Server != "" {
		return o.Server
	}
	return o.API()
}
