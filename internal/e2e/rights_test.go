package e2e

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natsroles"
	"unconnected/internal/natstest"
	"unconnected/producer/wolkvox/simulator"
)

// guarded is a world whose NATS server knows the users that `unconnected streams users` writes, and a tester who may do
// everything.
type guarded struct {
	*world
	dir string // with the keys
}

func newGuarded(t *testing.T, o simulator.Options) *guarded { return newGuardedWith(t, o, "") }

// newGuardedWith has more in the server's configuration.
func newGuardedWith(t *testing.T, o simulator.Options, more string, options ...nats.Option) *guarded {
	t.Helper()
	g := &guarded{newWorldOf(t, o), filepath.Join(t.TempDir(), "nats")}
	g.broker.stop()
	g.env["NATS_USER"], g.env["NATS_PASSWORD"] = "", ""
	g.tool(0, "streams", "users", "--generate", g.dir)
	for _, role := range natsroles.Roles() {
		seed, err := os.ReadFile(g.key(role.Name))
		if err != nil {
			t.Fatal(err)
		}
		g.secrets = append(g.secrets, strings.TrimSpace(string(seed)))
	}
	s := serveConf(t, filepath.Join(g.dir, "users.conf"), more)
	g.env["NATS_URL"] = s.ClientURL()
	nc, err := nats.Connect(s.ClientURL(), append(options, nats.UserInfo("tester", natsPassword))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	if g.js, err = jetstream.New(nc); err != nil {
		t.Fatal(err)
	}
	return g
}

// serveConf starts a server with the users of a file and the tester.
func serveConf(t *testing.T, users, more string) *server.Server {
	t.Helper()
	written, err := os.ReadFile(users)
	if err != nil {
		t.Fatal(err)
	}
	tester := "users: [\n{user: tester, password: \"" + natsPassword + "\"}\n"
	conf := filepath.Join(t.TempDir(), "nats.conf")
	writeFile(t, conf, "listen: \"127.0.0.1:-1\"\njetstream {store_dir: \""+t.TempDir()+"\"}\n"+more+
		strings.Replace(string(written), "users: [\n", tester, 1))
	options, err := server.ProcessConfigFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	options.NoSigs, options.NoLog = true, true
	s, err := server.NewServer(options)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server does not start")
	}
	return s
}

func (g *guarded) key(role string) string { return filepath.Join(g.dir, role+".nk") }

// startAs starts a program as the user of a role, which must not be refused a single subject in all its life.
func (g *guarded) startAs(role, program string, args ...string) *process {
	g.t.Helper()
	p := g.start(program, map[string]string{"NATS_CREDS": g.key(role)}, args...)
	g.t.Cleanup(func() { // before the process is killed
		if at := strings.Index(strings.ToLower(p.stderr.String()), "permission"); at >= 0 {
			g.t.Errorf("%s as %s is refused something: %.400s", program, role, p.stderr.String()[at:])
		}
	})
	return p
}

// toolAs runs a command as the user of a role to its end, and wants it to succeed.
func (g *guarded) toolAs(role string, args ...string) string {
	g.t.Helper()
	p := g.startAs(role, "unconnected", args...)
	p.exit(patience, 0)
	return p.stdout.String()
}

