package slack_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"unconnected/alerter/incident"
	"unconnected/alerter/slack"
	"unconnected/alerter/slack/fakeslack"
)

func TestLookupsThatCannotTell(t *testing.T) {
	since := time.Now()
	cases := []struct {
		name    string
		channel string
		server  func(*fakeslack.Server)
		want    error // nil: neither absent nor unknowable, but not now
	}{
		{"no scope for history", "C0000001", func(s *fakeslack.Server) { s.SetScopes("chat:write", "channels:read") }, slack.ErrNoHistory},
		{"no scope for the list, and only a name", "noc", func(s *fakeslack.Server) { s.SetScopes("chat:write", "channels:history") }, slack.ErrNoHistory},
		{"scope for public channels only", "noc", func(s *fakeslack.Server) { s.SetScopes("channels:read", "channels:history") }, slack.ErrNotFound},
		{"a name that nobody has", "nowhere", func(*fakeslack.Server) {}, slack.ErrNoHistory},
		{"a method that is not there", "C0000001", func(s *fakeslack.Server) { s.Fail("conversations.history", fakeslack.Refuse("unknown_method")) }, slack.ErrNoHistory},
		{"a server that has no such page", "C0000001", func(s *fakeslack.Server) { s.Fail("conversations.history", fakeslack.Status(404)) }, slack.ErrNoHistory},
		{"ok:false without an error is no empty history", "C0000001", func(s *fakeslack.Server) { s.Fail("conversations.history", fakeslack.RefuseSilently()) }, nil},
		{"too many requests", "C0000001", func(s *fakeslack.Server) { s.Fail("conversations.history", fakeslack.TooMany(1)) }, nil},
		{"the list fails", "noc", func(s *fakeslack.Server) { s.Fail("conversations.list", fakeslack.Status(500)) }, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			server := start(t, fakeslack.Options{})
			c.server(server)
			_, err := slack.FindRoot(t.Context(), client(server), c.channel, "x", since)
			var e *slack.Error
			if c.want != nil && !errors.Is(err, c.want) || c.want == nil && !errors.As(err, &e) {
				t.Errorf("FindRoot: %v, want %v", err, c.want)
			}
		})
	}
}

// TestLookupReadsAllPages finds a post below a few hundred others, and gives up on a channel that is busier than that.
func TestLookupReadsAllPages(t *testing.T) {
	for _, c := range []struct {
		others int
		want   error
	}{{450, nil}, {2100, slack.ErrNoHistory}} {
		t.Run(fmt.Sprint(c.others), func(t *testing.T) {
			server := start(t, fakeslack.Options{})
			api := client(server)
			root := post(t, api, slack.Post{Channel: "noc", Message: hello})
			for i := range c.others {
				server.Say("noc", fmt.Sprint("message ", i))
			}
			got, err := slack.FindRoot(t.Context(), api, "C0000001", hello.Transition, time.Now())
			if !errors.Is(err, c.want) || err == nil && got != root {
				t.Errorf("found %+v, %v", got, err)
			}
		})
	}
}

// TestAServerThatTakesNames looks a post up by the channel's name when there is no way to learn its id.
func TestAServerThatTakesNames(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/conversations.history", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("channel") != "noc" {
			_, _ = w.Write([]byte(`{"ok":false,"error":"channel_not_found"}`))
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"ok": true, "messages": []any{map[string]any{
			"ts": "1.000002", "metadata": map[string]any{"event_type": slack.EventType, "event_payload": map[string]any{"transition": "x"}},
		}}})
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	c := slack.NewClient(slack.Config{APIURL: server.URL, Token: func() string { return "xoxb-1" }})
	got, err := slack.FindRoot(t.Context(), c, "#noc", "x", time.Now())
	if err != nil || got != (incident.Receipt{TS: "1.000002"}) {
		t.Errorf("found %+v, %v", got, err)
	}
}
