package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/alerter/slack/fakeslack"
	"unconnected/events"
	"unconnected/internal/natsserver"
	"unconnected/producer/wolkvox/simulator"
)

// The secrets of every world. None of them may ever be seen.
const (
	wolkvoxToken  = "wx-9f27c1d0-secret-of-the-api"
	slackToken    = "xoxb-4711-secret-of-slack"
	natsPassword  = "secret-of-nats-5e884898da"
	heartbeatPath = "secret-of-the-heartbeat-6b3a55e0"
)

// second is the length of the windows, in which the stories here are told.
const second = time.Second

// timeout is the time limit of a request: the shortest that there is, since a producer that is killed leaves its token behind
// for twice as long.
const timeout = time.Second

// ttl is how long the token stays with a producer that was killed.
const ttl = 2 * timeout

// rules are two rules whose story is the same each time an incident of 90 % congestion comes and goes: Congestion fires
// with its second window, Deep with its fourth; Deep is resolved with the first quiet window, Congestion with the third.
const rules = `rules:
  - alert: Congestion
    title: {en: "Congestion", es: "Congestión"}
    expr: share.congestion >= 0.50 && total >= 20
    clear: share.congestion < 0.40
    for: 2
    keep: 3
    severity: critical
    value: share.congestion
    threshold: 0.50
    summary: "{{percent .Value}} congestion"
  - alert: Deep
    expr: share.congestion >= 0.70 && total >= 20
    for: 4
    severity: warning
    value: share.congestion
    threshold: 0.70
    summary: "deep: {{percent .Value}} congestion"
`

// story is what rules make of one incident, as rule and status.
var story = []string{"Congestion firing", "Deep firing", "Deep resolved", "Congestion resolved"}

// congestion is an incident between two instants, given from now.
func congestion(from, to time.Duration) simulator.Incident {
	now := time.Now().UTC().Truncate(second)
	return simulator.Incident{Start: now.Add(from), End: now.Add(to), Result: events.Congestion, Share: 0.9}
}

// world is everything that the programs talk to.
type world struct {
	t       testing.TB
	broker  *broker
	api     *simulator.Simulator
	apiURL  string
	slack   *fakeslack.Server
	js      jetstream.JetStream // the test's own connection, which outlives the broker's restarts
	env     map[string]string   // for every program
	secrets []string
}

// newWorld has 200 calls a second, and the incidents given.
func newWorld(t testing.TB, incidents ...simulator.Incident) *world {
	t.Helper()
	return newWorldOf(t, simulator.Options{Incidents: incidents})
}

// newWorldOf is newWorld with a simulator of one's own; tokens and profile are the world's.
func newWorldOf(t testing.TB, o simulator.Options) *world {
	t.Helper()
	w := &world{t: t, broker: newBroker(t)}
	w.api, w.apiURL = serveAPI(t, o)
	slack, err := fakeslack.Start(fakeslack.Options{Token: slackToken})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = slack.Close() })
	w.slack = slack
	w.js = connectTo(t, w.broker.url())
	js := w.js
	t.Cleanup(func() { // when the programs have ended
		if w.broker.server == nil {
			w.broker.start()
		}
		w.requireNoSecretStored(js)
	})
	rulesFile := filepath.Join(t.TempDir(), "rules.yaml")
	writeFile(t, rulesFile, rules)
	_, webhookKey, _ := strings.Cut(slack.WebhookURL(), "/services/")
	w.secrets = []string{wolkvoxToken, slackToken, natsPassword, heartbeatPath}
	if webhookKey != "" {
		w.secrets = append(w.secrets, webhookKey)
	}
	w.env = map[string]string{
		"LANG": "C", "HTTP_ADDR": "127.0.0.1:0", "LOG_LEVEL": "debug",
		"NATS_URL": w.broker.url(), "NATS_USER": "tester", "NATS_PASSWORD": natsPassword,
		"WOLKVOX_BASE_URL": w.apiURL, "WOLKVOX_TOKEN": wolkvoxToken,
		"POLL_WINDOW": "1s", "POLL_SETTLE": "0s", "POLL_START": time.Now().Add(-30 * second).Format(time.RFC3339),
		"WOLKVOX_TIMEOUT": timeout.String(),
		"ALERT_RULES":     rulesFile, "ALERT_HEARTBEAT_URL": "http://127.0.0.1:1/" + heartbeatPath,
		"SLACK_TOKEN": slackToken, "SLACK_CHANNEL": "#noc", "SLACK_API_URL": slack.APIURL(),
	}
	return w
}

// serveAPI serves a simulated API.
func serveAPI(t testing.TB, o simulator.Options) (*simulator.Simulator, string) {
	t.Helper()
	if o.Profile == (simulator.Profile{}) {
		o.Profile = simulator.AlwaysBusy().Scaled(20)
	}
	o.Tokens = []string{wolkvoxToken}
	api := simulator.New(o)
	server := httptest.NewServer(api)
	t.Cleanup(func() {
		server.CloseClientConnections() // a hanging request would be waited for
		server.Close()
	})
	return api, server.URL + "/api/v2"
}

func writeFile(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// environment is the world's, with single variables changed; an empty value takes one away.
func (w *world) environment(changes map[string]string) map[string]string {
	env := make(map[string]string)
	for _, m := range []map[string]string{w.env, changes} {
		for name, value := range m {
			env[name] = value
		}
	}
	return env
}

// start starts a program.
func (w *world) start(program string, changes map[string]string, args ...string) *process {
	w.t.Helper()
	return spawn(w.t, w.secrets, w.environment(changes), program, args...)
}

// tool runs a command of unconnected to its end, and wants an exit code. It returns both outputs.
func (w *world) tool(want int, args ...string) (stdout, stderr string) {
	w.t.Helper()
	p := w.start("unconnected", nil, args...)
	p.exit(patience, want)
	return p.stdout.String(), p.stderr.String()
}

// verified wants `unconnected verify` to find nothing wrong.
func (w *world) verified() {
	w.t.Helper()
	if stdout, _ := w.tool(0, "verify"); !strings.Contains(stdout, "no faults") {
		w.t.Errorf("verify says %s", stdout)
	}
}

// connectTo opens a connection of the test's own.
func connectTo(t testing.TB, url string) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// broker is a NATS server that can be stopped and started again with the same port and files.
type broker struct {
	t      testing.TB
	dir    string
	listen string
	server *natsserver.Server // nil while it is stopped
}

func newBroker(t testing.TB) *broker {
	t.Helper()
	b := &broker{t: t, dir: t.TempDir()}
	// A port below those that systems give to outgoing connections, or one of these may take it while the server is down.
	for range 100 {
		b.listen = fmt.Sprintf("127.0.0.1:%d", 10000+rand.IntN(20000))
		if b.tryStart() == nil {
			break
		}
	}
	if b.server == nil {
		t.Fatal("no port is free")
	}
	t.Cleanup(b.stop)
	return b
}

func (b *broker) tryStart() error {
	server, err := natsserver.Start(natsserver.Options{Dir: b.dir, Listen: b.listen, NoSync: true})
	if err == nil {
		b.server = server
	}
	return err
}

func (b *broker) start() {
	b.t.Helper()
	eventually(b.t, b.tryStart)
}

func (b *broker) stop() {
	if b.server != nil {
		b.server.Close()
		b.server = nil
	}
}

func (b *broker) url() string { return "nats://" + b.listen }
