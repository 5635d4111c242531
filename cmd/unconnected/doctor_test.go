package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"unconnected/alerter/slack/fakeslack"
	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/daemon"
	"unconnected/internal/diagnosis"
	"unconnected/internal/natsio"
	"unconnected/internal/natsserver"
	"unconnected/internal/natstest"
	"unconnected/producer"
	"unconnected/producer/wolkvox/simulator"
)

// The secrets of every clinic. None of them may ever be seen.
const (
	clinicToken     = "wx-9f27c1d0-of-the-api"
	clinicSlack     = "xoxb-4711-of-slack"
	clinicApp       = "xapp-4711-of-slack"
	clinicPassword  = "word-of-nats-5e884898da"
	clinicHeartbeat = "word-of-the-heartbeat-6b3a55e0"
)

// clinic is everything that the doctor looks at, in good health: NATS with its streams, an API, Slack.
type clinic struct {
	t     *testing.T
	nats  *natsserver.Server
	js    jetstream.JetStream
	api   *simulator.Simulator
	slack *fakeslack.Server
}

// newClinic sets the environment, so that its tests can't be parallel.
func newClinic(t *testing.T, o simulator.Options) *clinic {
	t.Helper()
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if slices.Contains([]string{"WOLKVOX", "POLL", "ALERT", "SLACK", "NATS", "HISTORY", "LOG", "HTTP"}, strings.SplitN(name, "_", 2)[0]) {
			t.Setenv(name, "")
		}
	}
	c := &clinic{t: t, nats: natstest.Server(t)}
	_, c.js = natstest.Connect(t, c.nats)
	o.Tokens = []string{clinicToken}
	c.api = simulator.New(o)
	server := httptest.NewServer(c.api)
	t.Cleanup(server.Close)
	var err error
	if c.slack, err = fakeslack.Start(fakeslack.Options{Token: clinicSlack, Scopes: append(fakeslack.AllScopes(), "files:write")}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.slack.Close() })
	c.set("NATS_URL", c.nats.URL(), "NATS_USER", "tester", "NATS_PASSWORD", clinicPassword,
		"WOLKVOX_BASE_URL", server.URL+"/api/v2", "WOLKVOX_TOKEN", clinicToken, "WOLKVOX_TIMEOUT", "5s",
		"SLACK_TOKEN", clinicSlack, "SLACK_CHANNEL", "#noc", "SLACK_API_URL", c.slack.APIURL(),
		"ALERT_HEARTBEAT_URL", "http://127.0.0.1:1/"+clinicHeartbeat)
	return c
}

// set sets variables of the environment, given in pairs.
func (c *clinic) set(pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		c.t.Setenv(pairs[i], pairs[i+1])
	}
}

// terminal writes to out.
func (c *clinic) terminal(out io.Writer) *terminal {
	return &terminal{ctx: c.t.Context(), stdout: out, log: slog.New(slog.DiscardHandler)}
}

// examined is what the doctor said.
type examined struct {
	t        *testing.T
	findings diagnosis.Findings
	requests int64
	text     string
}

// examine runs the doctor, both ways of printing, and wants an exit code. No secret may be in what it says.
func (c *clinic) examine(code int, command doctorCommand) *examined {
	c.t.Helper()
	if command.Data == "" {
		command.Data = c.t.TempDir()
		if err := os.WriteFile(filepath.Join(command.Data, "1.blk"), []byte("of the embedded server"), 0o600); err != nil {
			c.t.Fatal(err)
		}
	}
	var log bytes.Buffer
	run := func(asJSON bool) string {
		command.JSON = asJSON
		var out bytes.Buffer
		t := &terminal{ctx: c.t.Context(), stdout: &out, log: slog.New(slog.NewTextHandler(&log, nil))}
		err := command.Run(t)
		if got := daemon.Code(err); got != code {
			c.t.Errorf("exit code %d (%v), want %d:\n%s", got, err, code, out.String())
		}
		return out.String()
	}
	document := run(true)
	x := &examined{t: c.t, text: run(false)}
	for _, secret := range []string{clinicToken, clinicSlack, clinicApp, clinicPassword, clinicHeartbeat} {
		if strings.Contains(document+x.text+log.String(), secret) {
			c.t.Errorf("%q is shown", secret)
		}
	}
	var told struct {
		Findings diagnosis.Findings
		Requests int64
	}
	if err := json.Unmarshal([]byte(document), &told); err != nil {
		c.t.Fatalf("%v in %s", err, document)
	}
	x.findings, x.requests = told.Findings, told.Requests
	return x
}

