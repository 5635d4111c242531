package fakeslack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/slack/fakeslack"
)

// workspace is a server and the way to talk to it.
type workspace struct {
	*fakeslack.Server
	t *testing.T
}

func start(t *testing.T, o fakeslack.Options) workspace {
	t.Helper()
	server, err := fakeslack.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return workspace{server, t}
}

// call sends a form and returns the answer; args are pairs.
func (w workspace) call(method string, args ...string) map[string]any {
	w.t.Helper()
	form := url.Values{"token": {fakeslack.DefaultToken}}
	for i := 0; i < len(args); i += 2 {
		form.Set(args[i], args[i+1])
	}
	resp, err := http.PostForm(w.APIURL()+method, form)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.read(resp)
}

func (w workspace) read(resp *http.Response) map[string]any {
	w.t.Helper()
	defer resp.Body.Close()
	answer := make(map[string]any)
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		w.t.Fatal(err)
	}
	return answer
}

func TestTheAnswersOfSlack(t *testing.T) {
	private := fakeslack.Options{Channels: []fakeslack.Channel{
		{ID: "C0000001", Name: "noc"}, {ID: "C0000002", Name: "old", Archived: true}, {ID: "C0000003", Name: "strangers", NotMember: true},
		{ID: "C0000004", Name: "secret", Private: true, NotMember: true}, {ID: "C0000005", Name: "bosses", Private: true},
	}}
	noScopes := private
	noScopes.Scopes = []string{}
	long := strings.Repeat("x", 40001)
	header := func(n int) string {
		return `[{"type":"header","text":{"type":"plain_text","text":"` + strings.Repeat("x", n) + `"}}]`
	}
	section := func(n int) string {
		return `[{"type":"section","text":{"type":"mrkdwn","text":"` + strings.Repeat("x", n) + `"}}]`
	}
	dividers := func(n int) string { return "[" + strings.Repeat(`{"type":"divider"},`, n-1) + `{"type":"divider"}]` }
	cases := []struct {
		name    string
		options fakeslack.Options
		method  string
		args    []string
		want    string // the error; "" for ok
	}{
		{"who we are", private, "auth.test", nil, ""},
		{"no such method", private, "chat.shout", nil, "unknown_method"},
		{"a wrong token", private, "auth.test", []string{"token", "xoxb-other"}, "invalid_auth"},
		{"no token", private, "auth.test", []string{"token", ""}, "not_authed"},
		{"a post by id", private, "chat.postMessage", []string{"channel", "C0000001", "text", "hi"}, ""},
		{"a post by name", private, "chat.postMessage", []string{"channel", "#noc", "text", "hi"}, ""},
		{"a post to nowhere", private, "chat.postMessage", []string{"channel", "nowhere", "text", "hi"}, "channel_not_found"},
		{"to an archived channel", private, "chat.postMessage", []string{"channel", "old", "text", "hi"}, "is_archived"},
		{"to a channel without the bot", private, "chat.postMessage", []string{"channel", "strangers", "text", "hi"}, "not_in_channel"},
		{"to a private channel without the bot", private, "chat.postMessage", []string{"channel", "secret", "text", "hi"}, "channel_not_found"},
		{"without the scope", noScopes, "chat.postMessage", []string{"channel", "noc", "text", "hi"}, "missing_scope"},
		{"nothing to say", private, "chat.postMessage", []string{"channel", "noc"}, "no_text"},
		{"too much to say", private, "chat.postMessage", []string{"channel", "noc", "text", long}, "msg_too_long"},
		{"blocks that are no JSON", private, "chat.postMessage", []string{"channel", "noc", "blocks", "[{"}, "invalid_blocks_format"},
		{"blocks of an unknown type", private, "chat.postMessage", []string{"channel", "noc", "blocks", `[{"type":"poem"}]`}, "invalid_blocks"},
		{"a header that fits", private, "chat.postMessage", []string{"channel", "noc", "blocks", header(150)}, ""},
		{"a header that does not", private, "chat.postMessage", []string{"channel", "noc", "blocks", header(151)}, "invalid_blocks"},
		{"a section that fits", private, "chat.postMessage", []string{"channel", "noc", "blocks", section(3000)}, ""},
		{"a section that does not", private, "chat.postMessage", []string{"channel", "noc", "blocks", section(3001)}, "invalid_blocks"},
		{"an empty section", private, "chat.postMessage", []string{"channel", "noc", "blocks", section(0)}, "invalid_blocks"},
		{"fifty blocks", private, "chat.postMessage", []string{"channel", "noc", "blocks", dividers(50)}, ""},
		{"one more", private, "chat.postMessage", []string{"channel", "noc", "blocks", dividers(51)}, "invalid_blocks"},
		{"metadata that is no object", private, "chat.postMessage", []string{"channel", "noc", "text", "hi", "metadata", "["}, "invalid_metadata_format"},
		{"an edit of nothing", private, "chat.update", []string{"channel", "C0000001", "ts", "1.000000", "text", "hi"}, "message_not_found"},
		{"an edit by name", private, "chat.update", []string{"channel", "noc", "ts", "1.000000", "text", "hi"}, "channel_not_found"},
		{"history", private, "conversations.history", []string{"channel", "C0000001"}, ""},
		{"history by name", private, "conversations.history", []string{"channel", "noc"}, "channel_not_found"},
		{"history without the scope", noScopes, "conversations.history", []string{"channel", "C0000001"}, "missing_scope"},
		{"history without the bot", private, "conversations.history", []string{"channel", "C0000003"}, "not_in_channel"},
		{"replies to nothing", private, "conversations.replies", []string{"channel", "C0000001", "ts", "1.000000"}, "thread_not_found"},
		{"the list without the scope", noScopes, "conversations.list", nil, "missing_scope"},
		{"info of a private channel with the bot", private, "conversations.info", []string{"channel", "C0000005"}, ""},
		{"info of one without", private, "conversations.info", []string{"channel", "C0000004"}, "channel_not_found"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			answer := start(t, c.options).call(c.method, c.args...)
			code, _ := answer["error"].(string)
			if ok := answer["ok"] == true; code != c.want || ok != (c.want == "") {
				t.Errorf("the answer is %v, want the error %q", answer, c.want)
			}
		})
	}
}