// TestEachRoleDoesItsJob: with the least rights, the admin makes the streams, the producer catches up, the alerter tells an
// incident from begin to end, the admin backfills, and the reader reads all of it: nobody is refused anything.
func TestEachRoleDoesItsJob(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, simulator.Options{Incidents: []simulator.Incident{congestion(-20*second, -10*second)}})
	g.toolAs(natsroles.Admin, "streams", "apply")
	g.toolAs(natsroles.Admin, "streams", "plan")
	producer, alerter := g.startAs(natsroles.Producer, "producer"), g.startAs(natsroles.Alerter, "alerter")
	second := g.startAs(natsroles.Producer, "producer") // waits for its turn with the token
	standby := g.startAs(natsroles.Alerter, "alerter")
	tail := g.startAs(natsroles.Reader, "unconnected", "tail")
	g.awaitStory()
	g.awaitToldInSlack()
	g.awaitLive()
	for _, p := range []*process{producer, alerter, second, standby} {
		p.awaitReady()
	}
	tail.awaitOutput("unconnected calls")
	from := time.Now().Add(-2 * time.Minute).UTC().Format(time.RFC3339)
	for _, role := range []string{natsroles.Reader, natsroles.Admin} {
		g.toolAs(role, "history")
		g.toolAs(role, "verify")
		g.toolAs(role, "backtest")
		g.toolAs(role, "explain", "default", "Congestion")
	}
	g.toolAs(natsroles.Admin, "backfill", "--from", from)
	g.toolAs(natsroles.Admin, "streams", "apply", "--forget-quota")
	producer.stop()
	alerter.stop()
	standby.awaitLog("on duty: this alerter judges and tells now")
	second.awaitReady()
	g.awaitLive()
	g.requireStory()
	if log := g.log(); len(log) < 120 {
		t.Errorf("%d windows, with those that were filled there must be more", len(log))
	}
	standby.stop()
	second.stop()
	tail.stop()
}

// TestStreamsThatNobodyMadeYet: who may not create streams says who has to, and goes on as soon as they are there.
func TestStreamsThatNobodyMadeYet(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, simulator.Options{})
	as := func(role string) map[string]string { return map[string]string{"NATS_CREDS": g.key(role)} }
	producer, alerter := g.start("producer", as(natsroles.Producer)), g.start("alerter", as(natsroles.Alerter))
	for _, p := range []*process{producer, alerter} {
		p.awaitUnready([]string{"retrying", "starting"}, "stream CALLS", "it is missing", "unconnected streams apply", "admin", "$JS.API.STREAM.CREATE.CALLS")
	}
	g.toolAs(natsroles.Admin, "streams", "apply")
	producer.awaitReady()
	alerter.awaitReady()
	producer.stop()
	alerter.stop()
}

// TestToolsAreRefused: a command that the user may not use ends with code 1 and one line, which names the subject and what to do.
func TestToolsAreRefused(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, simulator.Options{})
	g.refused(t, natsroles.Reader, "streams apply", "$JS.API.STREAM.CREATE.CALLS", "unconnected streams apply")
	g.populate()
	for _, c := range []struct{ role, command, subject string }{
		{natsroles.Producer, "streams plan", "$JS.API.STREAM.INFO.ALERTS"},
		{natsroles.Producer, "explain default Busy", "$JS.API.CONSUMER.CREATE.ALERTS."},
		{natsroles.Alerter, "verify", "$JS.API.STREAM.INFO.KV_unconnected_marks"},
		{natsroles.Reader, "backfill --from -1m", "$JS.API.STREAM.INFO.KV_unconnected_status"},
		{natsroles.Reader, "streams apply --accept-loss default", "$KV.unconnected_marks.default"},
		{natsroles.Reader, "streams apply --forget-quota", "$JS.API.STREAM.INFO.KV_unconnected_leases"},
	} {
		t.Run(c.role+" "+c.command, func(t *testing.T) {
			t.Parallel()
			g.refused(t, c.role, c.command, c.subject)
		})
	}
}

// refused runs a command that the role may not use.
func (g *guarded) refused(t *testing.T, role, command string, says ...string) {
	t.Helper()
	env := g.environment(map[string]string{"NATS_CREDS": g.key(role), "LOG_LEVEL": "info"})
	p := spawn(t, g.secrets, env, "unconnected", strings.Fields(command)...)
	p.exit(patience, 1)
	said := p.stderr.String()
	if err := contains(said, append(says, "this user may not", "unconnected streams users")...); err != nil {
		t.Error(err)
	}
	if lines := strings.Count(said, "\n"); lines != 1 {
		t.Errorf("%d lines: %s", lines, said)
	}
}

// populate makes the streams and a short history.
func (g *guarded) populate() {
	g.t.Helper()
	g.toolAs(natsroles.Admin, "streams", "apply")
	producer := g.startAs(natsroles.Producer, "producer")
	g.awaitLive()
	producer.stop()
}

