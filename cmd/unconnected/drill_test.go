package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"unconnected/alerter"
	"unconnected/alerter/slack/fakeslack"
	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/natsio"
)

// newSlack is a workspace with #noc and #drills.
func newSlack(t *testing.T) *fakeslack.Server {
	t.Helper()
	workspace, err := fakeslack.Start(fakeslack.Options{Channels: []fakeslack.Channel{
		{ID: "C0000001", Name: "noc"}, {ID: "C0000002", Name: "drills"}, {ID: "C0000003", Name: "private", NotMember: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = workspace.Close() })
	return workspace
}

// runAlerter runs an alerter that tells #noc, until the test ends.
func runAlerter(t *testing.T, js jetstream.JetStream, workspace *fakeslack.Server) {
	t.Helper()
	runAlerterWith(t, js, alerter.Slack{Token: config.NewSecret(fakeslack.DefaultToken), Channel: "#noc", APIURL: workspace.APIURL()})
}

// runAlerterWith runs an alerter until the test ends.
func runAlerterWith(t *testing.T, js jetstream.JetStream, settings alerter.Slack) {
	t.Helper()
	var c alerter.Config
	c.Replicas, c.Alerts.Language, c.Alerts.MaxAge = 1, "en", config.Duration(30*time.Minute)
	c.Slack = settings
	if problems := c.Validate(); len(problems) > 0 {
		t.Fatal(problems)
	}
	conn, err := nats.Connect(js.Conn().ConnectedUrl())
	if err != nil {
		t.Fatal(err)
	}
	a := alerter.New(&c, alerter.Options{Log: slog.New(slog.DiscardHandler), Conn: conn, Metrics: prometheus.NewRegistry()})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done; conn.Close() })
	deadline := time.Now().Add(time.Minute)
	for !a.Report().Ready {
		if time.Now().After(deadline) {
			t.Fatalf("the alerter is not ready: %+v", a.Report())
		}
		<-time.After(10 * time.Millisecond)
	}
}

// drillAlerts are what ALERTS holds of drills: status and reason.
func drillAlerts(t *testing.T, js jetstream.JetStream) []string {
	t.Helper()
	stream, err := js.Stream(t.Context(), events.StreamAlerts)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	state := stream.CachedInfo().State
	for seq := state.FirstSeq; seq != 0 && seq <= state.LastSeq; seq++ {
		raw, err := stream.GetMsg(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := events.DecodeRawAlert(raw); err == nil && a.IsDrill() {
			list = append(list, strings.TrimSpace(a.Status+" "+a.Reason))
		}
	}
	return list
}

// TestDrill: the alerter on duty posts, edits and resolves it, and each step is told. It is told in the channel named.
func TestDrill(t *testing.T) {
	js := newHistory(t)
	store(t, js, windowOf("ventas", 0))
	workspace := newSlack(t)
	runAlerter(t, js, workspace)
	for _, channel := range []string{"#noc", "#drills"} {
		args := []string{"drill", "--hold", "0s", "--operation", "ventas"}
		if channel != "#noc" {
			args = append(args, "--channel", channel)
		}
		text, err := runTool(t, args...)
		if err != nil {
			t.Fatalf("%v:\n%s", err, text)
		}
		for _, want := range []string{"fires: stored in ALERTS as ", "posted in " + channel + " (C000000", "is resolved: stored in ALERTS", "resolved in " + channel + " after "} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not told:\n%s", want, text)
			}
		}
		roots := workspace.Roots(channel)
		if len(roots) != 1 || len(workspace.Thread(channel, roots[0].TS)) != 1 || roots[0].Edits == 0 {
			t.Errorf("%s shows %+v", channel, workspace.Messages(channel))
		}
		for _, m := range workspace.Messages(channel) {
			if strings.Count(m.Text, "DRILL") != 1 {
				t.Errorf("it is not marked once: %s", m.Text)
			}
			if blocks := string(m.Blocks); len(m.Files) == 0 && !strings.Contains(blocks, "America/Bogota") {
				t.Errorf("it does not speak of the operation's clocks: %s", blocks)
			}
		}
	}
	if got := strings.Join(drillAlerts(t, js), ", "); got != "firing, resolved cleared, firing, resolved cleared" {
		t.Errorf("ALERTS holds %s", got)
	}
}

