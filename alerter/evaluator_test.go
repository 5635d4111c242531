package alerter_test

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"unconnected/events"
	"unconnected/internal/daemon"
)

func TestTransitions(t *testing.T) {
	t.Parallel()
	const noon = "rules:\n  - alert: Congestion\n    expr: share.congestion >= 0.2 && total >= 50\n    clear: share.congestion < 0.1\n"
	for _, test := range []struct {
		name, rules, windows string
		want                 []string
	}{
		{"quiet", twoRules, "qqqqq", nil},
		{"fires and is cleared", twoRules, "qccq", []string{
			"default/Congestion/2/firing", "default/Congestion/4/resolved cleared"}},
		{"two alerts, one incident", twoRules, "qcxcq", []string{
			"default/Congestion/2/firing", "default/Busy/3/firing", "default/Busy/4/resolved cleared", "default/Congestion/5/resolved cleared"}},
		{"two of one cause: the worst severity first", twoRules, "qxq", []string{
			"default/Congestion/2/firing", "default/Busy/2/firing", "default/Congestion/3/resolved cleared", "default/Busy/3/resolved cleared"}},
		{"for", noon + "    for: 2 of 3\n", "cqqcqc", []string{"default/Congestion/6/firing"}},
		{"keep", noon + "    keep: 2\n", "cqcq?qq", []string{"default/Congestion/1/firing", "default/Congestion/7/resolved cleared"}},
		{"a missed window neither fires nor clears", twoRules, "c?c", []string{"default/Congestion/1/firing"}},
		{"out of hours", noon + "    hours: \"Mon-Sun 00:00-00:01\"\n    severity: info\n", strings.Repeat("c", 5), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newQuietWorld(t)
			w.rules(test.rules)
			w.logsOf["default"] = nil
			if test.name == "out of hours" && nearMidnight() {
				w.begin("default", 40*time.Minute)
			}
			p := w.start()
			w.play("default", test.windows)
			w.expectAlerts(p, test.want...)
			for _, a := range w.stored() {
				if got, want := a.Incident, w.stored()[0].Incident; got != want {
					t.Errorf("%s belongs to incident %s, want %s", a.ID(), got, want)
				}
			}
		})
	}
}

// nearMidnight tells whether the usual windows of a test would lie in the first minute of a day in Bogotá.
func nearMidnight() bool {
	bogota := time.FixedZone("-05", -5*3600)
	now := time.Now().In(bogota)
	return now.Hour() == 0 && now.Minute() < 20
}

func TestNoTrafficEndsAnAlert(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t)
	w.begin("default", 75*time.Minute)
	p := w.start()
	w.play("default", "c"+strings.Repeat("e", 359))
	w.expectAlerts(p, "default/Congestion/1/firing")
	w.play("default", "e")
	w.expectAlerts(p, "default/Congestion/1/firing", "default/Congestion/361/resolved no_traffic")
}

func TestRevisionClears(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t)
	p := w.start()
	w.play("default", "qc")
	w.correct("default", 1, "q")
	w.correct("default", 1, "q") // another one that changes nothing
	w.play("default", "q")
	w.expectAlerts(p, "default/Congestion/2/firing", "default/Congestion/3/resolved cleared")
}

