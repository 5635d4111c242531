package alerter_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/slack/fakeslack"
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

// TestBlind: NATS is away, so that nothing is judged: people are told once, whatever goes wrong meanwhile, and the message is
// edited when it is back.
func TestBlind(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault   fakeslack.Fault
		restart bool
	}{
		"at once":                        {},
		"Slack is away, too":             {fault: fakeslack.Status(503)},
		"the answer is lost":             {fault: fakeslack.DropAfter()},
		"the alerter is started anew":    {restart: true},
		"told by another, and seen soon": {restart: true},
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
			if test.fault.Name != "" {
				w.slack.Fail("chat.postMessage", test.fault)
			}
			server.Close()
			expect := func(what string, want ...string) {
				t.Helper()
				eventually(t, what, func() (bool, string) {
					got := w.blindMessages()
					return strings.Join(got, " ") == strings.Join(want, " "), fmt.Sprint(got)
				})
			}
			expect("that nothing is seen", "open")
			if shown := string(w.slack.Roots("#noc")[0].Blocks); !test.restart && !strings.Contains(shown, "America/Bogota, UTC−5") {
				t.Errorf("its times are not those of the operation: %s", shown)
			} else if strings.Contains(shown, "NATS is away: ") {
				t.Errorf("it says twice that NATS is away: %s", shown)
			}
			if test.restart {
				p.abandon()
				if strings.HasPrefix(name, "told by another") {
					w.blind = time.Hour
				}
				w.launch()
			}
			w.server = natstest.ServerIn(t, dir, strings.TrimPrefix(server.URL(), "nats://"))
			expect("that it is over", "over")
			if n := len(w.slack.Roots("#noc")); n != 1 {
				t.Errorf("%d messages", n)
			}
		})
	}
}
