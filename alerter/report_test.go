package alerter_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/slack/fakeslack"
	"unconnected/internal/config"
	"unconnected/internal/daemon"
	"unconnected/internal/natsserver"
	"unconnected/internal/natstest"
)

func TestReportWithoutSlack(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t)
	p := w.launch()
	p.reports("that it is ready", func(r daemon.Report) bool { return r.Ready && r.State == "ok" })
	if r := p.Report(); len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "SLACK_TOKEN") {
		t.Errorf("the notes are %q", r.Notes)
	}
	w.play("ventas", "q")
	w.play("default", "q")
	p.judged(w)
	r := p.Report()
	if len(r.Operations) != 2 || r.Operations[0].Operation != "default" || r.Operations[1].Operation != "ventas" ||
		!r.Operations[0].Checkpoint.Equal(w.log("default").next) || r.Operations[0].State != "ok" {
		t.Errorf("the operations are %+v", r.Operations)
	}
}

// TestPermanentErrors: readyz says what to do, and when that was done the message leaves.
func TestPermanentErrors(t *testing.T) {
	t.Parallel()
	for code, hint := range map[string]string{
		"not_in_channel": "invite the bot", "channel_not_found": "SLACK_CHANNEL", "missing_scope": "scope", "is_archived": "archived",
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			refusal := fakeslack.Refuse(code)
			refusal.RetryAfter = "2"
			w.slack.Fail("chat.postMessage", refusal, refusal)
			p := w.start()
			w.play("default", "c")
			p.reports("what to do", func(r daemon.Report) bool {
				return !r.Ready && r.State == "refused" && strings.Contains(r.Reason, code) && strings.Contains(r.Reason, hint) && strings.Contains(r.Reason, "#noc")
			})
			w.expectChannel("#noc", "root 🔴 default/Congestion/1/firing")
			p.reports("that all is well", func(r daemon.Report) bool { return r.Ready && r.State == "ok" && len(r.Notes) == 0 })
		})
	}
}

// TestWrongToken is found out before the first incident.
func TestWrongToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Slack.Token = config.NewSecret("xoxb-wrong-0815")
	p := w.launch()
	p.reports("that the token is refused", func(r daemon.Report) bool {
		return !r.Ready && r.State == "refused" && strings.Contains(r.Reason, "invalid_auth") && strings.Contains(r.Reason, "SLACK_TOKEN")
	})
	w.play("default", "c")
	p.judged(w)
	w.expectNoSecrets(p, "xoxb-wrong-0815")
}

// TestTokenFileChanges: a new token in the file is taken when Slack refuses the old one.
func TestTokenFileChanges(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "token")
	write := func(token string) {
		if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(fakeslack.DefaultToken)
	t.Setenv("SLACK_TOKEN_FILE", file)
	t.Setenv("SLACK_CHANNEL", "#noc")
	t.Setenv("SLACK_API_URL", w.slack.APIURL())
	if err := config.Load(&w.config.Slack); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.play("default", "c")
	w.expectChannel("#noc", "root 🔴 default/Congestion/1/firing")
	write("xoxb-rotated")
	w.slack.SetToken("xoxb-rotated")
	w.play("default", "q")
	w.expectChannel("#noc", "root ✅ default/Congestion/1/firing", "line* default/Congestion/2/resolved")
}

// TestChannelCorrected: an incident that was never posted follows the configuration to its right channel.
func TestChannelCorrected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Slack.Channel = "#nco"
	p := w.start()
	w.play("default", "c")
	p.reports("what is wrong", func(r daemon.Report) bool { return !r.Ready && strings.Contains(r.Reason, "#nco") })
	const waiting, since = "unconnected_notifications_waiting{}", "unconnected_notifications_waiting_since_timestamp_seconds{}"
	if n, at := p.metric(waiting), p.metric(since); n != 1 || time.Since(time.Unix(int64(at), 0)) > time.Minute {
		t.Errorf("%v messages wait, since %v", n, at)
	}
	p.stop()
	w.config.Slack.Channel = "#noc"
	p = w.start()
	w.expectChannel("#noc", "root 🔴 default/Congestion/1/firing")
	p.reports("that all is well", func(r daemon.Report) bool { return r.Ready })
	if n, at := p.metric(waiting), p.metric(since); n != 0 || at != 0 {
		t.Errorf("%v messages wait, since %v", n, at)
	}
}