// TestDrillFails: it says what is in the way, exits 1, and leaves nothing firing.
func TestDrillFails(t *testing.T) {
	js := newHistory(t)
	if _, err := runTool(t, "drill"); err == nil || !strings.Contains(err.Error(), "no alerter has run") {
		t.Errorf("without an alerter: %v", err)
	}
	if _, err := natsio.EnsureBucket(t.Context(), js, natsio.BucketNotices, 1); err != nil {
		t.Fatal(err)
	}
	text, err := runTool(t, "drill", "--wait", "1s")
	if !errors.Is(err, errFound) || !strings.Contains(text, "no alerter is on duty") {
		t.Errorf("with nobody on duty: %v\n%s", err, text)
	}
	runAlerter(t, js, newSlack(t))
	text, err = runTool(t, "drill", "--channel", "#private", "--wait", "2s")
	if !errors.Is(err, errFound) || !strings.Contains(text, "not posted in time: #private: ") || !strings.Contains(text, "invite") {
		t.Errorf("without the bot in the channel: %v\n%s", err, text)
	}
	if got := strings.Join(drillAlerts(t, js), ", "); got != "firing, resolved cleared, firing, resolved cleared" {
		t.Errorf("ALERTS holds %s", got)
	}
	e := windowOf(events.DrillOperation, 0)
	store(t, js, e)
	if _, err := runTool(t, "drill"); err == nil || !strings.Contains(err.Error(), "real operation named drill") {
		t.Errorf("beside an operation of that name: %v", err)
	}
}

// TestDrillByWebhook: what can only post posts two messages, and both are seen.
func TestDrillByWebhook(t *testing.T) {
	js := newHistory(t)
	workspace := newSlack(t)
	runAlerterWith(t, js, alerter.Slack{WebhookURL: config.NewSecret(workspace.WebhookURL()), APIURL: workspace.APIURL()})
	text, err := runTool(t, "drill", "--hold", "0s")
	if err != nil || !strings.Contains(text, "posted in webhook") || !strings.Contains(text, "resolved in webhook after ") {
		t.Errorf("%v\n%s", err, text)
	}
	if roots := workspace.Roots("#noc"); len(roots) != 2 {
		t.Errorf("people see %+v", roots)
	}
}

// TestDrillSilenced: a silence of everything silences a drill, too, and that is said.
func TestDrillSilenced(t *testing.T) {
	js := newHistory(t)
	workspace := newSlack(t)
	runAlerter(t, js, workspace)
	if _, err := runTool(t, "silence", "add", "--all", "--for", "1h", "--reason", "moving", "--by", "ana"); err != nil {
		t.Fatal(err)
	}
	text, err := runTool(t, "drill", "--wait", "1s")
	if !errors.Is(err, errFound) || !strings.Contains(text, "by ana covers it until") {
		t.Errorf("%v\n%s", err, text)
	}
	if roots := workspace.Roots("#noc"); len(roots) != 0 {
		t.Errorf("people see %+v", roots)
	}
}

