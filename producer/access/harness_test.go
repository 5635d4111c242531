package access_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/internal/lease"
	"unconnected/internal/natsio"
	"unconnected/internal/natsserver"
	"unconnected/internal/natstest"
	"unconnected/producer/access"
	"unconnected/producer/budget"
	"unconnected/producer/wolkvox"
	"unconnected/producer/wolkvox/simulator"
)

// patience is how long anything that is bound to happen may take on a busy machine.
const patience = 30 * time.Second

// noon is the time of day in all tests, by the clock of the ledger: far from both midnights.
var noon = time.Date(2026, 11, 25, 17, 0, 0, 0, time.UTC)

// site is a simulated API and a NATS server, for processes that share a token.
type site struct {
	api     *simulator.Simulator
	url     string
	nats    *natsserver.Server
	js      jetstream.JetStream // the test's own
	timeout time.Duration
	daily   int64 // POLL_DAILY_BUDGET
}

func newSite(t *testing.T, o simulator.Options) *site {
	t.Helper()
	s := &site{api: simulator.New(o), nats: natstest.Server(t), timeout: time.Second}
	server := httptest.NewServer(s.api)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	s.url = server.URL + "/api/v2"
	_, s.js = natstest.Connect(t, s.nats)
	return s
}

// process is a Gate with everything of its own that a process has.
type process struct {
	*access.Gate
	t        *testing.T
	quota    *access.Quota
	log      *lines
	outcomes map[string]int // of requests; read when none is under way
	token    func(string)   // changes it
}

// lines are what was logged, from warnings on. They are safe for concurrent use.
type lines struct {
	mu   sync.Mutex
	text []string // guarded by mu
}

func (l *lines) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

func (l *lines) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, r.Message)
	return nil
}

func (l *lines) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l *lines) WithGroup(string) slog.Handler      { return l }

// process starts one more process of the site.
func (s *site) process(t *testing.T, name string) *process {
	t.Helper()
	_, js := natstest.Connect(t, s.nats)
	keeper, err := lease.New(t.Context(), js, lease.Options{Bucket: natsio.BucketLeases, Name: name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(keeper.Close)
	bucket, err := js.KeyValue(t.Context(), natsio.BucketLeases)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, log: &lines{}, outcomes: make(map[string]int)}
	token := simulator.DefaultToken
	p.token = func(next string) { token = next }
	zone := time.FixedZone("Bogota", -5*60*60)
	p.quota = access.NewQuota(js, bucket, s.url, budget.Settings{Daily: s.daily, Zone: zone}, slog.New(p.log))
	p.Gate = access.New(access.Options{
		Client: wolkvox.New(wolkvox.Options{
			BaseURL: s.url, Token: func() string { return token }, Location: zone, Timeout: s.timeout,
		}),
		API: s.url, Token: func() string { return token }, Timeout: s.timeout, Leases: keeper, Quota: p.quota,
		Now: func() time.Time { return noon }, Log: slog.New(p.log),
		Requested: func(outcome string, _ time.Duration) { p.outcomes[outcome]++ },
	})
	return p
}

// enter fails the test when a request may not be sent.
func (p *process) enter(class budget.Class, want int) (fresh bool) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	fresh, err := p.Enter(ctx, class, want)
	if err != nil {
		p.t.Fatal(err)
	}
	return fresh
}

// shut fails the test when a request may be sent within a while.
func (p *process) shut(class budget.Class, within time.Duration) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), within)
	defer cancel()
	if _, err := p.Enter(ctx, class, 1); ctx.Err() == nil {
		p.t.Fatalf("Enter = %v, want that it waits", err)
	}
}

// report asks for some minute.
func (p *process) report() error {
	_, err := p.Report(p.t.Context(), noon, noon.Add(time.Minute))
	return err
}

// ask enters and asks, and fails the test when there is no answer.
func (p *process) ask(class budget.Class, want int) (fresh bool) {
	p.t.Helper()
	fresh = p.enter(class, want)
	if err := p.report(); err != nil {
		p.t.Fatal(err)
	}
	return fresh
}

func (p *process) leave() { p.Leave(p.t.Context()) }

// inBackground enters in the background; the channel has what came of it.
func (p *process) inBackground(class budget.Class) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := p.Enter(p.t.Context(), class, 1)
		done <- err
	}()
	return done
}

// served fails the test when an Enter in the background doesn't succeed.
func served(t *testing.T, what string, done <-chan error) {
	t.Helper()
	select {
	case err := <-done:
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	case <-time.After(patience):
		t.Fatalf("not served: %s", what)
	}
}

// sent is how many requests the ledger holds as sent.
func (p *process) sent() (sent int64) {
	p.t.Helper()
	if err := p.quota.Look(p.t.Context(), func(b *budget.Budget) { sent = b.Ledger.Sent }); err != nil {
		p.t.Fatal(err)
	}
	return sent
}

// alone fails the test when two requests were ever under way.
func (s *site) alone(t *testing.T) {
	t.Helper()
	if n := s.api.MaxConcurrent(); n > 1 {
		t.Errorf("%d requests at the same time", n)
	}
}

// gap is how long after the request before it the last one came.
func (s *site) gap(t *testing.T) time.Duration {
	t.Helper()
	ledger := s.api.Ledger()
	if len(ledger) < 2 {
		t.Fatalf("%d requests", len(ledger))
	}
	return ledger[len(ledger)-1].At.Sub(ledger[len(ledger)-2].At)
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); !is(); <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}
