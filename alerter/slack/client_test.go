package slack_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"unconnected/alerter/incident"
	"unconnected/alerter/slack"
	"unconnected/alerter/slack/fakeslack"
)

// How long a client waits for an answer: a busy machine must not look like a slow Slack, and nobody should wait for a
// Slack that is slow on purpose.
const (
	patient   = 10 * time.Second
	impatient = 200 * time.Millisecond
)

// patience fits the fault that a client is about to meet.
func patience(f fakeslack.Fault) time.Duration {
	if f.Delay > 0 {
		return impatient
	}
	return patient
}

// forever is longer than any test takes.
const forever = time.Hour

var hello = slack.Message{
	Icon: "🔴", Headline: "Congestion 44% · Ventas", Facts: []slack.Fact{{Strong: "44%", Text: " congestion"}},
	Transition: "default/A/7/firing", Incident: "default/2026-11-22T15:00:00Z",
}

func start(t *testing.T, o fakeslack.Options) *fakeslack.Server {
	t.Helper()
	server, err := fakeslack.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

func client(server *fakeslack.Server) *slack.Client { return clientWithin(server, patient) }

func clientWithin(server *fakeslack.Server, timeout time.Duration) *slack.Client {
	return slack.NewClient(slack.Config{
		APIURL: server.APIURL(), Token: func() string { return fakeslack.DefaultToken }, Timeout: timeout,
	})
}

func post(t *testing.T, c *slack.Client, p slack.Post) incident.Receipt {
	t.Helper()
	got, err := c.Post(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestClientPostsEditsAndFinds(t *testing.T) {
	server := start(t, fakeslack.Options{})
	c := client(server)
	began := time.Now()
	root := post(t, c, slack.Post{Channel: "#noc", Message: hello})
	if root.ChannelID != "C0000001" || root.TS == "" {
		t.Fatalf("the receipt is %+v", root)
	}
	line := hello
	line.Headline, line.Brief, line.Transition = "Resolved", true, "default/A/9/resolved"
	reply := post(t, c, slack.Post{Channel: root.ChannelID, ThreadTS: root.TS, Broadcast: true, Message: line})
	edited := hello
	edited.Headline = "Resolved: Congestion"
	if err := c.Update(t.Context(), root, edited, false); err != nil {
		t.Fatal(err)
	}
	roots, thread := server.Roots("noc"), server.Thread("noc", root.TS)
	if len(roots) != 1 || roots[0].Edits != 1 || !strings.Contains(roots[0].Text, "Resolved: Congestion") {
		t.Errorf("the roots are %+v", roots)
	}
	if len(thread) != 1 || !thread[0].Broadcast {
		t.Errorf("the thread is %+v", thread)
	}
	for _, name := range []string{"#noc", "noc", "C0000001"} {
		if got, err := slack.FindRoot(t.Context(), c, name, hello.Transition, began); err != nil || got != root {
			t.Errorf("FindRoot(%s) = %+v, %v; want %+v", name, got, err, root)
		}
	}
	if got, err := c.FindReply(t.Context(), root, line.Transition, began); err != nil || got != reply {
		t.Errorf("FindReply = %+v, %v; want %+v", got, err, reply)
	}
	if _, err := slack.FindRoot(t.Context(), c, "noc", "default/A/8/firing", began); !errors.Is(err, slack.ErrNotFound) {
		t.Errorf("what was never posted: %v", err)
	}
	if _, err := c.FindReply(t.Context(), root, "default/A/8/firing", began); !errors.Is(err, slack.ErrNotFound) {
		t.Errorf("what was never posted below the root: %v", err)
	}
	who, err := c.Auth(t.Context())
	if err != nil || who.Team != "Fake" || len(who.Scopes) != len(fakeslack.AllScopes()) {
		t.Errorf("Auth = %+v, %v", who, err)
	}
}

func TestAnEditAsPlainTextTakesTheBlocksAway(t *testing.T) {
	server := start(t, fakeslack.Options{})
	c := client(server)
	root := post(t, c, slack.Post{Channel: "noc", Message: hello})
	if err := c.Update(t.Context(), root, hello, true); err != nil {
		t.Fatal(err)
	}
	m := server.Roots("noc")[0]
	if m.Blocks != nil || m.Metadata == nil {
		t.Errorf("blocks %s, metadata %s", m.Blocks, m.Metadata)
	}
}

func TestNothingIsParsedForNames(t *testing.T) {
	server := start(t, fakeslack.Options{})
	c := client(server)
	root := post(t, c, slack.Post{Channel: "noc", Message: hello})
	_ = c.Update(t.Context(), root, hello, false)
	for _, r := range server.Requests("chat.postMessage", "chat.update") {
		if r.Args["parse"] != "none" || r.Args["link_names"] != "" {
			t.Errorf("%s with parse=%q, link_names=%q", r.Method, r.Args["parse"], r.Args["link_names"])
		}
	}
}

func TestFailuresAreClassifiedOnce(t *testing.T) {
	cases := []struct {
		name  string
		fault fakeslack.Fault
		class incident.Class
		code  string
		after time.Duration
	}{
		{"429 with Retry-After", fakeslack.TooMany(7), incident.Undelivered, "ratelimited", 7 * time.Second},
		{"429 without", fakeslack.TooMany(-1), incident.Undelivered, "ratelimited", 0},
		{"429 with Retry-After: 0", fakeslack.TooMany(0), incident.Undelivered, "ratelimited", 0},
		{"429 with nonsense", fakeslack.Fault{Status: 429, RetryAfter: "soon"}, incident.Undelivered, "ratelimited", 0},
		{"500", fakeslack.Status(500), incident.Ambiguous, "http_500", 0},
		{"503 that says when", fakeslack.Fault{Status: 503, RetryAfter: "9"}, incident.Ambiguous, "http_503", 9 * time.Second},
		{"404", fakeslack.Status(404), incident.Permanent, "http_404", 0},
		{"a redirect", fakeslack.Status(302), incident.Permanent, "http_302", 0},
		{"dropped before", fakeslack.DropBefore(), incident.Ambiguous, "connection", 0},
		{"dropped after", fakeslack.DropAfter(), incident.Ambiguous, "connection", 0},
		{"slow", fakeslack.Slow(forever), incident.Ambiguous, "timeout", 0},
		{"HTML with 200", fakeslack.Garbage("<html>login</html>"), incident.Ambiguous, "unreadable_answer", 0},
		{"cut short", fakeslack.Garbage(`{"ok":tr`), incident.Ambiguous, "unreadable_answer", 0},
		{"JSON of another kind", fakeslack.Garbage(`[1,2]`), incident.Ambiguous, "unreadable_answer", 0},
		{"empty", fakeslack.Garbage(" "), incident.Ambiguous, "unreadable_answer", 0},
		{"ok without a ts", fakeslack.Garbage(`{"ok":true}`), incident.Ambiguous, "no_ts", 0},
		{"ok with a ts of the wrong type", fakeslack.Garbage(`{"ok":true,"ts":{}}`), incident.Ambiguous, "unreadable_answer", 0},
		{"ok:false without an error", fakeslack.RefuseSilently(), incident.Ambiguous, "no_error_given", 0},
		{"fatal_error", fakeslack.RefuseAfter("fatal_error"), incident.Ambiguous, "fatal_error", 0},
		{"internal_error", fakeslack.Refuse("internal_error"), incident.Ambiguous, "internal_error", 0},
		{"ratelimited in the body", fakeslack.Refuse("ratelimited"), incident.Undelivered, "ratelimited", 0},
		{"a refusal nobody listed", fakeslack.Refuse("new_in_2027"), incident.Undelivered, "new_in_2027", 0},
		{"invalid_auth", fakeslack.Refuse("invalid_auth"), incident.Permanent, "invalid_auth", 0},
		{"token_revoked", fakeslack.Refuse("token_revoked"), incident.Permanent, "token_revoked", 0},
		{"account_inactive", fakeslack.Refuse("account_inactive"), incident.Permanent, "account_inactive", 0},
		{"not_in_channel", fakeslack.Refuse("not_in_channel"), incident.Permanent, "not_in_channel", 0},
		{"channel_not_found", fakeslack.Refuse("channel_not_found"), incident.Permanent, "channel_not_found", 0},
		{"missing_scope", fakeslack.Refuse("missing_scope"), incident.Permanent, "missing_scope", 0},
		{"is_archived", fakeslack.Refuse("is_archived"), incident.Permanent, "is_archived", 0},
		{"invalid_blocks", fakeslack.Refuse("invalid_blocks"), incident.Payload, "invalid_blocks", 0},
		{"msg_too_long", fakeslack.Refuse("msg_too_long"), incident.Payload, "msg_too_long", 0},
		{"msg_blocks_too_long", fakeslack.Refuse("msg_blocks_too_long"), incident.Payload, "msg_blocks_too_long", 0},
		{"edit_window_closed", fakeslack.Refuse("edit_window_closed"), incident.Forbidden, "edit_window_closed", 0},
		{"message_not_found", fakeslack.Refuse("message_not_found"), incident.Gone, "message_not_found", 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := start(t, fakeslack.Options{})
			server.Fail("chat.postMessage", c.fault)
			_, err := clientWithin(server, patience(c.fault)).Post(t.Context(), slack.Post{Channel: "noc", Message: hello})
			f := slack.FailureOf(err)
			if err == nil || f.Class != c.class || f.Code != c.code || f.RetryAfter != c.after {
				t.Errorf("%v is %v %q after %v; want %v %q after %v", err, f.Class, f.Code, f.RetryAfter, c.class, c.code, c.after)
			}
			if f.Class == incident.Permanent && f.Hint == "" {
				t.Error("nobody is told what to do")
			}
			if n := len(server.Requests("chat.postMessage")); n != 1 {
				t.Errorf("posted %d times: a client must not repeat a post", n)
			}
		})
	}
}

func TestWithoutAConnectionNothingWasSent(t *testing.T) {
	server := start(t, fakeslack.Options{})
	c := client(server)
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := c.Post(t.Context(), slack.Post{Channel: "noc", Message: hello})
	if f := slack.FailureOf(err); f.Class != incident.Undelivered || f.Code != "connection" {
		t.Errorf("%v is %v %q", err, f.Class, f.Code)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Post(ended, slack.Post{Channel: "noc", Message: hello})
	if f := slack.FailureOf(err); f.Class != incident.Undelivered || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before it began: %v is %v", err, f.Class)
	}
}

// TestNoErrorShowsASecret tries every fault on every way to Slack.
func TestNoErrorShowsASecret(t *testing.T) {
	const token = "xoxb-123-very-secret"
	faults := []fakeslack.Fault{
		fakeslack.TooMany(1), fakeslack.Status(500), fakeslack.Status(404), fakeslack.Status(302), fakeslack.DropBefore(), fakeslack.DropAfter(),
		fakeslack.Slow(forever), fakeslack.Garbage(token), fakeslack.Garbage(`{"ok":"` + token + `"}`), fakeslack.Refuse("not_in_channel"),
		fakeslack.Refuse("invalid_auth"), fakeslack.Refuse("odd " + token), fakeslack.RefuseSilently(), {Status: 400, Body: token},
	}
	for i, fault := range faults {
		t.Run(fmt.Sprint(i, fault.Name), func(t *testing.T) {
			t.Parallel()
			server := start(t, fakeslack.Options{Token: token})
			url := server.WebhookURL()
			key := url[strings.LastIndex(url, "/")+1:]
			api := slack.NewClient(slack.Config{APIURL: server.APIURL(), Token: func() string { return token }, Timeout: patience(fault)})
			hook := slack.NewWebhook(func() string { return url }, nil, patience(fault))
			ways := map[string]func() error{
				"chat.postMessage": func() error { _, err := api.Post(t.Context(), slack.Post{Channel: "noc", Message: hello}); return err },
				"chat.update": func() error {
					return api.Update(t.Context(), incident.Receipt{ChannelID: "C0000001", TS: "1"}, hello, false)
				},
				"conversations.history": func() error { _, err := slack.FindRoot(t.Context(), api, "C0000001", "x", time.Now()); return err },
				"conversations.replies": func() error {
					_, err := api.FindReply(t.Context(), incident.Receipt{ChannelID: "C0000001"}, "x", time.Now())
					return err
				},
				"conversations.list": func() error { _, err := slack.FindRoot(t.Context(), api, "noc", "x", time.Now()); return err },
				"auth.test":          func() error { _, err := api.Auth(t.Context()); return err },
				"webhook":            func() error { _, err := hook.Post(t.Context(), slack.Post{Message: hello}); return err },
			}
			for method, do := range ways {
				server.Fail(method, fault)
				err := do()
				if err == nil {
					t.Errorf("%s does not fail", method)
					continue
				}
				for _, text := range []string{err.Error(), fmt.Sprintf("%+v %#v", err, err), slack.FailureOf(err).Hint + slack.FailureOf(err).Code} {
					if strings.Contains(text, token) || strings.Contains(text, key) {
						t.Errorf("%s shows a secret: %s", method, text)
					}
				}
			}
			_ = server.Close()
			for method, do := range ways {
				if err := do(); err == nil || strings.Contains(fmt.Sprintf("%v %#v", err, err), key) || strings.Contains(fmt.Sprintf("%v %#v", err, err), token) {
					t.Errorf("%s without a server: %v", method, err)
				}
			}
		})
	}
}

func TestARotatedTokenIsReadAgain(t *testing.T) {
	server := start(t, fakeslack.Options{Token: "xoxb-new"})
	var token atomic.Value
	token.Store("xoxb-old")
	reloads := 0
	c := slack.NewClient(slack.Config{
		APIURL: strings.TrimSuffix(server.APIURL(), "/"), // a missing slash is no reason to fail
		Token:  func() string { return token.Load().(string) },
		Reload: func() (bool, error) { reloads++; token.Store("xoxb-new"); return true, nil },
	})
	post(t, c, slack.Post{Channel: "noc", Message: hello})
	if reloads != 1 || len(server.Roots("noc")) != 1 {
		t.Errorf("%d reloads, %d messages", reloads, len(server.Roots("noc")))
	}
	server.SetToken("xoxb-newer")
	if _, err := c.Post(t.Context(), slack.Post{Channel: "noc", Message: hello}); slack.FailureOf(err).Code != "invalid_auth" {
		t.Errorf("with a token that does not change: %v", err)
	}
	if n := len(server.Requests("chat.postMessage")); n != 3 {
		t.Errorf("%d requests: the same token was tried twice", n)
	}
}