// TestDrillInterrupted: Ctrl-C while it fires resolves it; one that was left behind is ended by the next.
func TestDrillInterrupted(t *testing.T) {
	js := newHistory(t)
	if _, err := natsio.EnsureBucket(t.Context(), js, natsio.BucketNotices, 1); err != nil {
		t.Fatal(err)
	}
	left := firingDrill(events.Cause{Tick: time.Now().Add(-time.Minute).Unix()}, map[string]string{events.LabelDrill: "true"})
	msg, err := events.EncodeAlert(&left)
	if err == nil {
		_, err = js.PublishMsg(t.Context(), msg)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	term := &terminal{ctx: ctx, stdout: writer(func(p []byte) (int, error) {
		if strings.Contains(string(p), "fires: stored") {
			interrupt()
		}
		return len(p), nil
	}), log: slog.New(slog.DiscardHandler)}
	err = (&drillCommand{Hold: 0, Wait: config.Duration(time.Minute)}).Run(term)
	if t.Log(err); !errors.Is(err, context.Canceled) {
		t.Errorf("it ends with %v", err)
	}
	if got := strings.Join(drillAlerts(t, js), ", "); got != "firing, resolved cleared, firing, resolved cleared" {
		t.Errorf("ALERTS holds %s", got)
	}
}

// lossy loses the answer to the first message that is stored.
type lossy struct {
	jetstream.JetStream
	lost bool
}

func (l *lossy) PublishMsg(ctx context.Context, m *nats.Msg, o ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	ack, err := l.JetStream.PublishMsg(ctx, m, o...)
	if err == nil && !l.lost {
		l.lost = true
		return nil, context.DeadlineExceeded
	}
	return ack, err
}

// drillTerminal is a terminal that hears what a drill says.
func drillTerminal(t *testing.T, hear func(line string)) *terminal {
	t.Helper()
	return &terminal{ctx: t.Context(), log: slog.New(slog.DiscardHandler), stdout: writer(func(p []byte) (int, error) {
		hear(string(p))
		return len(p), nil
	})}
}

// TestDrillLostAnswer: a drill that fires although nobody was told so is resolved.
func TestDrillLostAnswer(t *testing.T) {
	js := newHistory(t)
	if _, err := natsio.EnsureBucket(t.Context(), js, natsio.BucketNotices, 1); err != nil {
		t.Fatal(err)
	}
	d, err := newDrill(drillTerminal(t, func(string) {}), &lossy{JetStream: js}, &drillCommand{})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.conduct(t.Context(), 0, time.Second); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it ends with %v", err)
	}
	if got := strings.Join(drillAlerts(t, js), ", "); got != "firing, resolved cleared" {
		t.Errorf("ALERTS holds %s", got)
	}
}

// TestTwoDrills: the second ends the first, which sees that; both are told, and nothing is left.
func TestTwoDrills(t *testing.T) {
	js := newHistory(t)
	store(t, js, windowOf("ventas", 0))
	workspace := newSlack(t)
	runAlerter(t, js, workspace)
	posted := make(chan bool, 10)
	first := make(chan error, 1)
	var said strings.Builder
	go func() {
		d, err := newDrill(drillTerminal(t, func(line string) {
			if said.WriteString(line); strings.Contains(line, "try the buttons") {
				posted <- true
			}
		}), js, &drillCommand{})
		if err == nil {
			err = d.conduct(t.Context(), 3*time.Second, 10*time.Second)
		}
		first <- err
	}()
	<-posted
	if text, err := runTool(t, "drill", "--hold", "0s"); err != nil {
		t.Errorf("the second: %v\n%s", err, text)
	}
	if err := <-first; err != nil || !strings.Contains(said.String(), "somebody else has ended it") {
		t.Errorf("the first: %v\n%s", err, said.String())
	}
	if got := strings.Join(drillAlerts(t, js), ", "); got != "firing, resolved cleared, firing, resolved cleared" {
		t.Errorf("ALERTS holds %s", got)
	}
	if roots := workspace.Roots("#noc"); len(roots) != 2 {
		t.Errorf("people see %+v", roots)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func TestDrillUsage(t *testing.T) {
	for args, want := range map[string]string{
		"drill --hold 2h": "longer than 30m", "drill --wait 1ms": "too short", "drill --operation A!": "--operation",
	} {
		if err := refusedUsage(t, strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
}
