package alerter_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"unconnected/alerter"
	"unconnected/alerter/incident"
	"unconnected/alerter/silence"
	"unconnected/alerter/slack"
	"unconnected/alerter/slack/fakeslack"
	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/daemon"
)

// newPeopledWorld is a world whose Slack lets people click.
func newPeopledWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.config.AppToken = config.NewSecret(fakeslack.DefaultAppToken)
	return w
}

func (w *world) listened() {
	w.t.Helper()
	eventually(w.t, "somebody who listens", func() (bool, string) { return w.slack.Connections() > 0, w.logs.String() })
}

// deeds are the actions that ALERTS holds.
func (w *world) deeds() []events.Action {
	w.t.Helper()
	stream, err := w.js.Stream(w.t.Context(), events.StreamAlerts)
	if err != nil {
		w.t.Fatal(err)
	}
	var all []events.Action
	state := stream.CachedInfo().State
	for seq := state.FirstSeq; seq != 0 && seq <= state.LastSeq; seq++ {
		raw, err := stream.GetMsg(w.t.Context(), seq)
		if err != nil {
			w.t.Fatal(err)
		}
		if a, err := events.DecodeRawAction(raw); err == nil {
			all = append(all, a)
		}
	}
	return all
}

// TestPeople: the alerter hears clicks and the slash command, whether it is on duty or stands by, and knows what they are about.
func TestPeople(t *testing.T) {
	t.Parallel()
	w := newPeopledWorld(t)
	p := w.start()
	w.play("default", "qc")
	p.judged(w)
	w.listened()
	standby := w.start()
	eventually(t, "two who listen", func() (bool, string) { return w.slack.Connections() == 2, w.logs.String() })
	id := w.stored()[0].Incident
	w.expectChannel("#noc", "root 🔴 default/Congestion/2/firing")
	ts := w.slack.Roots("#noc")[0].TS
	for _, does := range [][]string{{"ana", slack.ActionAcknowledge}, {"luis", slack.ActionSilence, slack.SilenceHours}} { // each is heard by another
		user := does[0]
		if _, err := w.slack.Click(t.Context(), user, ts, does[1], does[2:]...); err != nil {
			t.Fatal(err)
		}
		sent, err := w.slack.Slash(t.Context(), user, "noc", "/unconnected", "status")
		if err != nil || !strings.Contains(string(sent.Response), "One incident is open") || !strings.Contains(string(sent.Response), "default") {
			t.Errorf("%s is told %s: %v", user, sent.Response, err)
		}
	}
	eventually(t, "both deeds", func() (bool, string) { return len(w.deeds()) == 2, w.logs.String() })
	for _, done := range w.deeds() {
		if done.Incident != id || done.By != map[string]string{events.Acknowledged: "Ana Torres", events.Silenced: "Luis Rojas"}[done.Action] {
			t.Errorf("recorded %+v", done)
		}
	}
	standby.stop()
	p.stop()
	if n := w.slack.Connections(); n != 0 {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if err := w.slack.Wait(ctx, func(s *fakeslack.Server) bool { return s.Connections() == 0 }); err != nil {
			t.Errorf("%d still listen", n)
		}
	}
}

// TestRefusedAppToken shows in the report, with what to do. Messages leave all the same, so the alerter is ready, and the dead
// man's switch hears of it.
func TestRefusedAppToken(t *testing.T) {
	t.Parallel()
	w := newPeopledWorld(t)
	w.config.AppToken = config.NewSecret("xapp-wrong")
	var pings atomic.Int32
	monitor := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { pings.Add(1) }))
	t.Cleanup(monitor.Close)
	w.config.HeartbeatURL = config.NewSecret(monitor.URL)
	p := w.start()
	p.reports("what to do", func(r daemon.Report) bool {
		return r.Ready && strings.Contains(strings.Join(r.Notes, "\n"), "SLACK_APP_TOKEN is not valid")
	})
	eventually(t, "a ping", func() (bool, string) { return pings.Load() > 0, w.logs.String() })
	w.play("default", "qc")
	w.expectChannel("#noc", "root 🔴 default/Congestion/2/firing")
	if asked := len(w.slack.Requests("apps.connections.open")); asked != 1 {
		t.Errorf("it asked %d times", asked)
	}
}

// TestSilencesTakenAway: when the bucket is deleted the alerter starts over with an empty one.
func TestSilencesTakenAway(t *testing.T) {
	t.Parallel()
	w := newPeopledWorld(t)
	p := w.start()
	w.listened()
	if err := w.js.DeleteKeyValue(t.Context(), "unconnected_silences"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another bucket", func() (bool, string) {
		_, err := w.js.KeyValue(t.Context(), "unconnected_silences")
		return err == nil, w.logs.String()
	})
	p.reports("that all is well", func(r daemon.Report) bool { return r.Ready })
}

// says waits until the only message of a channel says something.
func (w *world) says(channel, text string) {
	w.t.Helper()
	eventually(w.t, "a message that says "+text, func() (bool, string) {
		roots := w.slack.Roots(channel)
		if len(roots) != 1 {
			return false, fmt.Sprintf("%d messages", len(roots))
		}
		return strings.Contains(string(roots[0].Blocks), text), string(roots[0].Blocks)
	})
}