// says wants a finding in an area, with a status and a part of what it says.
func (x *examined) says(area, check string, status diagnosis.Status, text string) {
	x.t.Helper()
	for _, f := range x.findings {
		if f.Area == area && f.Check == check {
			if said := f.Detail + " → " + f.Next; f.Status != status || !strings.Contains(said, text) {
				x.t.Errorf("%s, %s: %s %q, want %s and %q", area, check, f.Status, said, status, text)
			}
			return
		}
	}
	x.t.Errorf("nothing is said of %s, %s:\n%s", area, check, x.text)
}

// warnsOf wants warnings of these checks, and of no others.
func (x *examined) warnsOf(checks ...string) {
	x.t.Helper()
	var warned []string
	for _, f := range x.findings {
		if f.Status == diagnosis.Warning {
			warned = append(warned, f.Check)
		}
	}
	if !slices.Equal(warned, checks) {
		x.t.Errorf("it warns of %v, want %v:\n%s", warned, checks, x.text)
	}
}

// run lets a producer poll until the test ends.
func (c *clinic) run() {
	c.t.Helper()
	var settings producer.Config
	if err := config.Load(&settings); err != nil {
		c.t.Fatal(err)
	}
	nc, _ := natstest.Connect(c.t, c.nats)
	p := producer.New(&settings, producer.Options{Log: slog.New(slog.DiscardHandler), Conn: nc, Metrics: prometheus.NewRegistry()})
	ctx, cancel := context.WithCancel(c.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	c.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			c.t.Error(err)
		}
	})
}

// windows waits until so many messages are stored, and the producer has said what it does.
func (c *clinic) windows(n uint64) {
	c.t.Helper()
	done := func() bool {
		stream, err := c.js.Stream(c.t.Context(), events.StreamCalls)
		if err != nil || stream.CachedInfo().State.Msgs < n {
			return false
		}
		bucket, err := c.js.KeyValue(c.t.Context(), natsio.BucketStatus)
		if err == nil {
			_, err = bucket.Get(c.t.Context(), events.DefaultOperation)
		}
		return err == nil
	}
	for deadline := time.Now().Add(20 * time.Second); !done(); <-time.After(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatalf("the producer does not store %d windows", n)
		}
	}
}

// TestDoctorBesideAProducer: all is well, and the token is never used twice at a time.
func TestDoctorBesideAProducer(t *testing.T) {
	c := newClinic(t, simulator.Options{Latency: 15 * time.Millisecond, Licences: 100})
	c.set("POLL_WINDOW", "1s", "POLL_SETTLE", "2s", "POLL_START", "-4m", "POLL_RECONCILE", "0", "WOLKVOX_TIMEOUT", "2s")
	c.run()
	c.windows(20) // it is catching up
	x := c.examine(0, doctorCommand{})
	for _, f := range x.findings {
		if f.Status == diagnosis.Failed {
			t.Errorf("%+v", f)
		}
	}
	x.says(areaNATS, "connection", diagnosis.OK, "round trip")
	x.says(areaStreams, events.StreamCalls, diagnosis.OK, "as the settings want it")
	x.says(areaStreams, "complete", diagnosis.OK, "")
	x.says(areaHistory, "log", diagnosis.OK, "complete up to")
	x.says(areaHistory, "producer", diagnosis.OK, "")
	x.says(areaWolkvox, "token", diagnosis.OK, "accepted")
	x.says(areaWolkvox, "zone", diagnosis.OK, "America/Bogota")
	x.says(areaWolkvox, "windows", diagnosis.OK, "")
	x.says(areaSlack, "channel #noc", diagnosis.OK, "")
	x.says(areaAlerter, "judging", diagnosis.Warning, "start the alerter")
	x.says(areaDisk, "space", diagnosis.OK, "free")
	if c.api.MaxConcurrent() != 1 {
		t.Errorf("%d requests at a time with one token", c.api.MaxConcurrent())
	}
	if x.requests != 6 {
		t.Errorf("%d requests", x.requests)
	}
}

