package alerter_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"unconnected/alerter"
	"unconnected/alerter/slack/fakeslack"
	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/daemon"
	"unconnected/internal/natsio"
	"unconnected/internal/natsserver"
	"unconnected/internal/natstest"
)

// patience bounds every wait. It is only ever used up by a test that fails.
const patience = 60 * time.Second

// attempt is how long a request to Slack may take. What becomes of one without an answer is looked at a little later.
const attempt = 3 * time.Second

// windowLength is short, so that a history of many windows is young as a whole.
const windowLength = 10 * time.Second

// world is a NATS server, a Slack, a producer's side of the stream CALLS, and what alerters are started with.
type world struct {
	t      testing.TB
	server *natsserver.Server
	js     jetstream.JetStream // the test's own connection
	slack  *fakeslack.Server
	config alerter.Config
	logs   logbook
	cards  logbook // what a world without Slack shows

	preview *alerter.Preview // beside the cards; nil for none
	held    chan struct{}    // lets the first message of a grouped world go when it is closed
	attempt time.Duration    // how long a request to Slack may take
	pace    time.Duration    // between two posts in a channel; 0 for the usual
	blind   time.Duration    // for how long NATS is away before people are told; 0 for the usual

	mu     sync.Mutex
	logsOf map[string]*operationLog // guarded by mu
}

// operationLog is where the next window of an operation goes.
type operationLog struct {
	next      time.Time // start of the next window
	first     time.Time
	revisions int
}

// twoRules tell congestion (critical) and busy (warning) apart.
const twoRules = `
rules:
  - alert: Congestion
    expr: share.congestion >= 0.2 && total >= 50
    clear: share.congestion < 0.1
    value: share.congestion
    threshold: 0.2
    severity: critical
  - alert: Busy
    expr: share.busy >= 0.2 && total >= 50
    clear: share.busy < 0.1
    value: share.busy
    threshold: 0.2
    severity: warning
`

func newWorld(t testing.TB) *world {
	t.Helper()
	w := newQuietWorld(t)
	server, err := fakeslack.Start(fakeslack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	w.slack = server
	w.useSlack(server.APIURL())
	return w
}

func (w *world) useSlack(url string) {
	w.config.Slack = alerter.Slack{Token: config.NewSecret(fakeslack.DefaultToken), Channel: "#noc", APIURL: url}
}

// newQuietWorld is a world without Slack.
func newQuietWorld(t testing.TB) *world {
	t.Helper()
	makingWorlds <- struct{}{}
	defer func() { <-makingWorlds }()
	w := &world{t: t, attempt: attempt, logsOf: make(map[string]*operationLog)}
	w.useNATS(natstest.Server(t))
	w.config.Replicas = 1
	w.config.APIURL = "https://slack.com/api/"
	w.config.Alerts.Language = "en"
	w.config.Alerts.MaxAge = config.Duration(30 * time.Minute)
	w.rules(twoRules)
	return w
}

// makingWorlds keeps the tests, which run all at once, from starting all their servers at once.
var makingWorlds = make(chan struct{}, 4)

// useNATS creates the streams on a server and leaves the test's connection to it open.
func (w *world) useNATS(server *natsserver.Server) {
	w.t.Helper()
	conn := w.connect(server)
	w.t.Cleanup(conn.Close)
	js, err := jetstream.New(conn, jetstream.WithDefaultTimeout(patience))
	if err != nil {
		w.t.Fatal(err)
	}
	w.server, w.js = server, js
	natstest.CreateStreams(w.t, js)
}

func (w *world) connect(server *natsserver.Server) *nats.Conn {
	w.t.Helper()
	conn, err := nats.Connect(server.URL(), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond), nats.Timeout(patience), nats.RetryOnFailedConnect(true),
		nats.ReconnectBufSize(-1), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		w.t.Fatal(err)
	}
	return conn
}

