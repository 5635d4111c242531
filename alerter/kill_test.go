package alerter_test

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/slack/fakeslack"
	"unconnected/events"
	"unconnected/internal/daemon"
)

// TestKilledWhilePosting: the alerter dies between storing what it is about to do and storing what came of it. Whoever comes
// after it looks the post up: one root, every line once.
func TestKilledWhilePosting(t *testing.T) {
	t.Parallel()
	const hang = time.Minute
	faults := map[string]fakeslack.Fault{
		"arrived":     {Handled: true, Delay: hang, Drop: true},
		"not arrived": {Delay: hang, Drop: true},
	}
	for name, test := range map[string]struct {
		scopes     []string
		exceptions map[string]string
	}{
		"history": {nil, nil},
		"no history": {scopesWithoutHistory(), map[string]string{
			"arrived/root":       "root 🔴 Congestion firing, " + usual,
			"not arrived/thread": strings.Replace(usual, lineWorse+", ", "", 1),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, f, stories := newStories(t, faults, test.scopes, test.exceptions)
			p := w.start()
			for _, s := range stories {
				w.play(s.operation, "c")
			}
			for name, s := range stories {
				if s.step != "root" {
					eventually(t, "the root of "+name, func() (bool, string) { return w.shows(s) != "", w.shows(s) })
				}
				w.play(s.operation, "x")
			}
			for name, s := range stories {
				eventually(t, "the request that hangs, of "+name, func() (bool, string) {
					n := f.requests(s.channel, s.at.method)
					return n >= s.at.n, fmt.Sprint(n)
				})
			}
			p.kill()
			for _, s := range stories {
				w.play(s.operation, "q")
			}
			w.attempt = patience // nothing else goes wrong, however busy the machine
			w.start()
			for name, s := range stories {
				eventually(t, "everything is done of "+name, func() (bool, string) { return w.settled(s, 4) })
				if got := w.shows(s); got != s.want {
					t.Errorf("%s: the channel shows\n%s\nwant\n%s", name, got, s.want)
				}
			}
		})
	}
}

// TestSlackAway: evaluation goes on, and what is told afterwards is the whole truth, once.
func TestSlackAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close() // nobody is there
	w.useSlack("http://" + address + "/api/")
	p := w.start()
	w.play("default", "qcq")
	w.expectAlerts(p, "default/Congestion/2/firing", "default/Congestion/3/resolved cleared")
	p.reports("that the channel waits", func(r daemon.Report) bool {
		return r.Ready && strings.Contains(fmt.Sprint(r.Notes), "#noc waits since")
	})

	listener, err = net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: w.slack, ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	w.expectChannel("#noc", "root ✅ default/Congestion/2/firing", "line* default/Congestion/3/resolved")
}

// TestLimitsApart: Slack limits posts, edits and look-ups each by itself, so who has to wait with one does not wait with others:
// an alert does not come an hour late because too much was edited.
func TestLimitsApart(t *testing.T) {
	t.Parallel()
	for name, method := range map[string]string{"edits": "chat.update", "look-ups": "conversations.history"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			p := w.start()
			if name == "look-ups" {
				w.slack.Fail("chat.postMessage", fakeslack.DropAfter())
			}
			for range 3 { // the alerter looks for something at its start, too
				w.slack.Fail(method, fakeslack.TooMany(3600))
			}
			w.play("default", "cq")
			p.reports("that it has to wait", func(r daemon.Report) bool { return strings.Contains(fmt.Sprint(r.Notes), "ratelimited") })
			w.play("other", "c")
			eventually(t, "the other operation's message", func() (bool, string) {
				shown := strings.Join(w.channel("#noc"), ", ")
				return strings.Contains(shown, "root 🔴 other/Congestion/3/firing"), shown
			})
		})
	}
}

// TestStopWhilePosting: what was begun is finished, so that nothing has to be looked up.
func TestStopWhilePosting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slack.Fail("chat.postMessage", fakeslack.Slow(300*time.Millisecond))
	p := w.start()
	w.play("default", "c")
	w.expectChannel("#noc", "root 🔴 default/Congestion/1/firing")
	p.stop()
	w.play("default", "q")
	w.start()
	w.expectChannel("#noc", "root ✅ default/Congestion/1/firing", "line* default/Congestion/2/resolved")
	for _, look := range w.slack.Requests("conversations.history", "conversations.replies") {
		oldest, err := strconv.ParseFloat(look.Args["oldest"], 64)
		if err != nil || time.Since(time.Unix(int64(oldest), 0)) < time.Hour { // who begins looks for an older message that nothing is seen
			t.Errorf("a look-up: %v", look.Args)
		}
	}
}

// TestWebhook: one post on opening, re-opening and closing, and the URL shows nowhere.
func TestWebhook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.useWebhook(w.slack.WebhookURL())
	p := w.start()
	w.play("default", "c")
	posts := func(n int) {
		t.Helper()
		eventually(t, "posts", func() (bool, string) {
			got := len(w.slack.Messages("#noc"))
			return got == n, fmt.Sprint(got)
		})
	}
	posts(1)
	w.play("default", "x") // joins, and gets worse: no post
	w.play("default", "q")
	posts(2)
	w.play("default", "c")
	posts(3)
	if stored := w.stored(); stored[0].Incident != stored[len(stored)-1].Incident || stored[len(stored)-1].Status != events.Firing {
		t.Errorf("it does not re-open: %v", w.alerts())
	}
	p.reports("what a webhook lacks", func(r daemon.Report) bool { return r.Ready && strings.Contains(fmt.Sprint(r.Notes), "webhook") })
}