// TestConflictDecidesAnew: somebody else, another alerter, stored the same transition first.
func TestConflictDecidesAnew(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t)
	p := w.start()
	w.play("default", "q")
	p.judged(w)
	start := w.log("default").next
	other := events.Alert{
		Operation: "default", Rule: "Congestion", Severity: events.Critical, Status: events.Firing, StartsAt: start,
		Window: &events.Window{Start: start, End: start.Add(windowLength)}, Summary: "somebody else", Incident: "default/other",
		Cause: events.Cause{Sequence: 2},
	}
	msg, err := events.EncodeAlert(&other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.js.PublishMsg(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
	w.play("default", "x")
	w.expectAlerts(p, "default/Congestion/2/firing", "default/Busy/2/firing")
	if busy := w.stored()[1]; busy.Incident != "default/other" {
		t.Errorf("Busy opens the incident %s beside the open one", busy.Incident)
	}
}

// TestForeignBytesOnAnAlertsSubject: what is no alert event neither stops evaluation nor hides what was before it, whether
// the alerter reads it when it starts or finds it in its way.
func TestForeignBytesOnAnAlertsSubject(t *testing.T) {
	t.Parallel()
	for _, restart := range []bool{false, true} {
		w := newWorld(t)
		p := w.start()
		w.play("default", "qc")
		w.expectAlerts(p, "default/Congestion/2/firing")
		for _, data := range []string{"", "{}", "\x00\xff", `{"operation": 7}`} {
			if _, err := w.js.Publish(t.Context(), events.AlertSubject("default", "Congestion"), []byte(data)); err != nil {
				t.Fatal(err)
			}
			if _, err := w.js.Publish(t.Context(), "alerts.unconnected.Ünknown.rule", []byte(data)); err != nil {
				t.Fatal(err)
			}
		}
		if restart {
			p.stop()
			p = w.start()
		}
		w.play("default", "cq")
		w.expectAlerts(p, "default/Congestion/2/firing", "default/Congestion/4/resolved cleared")
		w.expectChannel("#noc", "root ✅ default/Congestion/2/firing", "line* default/Congestion/4/resolved")
	}
}

// TestForeignBytesOnCalls: they are left out, once.
func TestForeignBytesOnCalls(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t)
	p := w.start()
	w.play("default", "q")
	if _, err := w.js.PublishMsg(t.Context(), &nats.Msg{Subject: "calls.unconnected", Data: []byte("<html>")}); err != nil {
		t.Fatal(err)
	}
	w.play("default", "c")
	w.expectAlerts(p, "default/Congestion/3/firing")
	p.stop()
	before := strings.Count(w.logs.String(), "level=WARN msg=\"a message on CALLS is left out\"")
	w.start().judged(w)
	if after := strings.Count(w.logs.String(), "level=WARN msg=\"a message on CALLS is left out\""); before != 1 || after != 1 {
		t.Errorf("the log warns of it %d times before the restart, %d times after", before, after)
	}
}

// TestAlertThatCannotBeStored: one alert event that the stream will never take does not stop evaluation.
func TestAlertThatCannotBeStored(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t)
	stream, err := w.js.Stream(t.Context(), events.StreamAlerts)
	if err != nil {
		t.Fatal(err)
	}
	small := stream.CachedInfo().Config
	small.MaxMsgSize = 1200
	if _, err := w.js.UpdateStream(t.Context(), small); err != nil {
		t.Fatal(err)
	}
	w.rules(strings.Replace(twoRules, "    severity: critical\n", "    severity: critical\n    summary: \""+strings.Repeat("long ", 300)+"\"\n", 1))
	p := w.start()
	w.play("default", "qxq")
	w.expectAlerts(p, "default/Busy/2/firing", "default/Busy/3/resolved cleared")
	if !strings.Contains(w.logs.String(), "level=ERROR") {
		t.Error("nothing is said about it")
	}
}

// TestRuleRemoved: an alert whose rule is gone is resolved by a tick, which no window can cause.
func TestRuleRemoved(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t)
	p := w.start()
	w.play("default", "qx")
	w.expectAlerts(p, "default/Congestion/2/firing", "default/Busy/2/firing")
	p.stop()
	w.rules(twoRules[:strings.Index(twoRules, "  - alert: Busy")])
	p = w.start()
	p.judged(w)
	removed := w.stored()[2]
	if removed.Rule != "Busy" || removed.Reason != events.ReasonRuleRemoved || removed.Cause.Sequence != 2 ||
		removed.Cause.Tick < time.Now().Add(-time.Minute).Unix() || removed.Window != nil || !removed.EndsAt.Equal(removed.At()) {
		t.Errorf("Busy is resolved by %+v", removed)
	}
	p.stop()
	w.rules(twoRules) // and here it is again
	p = w.start()
	w.play("default", "x")
	p.judged(w)
	if got := w.alerts(); len(got) != 4 || got[3] != "default/Busy/3/firing" {
		t.Errorf("after the rule came back: %v", got)
	}
}

// TestRulesChanged: the next window reconciles what is stored with what the new rules say.
func TestRulesChanged(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t)
	p := w.start()
	w.play("default", "qcc")
	w.expectAlerts(p, "default/Congestion/2/firing")
	p.stop()
	w.rules(strings.Replace(twoRules, "share.congestion >= 0.2", "share.congestion >= 0.5", 1))
	p = w.start()
	p.judged(w)
	w.expectAlerts(p, "default/Congestion/2/firing")
	w.play("default", "c")
	p.judged(w)
	if got := w.alerts(); len(got) != 2 || !strings.HasPrefix(got[1], "default/Congestion/4/resolved") {
		t.Errorf("ALERTS holds %v", got)
	}
}

