package doctor

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/alerter"
	"unconnected/alerter/rule"
	"unconnected/alerter/slack/fakeslack"
	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/diagnosis"
	"unconnected/internal/natsio"
	"unconnected/internal/natstest"
)

func slackSettings(channel string) alerter.Slack {
	return alerter.Slack{Token: config.NewSecret("xoxb-secret-4711"), Channel: channel}
}

// workspaceAt starts a workspace for the settings.
func workspaceAt(t *testing.T, s *alerter.Slack, o fakeslack.Options) *fakeslack.Server {
	t.Helper()
	o.Token = s.Token.Value()
	server, err := fakeslack.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	s.APIURL = server.APIURL()
	return server
}

// require wants a finding of a check, with a status and a part of what it says.
func require(t *testing.T, all diagnosis.Findings, check string, status diagnosis.Status, says string) {
	t.Helper()
	for _, f := range all {
		if strings.Contains(f.Detail+f.Next, "secret") {
			t.Errorf("a secret is shown: %+v", f)
		}
	}
	for _, f := range all {
		if f.Check == check {
			verdict{status, says}.check(t, f)
			return
		}
	}
	t.Errorf("nothing is said of %s: %+v", check, all)
}

func TestExamineSlack(t *testing.T) {
	everything := append(fakeslack.AllScopes(), "files:write")
	channels := []fakeslack.Channel{
		{ID: "C0000001", Name: "noc"}, {ID: "C0000002", Name: "ventas", NotMember: true},
		{ID: "C0000003", Name: "old", Archived: true}, {ID: "C0000004", Name: "secretos", Private: true},
	}
	set := rulesOf(t, "rules:\n  - {alert: A, expr: total > 1, channel: '#ventas'}\n  - {alert: B, expr: total > 2, channel: C0000003}\n"+
		"  - {alert: C, expr: total > 3, channel: '#nowhere'}\n  - {alert: D, expr: total > 4, channel: C0000004}\n")
	s := slackSettings("#noc")
	server := workspaceAt(t, &s, fakeslack.Options{Scopes: everything, Channels: channels})
	found := ExamineSlack(t.Context(), &s, set)
	require(t, found, "token", diagnosis.OK, "accepted")
	require(t, found, "scopes", diagnosis.OK, "files:write")
	require(t, found, "channel #noc", diagnosis.OK, "C0000001, public")
	require(t, found, "channel #ventas", diagnosis.Failed, "/invite")
	require(t, found, "channel C0000003", diagnosis.Failed, "archived")
	require(t, found, "channel #nowhere", diagnosis.Failed, "correct rule C")
	require(t, found, "channel C0000004", diagnosis.OK, "private")
	require(t, found, "socket", diagnosis.Skipped, "SLACK_APP_TOKEN")

	server.SetScopes("chat:write")
	found = ExamineSlack(t.Context(), &s, set)
	require(t, found, "scopes", diagnosis.Warning, "add channels:history, channels:read, files:write")
	require(t, found, "channel #noc", diagnosis.Skipped, "channels:read")

	server.SetScopes("chat:write", "channels:read", "channels:history", "files:write")
	found = ExamineSlack(t.Context(), &s, nil)
	require(t, found, "channel #noc", diagnosis.OK, "") // though private ones can't be listed
	require(t, found, "scopes", diagnosis.OK, "")

	for _, m := range server.Requests() {
		if strings.HasPrefix(m.Method, "chat.") {
			t.Errorf("something was posted: %+v", m)
		}
	}
}

func TestSlackRefuses(t *testing.T) {
	s := slackSettings("#noc")
	server := workspaceAt(t, &s, fakeslack.Options{})
	server.SetToken("another")
	require(t, ExamineSlack(t.Context(), &s, nil), "token", diagnosis.Failed, "copy the bot token")
	_ = server.Close()
	require(t, ExamineSlack(t.Context(), &s, nil), "token", diagnosis.Failed, "no answer of Slack")
}

func TestSlackNotConfigured(t *testing.T) {
	require(t, ExamineSlack(t.Context(), &alerter.Slack{}, nil), "token", diagnosis.Skipped, "SLACK_TOKEN")
	require(t, ExamineSlack(t.Context(), &alerter.Slack{Channel: "#noc"}, nil), "token", diagnosis.Warning, "SLACK_CHANNEL is #noc, but nobody is told there")
	hook := alerter.Slack{WebhookURL: config.NewSecret("https://hooks.slack.com/services/T0/B0/secret")}
	require(t, ExamineSlack(t.Context(), &hook, nil), "webhook", diagnosis.OK, "post only")
	s := slackSettings("#noc")
	workspaceAt(t, &s, fakeslack.Options{})
	s.WebhookURL = hook.WebhookURL
	require(t, ExamineSlack(t.Context(), &s, nil), "webhook", diagnosis.Warning, "ignored")
}