// testChannelArchived: readyz says so, and once another channel is named what is still open is told there, with or without a
// group; the old channel holds up nothing any more.
func testChannelArchived(t *testing.T) {
	t.Parallel()
	for name, grouped := range map[string]bool{"one incident": false, "found out when another is named already": false, "a group": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, p := newGroupedWorld(t, fakeslack.Fault{})
			if grouped {
				w.burst(p)
				w.expectOneGroup()
			} else {
				w.play("op00", "c")
				w.expectChannel("#noc", "root 🔴 op00/Congestion/1/firing")
			}
			w.slack.SetChannel(fakeslack.Channel{ID: w.slack.Messages("#noc")[0].Channel, Name: "noc", Archived: true})
			w.slack.SetChannel(fakeslack.Channel{ID: "C0000OPS", Name: "ops"})
			change := func() { w.play("op00", "b"); w.play("op11", "b") }
			if !strings.HasPrefix(name, "found out") {
				change()
				p.reports("what to do", func(r daemon.Report) bool {
					return !r.Ready && r.State == "refused" && strings.Contains(r.Reason, "is_archived") && strings.Contains(r.Reason, "name another one")
				})
			}
			p.stop()
			w.config.Slack.Channel = "#ops"
			p = w.start()
			if strings.HasPrefix(name, "found out") {
				change()
			}
			eventually(t, "both in the new channel", func() (bool, string) {
				shown := fmt.Sprint(w.channel("#ops"))
				return strings.Contains(shown, "op00/Congestion") && strings.Contains(shown, "op11/"), shown
			})
			p.reports("that all is well", func(r daemon.Report) bool { return r.Ready && len(r.Notes) == 0 })
		})
	}
}

// TestOneChannelSpeltTwice: an incident has one message in a channel, whether the settings name it with # or without.
func TestOneChannelSpeltTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rules(strings.ReplaceAll(twoRules, "severity: warning", "severity: warning\n    channel: noc"))
	w.start()
	w.play("default", "xq")
	w.expectChannel("#noc", "root ✅ default/Congestion/1/firing", "line default/Busy/1/firing",
		"line default/Congestion/2/resolved", "line* default/Busy/2/resolved")
}

