package alerter_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"unconnected/alerter"
	"unconnected/alerter/slack/fakeslack"
	"unconnected/internal/config"
	"unconnected/internal/natsserver"
	"unconnected/internal/natstest"
)

// blindMessages are the messages that nothing is seen: "open" or "over", oldest first.
func (w *world) blindMessages() []string {
	var shown []string
	for _, m := range w.slack.Roots("#noc") {
		if state, ok := strings.CutPrefix(transitionOf(&m), "@blind/"); ok {
			shown = append(shown, state)
		}
	}
	return shown
}

// TestBlindByWebhook: where it cannot be found out whether people were told, they are told that it is over, and nothing empty.
func TestBlindByWebhook(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server, err := natsserver.Start(natsserver.Options{Dir: dir, Listen: "127.0.0.1:0", NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	w.config.Slack = alerter.Slack{WebhookURL: config.NewSecret(w.slack.WebhookURL()), APIURL: w.slack.APIURL()}
	w.useNATS(server)
	w.blind, w.pace = 2*time.Second, 10*time.Millisecond
	p := w.start()
	w.play("default", "q")
	p.judged(w)
	w.slack.Fail("webhook", fakeslack.DropAfter())
	server.Close()
	eventually(t, "an attempt", func() (bool, string) { return len(w.slack.Requests("webhook")) > 0, w.logs.String() })
	w.server = natstest.ServerIn(t, dir, strings.TrimPrefix(server.URL(), "nats://"))
	eventually(t, "that it is over", func() (bool, string) {
		shown := w.slack.Messages("#noc")
		return len(shown) > 0 && strings.Contains(shown[len(shown)-1].Text, "Watched again"), fmt.Sprint(shown, w.logs.String())
	})
	for _, r := range w.slack.Requests("webhook") {
		if r.Fault == "" && r.Answer != "ok" {
			t.Errorf("it is answered %s", r.Answer)
		}
	}
}

// TestBlind: NATS is away, so that nothing is judged: people are told once, whatever goes wrong meanwhile, and the message is
// edited when it is back.
func TestBlind(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault   fakeslack.Fault // of the first post; of the first look-up where another has told
		restart string          // "blind": while NATS is away; "seeing": when it is back
	}{
		"at once":                                      {},
		"Slack is away, too":                           {fault: fakeslack.Status(503)},
		"the answer is lost":                           {fault: fakeslack.DropAfter()},
		"the alerter is started anew":                  {restart: "blind"},
		"told by another, and seen soon":               {restart: "blind"},
		"told by another, which is not found at first": {restart: "blind", fault: fakeslack.Status(503)},
		"started anew when NATS is back":               {restart: "seeing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			server, err := natsserver.Start(natsserver.Options{Dir: dir, Listen: "127.0.0.1:0", NoSync: true})
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(t)
			w.useNATS(server)
			w.blind, w.pace = 1500*time.Millisecond, 10*time.Millisecond
			p := w.start()
			w.play("default", "q")
			p.judged(w)
			started := 0 // messages about a start that took too long, on a machine that is busy
			eventually(t, "that all is seen", func() (bool, string) {
				shown := w.blindMessages()
				started = len(shown)
				return !slices.Contains(shown, "open"), fmt.Sprint(shown)
			})
			if test.fault.Name != "" && test.restart == "" {
				w.slack.Fail("chat.postMessage", test.fault)
			}
			server.Close()
			expect := func(what string, want ...string) {
				t.Helper()
				eventually(t, what, func() (bool, string) {
					got := w.blindMessages()[started:]
					return strings.Join(got, " ") == strings.Join(want, " "), fmt.Sprint(got)
				})
			}
			expect("that nothing is seen", "open")
			if shown := string(w.slack.Roots("#noc")[started].Blocks); test.restart == "" && !strings.Contains(shown, "America/Bogota, UTC−5") {
				t.Errorf("its times are not those of the operation: %s", shown)
			} else if strings.Contains(shown, "NATS is away: ") {
				t.Errorf("it says twice that NATS is away: %s", shown)
			}
			if test.restart != "" {
				p.abandon()
			}
			if test.fault.Name != "" && test.restart != "" {
				w.slack.Fail("conversations.history", test.fault)
			}
			if name == "told by another, and seen soon" {
				w.blind = time.Hour
			}
			if test.restart == "blind" {
				w.launch()
			}
			if strings.HasSuffix(name, "not found at first") {
				eventually(t, "two look-ups", func() (bool, string) {
					n := len(w.slack.Requests("conversations.history"))
					return n >= 2, fmt.Sprint(n)
				})
			}
			w.server = natstest.ServerIn(t, dir, strings.TrimPrefix(server.URL(), "nats://"))
			if test.restart == "seeing" {
				w.launch()
			}
			expect("that it is over", "over")
			if n := len(w.slack.Roots("#noc")); n != started+1 {
				t.Errorf("%d messages", n)
			}
		})
	}
}