// TestSocket asks a Slack that knows nothing but app-level tokens.
func TestSocket(t *testing.T) {
	answer := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/apps.connections.open" || r.Header.Get("Authorization") != "Bearer xapp-secret-1" {
			answer = `{"ok":false,"error":"invalid_auth"}`
		}
		fmt.Fprint(w, answer)
	}))
	defer server.Close()
	s := alerter.Slack{APIURL: server.URL + "/api/", AppToken: config.NewSecret("xapp-secret-1")}
	tests := []struct {
		name, answer string
		want         verdict
	}{
		{"fine", `{"ok":true,"url":"wss://wss.example.com/link/?ticket=secret"}`, verdict{diagnosis.OK, "can be opened"}},
		{"no scope", `{"ok":false,"error":"missing_scope","needed":"connections:write"}`, verdict{diagnosis.Failed, "connections:write"}},
		{"a bot token", `{"ok":false,"error":"not_allowed_token_type"}`, verdict{diagnosis.Failed, "xapp-"}},
		{"revoked", `{"ok":false,"error":"token_revoked"}`, verdict{diagnosis.Failed, "SLACK_APP_TOKEN is not valid"}},
		{"repeats the token", `{"ok":false,"error":"invalid xapp-secret-1"}`, verdict{diagnosis.Failed, "[redacted]"}},
		{"no Slack", `<html>`, verdict{diagnosis.Failed, "unreadable_answer"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answer = test.answer
			require(t, diagnosis.Findings{examineSocket(t.Context(), &s)}, "socket", test.want.status, test.want.says)
		})
	}
}

// noon is when the tests of rules and work look.
var noon = time.Date(2026, 11, 24, 17, 0, 0, 0, time.UTC)

// store stores live windows of five minutes up to noon, with so many calls each.
func store(t *testing.T, js jetstream.JetStream, windows int, calls int64) {
	t.Helper()
	for i := windows; i > 0; i-- {
		start := time.Now().UTC().Truncate(5 * time.Minute).Add(-time.Duration(i) * 5 * time.Minute)
		w := events.Window{Start: start, End: start.Add(5 * time.Minute)}
		msg, err := events.Encode(&events.Event{
			Operation: "ventas", Timezone: "America/Bogota", Source: "//wv0011.wolkvox.com/cdr_6", Window: w, PolledAt: w.End, Checkpoint: w.End,
			Counts: map[string]int64{events.Busy: calls}, Total: calls, Reported: []events.Reported{{Result: "BUSY", Count: fmt.Sprint(calls)}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := js.PublishMsg(t.Context(), msg); err != nil {
			t.Fatal(err)
		}
	}
}

func TestExamineRules(t *testing.T) {
	_, js := natstest.Connect(t, natstest.Server(t))
	examine := func() diagnosis.Findings {
		return ExamineRules(t.Context(), js, rule.Builtin(), "builtin", time.Now().UTC())
	}
	if found := examine(); len(found) != 1 {
		t.Errorf("without a history: %+v", found)
	}
	natstest.CreateStreams(t, js)
	store(t, js, 35, 30)
	require(t, examine(), "learning", diagnosis.Warning, "35 windows with calls, 1050 calls")
	if _, err := pasts(t.Context(), js, time.Now().UTC(), time.Nanosecond); !errors.Is(err, errTooMuch) {
		t.Errorf("a history that takes too long to read: %v", err)
	}
	if found := ExamineRules(t.Context(), nil, rule.Builtin(), "builtin", noon); len(found) != 1 {
		t.Errorf("without NATS: %+v", found)
	}
}

func TestExamineWork(t *testing.T) {
	_, js := natstest.Connect(t, natstest.Server(t))
	examine := func() diagnosis.Findings { return ExamineWork(t.Context(), js, nil, time.Now().Add(5*time.Minute)) }
	require(t, examine(), "judging", diagnosis.Warning, "no alerter has judged")
	natstest.CreateStreams(t, js)
	store(t, js, 3, 30)
	require(t, examine(), "judging", diagnosis.Warning, "no alerter has judged")

	stream, err := js.Stream(t.Context(), events.StreamCalls)
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := natsio.EnsureBucket(t.Context(), js, natsio.BucketAlerter, 1)
	if err != nil {
		t.Fatal(err)
	}
	judged := func(sequence int) {
		position := fmt.Sprintf(`{"stream":%q,"sequence":%d}`, stream.CachedInfo().Created.UTC().Format(time.RFC3339Nano), sequence)
		if _, err := bucket.Put(t.Context(), "position", []byte(position)); err != nil {
			t.Fatal(err)
		}
	}
	judged(1)
	require(t, examine(), "judging", diagnosis.Warning, "2 messages were not judged, the oldest of 5m ago")
	judged(3)
	require(t, examine(), "judging", diagnosis.OK, "0 messages behind")
}
