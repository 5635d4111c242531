package alerter_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/alerter/incident"
	"unconnected/alerter/slack/fakeslack"
	"unconnected/events"
)

// story is what happens to one operation in a channel of its own: congestion, then busy as well, then quiet. In between one
// request to Slack goes wrong.
type story struct {
	operation, channel string
	fault              fakeslack.Fault
	at                 target // the request that goes wrong
	step               string
	want               string
}

// The usual end of a story: the root says that it is over, and each later transition has its line.
const (
	rootOver   = "root ✅ Congestion firing"
	lineWorse  = "line* Busy firing"
	lineBetter = "line Congestion resolved"
	lineClosed = "line* Busy resolved"
	usual      = rootOver + ", " + lineWorse + ", " + lineBetter + ", " + lineClosed
)

// steps are the requests that can go wrong: the first message, the second, the first edit.
var steps = map[string]target{
	"root":   {method: "chat.postMessage", n: 1},
	"thread": {method: "chat.postMessage", n: 2},
	"edit":   {method: "chat.update", n: 1},
}

// newStories makes a world with one operation, one channel and its rules for each fault and step.
func newStories(t *testing.T, faults map[string]fakeslack.Fault, scopes []string, exceptions map[string]string) (*world, *front, map[string]*story) {
	t.Helper()
	w := newQuietWorld(t)
	var channels []fakeslack.Channel
	var rules strings.Builder
	rules.WriteString("rules:\n")
	severities := map[string]string{"congestion": events.Critical, "busy": events.Warning}
	stories := make(map[string]*story)
	for name, fault := range faults {
		for step, at := range steps {
			n := len(stories)
			s := &story{operation: fmt.Sprintf("op%d", n), channel: fmt.Sprintf("C%07d", n), fault: fault, at: at, step: step, want: usual}
			s.at.channel = s.channel
			if special, ok := exceptions[name+"/"+step]; ok {
				s.want = special
			}
			stories[name+"/"+step] = s
			channels = append(channels, fakeslack.Channel{ID: s.channel, Name: s.operation})
			for _, rule := range []string{"congestion", "busy"} {
				fmt.Fprintf(&rules, "  - {alert: %[1]s-%[2]s, expr: share.%[2]s >= 0.2 && total >= 50, value: share.%[2]s, severity: %[3]s,"+
					" operations: [%[1]s], channel: %[4]s}\n", s.operation, rule, severities[rule], s.channel)
			}
			w.log(s.operation)
		}
	}
	server, err := fakeslack.Start(fakeslack.Options{Channels: channels, Scopes: scopes})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	w.slack = server
	f := newFront(t, server)
	for _, s := range stories {
		f.plan(s.at, s.fault)
	}
	w.rules(rules.String())
	w.useSlack(f.url)
	w.config.Slack.Channel = channels[0].ID
	return w, f, stories
}

// shows is the channel, with the rules' short names and without causes.
func (w *world) shows(s *story) string {
	text := strings.Join(w.channel(s.channel), ", ")
	for cut := 0; cut >= 0; {
		if cut = strings.Index(text, s.operation+"/"); cut >= 0 {
			rest := text[cut:]
			parts := strings.SplitN(rest, "/", 4)
			rule := strings.TrimPrefix(parts[1], s.operation+"-")
			text = text[:cut] + strings.ToUpper(rule[:1]) + rule[1:] + " " + parts[3]
		}
	}
	return text
}