// TestReaderFromGo: what the README tells a data team to do, with a key and nothing else: read all of the history, and follow
// it durably.
func TestReaderFromGo(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, simulator.Options{})
	g.populate()
	key, err := nats.NkeyOptionFromSeed(g.key(natsroles.Reader))
	if err != nil {
		t.Fatal(err)
	}
	var refused atomic.Pointer[string]
	nc, err := nats.Connect(g.env["NATS_URL"], key, nats.CustomInboxPrefix("_INBOX_reader"),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { text := err.Error(); refused.Store(&text) }))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	want, n := len(g.log()), 0
	for _, err := range events.History(t.Context(), js, events.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != want {
		t.Errorf("%d events read, want %d", n, want)
	}
	ctx, enough := context.WithTimeout(t.Context(), patience)
	defer enough()
	handled := 0
	err = events.Subscribe(ctx, js, events.Subscription{Durable: "data-team"}, func(context.Context, events.Event) error {
		if handled++; handled == want {
			enough()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || handled != want {
		t.Errorf("%d events handled, want %d: %v", handled, want, err)
	}
	if text := refused.Load(); text != nil {
		t.Error(*text)
	}
}

// TestProgramsWithCertificates: the same over TLS with certificates on both sides, which every program takes from the
// environment.
func TestProgramsWithCertificates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca := natstest.NewAuthority(t, dir, "ca")
	for _, name := range []string{"server", "client"} {
		ca.Issue(t, name, time.Now().Add(time.Hour))
	}
	conf, err := os.ReadFile("../../deploy/nats/tls.conf")
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string) string { return filepath.Join(dir, name) }
	g := newGuardedWith(t, simulator.Options{Incidents: []simulator.Incident{congestion(-20*second, -10*second)}},
		strings.ReplaceAll(string(conf), "/etc/nats/certs", dir),
		nats.RootCAs(file("ca.pem")), nats.ClientCert(file("client.pem"), file("client.key")))
	g.env["NATS_CA"], g.env["NATS_CERT"], g.env["NATS_KEY"] = file("ca.pem"), file("client.pem"), file("client.key")
	g.populate()
	alerter := g.startAs(natsroles.Alerter, "alerter")
	g.awaitStory()
	alerter.stop()
	g.toolAs(natsroles.Reader, "verify")

	g.env["NATS_CERT"], g.env["NATS_KEY"] = "", ""
	_, said := g.tool(1, "verify")
	if err := contains(said, "NATS_CERT", "NATS_KEY"); err != nil {
		t.Error(err)
	}
	g.start("producer", nil).awaitUnready([]string{"retrying", "starting"}, "NATS_CERT")
}

// TestDriftIsAPlan: plan tells how streams differ from the settings and what apply makes of it; apply refuses what would
// delete history, and changes the rest.
func TestDriftIsAPlan(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, simulator.Options{})
	g.toolAs(natsroles.Admin, "streams", "apply")
	g.env["NATS_CREDS"] = g.key(natsroles.Admin)
	g.env["HISTORY_MAX_AGE"] = "30d"
	text, _ := g.tool(1, "streams", "plan")
	if err := contains(text, "max age is 400d, should be 30d", "apply refuses to change it", "the oldest messages are deleted"); err != nil {
		t.Error(err)
	}
	_, said := g.tool(1, "streams", "apply")
	if err := contains(said, "CALLS", "max age", "refused", "the oldest messages are deleted"); err != nil {
		t.Error(err)
	}
	text, _ = g.tool(0, "streams", "apply", "--leave-drift")
	if err := contains(text, "CALLS", "max age is 400d, should be 30d", "left as it is", "bucket unconnected_silences  is there"); err != nil {
		t.Error(err)
	}
	g.env["NATS_REPLICAS"] = "3"
	text, _ = g.tool(1, "streams", "plan")
	if err := contains(text, "bucket unconnected_leases  replicas is 1, should be 3; apply changes it"); err != nil {
		t.Error(err)
	}
	g.env["NATS_REPLICAS"] = "1"
	g.env["HISTORY_MAX_AGE"] = "800d"
	text, _ = g.tool(1, "streams", "plan")
	if err := contains(text, "should be 800d; apply changes it"); err != nil {
		t.Error(err)
	}
	text = g.toolAs(natsroles.Admin, "streams", "apply")
	if err := contains(text, "CALLS  max age was 400d, is 800d now", "ALERTS  is as it should be"); err != nil {
		t.Error(err)
	}
	g.tool(0, "streams", "plan")
	g.refused(t, natsroles.Reader, "streams plan", "$JS.API.STREAM.INFO.KV_unconnected_status")
}