// TestDoctorBeforeTheFirstStart: NATS is empty, and nothing is created but what it takes to ask in turn.
func TestDoctorBeforeTheFirstStart(t *testing.T) {
	c := newClinic(t, simulator.Options{})
	x := c.examine(0, doctorCommand{Data: filepath.Join(t.TempDir(), "data")})
	x.says(areaStreams, events.StreamCalls, diagnosis.Warning, "nothing has run here yet")
	if !strings.Contains(x.text, "nothing has run here yet") {
		t.Errorf("the second time it is no more the first:\n%s", x.text)
	}
	x.says(areaWolkvox, "zone", diagnosis.OK, "")
	x.says(areaDisk, "space", diagnosis.Skipped, "up has not run")
	if _, err := c.js.Stream(t.Context(), events.StreamCalls); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("the doctor has created CALLS: %v", err)
	}
}

func TestDoctorWithoutNATS(t *testing.T) {
	c := newClinic(t, simulator.Options{})
	c.nats.Close()
	x := c.examine(1, doctorCommand{})
	x.says(areaNATS, "connection", diagnosis.Failed, "unconnected doctor --without-nats")
	x.says(areaWolkvox, "api", diagnosis.Skipped, "nobody can tell whether a producer uses the token")
	x.says(areaSlack, "token", diagnosis.OK, "accepted")
	x.says(areaRules, "file", diagnosis.OK, "builtin")
	if n := len(c.api.Ledger()); n > 0 {
		t.Errorf("%d requests were sent without the lease", n)
	}
	x = c.examine(0, doctorCommand{WithoutNATS: true})
	x.says(areaNATS, "connection", diagnosis.Skipped, "left out")
	x.says(areaWolkvox, "zone", diagnosis.OK, "")
}