// rules replaces the rules of the alerters that are started from now on.
func (w *world) rules(text string) {
	w.t.Helper()
	file := filepath.Join(w.t.TempDir(), "rules.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.config.RulesFile = file
}

// process is an Alerter that runs as a process of its own would: with its own connection and metrics.
type process struct {
	*alerter.Alerter
	t       testing.TB
	world   *world
	conn    *nats.Conn
	metrics *prometheus.Registry
	cancel  context.CancelFunc
	done    chan error
	once    sync.Once
}

// start runs an alerter and returns when it follows the streams.
func (w *world) start() *process {
	w.t.Helper()
	p := w.launch()
	p.reports("that it has begun", func(r daemon.Report) bool { return r.State != "starting" && r.State != "catching up" })
	return p
}

// launch runs an alerter.
func (w *world) launch() *process {
	w.t.Helper()
	return w.launchAt(func(*slog.Logger) *nats.Conn { return w.connect(w.server) })
}

// launchAt runs an alerter on a connection.
func (w *world) launchAt(connect func(*slog.Logger) *nats.Conn) *process {
	w.t.Helper()
	c := w.config
	if problems := c.Validate(); len(problems) > 0 {
		w.t.Fatal(problems)
	}
	conn := connect(w.logs.logger())
	p := &process{t: w.t, world: w, conn: conn, metrics: prometheus.NewRegistry(), done: make(chan error, 1)}
	p.Alerter = alerter.New(&c, alerter.Options{Log: w.logs.logger(), Conn: conn, Metrics: p.metrics, Output: &w.cards, Preview: w.preview})
	p.SetAttempt(w.attempt)
	p.SetPace(w.pace)
	if w.blind > 0 {
		p.SetBlindAfter(w.blind)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	go func() { p.done <- p.Run(ctx) }()
	w.t.Cleanup(p.stop)
	return p
}

// stop ends the alerter as SIGTERM does.
func (p *process) stop() {
	p.once.Do(func() {
		p.cancel()
		p.await()
		p.conn.Close()
	})
}

// kill ends the alerter so that nothing can be stored from this moment on. Its lease is taken away, as when the time to live
// has passed.
func (p *process) kill() {
	p.once.Do(func() {
		p.conn.Close()
		p.cancel()
		p.await()
		p.world.endLease()
	})
}

// abandon ends the alerter while there is no NATS that could notice.
func (p *process) abandon() {
	p.once.Do(func() {
		p.conn.Close()
		p.cancel()
		p.await()
	})
}

// endLease takes the lease away from whoever has it.
func (w *world) endLease() {
	w.t.Helper()
	bucket, err := w.js.KeyValue(w.t.Context(), natsio.BucketLeases)
	if err == nil {
		err = bucket.Purge(w.t.Context(), "alerter")
	}
	if err != nil {
		w.t.Error(err)
	}
}

func (p *process) await() {
	select {
	case err := <-p.done:
		if err != nil {
			p.t.Errorf("the alerter returned %v", err)
		}
	case <-time.After(patience):
		p.t.Error("the alerter does not stop")
	}
}

// play stores live windows of 100 calls, one for each letter: q is quiet, c 30 % congestion, C 60 %, b 30 % busy, x both, e empty,
// ? missed.
func (w *world) play(operation, letters string) {
	w.t.Helper()
	for _, letter := range strings.Fields(strings.Join(strings.Split(letters, ""), " ")) {
		l := w.log(operation)
		event := w.window(operation, l.next, letter)
		l.next = event.Window.End
		event.Checkpoint = l.next
		w.store(event)
	}
}

// correct stores a revision of window n.
func (w *world) correct(operation string, n int, letter string) {
	w.t.Helper()
	l := w.log(operation)
	l.revisions++
	event := w.window(operation, l.first.Add(time.Duration(n)*windowLength), letter)
	event.Revision, event.Checkpoint = l.revisions, l.next
	w.store(event)
}

// begin says how long ago the first window of an operation starts.
func (w *world) begin(operation string, ago time.Duration) {
	first := time.Now().UTC().Add(-ago).Truncate(windowLength)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.logsOf[operation] = &operationLog{first: first, next: first}
}

// skipTo leaves a hole in the log up to so long ago.
func (w *world) skipTo(operation string, ago time.Duration) {
	w.log(operation).next = time.Now().UTC().Add(-ago).Truncate(windowLength)
}

func (w *world) log(operation string) *operationLog {
	w.mu.Lock()
	l := w.logsOf[operation]
	w.mu.Unlock()
	if l == nil {
		w.begin(operation, 15*time.Minute)
		return w.log(operation)
	}
	return l
}

func (w *world) window(operation string, start time.Time, letter string) *events.Event {
	event := &events.Event{
		Operation: operation, Timezone: "America/Bogota", Source: "//simulated/cdr_6",
		Window: events.Window{Start: start, End: start.Add(windowLength)}, PolledAt: time.Now().UTC(),
	}
	if letter == "?" {
		event.Missed = &events.Missed{Reason: "garbage", Attempts: 3}
		return event
	}
	event.Counts = make(map[string]int64)
	for _, result := range events.DocumentedResults() {
		event.Counts[result] = 0
	}
	if strings.Contains("cx", letter) {
		event.Counts[events.Congestion] = 30
	}
	if letter == "C" {
		event.Counts[events.Congestion] = 60
	}
	if strings.Contains("bx", letter) {
		event.Counts[events.Busy] = 30
	}
	if letter != "e" {
		event.Total = 100
		event.Counts[events.NoAnswer] = 100 - event.Counts[events.Congestion] - event.Counts[events.Busy]
	}
	return event
}

func (w *world) store(event *events.Event) {
	w.t.Helper()
	msg, err := events.Encode(event)
	if err != nil {
		w.t.Fatal(err)
	}
	msg.Header.Del(nats.MsgIdHdr) // a stream that is created anew within two minutes would not take it
	if _, err := w.js.PublishMsg(w.t.Context(), msg); err != nil {
		w.t.Fatal(err)
	}
}

// alerts are the messages of ALERTS, one a line: operation, rule, cause, status, reason.
func (w *world) alerts() []string {
	w.t.Helper()
	var lines []string
	for _, a := range w.stored() {
		lines = append(lines, strings.TrimSpace(a.ID()+" "+a.Reason))
	}
	return lines
}

// stored are the valid messages of ALERTS, in their order.
func (w *world) stored() []events.Alert {
	w.t.Helper()
	stream, err := w.js.Stream(w.t.Context(), events.StreamAlerts)
	if err != nil {
		w.t.Fatal(err)
	}
	var all []events.Alert
	state := stream.CachedInfo().State
	for seq := state.FirstSeq; seq != 0 && seq <= state.LastSeq; seq++ {
		raw, err := stream.GetMsg(w.t.Context(), seq)
		if err != nil {
			w.t.Fatal(err)
		}
		if alert, err := events.DecodeRawAlert(raw); err == nil {
			all = append(all, alert)
		}
	}
	return all
}

// expectAlerts waits until everything in CALLS is judged, and compares ALERTS.
func (w *world) expectAlerts(p *process, want ...string) {
	w.t.Helper()
	p.judged(w)
	if got := w.alerts(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		w.t.Fatalf("ALERTS holds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// judged waits until the alerter has judged the last window of every operation. Corrections behind it do not count.
func (p *process) judged(w *world) {
	p.t.Helper()
	p.reports("that all windows are judged", func(r daemon.Report) bool {
		reached := make(map[string]time.Time)
		for _, o := range r.Operations {
			reached[o.Operation] = o.Checkpoint
		}
		for name, l := range w.logsOf {
			if l.next.After(l.first) && !reached[name].Equal(l.next) {
				return false
			}
		}
		return r.State != "starting" && r.State != "retrying" && r.State != "catching up"
	})
}

// reports waits for a Report.
func (p *process) reports(what string, is func(daemon.Report) bool) {
	p.t.Helper()
	eventually(p.t, what, func() (bool, string) {
		r := p.Report()
		return is(r), fmt.Sprintf("%+v", r)
	})
}

// eventually polls until is tells true, or fails with what it said last.
func eventually(t testing.TB, what string, is func() (bool, string)) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		ok, state := is()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s; it is %s", what, state)
		}
		<-time.After(pause)
	}
}

// logbook is a log that tests read while it is written.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (l *logbook) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
