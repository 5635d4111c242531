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
		n := newIdleNotifier(func(string) string { return "#noc" })
		inc, _, err := n.fold.Apply(alert)
		if err != nil {
			t.Fatal(err)
		}
		rec := incident.Record{Incident: inc.ID, Channel: "#noc"}.Claim(id, &inc, time.Time{})
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

// newIdleNotifier is one that has read nothing yet and does nothing, with the channels of rules.
func newIdleNotifier(channelOf func(rule string) string) *notifier {
	return &notifier{
		fold: incident.NewFold(), records: newRecords(nil, nil, slog.New(slog.DiscardHandler)), channelOf: channelOf,
		silences: func() []incident.Silence { return nil }, notices: map[string]func(*slack.Composer) slack.Message{},
		sink: slack.NewClient(slack.Config{Token: func() string { return "" }}), progress: newProgress(), maxAge: time.Hour,
		pacer: new(slack.Pacer),
	}
}

// TestLastOfAGroup: the end of a group rings in its channel, whatever another channel is still told of its members.
func TestLastOfAGroup(t *testing.T) {
	n := newIdleNotifier(func(rule string) string { return map[string]string{"Busy": "#noc", "Cancel": "#sales"}[rule] })
	now := time.Now().UTC().Truncate(time.Second)
	sequence := uint64(0)
	tell := func(operation, rule, status string) incident.Incident {
		sequence++
		window := events.Window{Start: now.Add(-6 * time.Minute), End: now.Add(-time.Minute)}
		alert := events.Alert{
			Operation: operation, Rule: rule, Severity: events.Warning, Status: status, StartsAt: window.Start, Window: &window,
			Incident: operation + "/2026-11-22T15:10:00Z", Cause: events.Cause{Sequence: sequence}, Sequence: sequence, Stored: now,
		}
		if status == events.Resolved {
			alert.EndsAt, alert.Reason = &window.Start, events.ReasonCleared
		}
		inc, _, err := n.fold.Apply(alert)
		if err != nil {
			t.Fatal(err)
		}
		return inc
	}
	one, two := tell("one", "Busy", events.Firing), tell("two", "Busy", events.Firing)
	tell("two", "Cancel", events.Firing) // which #sales is told, and which does not end
	group := incident.GroupID(&one)
	told := incident.Root{Posted: true, TS: "1.0", Shown: 2}
	n.records.put(incident.Key(group, "#noc"), record{Record: incident.Record{
		Incident: group, Channel: "#noc", ChannelID: "C1", Root: told, Members: []string{one.ID, two.ID}}, revision: 1})
	for _, inc := range []incident.Incident{one, two} {
		rec := incident.Record{Incident: inc.ID, Channel: "#noc"}.Claim(group, &inc, time.Time{})
		rec.Root.Posted, rec.Root.TS, rec.Line.Done = true, "1.0", sequence
		n.records.put(incident.Key(inc.ID, "#noc"), record{Record: rec, revision: 1})
	}
	tell("two", "Busy", events.Resolved)
	tell("one", "Busy", events.Resolved)
	q := newQueue("#noc")
	for _, test := range []struct {
		id    string
		loud  bool
		ended int
	}{{two.ID, false, 0}, {one.ID, true, 2}} {
		job, _ := n.consider(q, test.id, now)
		if job == nil || job.action.Step != incident.PostLine || job.action.Broadcast != test.loud || len(job.ended) != test.ended {
			t.Errorf("the end of %s: %+v, want a line, to the channel %v", test.id, job, test.loud)
		}
	}
}

// TestUnseen: what nobody has seen may leave together, the most urgent first, but drills and messages about no incident go alone.
func TestUnseen(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	of := func(operation, severity string, labels map[string]string) *job {
		f := incident.NewFold()
		window := events.Window{Start: now.Add(-6 * time.Minute), End: now.Add(-time.Minute)}
		inc, _, err := f.Apply(events.Alert{
			Operation: operation, Rule: "Drill", Severity: severity, Status: events.Firing, StartsAt: window.Start, Window: &window, Labels: labels,
			Incident: operation + "/x", Cause: events.Cause{Sequence: 1}, Sequence: 1, Stored: now,
		})
		if err != nil {
			t.Fatal(err)
		}
		return &job{part: inc, action: incident.Action{Step: incident.PostRoot}}
	}
	warning, critical := of("a", events.Warning, nil), of("b", events.Critical, nil)
	drill, seen, notice := of("c", events.Critical, map[string]string{events.LabelDrill: "true"}), of("d", events.Critical, nil), of("e", events.Critical, nil)
	seen.rec.Root.Gone = true
	notice.notice = func(*slack.Composer) slack.Message { return slack.Message{} }
	group := of("f", events.Info, nil)
	group.members = []incident.Incident{warning.part, critical.part, group.part}
	got := candidates{warning, critical, drill, seen, notice, group}.unseen()
	if len(got) != 3 || got[0] != critical || got[1] != warning || got[2] != group || got.incidents() != 5 {
		t.Errorf("%d jobs about %d incidents may leave together", len(got), got.incidents())
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