func TestMessagesAreKept(t *testing.T) {
	frozen := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	w := start(t, fakeslack.Options{Now: func() time.Time { return frozen }})
	metadata := `{"event_type":"x","event_payload":{"transition":"a"}}`
	root := w.call("chat.postMessage", "channel", "noc", "text", "root", "metadata", metadata)["ts"].(string)
	reply := w.call("chat.postMessage", "channel", "noc", "text", "reply", "thread_ts", root)["ts"].(string)
	loud := w.call("chat.postMessage", "channel", "noc", "text", "loud", "thread_ts", reply, "reply_broadcast", "true")["ts"].(string)
	if !(root < reply && reply < loud) {
		t.Errorf("timestamps within one instant: %s, %s, %s", root, reply, loud)
	}
	w.call("chat.update", "channel", "C0000001", "ts", root, "text", "edited")
	if m := w.Roots("noc"); len(m) != 1 || m[0].Text != "edited" || m[0].Edits != 1 || string(m[0].Metadata) != metadata {
		t.Errorf("the root is %+v", m)
	}
	if thread := w.Thread("noc", root); len(thread) != 2 || !thread[1].Broadcast {
		t.Errorf("the thread is %+v", thread)
	}
	w.expect([]string{"loud", "edited"}, "conversations.history", "channel", "C0000001")
	w.expect([]string{"edited", "reply", "loud"}, "conversations.replies", "channel", "C0000001", "ts", root)
	w.expect([]string{"loud"}, "conversations.history", "channel", "C0000001", "oldest", root)
	w.expect([]string{"loud"}, "conversations.history", "channel", "C0000001", "limit", "1")
	w.expect([]string{"edited"}, "conversations.history", "channel", "C0000001", "limit", "1", "cursor", "1")
	w.Delete(root)
	orphan := w.call("chat.postMessage", "channel", "noc", "text", "orphan", "thread_ts", root)
	if _, threaded := orphan["message"].(map[string]any)["thread_ts"]; threaded {
		t.Error("a reply to a deleted message is in a thread")
	}
}

// expect compares the texts of a page.
func (w workspace) expect(want []string, method string, args ...string) {
	w.t.Helper()
	answer := w.call(method, args...)
	messages, _ := answer["messages"].([]any)
	var got []string
	for _, m := range messages {
		got = append(got, m.(map[string]any)["text"].(string))
	}
	if strings.Join(got, ",") != strings.Join(want, ",") {
		w.t.Errorf("%s %v shows %v, want %v", method, args, got, want)
	}
}

