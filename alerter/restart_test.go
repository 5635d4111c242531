package alerter_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/incident"
	"unconnected/events"
)

const demandingRules = `
rules:
  - alert: Congestion
    expr: share.congestion >= 0.2 && total >= 50
    for: 2 of 3
    keep: 2
    value: share.congestion
    severity: critical
  - alert: Busy
    expr: share.busy >= 0.2 && total >= 50
    value: share.busy
    severity: warning
  - alert: Any
    expr: share.busy + share.congestion > 0 && total >= 50
    keep: 4
    severity: info
`

// step is one message of CALLS: a live window, or a revision of one.
type step struct {
	operation, letter string
	revises           int // -1 for a live window
}

func randomHistory(random *rand.Rand, n int) []step {
	windows := make(map[string]int)
	var steps []step
	for range n {
		s := step{operation: []string{"default", "ventas"}[random.IntN(2)], revises: -1}
		s.letter = string("qqccbxe?"[random.IntN(8)])
		if w := windows[s.operation]; w > 2 && random.IntN(6) == 0 && s.letter != "?" {
			s.revises = w - 1 - random.IntN(3)
		} else {
			windows[s.operation]++
		}
		steps = append(steps, s)
	}
	for _, operation := range []string{"default", "ventas"} { // so that all is judged when the newest window is
		steps = append(steps, step{operation, "q", -1})
	}
	return steps
}

func (w *world) tell(s step) {
	if s.revises >= 0 {
		w.correct(s.operation, s.revises, s.letter)
		return
	}
	w.play(s.operation, s.letter)
}

// sameBeginning gives all worlds of one comparison the same windows.
func sameBeginning(w *world, at time.Time) {
	for _, operation := range []string{"default", "ventas"} {
		w.logsOf[operation] = &operationLog{first: at, next: at}
	}
}

// content is ALERTS as text, whole messages but for their times of storing.
func (w *world) content() string {
	w.t.Helper()
	var lines []string
	for _, a := range w.stored() {
		data, err := json.Marshal(a)
		if err != nil {
			w.t.Fatal(err)
		}
		lines = append(lines, a.ID()+" "+string(data))
	}
	return strings.Join(lines, "\n")
}

// TestRestartsChangeNothing: whoever evaluates, and however often it is interrupted wherever, the same events give the same
// stream ALERTS.
func TestRestartsChangeNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 1))
			history := randomHistory(random, 40)
			begin := time.Now().UTC().Add(-20 * time.Minute).Truncate(windowLength)
			worldOf := func() *world {
				w := newQuietWorld(t)
				w.rules(demandingRules)
				sameBeginning(w, begin)
				return w
			}

			w := worldOf()
			p := w.start()
			for _, s := range history {
				w.tell(s)
			}
			p.judged(w)
			p.stop()
			want := w.content()
			if strings.Count(want, "\n") < 10 {
				t.Fatalf("the history is too quiet to tell anything:\n%s", want)
			}
			w.start().judged(w)
			if got := w.content(); got != want {
				t.Errorf("evaluated twice, ALERTS changed to\n%s\nfrom\n%s", got, want)
			}

			w = worldOf() // restarted behind every message
			for i, s := range history {
				p := w.start()
				w.tell(s)
				if i%2 == 0 {
					p.judged(w)
				}
				p.stop()
			}
			w.start().judged(w)
			if got := w.content(); got != want {
				t.Errorf("restarted behind every message, ALERTS holds\n%s\nwant\n%s", got, want)
			}

			w = worldOf() // killed at random points while it catches up
			w.start().stop()
			for _, s := range history {
				w.tell(s)
			}
			for before := 0; len(w.stored()) < strings.Count(want, "\n")-2; {
				p := w.launch()
				goal := before + 1 + random.IntN(4)
				eventually(t, "some alert events", func() (bool, string) {
					n := int(w.lastSequence(events.StreamAlerts))
					return n >= goal || n >= strings.Count(want, "\n")-2, fmt.Sprint(n)
				})
				p.kill()
				before = int(w.lastSequence(events.StreamAlerts))
			}
			w.start().judged(w)
			if got := w.content(); got != want {
				t.Errorf("killed here and there, ALERTS holds\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func (w *world) lastSequence(stream string) uint64 {
	w.t.Helper()
	s, err := w.js.Stream(w.t.Context(), stream)
	if err != nil {
		w.t.Fatal(err)
	}
	return s.CachedInfo().State.LastSeq
}

// TestKilledBetweenTwoAlertsOfOneCause: the second joins the incident that the first opened, although the first began later.
func TestKilledBetweenTwoAlertsOfOneCause(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t)
	w.rules(strings.Replace(twoRules, "    severity: warning\n", "    severity: warning\n    for: 2\n", 1))
	w.start().stop()
	w.play("default", "bx")
	first := events.Alert{ // what an alerter stored before it was killed
		Operation: "default", Rule: "Congestion", Severity: events.Critical, Status: events.Firing,
		StartsAt: w.log("default").first.Add(windowLength),
		Window:   &events.Window{Start: w.log("default").first.Add(windowLength), End: w.log("default").next},
		Incident: "default/" + w.log("default").first.Format(time.RFC3339), Cause: events.Cause{Sequence: 2},
	}
	msg, err := events.EncodeAlert(&first)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.js.PublishMsg(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
	p := w.start()
	w.expectAlerts(p, "default/Congestion/2/firing", "default/Busy/2/firing")
	if got := w.stored()[1].Incident; got != first.Incident {
		t.Errorf("the second alert opens %s, the first belongs to %s", got, first.Incident)
	}
}

// TestOldIncidents: one that began and ended in old windows is not posted, one that still fires when evaluation reaches a
// young window is, with its true start.
func TestOldIncidents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().stop() // not the very first start
	w.begin("default", 3*time.Hour)
	w.begin("ventas", 3*time.Hour)
	w.play("default", "qcq")
	w.play("ventas", "qb")
	began := w.log("ventas").next.Add(-windowLength)
	p := w.start()
	p.judged(w)
	if got := w.alerts(); len(got) != 3 {
		t.Errorf("old windows give the events %v", got)
	}
	w.skipTo("default", 5*time.Minute)
	w.skipTo("ventas", 5*time.Minute)
	w.play("default", "q")
	w.play("ventas", "b")
	w.expectChannel("#noc", "root 🟠 ventas/Busy/5/firing")
	if text := w.slack.Messages("#noc")[0].Text + string(w.slack.Messages("#noc")[0].Blocks); !strings.Contains(text, bogota(began)) {
		t.Errorf("the message does not tell the true start %s: %s", bogota(began), text)
	}
	if posts := len(w.slack.Requests("chat.postMessage")); posts != 1 {
		t.Errorf("%d posts", posts)
	}
}