func TestDoctorFindsWhatIsWrong(t *testing.T) {
	tests := []struct {
		name string
		sick func(*clinic)
		code int
		want func(*examined)
	}{
		{"wrong token", func(c *clinic) { c.api.SetTokens("another") }, 1, func(x *examined) {
			x.says(areaWolkvox, "token", diagnosis.Failed, "set WOLKVOX_TOKEN")
		}},
		{"an API that repeats the token", func(c *clinic) {
			c.api.FailAll(simulator.Reply(http.StatusForbidden, "application/json", `{"code":403,"error":"FORBIDDEN","msg":"TOKEN `+clinicToken+` IS NOT VALID"}`, 0))
		}, 0, func(x *examined) { x.says(areaWolkvox, "api", diagnosis.Warning, "[redacted]") }},
		{"wrong zone, ahead", func(c *clinic) { c.set("WOLKVOX_TIMEZONE", "America/Caracas") }, 1, func(x *examined) {
			x.says(areaWolkvox, "zone", diagnosis.Failed, "America/Bogota")
		}},
		{"wrong zone, behind", func(c *clinic) { c.set("WOLKVOX_TIMEZONE", "Pacific/Honolulu") }, 1, func(x *examined) {
			x.says(areaWolkvox, "zone", diagnosis.Failed, "America/Bogota")
		}},
		{"no scopes", func(c *clinic) { c.slack.SetScopes("channels:read") }, 1, func(x *examined) {
			x.says(areaSlack, "scopes", diagnosis.Failed, "chat:write")
		}},
		{"the bot is not in the channel", func(c *clinic) { c.slack.SetChannel(fakeslack.Channel{ID: "C0000001", Name: "noc", NotMember: true}) }, 1, func(x *examined) {
			x.says(areaSlack, "channel #noc", diagnosis.Failed, "/invite")
		}},
		{"a Slack that repeats the token", func(c *clinic) { c.slack.SetToken("another") }, 1, func(x *examined) {
			x.says(areaSlack, "token", diagnosis.Failed, "invalid_auth")
		}},
		{"drift", func(c *clinic) { natstest.CreateStreams(c.t, c.js); c.set("HISTORY_MAX_AGE", "30d") }, 0, func(x *examined) {
			x.says(areaStreams, events.StreamCalls, diagnosis.Warning, "max age")
		}},
		{"settings", func(c *clinic) {
			c.set("POLL_WINDOW", "7m", "SLACK_CHANNEL", "", "SLACK_CHANEL", "#noc", "ALERT_RULES", "/no/such/file.yaml", "LOG_LEVEL", "loud")
		}, 1, func(x *examined) {
			x.says(areaSettings, "POLL_WINDOW", diagnosis.Failed, "for example 5m")
			x.says(areaSettings, "SLACK_CHANNEL", diagnosis.Failed, "is required")
			x.says(areaSettings, "SLACK_CHANEL", diagnosis.Warning, "did you mean SLACK_CHANNEL?")
			x.says(areaSettings, "LOG_LEVEL", diagnosis.Failed, "debug")
			x.says(areaWolkvox, "api", diagnosis.Skipped, "correct the settings")
			x.says(areaSlack, "token", diagnosis.Skipped, "correct the settings")
			x.says(areaRules, "file", diagnosis.Skipped, "ALERT_RULES")
			x.says(areaNATS, "version", diagnosis.OK, "")
		}},
		{"nothing is configured", func(c *clinic) {
			c.set("WOLKVOX_BASE_URL", "", "WOLKVOX_TOKEN", "", "SLACK_TOKEN", "", "SLACK_CHANNEL", "")
		}, 0, func(x *examined) {
			x.says(areaSettings, "environment", diagnosis.OK, "")
			x.says(areaWolkvox, "api", diagnosis.Skipped, "WOLKVOX_SERVER")
			x.says(areaSlack, "token", diagnosis.Skipped, "SLACK_TOKEN")
		}},
		{"a password in the address of NATS", func(c *clinic) {
			c.set("NATS_URL", strings.Replace(c.nats.URL(), "nats://", "nats://tester:"+clinicPassword+"@", 1), "NATS_USER", "", "NATS_PASSWORD", "")
		}, 0, func(x *examined) { x.says(areaNATS, "connection", diagnosis.OK, "") }},
		{"a password in the address of a NATS that is away", func(c *clinic) {
			c.set("NATS_URL", strings.Replace(c.nats.URL(), "nats://", "nats://tester:"+clinicPassword+"@", 1), "NATS_USER", "", "NATS_PASSWORD", "")
			c.nats.Close()
		}, 1, func(x *examined) { x.says(areaNATS, "connection", diagnosis.Failed, "start NATS") }},
		{"a webhook that is no address", func(c *clinic) { c.set("SLACK_WEBHOOK_URL", clinicSlack) }, 1, func(x *examined) {
			x.says(areaSettings, "SLACK_WEBHOOK_URL", diagnosis.Failed, "")
		}},
		{"a token alone", func(c *clinic) { c.set("WOLKVOX_BASE_URL", "") }, 1, func(x *examined) {
			x.says(areaSettings, "WOLKVOX_SERVER", diagnosis.Failed, "four digits")
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newClinic(t, simulator.Options{})
			test.sick(c)
			test.want(c.examine(test.code, doctorCommand{}))
		})
	}
}

// TestDoctorOfManyOperations: each has findings of its own, and only those that were chosen.
func TestDoctorOfManyOperations(t *testing.T) {
	c := newClinic(t, simulator.Options{})
	c.set("WOLKVOX_OPERATIONS", "ventas,cobranza", "WOLKVOX_TOKEN", "", "WOLKVOX_VENTAS_TOKEN", clinicToken, "WOLKVOX_COBRANZA_TOKEN", "not-"+clinicToken)
	count := func(x *examined) (ventas, cobranza int) {
		for _, f := range x.findings {
			switch f.Operation {
			case "ventas":
				ventas++
			case "cobranza":
				cobranza++
			}
		}
		return ventas, cobranza
	}
	if ventas, cobranza := count(c.examine(1, doctorCommand{})); ventas < 8 || cobranza < 3 {
		t.Errorf("%d and %d findings", ventas, cobranza)
	}
	if ventas, cobranza := count(c.examine(0, doctorCommand{Operation: []string{"ventas"}})); ventas < 8 || cobranza > 0 {
		t.Errorf("%d and %d findings of ventas alone", ventas, cobranza)
	}
	c.examineUsage(doctorCommand{Operation: []string{"nobody"}})
}

// examineUsage wants wrong usage.
func (c *clinic) examineUsage(command doctorCommand) {
	c.t.Helper()
	var out bytes.Buffer
	err := command.Run(c.terminal(&out))
	if daemon.Code(err) != 2 || out.Len() > 0 {
		c.t.Errorf("%v, want wrong usage; printed %s", err, out.String())
	}
}