// TestNATSAway: it is said, and when NATS is back the alerter goes on by itself.
func TestNATSAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := t.TempDir()
	first, err := natsserver.Start(natsserver.Options{Dir: dir, Listen: "127.0.0.1:0", NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	w.useNATS(first)
	p := w.start()
	w.play("default", "qc")
	w.expectAlerts(p, "default/Congestion/2/firing")
	w.expectChannel("#noc", "root 🔴 default/Congestion/2/firing")

	first.Close()
	p.reports("that NATS is away", func(r daemon.Report) bool { return !r.Ready && strings.Contains(r.Reason, "NATS is not reachable") })
	w.server = natstest.ServerIn(t, dir, strings.TrimPrefix(first.URL(), "nats://"))
	eventually(t, "answers of the new server", func() (bool, string) { // the old connection may not know yet that it is dead
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := w.js.AccountInfo(ctx)
		return err == nil, fmt.Sprint(err)
	})
	w.play("default", "q")
	w.expectAlerts(p, "default/Congestion/2/firing", "default/Congestion/3/resolved cleared")
	w.expectChannel("#noc", "root ✅ default/Congestion/2/firing", "line* default/Congestion/3/resolved")
	p.reports("that all is well", func(r daemon.Report) bool { return r.Ready })
}

// TestNATSAwayAtTheStart, and when the alerter is stopped: neither makes it hang.
func TestNATSAwayAtTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := t.TempDir()
	server, err := natsserver.Start(natsserver.Options{Dir: dir, Listen: "127.0.0.1:0", NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	w.useNATS(server)
	p := w.start()
	w.play("default", "c")
	w.expectChannel("#noc", "root 🔴 default/Congestion/1/firing")
	server.Close()
	p.reports("that NATS is away", func(r daemon.Report) bool { return !r.Ready })
	began := time.Now()
	p.stop()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("stopping took %v", took)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slack.Fail("chat.postMessage", fakeslack.TooMany(1))
	p := w.start()
	w.play("default", "qx")
	w.play("ventas", "b")
	p.judged(w)
	for _, operation := range []string{"default", "ventas"} {
		name := `unconnected_evaluated_timestamp_seconds{operation="` + operation + `"}`
		if got := p.metric(name); got != float64(w.log(operation).next.Unix()) {
			t.Errorf("%s is %v", name, got)
		}
	}
	for labels, want := range map[string]float64{
		`operation="default",severity="critical"`: 1, `operation="default",severity="warning"`: 1, `operation="default",severity="info"`: 0,
		`operation="ventas",severity="critical"`: 0, `operation="ventas",severity="warning"`: 1,
	} {
		if got := p.metric("unconnected_alerts_firing{" + labels + "}"); got != want {
			t.Errorf("of %s %v alerts fire, want %v", labels, got, want)
		}
	}
	const onDuty = "unconnected_on_duty{}"
	stands, critical := w.start(), `unconnected_alerts_firing{operation="default",severity="critical"}`
	if got := stands.metric(critical); got != -1 {
		t.Errorf("one that stands by says that %v alerts fire", got)
	}
	if got, other := p.metric(onDuty), stands.metric(onDuty); got != 1 || other != 0 {
		t.Errorf("on duty: %v and %v", got, other)
	}
	eventually(t, "three deliveries and at least one refusal", func() (bool, string) {
		delivered, undelivered := p.metric(`unconnected_notifications_total{outcome="delivered"}`), p.metric(`unconnected_notifications_total{outcome="undelivered"}`)
		permanent, delays := p.metric(`unconnected_notifications_total{outcome="permanent"}`), p.metric(`unconnected_notification_delay_seconds{}`)
		return delivered == 3 && undelivered >= 1 && permanent == 0 && delays == 3, fmt.Sprint(delivered, undelivered, permanent, delays)
	})
	p.stop()
	w.onDuty(stands)
	if got := stands.metric(onDuty); got != 1 {
		t.Errorf("on duty: %v", got)
	}
	if got := stands.metric(critical); got != 1 {
		t.Errorf("whoever has taken over says that %v alerts fire, before the next window", got)
	}
}

// metric is the value of a series, of a histogram how much it counted, and -1 when there is no such series.
func (p *process) metric(series string) float64 {
	families, err := p.metrics.Gather()
	if err != nil {
		p.t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			if family.GetName()+"{"+strings.Join(labels, ",")+"}" == series {
				return m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return -1
}

// TestSecretsShowNowhere: neither in logs nor in the report, whatever goes wrong with Slack.
func TestSecretsShowNowhere(t *testing.T) {
	t.Parallel()
	const token, hook = "xoxb-very-secret-token", "T000/B000/verysecrethook"
	for _, test := range []struct{ name, secret string }{{"token", token}, {"webhook", hook}} {
		for name, fault := range map[string]fakeslack.Fault{
			"dropped": fakeslack.DropBefore(), "500": fakeslack.Status(500), "404": fakeslack.Status(404),
			"quotes the token": {Body: `{"ok":false,"error":"` + token + " " + hook + `"}`}, "none there": {},
		} {
			t.Run(test.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.slack.SetToken(token)
				address := strings.TrimSuffix(w.slack.APIURL(), "/api/")
				if name == "none there" {
					address = "http://127.0.0.1:1"
				}
				w.useSlack(address + "/api/")
				w.config.Slack.Token = config.NewSecret(token)
				if test.name == "webhook" {
					w.useWebhook(address + "/services/" + hook)
				}
				for _, method := range []string{"*", "chat.postMessage", "webhook"} {
					w.slack.Fail(method, fault, fault)
				}
				p := w.start()
				w.play("default", "cq")
				eventually(t, "trouble", func() (bool, string) { return strings.Contains(w.logs.String(), "Slack was not told"), w.logs.String() })
				w.expectNoSecrets(p, test.secret)
			})
		}
	}
}

func (w *world) useWebhook(url string) {
	w.config.Slack.Token, w.config.Slack.Channel = config.Secret{}, ""
	w.config.Slack.WebhookURL = config.NewSecret(url)
}

func (w *world) expectNoSecrets(p *process, secrets ...string) {
	w.t.Helper()
	for _, secret := range secrets {
		if report := fmt.Sprintf("%+v", p.Report()); strings.Contains(report, secret) {
			w.t.Errorf("the report shows a secret: %s", report)
		}
		if logs := w.logs.String(); strings.Contains(logs, secret) {
			w.t.Errorf("the log shows a secret: %s", logs)
		}
	}
}
