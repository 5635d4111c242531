package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"unconnected/alerter/incident"
)

// payload is what Slack sends when somebody chooses from the menu of a message.
const payload = `{"type":"block_actions","user":{"id":"U1","username":"ana","name":"ana"},"channel":{"id":"C1","name":"noc"},
"container":{"type":"message","message_ts":"1764083000.000100","channel_id":"C1"},"response_url":"https://hooks.slack.com/actions/T/1/x",
"actions":[{"action_id":"unconnected_silence","block_id":"unconnected/ventas/2026-11-22T15:00:00Z","type":"static_select",
"selected_option":{"text":{"type":"plain_text","text":"1 h"},"value":"1h"},"action_ts":"1764083400.000200"}]}`

func clicksIn(data []byte) []Click {
	var callback slack.InteractionCallback
	if json.Unmarshal(data, &callback) != nil {
		return nil
	}
	return clicksOf(&callback)
}

func TestClicksOf(t *testing.T) {
	got := clicksIn([]byte(payload))
	want := Click{
		Action: ActionSilence, Incident: "ventas/2026-11-22T15:00:00Z", Choice: "1h", User: "U1", UserName: "ana", Channel: "C1",
		Message: "1764083000.000100", At: time.Unix(1764083400, 0).UTC(), Stamp: "1764083400.000200", Answer: "https://hooks.slack.com/actions/T/1/x",
	}
	if len(got) != 1 || got[0] != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := clicksIn([]byte(strings.Replace(payload, "block_actions", "view_closed", 1))); len(got) != 0 {
		t.Errorf("a closed view is %+v", got)
	}
}

// FuzzClicksOf: whatever Slack sends, nothing breaks, and a time is a time.
func FuzzClicksOf(f *testing.F) {
	f.Add([]byte(payload))
	f.Add([]byte(`{"type":"block_actions","actions":[null,{"action_ts":"99999999999999999999"},{"action_ts":"-1"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, c := range clicksIn(data) {
			if !c.At.IsZero() && c.At.Unix() <= 0 {
				t.Errorf("%q is %v", c.Stamp, c.At)
			}
		}
	})
}

// FuzzAnswer: whatever people are called and wrote, nobody is rung and the limit holds.
func FuzzAnswer(f *testing.F) {
	f.Add("<!here> & <https://example.com|click>", 3)
	f.Add(strings.Repeat("x", 5000), 40)
	f.Fuzz(func(t *testing.T, line string, n int) {
		a := Answer{More: "+%d more"}
		for range min(max(n, 0), 60) {
			a.Lines = append(a.Lines, line)
		}
		text := a.text()
		if units(text) > limitAnswer || strings.ContainsAny(text, "<>") {
			t.Errorf("%d units: %.200q", units(text), text)
		}
	})
}

// TestSocketErrorsHideSecrets: neither the token nor the ticket of an address shows, however the failure quotes them.
func TestSocketErrorsHideSecrets(t *testing.T) {
	const address = "wss://wss-primary.slack.com/link/?ticket=secret-ticket&app_id=A1"
	s := NewSocket(SocketConfig{Token: func() string { return "xapp-secret-token" }})
	for _, err := range []error{
		&url.Error{Op: "Get", URL: address, Err: errors.New("EOF")},
		fmt.Errorf("dial %s: refused", address),
		fmt.Errorf("dial %q with xapp-secret-token: refused", address),
		fmt.Errorf("proxy: %w", &url.Error{Op: "CONNECT", URL: address, Err: errors.New("ticket=secret-ticket")}),
		&Error{Method: "apps.connections.open", Code: "invalid_auth", Class: incident.Permanent},
	} {
		if text := s.socketError(err).Error(); strings.Contains(text, "secret") {
			t.Errorf("%s", text)
		}
	}
}
