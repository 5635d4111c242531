package alerter

import (
	"log/slog"
	"testing"
	"time"

	"unconnected/alerter/incident"
	"unconnected/alerter/slack"
	"unconnected/events"
)

// TestClaimedByAGroup: what an incident does whose record says that it has a share in a group, by what the group's record says.
func TestClaimedByAGroup(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	window := events.Window{Start: now.Add(-6 * time.Minute), End: now.Add(-time.Minute)}
	alert := events.Alert{
		Operation: "default", Rule: "Busy", Severity: events.Warning, Status: events.Firing, StartsAt: window.Start, Window: &window,
		Incident: "default/2026-11-22T15:10:00Z", Cause: events.Cause{Sequence: 1}, Sequence: 1, Stored: now,
	}
	const id = "@group/other/2026-11-22T15:00:00Z"
	group := func(root incident.Root, members ...string) record {
		return record{Record: incident.Record{Incident: id, Channel: "#noc", ChannelID: "C1", Root: root, Members: members}, revision: 1}
	}
	posted := incident.Root{Posted: true, TS: "1.0", Shown: 1}
	for name, test := range map[string]struct {
		group record
		want  incident.Step
		waits bool // for the group, which is looked at
	}{
		"posted":                       {group: group(posted, alert.Incident), want: incident.PostLine},
		"not posted yet":               {group: group(incident.Root{}, alert.Incident), waits: true},
		"its post may be there":        {group: group(incident.Root{Intent: &incident.Intent{}}, alert.Incident), waits: true},
		"it never came to be":          {want: incident.PostRoot},
		"it came to be without us":     {group: group(posted, "somebody else"), want: incident.PostRoot},
		"it was deleted, nothing more": {group: group(incident.Root{Posted: true, Gone: true, Shown: 1}, alert.Incident)},
	} {
		n := &notifier{
			fold: incident.NewFold(), records: newRecords(nil, nil, slog.New(slog.DiscardHandler)), channelOf: func(string) string { return "#noc" },
			silences: func() []incident.Silence { return nil }, notices: map[string]func(*slack.Composer) slack.Message{},
			sink: slack.NewClient(slack.Config{Token: func() string { return "" }}), progress: newProgress(), maxAge: time.Hour,
		}
		inc, _, err := n.fold.Apply(alert)
		if err != nil {
			t.Fatal(err)
		}
		rec := incident.Record{Incident: inc.ID, Channel: "#noc"}.Claim(id, &inc)
		n.records.put(incident.Key(inc.ID, "#noc"), record{Record: rec, revision: 2})
		if test.group.revision != 0 {
			n.records.put(incident.Key(id, "#noc"), test.group)
		}
		q := newQueue("#noc")
		q.pending[inc.ID] = true
		got := incident.Nothing
		if job, _ := n.consider(q, inc.ID, now); job != nil {
			got = job.action.Step
		}
		if got != test.want || q.pending[id] != test.waits {
			t.Errorf("%s: %v, waits for the group: %v; want %v, %v", name, got, q.pending[id], test.want, test.waits)
		}
	}
}

// TestForget: what ended long ago takes no room, not even in one that stands by for months.
func TestForget(t *testing.T) {
	ended := time.Now().UTC().Truncate(time.Second).Add(-9 * 24 * time.Hour)
	window := events.Window{Start: ended.Add(-10 * time.Minute), End: ended.Add(-5 * time.Minute)}
	alert := events.Alert{
		Operation: "default", Rule: "Busy", Severity: events.Warning, Status: events.Firing, StartsAt: window.Start, Window: &window,
		Incident: "default/2026-11-22T15:10:00Z", Cause: events.Cause{Sequence: 1}, Sequence: 1, Stored: ended,
	}
	over := alert
	over.Status, over.Reason, over.Cause, over.Sequence = events.Resolved, events.ReasonCleared, events.Cause{Sequence: 2}, 2
	over.Window, over.EndsAt = &events.Window{Start: window.End, End: ended}, &window.End
	log := slog.New(slog.DiscardHandler)
	q := newQueue("#noc")
	n := &notifier{fold: incident.NewFold(), records: newRecords(nil, nil, log), queues: map[string]*queue{"#noc": q}, log: log}
	for _, a := range []events.Alert{alert, over} {
		if _, _, err := n.fold.Apply(a); err != nil {
			t.Fatal(err)
		}
	}
	q.pending[alert.Incident] = true
	n.forget(t.Context())
	if _, known := n.fold.Get(alert.Incident); known || len(q.pending) != 0 {
		t.Errorf("it is known: %v; waiting: %v", known, q.pending)
	}
}
