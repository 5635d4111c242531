package slack_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/incident"
	"unconnected/alerter/slack"
	"unconnected/alerter/slack/fakeslack"
	"unconnected/events"
)

// teller does what the alerter does, with a clock of its own, so that nobody waits for a deadline.
type teller struct {
	sink  slack.Sink
	rec   incident.Record
	now   time.Time
	steps []string
}

// tell brings the channel up to date with what the alerts say.
func (s *teller) tell(t *testing.T, alerts ...events.Alert) {
	t.Helper()
	fold := incident.NewFold()
	for i, a := range alerts {
		a.Sequence = uint64(i + 1)
		if _, _, err := fold.Apply(a); err != nil {
			t.Fatal(err)
		}
	}
	inc := fold.All()[0]
	composer := slack.Composer{Language: "en"}
	for range 50 {
		a := incident.Next(&inc, s.rec, s.sink.Caps(), incident.Wishes{}, s.now)
		switch a.Step {
		case incident.Nothing:
			return
		case incident.Wait:
			s.now = a.Until
			continue
		}
		s.steps = append(s.steps, a.Step.String())
		s.rec = s.rec.Intend(a, &inc, s.now, s.now.Add(slack.DefaultTimeout))
		ctx, cancel := context.WithTimeout(t.Context(), patient)
		got, err := slack.Deliver(ctx, s.sink, a, s.rec, composer.Compose(a, &inc, s.rec, incident.Wishes{}, s.now))
		cancel()
		s.rec = slack.Settle(s.rec, a, got, err, s.now)
		s.now = s.now.Add(time.Second)
	}
	t.Fatalf("no end to it: %v", s.steps)
}

// outage is an incident that opens, gets worse, gets better and closes.
func outage() []events.Alert {
	at := time.Now().UTC().Truncate(time.Minute).Add(-20 * time.Minute)
	alert := func(rule, status string, n int) events.Alert {
		w := events.Window{Start: at.Add(time.Duration(n) * time.Minute), End: at.Add(time.Duration(n+1) * time.Minute)}
		value := 0.4
		a := events.Alert{
			Operation: "default", Rule: rule, Severity: "critical", Status: status, StartsAt: w.Start, Window: &w, Value: &value,
			Incident: "default/x", Cause: events.Cause{Sequence: uint64(n)}, Stored: w.End,
		}
		if status == events.Resolved {
			a.EndsAt, a.Reason = &w.Start, events.ReasonCleared
		}
		return a
	}
	return []events.Alert{alert("A", events.Firing, 1), alert("B", events.Firing, 2), alert("B", events.Resolved, 3), alert("A", events.Resolved, 4)}
}

// TestExactlyOnceOverHTTP is the promise again, with a real server and every fault on every method.
func TestExactlyOnceOverHTTP(t *testing.T) {
	faults := []fakeslack.Fault{
		{}, fakeslack.TooMany(1), fakeslack.TooMany(-1), fakeslack.Status(500), fakeslack.StatusAfter(502), fakeslack.DropBefore(), fakeslack.DropAfter(),
		fakeslack.Refuse("channel_not_found"), fakeslack.Refuse("invalid_auth"), fakeslack.Refuse("internal_error"), fakeslack.RefuseAfter("fatal_error"),
		fakeslack.RefuseSilently(), fakeslack.Slow(forever), fakeslack.Garbage("<html>"), fakeslack.Refuse("invalid_blocks"), fakeslack.Refuse("who_knows"),
	}
	methods := []string{"chat.postMessage", "chat.update", "conversations.history", "conversations.replies"}
	for _, fault := range faults {
		for _, method := range methods {
			for turn := range 3 { // which of the method's requests it strikes
				t.Run(fmt.Sprintf("%s/%s/%d", fault.Name, method, turn), func(t *testing.T) {
					t.Parallel()
					server := start(t, fakeslack.Options{})
					strike(server, method, fault, turn)
					s := &teller{sink: clientWithin(server, patience(fault)), rec: incident.Record{Channel: "#noc"}, now: time.Now()}
					alerts := outage()
					for i := range alerts {
						s.tell(t, alerts[:i+1]...)
					}
					roots := server.Roots("noc")
					if len(roots) != 1 || !strings.Contains(roots[0].Text, "Resolved") {
						t.Fatalf("%d roots: %+v; steps %v", len(roots), roots, s.steps)
					}
					checkThread(t, server.Thread("noc", roots[0].TS), alerts[1:])
				})
			}
		}
	}
}