// settled tells whether nothing is left to be done about the first n transitions of the operation, as the record says.
func (w *world) settled(s *story, n int) (bool, string) {
	bucket, err := w.js.KeyValue(w.t.Context(), "unconnected_notices")
	if err != nil {
		return false, err.Error()
	}
	stored := w.storedOf(s.operation)
	if len(stored) < n {
		return false, fmt.Sprintf("there are %d transitions", len(stored))
	}
	last := stored[n-1].Sequence
	entry, err := bucket.Get(w.t.Context(), incident.Key(stored[0].Incident, s.channel))
	if err != nil {
		return false, err.Error()
	}
	var rec incident.Record
	if err := json.Unmarshal(entry.Value(), &rec); err != nil {
		return false, err.Error()
	}
	done := rec.Root.Posted && rec.Root.Intent == nil && rec.Line.Intent == nil && rec.Line.Done == last && rec.Root.Shown == last
	return done, fmt.Sprintf("%s; the record is %s", w.shows(s), entry.Value())
}

func (w *world) storedOf(operation string) []events.Alert {
	stream, err := w.js.Stream(w.t.Context(), events.StreamAlerts)
	if err != nil {
		w.t.Fatal(err)
	}
	var all []events.Alert
	for next := uint64(1); ; {
		raw, err := stream.GetMsg(w.t.Context(), next, jetstream.WithGetMsgSubject("alerts.unconnected."+operation+".*"))
		if err != nil {
			return all
		}
		alert, err := events.DecodeRawAlert(raw)
		if err != nil {
			w.t.Fatal(err)
		}
		all, next = append(all, alert), raw.Sequence+1
	}
}

// tellStory plays the story, each part when the one before was told or has met its fault.
func (w *world) tellStory(t *testing.T, f *front, s *story) {
	w.play(s.operation, "c")
	eventually(t, "the root", func() (bool, string) { got := w.shows(s); return strings.HasPrefix(got, "root"), got })
	w.play(s.operation, "x")
	eventually(t, "the request that goes wrong", func() (bool, string) {
		if f.requests(s.channel, s.at.method) >= s.at.n {
			return true, ""
		}
		return w.settled(s, 2) // on a machine that hangs itself, another one went wrong before
	})
	w.play(s.operation, "q")
}

func TestDelivery(t *testing.T) {
	t.Parallel()
	faults := map[string]fakeslack.Fault{
		"429 with Retry-After":    fakeslack.TooMany(1),
		"429 without":             fakeslack.TooMany(-1),
		"500":                     fakeslack.Status(500),
		"500 although it arrived": fakeslack.StatusAfter(500),
		"dropped before":          fakeslack.DropBefore(),
		"dropped after":           fakeslack.DropAfter(),
		"refused silently":        fakeslack.RefuseSilently(),
		"fatal error":             fakeslack.Refuse("fatal_error"),
		"fatal error, arrived":    fakeslack.RefuseAfter("fatal_error"),
		"no JSON":                 {Body: "<html>"},
		"no JSON, arrived":        fakeslack.Garbage("{\"ok\":tr"),
		"slow":                    fakeslack.Slow(200 * time.Millisecond),
		"slower than we wait":     fakeslack.Slow(10 * time.Second),
	}
	lost := strings.Replace(usual, lineWorse+", ", "", 1)
	twice := "root 🔴 Congestion firing, " + usual
	for name, test := range map[string]struct {
		scopes     []string
		exceptions map[string]string
	}{
		"history": {nil, nil},
		"no history": {scopesWithoutHistory(), map[string]string{
			// Nobody can tell: the root comes twice, because that is better than never; a line is given up.
			"500 although it arrived/root": twice, "dropped after/root": twice, "fatal error, arrived/root": twice,
			"no JSON, arrived/root": twice, "slower than we wait/root": twice,
			"500/thread": lost, "dropped before/thread": lost, "refused silently/thread": lost, "fatal error/thread": lost, "no JSON/thread": lost,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, f, stories := newStories(t, faults, test.scopes, test.exceptions)
			w.start()
			for name, s := range stories {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					w.tellStory(t, f, s)
					eventually(t, "everything is done", func() (bool, string) { return w.settled(s, 4) })
					if got := w.shows(s); got != s.want {
						t.Errorf("the channel shows\n%s\nwant\n%s", got, s.want)
					}
				})
			}
		})
	}
}