// TestPeopleShow: what somebody did shows in the message, and a silence from the command line does, too, and its end.
func TestPeopleShow(t *testing.T) {
	t.Parallel()
	w := newPeopledWorld(t)
	p := w.start()
	w.play("default", "qc")
	p.judged(w)
	w.listened()
	w.expectChannel("#noc", "root 🔴 default/Congestion/2/firing")
	root := w.slack.Roots("#noc")[0].TS
	if _, err := w.slack.Click(t.Context(), "ana", root, slack.ActionAcknowledge); err != nil {
		t.Fatal(err)
	}
	w.says("#noc", "Ana Torres")
	store, err := silence.Open(t.Context(), w.js, 1)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	hush := incident.Silence{ID: "s1", Operation: "default", From: now, Until: now.Add(time.Hour), Reason: "the carrier works on it"}
	if err := store.Add(t.Context(), hush, silence.Person{Name: "Eva"}, "", now); err != nil {
		t.Fatal(err)
	}
	w.says("#noc", "the carrier works on it")
	if _, err := store.Expire(t.Context(), "s1", silence.Person{Name: "Eva"}, time.Now().UTC()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a message without the silence", func() (bool, string) {
		blocks := string(w.slack.Roots("#noc")[0].Blocks)
		return !strings.Contains(blocks, "the carrier works on it") && strings.Contains(blocks, slack.ActionSilence), blocks
	})
}

// TestSilentLater: a silence that was made for later shows in the message when it begins, and no longer once it is over.
func TestSilentLater(t *testing.T) {
	t.Parallel()
	w := newPeopledWorld(t)
	p := w.start()
	w.play("default", "qc")
	p.judged(w)
	w.expectChannel("#noc", "root 🔴 default/Congestion/2/firing")
	store, err := silence.Open(t.Context(), w.js, 1)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	hush := incident.Silence{
		ID: "s1", Operation: "default", From: now.Add(3 * time.Second), Until: now.Add(6 * time.Second), Reason: "the carrier works on it",
	}
	if err := store.Add(t.Context(), hush, silence.Person{Name: "Eva"}, "", now); err != nil {
		t.Fatal(err)
	}
	w.says("#noc", "the carrier works on it")
	if early := hush.From.Truncate(time.Second); time.Now().Before(early) {
		t.Error("it shows before it begins")
	}
	eventually(t, "a message without the silence", func() (bool, string) {
		blocks := string(w.slack.Roots("#noc")[0].Blocks)
		return !strings.Contains(blocks, "the carrier works on it"), blocks
	})
}

// TestSilentFromTheStart: nobody is told of what is silent before it begins.
func TestSilentFromTheStart(t *testing.T) {
	t.Parallel()
	w := newPeopledWorld(t)
	store, err := silence.Open(t.Context(), w.js, 1)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	hush := incident.Silence{ID: "s1", Operation: events.AllOperations, Rules: []string{"Congestion"}, From: now, Until: now.Add(time.Hour), Reason: "x"}
	if err := store.Add(t.Context(), hush, silence.Person{Name: "Eva"}, "", now); err != nil {
		t.Fatal(err)
	}
	p := w.start()
	w.play("default", "qc")
	w.play("other", "qb")
	p.judged(w)
	w.expectChannel("#noc", "root 🟠 other/Busy/4/firing")
}

// TestSilenceEnds: what still fires when a silence ends is told then, whether it had been told before or not, and nobody reads that
// this was late.
func TestSilenceEnds(t *testing.T) {
	t.Parallel()
	w := newPeopledWorld(t)
	p := w.start()
	w.begin("default", 10*time.Minute+windowLength)
	w.play("default", "c")
	w.expectChannel("#noc", "root 🔴 default/Congestion/1/firing")
	store, err := silence.Open(t.Context(), w.js, 1)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	hush := incident.Silence{ID: "s1", Operation: events.AllOperations, From: now, Until: now.Add(12 * time.Second), Reason: "maintenance"}
	if err := store.Add(t.Context(), hush, silence.Person{Name: "Eva"}, "", now); err != nil {
		t.Fatal(err)
	}
	w.says("#noc", "maintenance")
	w.begin("other", 10*time.Minute+windowLength)
	w.play("other", "c")
	p.judged(w)
	if roots := w.slack.Roots("#noc"); len(roots) != 1 {
		t.Errorf("%d messages during the silence", len(roots))
	}
	first := w.stored()[0].Incident
	eventually(t, "both are told", func() (bool, string) {
		shown := strings.Join(w.channel("#noc"), ", ")
		return strings.Contains(shown, "line* "+first+"/reminder/1") && strings.Contains(shown, "root 🔴 other/Congestion/2/firing"), shown
	})
	for _, m := range w.slack.Messages("#noc") {
		if transitionOf(&m) == "other/Congestion/2/firing" && strings.Contains(m.Text+string(m.Blocks), "late") {
			t.Errorf("it is called late: %s", m.Blocks)
		}
	}
}

// TestPreviewHears: the buttons of the preview work as those of Slack do.
func TestPreviewHears(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t)
	w.config.Operators = "S0000001" // of the real Slack
	server, err := fakeslack.Start(fakeslack.Options{Channels: []fakeslack.Channel{{ID: "C0PREVIEW", Name: alerter.PreviewChannel}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	w.slack = server
	w.preview = &alerter.Preview{APIURL: server.APIURL(), Token: fakeslack.DefaultToken, AppToken: fakeslack.DefaultAppToken, Page: "http://127.0.0.1/"}
	p := w.start()
	w.play("default", "qc")
	p.judged(w)
	w.listened()
	w.expectChannel(alerter.PreviewChannel, "root 🔴 default/Congestion/2/firing")
	if _, err := server.Click(t.Context(), "ana", server.Roots(alerter.PreviewChannel)[0].TS, slack.ActionAcknowledge); err != nil {
		t.Fatal(err)
	}
	w.says(alerter.PreviewChannel, "Ana Torres")
}