// strike lets the fault hit one of the method's requests; a look-up is provoked by an answer that is lost.
func strike(server *fakeslack.Server, method string, fault fakeslack.Fault, turn int) {
	pass := fakeslack.Fault{Name: "none", Handled: true}
	var queue []fakeslack.Fault
	for range turn {
		queue = append(queue, pass)
	}
	if fault.Name == "" {
		fault = pass
	}
	switch method {
	case "conversations.history":
		server.Fail("chat.postMessage", fakeslack.DropAfter())
		queue = nil
	case "conversations.replies":
		server.Fail("chat.postMessage", append(append([]fakeslack.Fault{pass}, queue...), fakeslack.DropAfter())...)
		queue = nil
	}
	server.Fail(method, append(queue, fault)...)
}

func checkThread(t *testing.T, thread []fakeslack.Message, want []events.Alert) {
	t.Helper()
	if len(thread) != len(want) {
		t.Fatalf("%d lines, want %d: %+v", len(thread), len(want), thread)
	}
	for i, broadcast := range []bool{true, false, true} {
		if !strings.Contains(string(thread[i].Metadata), want[i].ID()) || thread[i].Broadcast != broadcast {
			t.Errorf("line %d is %+v", i, thread[i])
		}
	}
}

// TestWithoutTheHistoryScope repeats the root and drops a line when their answers are lost.
func TestWithoutTheHistoryScope(t *testing.T) {
	server := start(t, fakeslack.Options{Scopes: []string{"chat:write"}})
	server.Fail("chat.postMessage", fakeslack.DropAfter(), fakeslack.Fault{Handled: true}, fakeslack.DropBefore())
	s := &teller{sink: client(server), rec: incident.Record{Channel: "#noc"}, now: time.Now()}
	alerts := outage()
	for i := range alerts {
		s.tell(t, alerts[:i+1]...)
	}
	roots := server.Roots("noc")
	if len(roots) != 2 {
		t.Fatalf("%d roots; steps %v", len(roots), s.steps)
	}
	if thread := server.Thread("noc", roots[1].TS); len(thread) != 2 {
		t.Errorf("%d lines: one was lost, and is given up", len(thread))
	}
}

// TestARenamedChannelKeepsItsMessage goes by the id that the first answer told.
func TestARenamedChannelKeepsItsMessage(t *testing.T) {
	server := start(t, fakeslack.Options{})
	s := &teller{sink: client(server), rec: incident.Record{Channel: "#noc"}, now: time.Now()}
	alerts := outage()
	s.tell(t, alerts[0])
	server.SetChannel(fakeslack.Channel{ID: "C0000001", Name: "operations"})
	s.tell(t, alerts...)
	if roots := server.Roots("operations"); len(roots) != 1 || len(server.Thread("operations", roots[0].TS)) != 3 {
		t.Errorf("steps %v, messages %+v", s.steps, server.Messages("operations"))
	}
}

// TestADeletedMessageIsLeftInPeace adds nothing more than the line that was on its way.
func TestADeletedMessageIsLeftInPeace(t *testing.T) {
	server := start(t, fakeslack.Options{})
	s := &teller{sink: client(server), rec: incident.Record{Channel: "#noc"}, now: time.Now()}
	alerts := outage()
	s.tell(t, alerts[0])
	server.Delete(s.rec.Root.TS)
	s.tell(t, alerts...)
	if !s.rec.Root.Gone || len(server.Messages("noc")) > 1 {
		t.Errorf("steps %v, messages %+v", s.steps, server.Messages("noc"))
	}
}

// TestWebhookTellsTheEnds posts the opening and the closing, and nothing between.
func TestWebhookTellsTheEnds(t *testing.T) {
	server := start(t, fakeslack.Options{})
	s := &teller{sink: slack.NewWebhook(server.WebhookURL, nil, patient), rec: incident.Record{Channel: "#noc"}, now: time.Now()}
	alerts := outage()
	for i := range alerts {
		s.tell(t, alerts[:i+1]...)
	}
	shown := server.Roots("noc")
	if len(shown) != 2 || !strings.Contains(shown[0].Text, "Firing") || !strings.Contains(shown[1].Text, "Resolved") {
		t.Errorf("the channel shows %+v", shown)
	}
}