func bogota(t time.Time) string {
	text := t.In(time.FixedZone("-05", -5*3600)).Format("15:04:05")
	return strings.TrimSuffix(text, ":00")
}

// TestOldEndOfAMessageInSlack: what is in Slack is brought to its end however late that is known.
func TestOldEndOfAMessageInSlack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Alerts.MaxAge = 0
	w.config.Alerts.MaxAge.Set("1h")
	w.begin("default", 55*time.Minute)
	p := w.start()
	w.play("default", "c")
	w.expectChannel("#noc", "root 🔴 default/Congestion/1/firing")
	p.stop()
	w.config.Alerts.MaxAge.Set("10m")
	w.play("default", "q")
	w.start()
	w.expectChannel("#noc", "root ✅ default/Congestion/1/firing", "line* default/Congestion/2/resolved")
}

// TestAlerterFirst: an alerter that is started first makes the streams itself.
func TestAlerterFirst(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t)
	for _, stream := range []string{events.StreamCalls, events.StreamAlerts} {
		if err := w.js.DeleteStream(t.Context(), stream); err != nil {
			t.Fatal(err)
		}
	}
	p := w.start()
	w.play("default", "qc")
	w.expectAlerts(p, "default/Congestion/2/firing")
	eventually(t, "a card", func() (bool, string) { return strings.Contains(w.cards.String(), "Congestion"), w.cards.String() })
}

// TestOldRecordsLeaveTheBucket: what nobody will be told of any more is not kept for ever.
func TestOldRecordsLeaveTheBucket(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.begin("default", 20*24*time.Hour)
	w.config.Alerts.MaxAge.Set("400d")
	p := w.start()
	w.play("default", "c")
	w.expectChannel("#noc", "root 🔴 default/Congestion/1/firing")
	w.play("default", "q")
	w.expectChannel("#noc", "root ✅ default/Congestion/1/firing", "line* default/Congestion/2/resolved")
	w.play("ventas", "c") // young
	w.expectChannel("#noc", "root ✅ default/Congestion/1/firing", "line* default/Congestion/2/resolved", "root 🔴 ventas/Congestion/3/firing")
	eventually(t, "four records, two of them of pictures", func() (bool, string) { return w.records() == 4, fmt.Sprint(w.records()) })
	p.stop()
	w.start()
	eventually(t, "two records", func() (bool, string) { return w.records() == 2, fmt.Sprint(w.records()) })
}

// records counts what the bucket of the notifier holds, markers of deleted entries included.
func (w *world) records() int {
	stream, err := w.js.Stream(w.t.Context(), "KV_unconnected_notices")
	if err != nil {
		w.t.Fatal(err)
	}
	return int(stream.CachedInfo().State.Msgs)
}

// TestRecordDeleted: somebody deletes what is known about a message. It is told anew, and the alerter does not spin.
func TestRecordDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start()
	w.play("default", "c")
	w.expectChannel("#noc", "root 🔴 default/Congestion/1/firing")
	bucket, err := w.js.KeyValue(t.Context(), "unconnected_notices")
	if err != nil {
		t.Fatal(err)
	}
	key := incident.Key(w.stored()[0].Incident, "#noc")
	eventually(t, "the record", func() (bool, string) {
		entry, err := bucket.Get(t.Context(), key)
		return err == nil && strings.Contains(string(entry.Value()), `"posted":true`), fmt.Sprint(err)
	})
	if err := bucket.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	w.play("default", "q")
	w.expectChannel("#noc", "root 🔴 default/Congestion/1/firing", "root ✅ default/Congestion/1/firing", "line* default/Congestion/2/resolved")
	if n := strings.Count(w.logs.String(), "another alerter is at this incident"); n > 3 {
		t.Errorf("it read the record %d times", n)
	}
	p.stop()
}
