package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/alerter/slack/fakeslack"
	"unconnected/events"
	"unconnected/producer/wolkvox/simulator"
)

// errNotYet is for conditions that need no words.
var errNotYet = errors.New("not yet")

// checkpoint is up to where the log of an operation is complete; zero while there is none.
func (w *world) checkpoint(operation string) (time.Time, error) {
	stream, err := w.js.Stream(w.t.Context(), events.StreamCalls)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	last, err := events.Last(w.t.Context(), stream, operation)
	if err != nil || last == nil {
		return time.Time{}, err
	}
	return last.Checkpoint, nil
}

// awaitCheckpoint awaits that the log is complete up to an instant.
func (w *world) awaitCheckpoint(operation string, at time.Time) {
	w.t.Helper()
	eventually(w.t, func() error {
		reached, err := w.checkpoint(operation)
		if err == nil && reached.Before(at) {
			err = fmt.Errorf("the log of %s is complete up to %v, want %v", operation, reached, at)
		}
		return err
	})
}

// awaitLive awaits that the log has caught up with the present.
func (w *world) awaitLive() {
	w.t.Helper()
	w.awaitCheckpoint(events.DefaultOperation, time.Now().Add(-second))
}

// log reads everything that CALLS holds of the default operation.
func (w *world) log() []events.Event { return w.logOf(events.DefaultOperation) }

func (w *world) logOf(operation string) []events.Event {
	w.t.Helper()
	var list []events.Event
	for e, err := range events.History(w.t.Context(), w.js, events.Query{Operations: []string{operation}}) {
		if err != nil {
			w.t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

// requireTrueLog wants a log without revisions to hold every window once, in order, without gaps, and with the counts that
// there really were. Markers of missed windows fail it.
func (w *world) requireTrueLog(log []events.Event) {
	w.t.Helper()
	requireTruth(w, w.api, log)
	for i := range log {
		if log[i].Missed != nil {
			w.t.Errorf("%s is marked missed: %s", log[i].Window, log[i].Missed.Reason)
		}
	}
}

// requireTruth is requireTrueLog against any simulator, where windows may be missed.
func requireTruth(w *world, api *simulator.Simulator, log []events.Event) {
	w.t.Helper()
	if len(log) == 0 {
		w.t.Fatal("the log is empty")
	}
	end := log[0].Window.Start
	for i := range log {
		e := &log[i]
		switch {
		case !e.IsLive() || e.Revision != 0 || e.Window.Length() != second:
			w.t.Fatalf("%s is no first report of a window", e.ID())
		case !e.Window.Start.Equal(end):
			w.t.Fatalf("%s follows %v", e.Window, end)
		case !e.Checkpoint.Equal(e.Window.End):
			w.t.Fatalf("%s has the checkpoint %v", e.Window, e.Checkpoint)
		}
		end = e.Window.End
		truth := api.Truth(e.Window.Start, e.Window.End)
		if e.Missed == nil && !maps.Equal(e.Counts, truth) {
			w.t.Fatalf("%s has the counts %v, really %v", e.Window, e.Counts, truth)
		}
	}
}

// alerts reads everything that ALERTS holds, as rule and status.
func (w *world) alerts() ([]string, []events.Alert, error) {
	stream, err := w.js.Stream(w.t.Context(), events.StreamAlerts)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	var names []string
	var list []events.Alert
	for sequence := uint64(1); sequence <= stream.CachedInfo().State.LastSeq; sequence++ {
		raw, err := stream.GetMsg(w.t.Context(), sequence)
		if err != nil {
			return nil, nil, err
		}
		alert, err := events.DecodeRawAlert(raw)
		if errors.Is(err, events.ErrInvalid) {
			continue // what a test put there
		}
		if err != nil {
			return nil, nil, err
		}
		names, list = append(names, alert.Rule+" "+alert.Status), append(list, alert)
	}
	return names, list, nil
}

// awaitStory awaits exactly the alert events of one incident, and returns them.
func (w *world) awaitStory() []events.Alert {
	w.t.Helper()
	var list []events.Alert
	eventually(w.t, func() error {
		names, all, err := w.alerts()
		list = all
		if err == nil && !slices.Equal(names, story) {
			err = fmt.Errorf("the alert events are %q, want %q", names, story)
		}
		return err
	})
	return list
}

// requireStory holds what ALERTS has against the story of one incident, now.
func (w *world) requireStory() {
	w.t.Helper()
	if names, _, err := w.alerts(); err != nil || !slices.Equal(names, story) {
		w.t.Errorf("the alert events are %q (%v), want %q", names, err, story)
	}
}

// awaitToldInSlack awaits that the channel shows the story of one incident: one message of its own, which shows the end,
// and below it one line for each later transition, the worsening and the end to the whole channel.
func (w *world) awaitToldInSlack() {
	w.t.Helper()
	eventually(w.t, w.toldInSlack)
}

// linesBelow are the posts in the thread of a message, without its picture.
func linesBelow(slack *fakeslack.Server, root *fakeslack.Message) []fakeslack.Message {
	return slices.DeleteFunc(slack.Thread(root.Channel, root.TS), func(m fakeslack.Message) bool { return len(m.Files) > 0 })
}

func (w *world) toldInSlack() error {
	roots := w.slack.Roots("#noc")
	if len(roots) != 1 {
		return fmt.Errorf("there are %d messages in the channel, want 1", len(roots))
	}
	root, lines := roots[0], linesBelow(w.slack, &roots[0])
	if len(lines) != len(story)-1 {
		return fmt.Errorf("there are %d lines in the thread, want %d", len(lines), len(story)-1)
	}
	seen := make(map[string]bool)
	for i, line := range lines {
		if want := i != 1; line.Broadcast != want { // worse, better, closed
			return fmt.Errorf("line %d has broadcast %v: %s", i, line.Broadcast, line.Text)
		}
		id := string(line.Metadata)
		if seen[id] || !json.Valid(line.Metadata) {
			return fmt.Errorf("line %d is there twice, or bears no transition: %s", i, id)
		}
		seen[id] = true
	}
	return contains(root.Text, "esolved")
}

// requireOneAtATime wants the API never to have been asked two things at once, whoever was killed in the middle of a request.
func requireOneAtATime(w *world, api *simulator.Simulator) {
	w.t.Helper()
	for _, r := range api.Ledger() {
		if r.InFlight > 1 {
			w.t.Errorf("at %v %d requests were under way, asking for %s to %s", r.At, r.InFlight, r.From, r.To)
		}
	}
}

// posts counts the requests to Slack that made a message of its own, and those that made a line in a thread.
func posts(s *fakeslack.Server) (roots, lines int) {
	for _, r := range s.Requests("chat.postMessage") {
		switch {
		case r.TS == "":
		case r.Args["thread_ts"] == "":
			roots++
		default:
			lines++
		}
	}
	return roots, lines
}

// awaitQuiet awaits that the alerter has judged two more seconds: long enough for anything superfluous to be posted.
func (w *world) awaitQuiet(alerter *process) {
	w.t.Helper()
	until := time.Now().Add(2 * second)
	eventually(w.t, func() error {
		r, err := alerter.readyz()
		if err == nil && (len(r.Operations) == 0 || r.Operations[0].Checkpoint.Before(until)) {
			err = fmt.Errorf("the alerter got as far as %+v, want %v", r.Operations, until)
		}
		return err
	})
}

func location(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}