// TestUpBeyondThisMachine: the embedded server stays on this machine unless it is told otherwise, and then warns.
func TestUpBeyondThisMachine(t *testing.T) {
	t.Parallel()
	const warning = "the embedded NATS server has no passwords and listens beyond this machine"
	for listen, warns := range map[string]bool{"127.0.0.1:0": false, "localhost:0": false, "0.0.0.0:0": true, ":0": true} {
		t.Run(listen, func(t *testing.T) {
			t.Parallel()
			p := up(t, t.TempDir(), nil, "--listen", listen)
			p.awaitLog("serving HTTP")
			if warned := p.logged(warning) != nil; warned != warns {
				t.Errorf("--listen %s warns: %v, want %v", listen, warned, warns)
			}
			p.stop()
		})
	}
}

// TestKeysAreKept: generating again, as after an upgrade, keeps the keys, and what only their owner may read stays so.
func TestKeysAreKept(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, simulator.Options{})
	conf := filepath.Join(g.dir, "users.conf")
	before := readFile(t, g.key(natsroles.Admin)) + readFile(t, conf)
	text, _ := g.tool(0, "streams", "users", "--generate", g.dir)
	if err := contains(text, "admin.nk  is kept"); err != nil || readFile(t, g.key(natsroles.Admin))+readFile(t, conf) != before {
		t.Errorf("the second time something changed: %s", text)
	}
	for _, role := range natsroles.Roles() {
		info, err := os.Stat(g.key(role.Name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the key of %s: %v, %v", role.Name, info, err)
		}
		if seed := strings.TrimSpace(readFile(t, g.key(role.Name))); strings.Contains(readFile(t, conf), seed) {
			t.Errorf("users.conf shows the key of %s", role.Name)
		}
	}
	if _, err := os.Stat(conf + ".old"); err == nil {
		t.Error("a copy is kept of what did not change")
	}
	writeFile(t, conf, readFile(t, conf)+"# another team's key\n")
	text, _ = g.tool(0, "streams", "users", "--generate", g.dir)
	if err := contains(text, "users.conf.old", "add it again"); err != nil || !strings.Contains(readFile(t, conf+".old"), "another team's key") {
		t.Errorf("what somebody added by hand is lost: %s", text)
	}
	if err := os.Remove(g.key(natsroles.Reader)); err != nil {
		t.Fatal(err)
	}
	g.tool(0, "streams", "users", "--generate", g.dir)
	if after := readFile(t, conf); strings.Contains(before, after) {
		t.Error("a removed key is still in force")
	}
	writeFile(t, g.key(natsroles.Producer), "no key")
	_, said := g.tool(1, "streams", "users", "--generate", g.dir)
	if err := contains(said, "producer.nk", "no seed"); err != nil {
		t.Error(err)
	}
	text, _ = g.tool(0, "streams", "users")
	if want := readFile(t, "../../deploy/nats/users.conf"); text != want {
		t.Error("it prints something else than deploy/nats/users.conf")
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestUpAsAdmin: `up` on a NATS server with users is everything in one process, and so wants the admin's rights.
func TestUpAsAdmin(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, simulator.Options{Incidents: []simulator.Incident{congestion(-20*second, -10*second)}})
	p := g.startAs(natsroles.Admin, "unconnected", "up", "--data", t.TempDir())
	g.awaitStory()
	p.awaitReady()
	p.stop()
}
