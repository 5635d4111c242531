package alerter

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/incident"
	"unconnected/alerter/slack"
	"unconnected/events"
	"unconnected/internal/daemon"
)

// TestWaitingForSlack: whatever waits for Slack for more than five minutes makes the alerter not ready, and with that stops the
// heartbeat; what is silent does not wait.
func TestWaitingForSlack(t *testing.T) {
	now := time.Date(2026, 11, 22, 15, 30, 0, 0, time.UTC)
	window := events.Window{Start: now.Add(-20 * time.Minute), End: now.Add(-15 * time.Minute)}
	alert := events.Alert{
		Operation: "default", Rule: "Busy", Severity: events.Warning, Status: events.Firing, StartsAt: window.Start, Window: &window,
		Incident: "default/2026-11-22T15:10:00Z", Cause: events.Cause{Sequence: 1}, Sequence: 1, Stored: window.End,
	}
	posted := incident.Root{Posted: true, TS: "1.0"}
	silence := incident.Silence{Operation: "default", From: now.Add(-10 * time.Minute), Until: now.Add(time.Hour), By: "ana"}
	trouble := func(class incident.Class, since time.Duration) *incident.Trouble {
		return &incident.Trouble{Class: class.String(), Code: "http_500", Hint: "a hint", Since: now.Add(-since)}
	}
	lost := func(since time.Duration) *incident.Trouble { return trouble(incident.Ambiguous, since) }
	for name, test := range map[string]struct {
		rec      incident.Record
		silences []incident.Silence
		ready    bool
		says     string // in the reason, or the note
	}{
		"nothing":                          {rec: incident.Record{Incident: alert.Incident}, ready: true},
		"a root since four minutes":        {rec: incident.Record{Incident: alert.Incident, Trouble: lost(4 * time.Minute)}, ready: true, says: "#noc waits since 2026-11-22T15:26:00Z"},
		"a root since six minutes":         {rec: incident.Record{Incident: alert.Incident, Trouble: lost(6 * time.Minute)}, says: "#noc can't be told since 2026-11-22T15:24:00Z: http_500"},
		"a line, an edit or a reminder":    {rec: incident.Record{Incident: alert.Incident, Root: posted, Trouble: lost(6 * time.Minute)}, says: "can't be told"},
		"a group":                          {rec: incident.Record{Incident: "@group/" + alert.Incident, Trouble: lost(6 * time.Minute)}, says: "can't be told"},
		"the daily message":                {rec: incident.Record{Incident: digestPrefix + "2026-11-22", Trouble: lost(6 * time.Minute)}, says: "can't be told"},
		"refused just now":                 {rec: incident.Record{Incident: alert.Incident, Trouble: trouble(incident.Permanent, 0)}, says: "Slack refuses channel #noc: http_500; a hint"},
		"a root that is silent since":      {rec: incident.Record{Incident: alert.Incident, Trouble: lost(6 * time.Minute)}, silences: []incident.Silence{silence}, ready: true},
		"silent since, and refused":        {rec: incident.Record{Incident: alert.Incident, Trouble: trouble(incident.Permanent, time.Hour)}, silences: []incident.Silence{silence}, says: "refuses"},
		"a root that may be there":         {rec: incident.Record{Incident: alert.Incident, Root: incident.Root{Intent: &incident.Intent{}}, Trouble: lost(6 * time.Minute)}, silences: []incident.Silence{silence}, says: "can't be told"},
		"the end of what was silent since": {rec: incident.Record{Incident: alert.Incident, Root: posted, Trouble: lost(6 * time.Minute)}, silences: []incident.Silence{silence}, says: "can't be told"},
	} {
		rec := test.rec
		rec.Channel = "#noc"
		n := &notifier{
			fold: incident.NewFold(), records: newRecords(nil, nil, slog.New(slog.DiscardHandler)), channelOf: func(string) string { return "#noc" },
			silences: func() []incident.Silence { return test.silences }, notices: map[string]func(*slack.Composer) slack.Message{},
			progress: newProgress(),
		}
		if _, _, err := n.fold.Apply(alert); err != nil {
			t.Fatal(err)
		}
		q := newQueue("#noc")
		q.pending[rec.Incident] = true
		n.queues = map[string]*queue{"#noc": q}
		n.records.put(incident.Key(rec.Incident, rec.Channel), record{Record: rec, revision: 1})

		r := reporting{Report: daemon.Report{Ready: true, State: "ok"}}
		n.reportChannels(&r, now)
		if said := r.Reason + strings.Join(r.Notes, ""); r.Ready != test.ready || !strings.Contains(said, test.says) || (said == "") != (test.says == "") {
			t.Errorf("%s: ready %v, %q", name, r.Ready, said)
		}
	}
}
