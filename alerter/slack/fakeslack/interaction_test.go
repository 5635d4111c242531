package fakeslack_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"unconnected/alerter/slack/fakeslack"
)

// card is a message with a button, a menu and a link.
const card = `[{"type":"actions","block_id":"todo","elements":[
	{"type":"button","action_id":"ack","text":{"type":"plain_text","text":"Acknowledge"},"value":"incident-1","style":"primary"},
	{"type":"static_select","action_id":"silence","options":[{"text":{"type":"plain_text","text":"1 h"},"value":"1h"},{"text":{"type":"plain_text","text":"4 h"},"value":"4h"}]},
	{"type":"button","action_id":"runbook","text":{"type":"plain_text","text":"Runbook"},"url":"https://example.com/"}]}]`

func (w workspace) post(args ...string) string {
	w.t.Helper()
	ts, ok := w.call("chat.postMessage", append([]string{"channel", "noc"}, args...)...)["ts"].(string)
	if !ok {
		w.t.Fatal("the post is refused")
	}
	return ts
}

// listen runs slack-go's Socket Mode, which hands each envelope to handle, until the test ends or the returned function
// is called.
func (w workspace) listen(handle func(*socketmode.Client, socketmode.Event)) (stop func()) {
	w.t.Helper()
	before := w.Connections()
	ctx, cancel := context.WithCancel(context.Background())
	client := socketmode.New(w.api())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = client.RunContext(ctx) // ends with the context
	}()
	go func() {
		for {
			select {
			case e := <-client.Events:
				if e.Type == socketmode.EventTypeInteractive || e.Type == socketmode.EventTypeSlashCommand {
					handle(client, e)
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	stop = func() { cancel(); <-ended }
	w.t.Cleanup(stop)
	w.until(func(s *fakeslack.Server) bool { return s.Connections() > before })
	return stop
}

func (w workspace) until(done func(*fakeslack.Server) bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	if err := w.Wait(ctx, done); err != nil {
		w.t.Fatal(err)
	}
}

// dial connects without slack-go, and returns the connection after its hello.
func (w workspace) dial() *websocket.Conn {
	w.t.Helper()
	_, address, err := w.api().StartSocketModeContext(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	conn, _, err := websocket.DefaultDialer.Dial(address, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.Close() })
	if hello := w.next(conn); hello["type"] != "hello" {
		w.t.Fatalf("the first message is %v", hello)
	}
	return conn
}

func (w workspace) next(conn *websocket.Conn) map[string]any {
	w.t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		w.t.Fatal(err)
	}
	message := make(map[string]any)
	if err := conn.ReadJSON(&message); err != nil {
		w.t.Fatal(err)
	}
	return message
}

func (w workspace) ack(conn *websocket.Conn, envelope map[string]any) {
	w.t.Helper()
	if err := conn.WriteJSON(map[string]any{"envelope_id": envelope["envelope_id"]}); err != nil {
		w.t.Fatal(err)
	}
}

func TestClick(t *testing.T) {
	w := start(t, fakeslack.Options{})
	root := w.post("text", "root")
	ts := w.post("text", "fallback", "blocks", card, "thread_ts", root)
	got := make(chan slack.InteractionCallback, 1)
	w.listen(func(c *socketmode.Client, e socketmode.Event) {
		got <- e.Data.(slack.InteractionCallback)
		if err := c.Ack(*e.Request); err != nil {
			t.Error(err)
		}
	})
	sent, err := w.Click(t.Context(), "ana", ts, "ack")
	if err != nil || sent.Attempts != 1 || sent.Took <= 0 || sent.Took > fakeslack.AckLimit {
		t.Fatalf("the envelope is %+v, %v", sent, err)
	}
	seen := <-got
	action := seen.ActionCallback.BlockActions[0]
	if seen.Type != slack.InteractionTypeBlockActions || seen.User.ID != "U0000001" || seen.Channel.ID != "C0000001" || seen.Channel.Name != "noc" ||
		seen.Message.Timestamp != ts || seen.Message.ThreadTimestamp != root || seen.Container.MessageTs != ts ||
		action.ActionID != "ack" || action.BlockID != "todo" || action.Value != "incident-1" || action.Type != "button" {
		t.Errorf("the app sees %+v", seen)
	}
	if _, err := w.Click(t.Context(), "U0000002", ts, "silence", "4h"); err != nil {
		t.Fatal(err)
	}
	seen = <-got
	if action := seen.ActionCallback.BlockActions[0]; action.SelectedOption.Value != "4h" || seen.User.Name != "luis" ||
		seen.BlockActionState.Values["todo"]["silence"].SelectedOption.Value != "4h" {
		t.Errorf("the app sees %+v", seen)
	}
	if acks := w.Requests("ack"); len(acks) != 2 || acks[0].Answer != "ok" || acks[0].TS != ts || acks[0].Took != sent.Took {
		t.Errorf("the ledger has %+v", acks)
	}
}

func TestClicksThatNobodyCanDo(t *testing.T) {
	w := start(t, fakeslack.Options{})
	ts := w.post("text", "x", "blocks", card)
	private := w.call("chat.postEphemeral", "channel", "noc", "user", "U0000001", "text", "x", "blocks", card)["message_ts"].(string)
	cases := []struct {
		name, user, ts, action string
		option                 []string
		want                   error
	}{
		{"a stranger", "eva", ts, "ack", nil, fakeslack.ErrNoPerson},
		{"no message", "ana", "1.000000", "ack", nil, fakeslack.ErrNoMessage},
		{"a message for somebody else", "luis", private, "ack", nil, fakeslack.ErrNoMessage},
		{"no such button", "ana", ts, "explode", nil, fakeslack.ErrNoElement},
		{"an option that is not offered", "ana", ts, "silence", []string{"9h"}, fakeslack.ErrNoOption},
		{"no option", "ana", ts, "silence", nil, fakeslack.ErrNoOption},
		{"nobody listens", "ana", ts, "ack", nil, fakeslack.ErrNoSocket},
	}
	for _, c := range cases {
		if _, err := w.Click(t.Context(), c.user, c.ts, c.action, c.option...); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestSlash(t *testing.T) {
	w := start(t, fakeslack.Options{})
	w.listen(func(c *socketmode.Client, e socketmode.Event) {
		command := e.Data.(slack.SlashCommand)
		if command.Command != "/unconnected" || command.Text != "status" || command.UserName != "ana" || command.ChannelID != "C0000001" {
			t.Errorf("the app sees %+v", command)
		}
		if err := c.Ack(*e.Request, map[string]any{"text": "all is well"}); err != nil {
			t.Error(err)
		}
		w.until(func(s *fakeslack.Server) bool { return len(s.Requests("ack")) == 1 })
		for _, text := range []string{"1", "2", "3", "4", "5"} {
			if err := slack.PostWebhook(command.ResponseURL, &slack.WebhookMessage{Text: text}); err != nil {
				t.Error(err)
			}
		}
		if err := slack.PostWebhook(command.ResponseURL, &slack.WebhookMessage{Text: "6"}); err == nil {
			t.Error("a sixth answer is taken")
		}
	})
	if _, err := w.Slash(t.Context(), "ana", "noc", "/unconnected", "status"); err != nil {
		t.Fatal(err)
	}
	w.until(func(s *fakeslack.Server) bool { return len(s.Requests("response_url")) == 6 })
	var texts []string
	for _, m := range w.Ephemeral("noc", "ana") {
		texts = append(texts, m.Text)
	}
	if got := strings.Join(texts, ","); got != "all is well,1,2,3,4,5" {
		t.Errorf("ana sees %q", got)
	}
	if _, err := w.Slash(t.Context(), "eva", "noc", "/unconnected", ""); !errors.Is(err, fakeslack.ErrNoPerson) {
		t.Error(err)
	}
	if _, err := w.Slash(t.Context(), "ana", "nowhere", "/unconnected", ""); !errors.Is(err, fakeslack.ErrNoChannel) {
		t.Error(err)
	}
}

// clock stands still until it is moved.
type clock struct{ moved atomic.Int64 }

func (c *clock) now() time.Time      { return time.Unix(1_700_000_000, c.moved.Load()).UTC() }
func (c *clock) add(d time.Duration) { c.moved.Add(int64(d)) }

// respond posts to a response_url.
func respond(t *testing.T, address, body string) string {
	t.Helper()
	resp, err := http.Post(address, "application/json", bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	return string(answer)
}

func TestResponseURL(t *testing.T) {
	now := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	w := start(t, fakeslack.Options{Now: func() time.Time { return now }})
	ts := w.post("text", "before", "blocks", card)
	conn := w.dial()
	addresses := make(chan string, 1)
	go func() {
		envelope := w.next(conn)
		addresses <- envelope["payload"].(map[string]any)["response_url"].(string)
		w.ack(conn, envelope)
	}()
	if _, err := w.Click(t.Context(), "ana", ts, "ack"); err != nil {
		t.Fatal(err)
	}
	address := <-addresses
	respond(t, address, `{"text":"only you"}`)
	respond(t, address, `{"text":"everybody","response_type":"in_channel"}`)
	respond(t, address, `{"text":"after","replace_original":true}`)
	if roots := w.Roots("noc"); len(roots) != 2 || roots[0].Text != "after" || roots[0].Blocks != nil || roots[0].Edits != 1 || roots[1].Text != "everybody" {
		t.Errorf("the channel shows %+v", roots)
	}
	if mine := w.Ephemeral("noc", "ana"); len(mine) != 1 || mine[0].Text != "only you" {
		t.Errorf("ana sees %+v", mine)
	}
	if got := respond(t, address, `{"text":""}`); got != "no_text" {
		t.Errorf("no text gives %q", got)
	}
	respond(t, address, `{"delete_original":true}`)
	if roots := w.Roots("noc"); len(roots) != 1 {
		t.Errorf("the channel shows %+v", roots)
	}
	now = now.Add(30 * time.Minute)
	if got := respond(t, address, `{"text":"late"}`); !strings.Contains(got, "expired_url") {
		t.Errorf("an old address gives %q", got)
	}
	if got := respond(t, address+"X", `{"text":"wrong"}`); !strings.Contains(got, "invalid_url") {
		t.Errorf("a wrong address gives %q", got)
	}
}