func TestMetadataIsShownOnRequest(t *testing.T) {
	w := start(t, fakeslack.Options{})
	w.call("chat.postMessage", "channel", "noc", "text", "x", "metadata", `{"event_type":"x","event_payload":{}}`)
	for flag, want := range map[string]bool{"": false, "0": false, "1": true, "true": true} {
		messages := w.call("conversations.history", "channel", "C0000001", "include_all_metadata", flag)["messages"].([]any)
		if _, shown := messages[0].(map[string]any)["metadata"]; shown != want {
			t.Errorf("include_all_metadata=%q shows metadata: %v", flag, shown)
		}
	}
}

func TestJSONAndWebhook(t *testing.T) {
	w := start(t, fakeslack.Options{})
	body := `{"channel":"noc","blocks":[{"type":"divider"}],"text":"json"}`
	req, _ := http.NewRequest(http.MethodPost, w.APIURL()+"chat.postMessage", strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Authorization", "Bearer "+fakeslack.DefaultToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil || w.read(resp)["ok"] != true {
		t.Fatal("JSON is refused", err)
	}
	resp, err = http.Post(w.WebhookURL(), "application/json", bytes.NewReader([]byte(`{"text":"hook"}`)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if answer, _ := io.ReadAll(resp.Body); string(answer) != "ok" {
		t.Errorf("the webhook answers %q", answer)
	}
	if all := w.Messages("noc"); len(all) != 2 || all[0].Text != "json" || !all[1].Webhook {
		t.Errorf("the channel shows %+v", all)
	}
}

func TestFaultsAndLedger(t *testing.T) {
	w := start(t, fakeslack.Options{})
	w.Fail("chat.postMessage", fakeslack.Refuse("fatal_error"), fakeslack.DropAfter())
	w.Fail("*", fakeslack.TooMany(5))
	w.call("chat.postMessage", "channel", "noc", "text", "1")
	if resp, err := http.PostForm(w.APIURL()+"chat.postMessage", url.Values{"token": {fakeslack.DefaultToken}, "channel": {"noc"}, "text": {"2"}}); err == nil {
		resp.Body.Close()
		t.Error("a dropped answer arrived")
	}
	resp, err := http.PostForm(w.APIURL()+"chat.postMessage", url.Values{"text": {"3"}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") != "5" {
		t.Errorf("the third answer is %s", resp.Status)
	}
	w.call("chat.postMessage", "channel", "noc", "text", "4")
	var story []string
	for _, r := range w.Requests("chat.postMessage") {
		story = append(story, r.Args["text"]+":"+r.Fault+":"+r.Answer)
		if _, shown := r.Args["token"]; shown {
			t.Error("the ledger shows the token")
		}
	}
	if got := strings.Join(story, " | "); got != "1:refused fatal_error: | 2:dropped after:ok | 3:429: | 4::ok" {
		t.Errorf("the ledger tells: %s", got)
	}
	if n := len(w.Messages("noc")); n != 2 {
		t.Errorf("%d messages", n)
	}
}

func TestLimit(t *testing.T) {
	now := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	w := start(t, fakeslack.Options{Now: func() time.Time { return now }})
	w.Limit("auth.test", 2, 10*time.Second)
	for i, want := range []bool{true, true, false} {
		if got := w.call("auth.test")["ok"] == true; got != want {
			t.Errorf("request %d is answered: %v", i, got)
		}
	}
	now = now.Add(10 * time.Second)
	if w.call("auth.test")["ok"] != true {
		t.Error("the limit never ends")
	}
}

func TestWait(t *testing.T) {
	w := start(t, fakeslack.Options{})
	go w.Say("noc", "hello")
	if err := w.Wait(t.Context(), func(s *fakeslack.Server) bool { return len(s.Messages("noc")) == 1 }); err != nil {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Wait(ended, func(*fakeslack.Server) bool { return false }); err == nil {
		t.Error("Wait outlives its context")
	}
}

// TestWebhookKey: where people look at the page nobody else can post to the channel.
func TestWebhookKey(t *testing.T) {
	server, err := fakeslack.Start(fakeslack.Options{WebhookKey: "of-its-own"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	known := strings.Replace(server.WebhookURL(), "of-its-own", fakeslack.DefaultWebhookKey, 1)
	for address, want := range map[string]int{server.WebhookURL(): http.StatusOK, known: http.StatusForbidden} {
		resp, err := http.PostForm(address, url.Values{"text": {"hello"}})
		if err != nil {
			t.Fatal(err)
		}
		if _ = resp.Body.Close(); resp.StatusCode != want {
			t.Errorf("%s answers %d, want %d", address, resp.StatusCode, want)
		}
	}
}