// TestStreamCreatedAnew: CALLS begins from nothing; what was stored of the old one does not fence the causes of the new.
func TestStreamCreatedAnew(t *testing.T) {
	t.Parallel()
	for _, running := range []bool{true, false} {
		w := newQuietWorld(t)
		p := w.start()
		w.play("default", "qqqqqqcqcqc")
		p.judged(w)
		before := len(w.alerts())
		if !running {
			p.stop()
		}
		if err := w.js.DeleteStream(t.Context(), events.StreamCalls); err != nil {
			t.Fatal(err)
		}
		if _, err := w.js.CreateStream(t.Context(), events.CallsStream(events.StreamOptions{})); err != nil {
			t.Fatal(err)
		}
		w.play("default", "qqcqqqcq")
		if !running {
			p = w.start()
		}
		eventually(t, "alerts of the new stream", func() (bool, string) {
			got := w.alerts()[before:]
			return strings.Join(got, ", ") == "default/Congestion/1/resolved cleared, default/Congestion/3/firing, "+
				"default/Congestion/4/resolved cleared, default/Congestion/7/firing, default/Congestion/8/resolved cleared", strings.Join(got, ", ")
		})
		if n := strings.Count(w.logs.String(), "can't be stored now"); n > 3 {
			t.Errorf("%d failed attempts", n)
		}
		p.stop()
	}
}

// TestAlertsStreamDeleted: the alerter notices, creates it again, and goes on.
func TestAlertsStreamDeleted(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t)
	p := w.start()
	w.play("default", "qc")
	w.expectAlerts(p, "default/Congestion/2/firing")
	if err := w.js.DeleteStream(t.Context(), events.StreamAlerts); err != nil {
		t.Fatal(err)
	}
	w.play("default", "b")
	eventually(t, "a new stream ALERTS with what fires now", func() (bool, string) {
		_, err := w.js.Stream(t.Context(), events.StreamAlerts)
		if err != nil {
			return false, err.Error()
		}
		got := strings.Join(w.alerts(), ", ")
		return strings.Contains(got, "default/Busy/3/firing"), got
	})
}

// TestPositionLost: without its memory of how far it got, the alerter repeats nothing.
func TestPositionLost(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t)
	p := w.start()
	w.play("default", "qcqcqbx")
	p.judged(w)
	before := w.alerts()
	p.stop()
	if err := w.js.DeleteKeyValue(t.Context(), "unconnected_alerter"); err != nil {
		t.Fatal(err)
	}
	p = w.start()
	w.expectAlerts(p, before...)
	w.play("default", "q")
	w.expectAlerts(p, append(before, "default/Congestion/8/resolved cleared", "default/Busy/8/resolved cleared")...)
}

// TestVeryFirstStart: windows that were old then give no event; what fires still gives one at the first younger window.
func TestVeryFirstStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.begin("default", 2*time.Hour)
	w.play("default", "qcqqqb")
	began := w.log("default").next.Add(-windowLength)
	p := w.start()
	w.expectAlerts(p)
	p.stop()
	p = w.start() // a restart changes nothing about it
	w.expectAlerts(p)
	w.skipTo("default", time.Minute)
	w.play("default", "b")
	w.expectAlerts(p, "default/Busy/7/firing")
	if got := w.stored()[0]; !got.StartsAt.Equal(began) || got.Incident != "default/"+began.Format(time.RFC3339) {
		t.Errorf("it began at %v, incident %s; want %v", got.StartsAt, got.Incident, began)
	}
	w.expectChannel("#noc", "root 🟠 default/Busy/7/firing")
}

// TestNoSpinning: a stream that refuses is asked less and less often, and readyz says why nothing gets on.
func TestNoSpinning(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t)
	p := w.start()
	w.play("default", "q")
	p.judged(w)
	stream, err := w.js.Stream(t.Context(), events.StreamAlerts)
	if err != nil {
		t.Fatal(err)
	}
	sealed := stream.CachedInfo().Config
	sealed.Sealed = true
	if _, err := w.js.UpdateStream(t.Context(), sealed); err != nil {
		t.Fatal(err)
	}
	attempts, err := w.js.Conn().SubscribeSync("alerts.unconnected.>")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	w.play("default", "c")
	for range 5 {
		if _, err := attempts.NextMsg(patience); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took < 500*time.Millisecond {
		t.Errorf("five attempts in %v", took)
	}
	p.reports("what is wrong", func(r daemon.Report) bool { return !r.Ready && strings.Contains(r.Reason, "sealed") })
	if n := strings.Count(w.logs.String(), "can't be stored now"); n != 1 {
		t.Errorf("one reason is logged %d times", n)
	}
}
