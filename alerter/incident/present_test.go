package incident_test

import (
	"testing"
	"time"

	"unconnected/alerter/incident"
	"unconnected/events"
)

// stands is how a rule's alert stands in the window that begins at a minute.
func stands(rule string, at int, value float64) incident.Present {
	a := fires(rule, "critical", at)
	a.Value = &value
	return incident.Present{Alert: a, At: minute(at + 6)}
}

func TestPresent(t *testing.T) {
	began := 0.44
	opened := with(fires("A", "critical", 0), func(a *events.Alert) { a.Value = &began })
	inc := lived(t, opened, fires("B", "warning", 5), resolves("B", "warning", 10))
	inc = inc.WithPresent([]incident.Present{stands("A", 30, 0.61), stands("B", 30, 0.9), stands("C", 30, 0.9)})
	now := inc.Now()
	a, b := now.Alerts[0], now.Alerts[1]
	if *a.Latest.Value != 0.61 || !a.Latest.At().Equal(minute(35)) || *a.Peak != 0.61 || !a.PeakAt.Equal(minute(30)) || *a.Fired.Value != began {
		t.Errorf("what fires is %+v, want it as in the newest window, and how it began", a)
	}
	if b.Firing() || !b.Latest.At().Equal(minute(15)) || len(now.Alerts) != 2 {
		t.Errorf("what is over, or never was, counts: %+v", now.Alerts)
	}
	if *inc.Alerts[0].Latest.Value != began {
		t.Error("the incident itself has changed")
	}
	if as := inc.AsOf(inc.Transitions[0].Sequence); *as.Now().Alerts[0].Latest.Value != began {
		t.Error("an earlier state has the value of the present")
	}
	if as := inc.AsOf(inc.Last().Sequence); *as.Now().Alerts[0].Latest.Value != 0.61 {
		t.Error("the last state has not the value of the present")
	}
	if old := inc.WithPresent([]incident.Present{stands("A", 0, 0.7)}); *old.Now().Alerts[0].Latest.Value != began {
		t.Error("a window from before the transition counts")
	}
}

// TestRefresh: a message is brought up to date between what happens, after all else, and not more often than is worth it.
func TestRefresh(t *testing.T) {
	open := lived(t, fires("A", "critical", 0))
	over := lived(t, fires("A", "critical", 0), resolves("A", "critical", 10))
	rec := incident.Record{Incident: theIncident}.Done(incident.Next(&open, incident.Record{}, slackCaps, incident.Wishes{}, minute(7)), incident.Receipt{ChannelID: "C1", TS: "1"}, minute(7))
	newer := []incident.Present{stands("A", 30, 0.61)}
	remind := incident.Wishes{Remind: time.Hour}
	tests := map[string]struct {
		inc     incident.Incident
		present []incident.Present
		caps    incident.Caps
		wishes  incident.Wishes
		change  func(*incident.Record)
		now     time.Time
		want    incident.Step
	}{
		"newer":                     {inc: open, present: newer, want: incident.EditRoot},
		"nothing newer":             {inc: open, want: incident.Nothing},
		"hardly newer":              {inc: open, present: newer, change: func(r *incident.Record) { r.Root.Present = minute(35).Add(-59 * time.Second) }, want: incident.Nothing},
		"told already":              {inc: open, present: newer, change: func(r *incident.Record) { r.Root.Present = minute(35) }, want: incident.Nothing},
		"others may come":           {inc: open, present: newer, now: minute(36).Add(time.Second), want: incident.Wait},
		"over":                      {inc: over, present: newer, change: func(r *incident.Record) { r.Root.Shown, r.Line.Done = 110, 110 }, want: incident.Nothing},
		"a share in a group":        {inc: open, present: newer, change: func(r *incident.Record) { r.Root.Group = "@group/x" }, want: incident.Nothing},
		"no edits":                  {inc: open, present: newer, caps: webhookCaps, want: incident.Nothing},
		"edits are forbidden":       {inc: open, present: newer, change: func(r *incident.Record) { r.Root.Fixed = true }, want: incident.Nothing},
		"a reminder is due":         {inc: open, present: newer, wishes: remind, now: minute(80), want: incident.PostReminder},
		"a reminder comes later":    {inc: open, present: newer, wishes: remind, want: incident.EditRoot},
		"both come later":           {inc: open, present: newer, wishes: remind, now: minute(36).Add(time.Second), want: incident.Wait},
		"a silence shows first":     {inc: open, present: newer, wishes: incident.Wishes{Mute: incident.Mute{Until: minute(90)}}, want: incident.EditRoot},
		"a silence shows, and then": {inc: open, present: newer, wishes: incident.Wishes{Mute: incident.Mute{Until: minute(90)}}, change: func(r *incident.Record) { r.Root.Mute = "2026-11-22T16:30:00Z " }, want: incident.EditRoot},
	}
	for name, test := range tests {
		r := rec
		if test.change != nil {
			test.change(&r)
		}
		if test.caps == (incident.Caps{}) && name != "no edits" {
			test.caps = slackCaps
		}
		if test.now.IsZero() {
			test.now = minute(37)
		}
		inc := test.inc.WithPresent(test.present)
		a := incident.Next(&inc, r, test.caps, test.wishes, test.now)
		if a.Step != test.want {
			t.Errorf("%s: %+v, want %v", name, a, test.want)
		}
		if refresh := a.Step == incident.EditRoot && name != "a silence shows first"; a.Refresh != refresh {
			t.Errorf("%s: waits for all else: %v", name, a.Refresh)
		}
		if a.Step == incident.Wait && !a.Until.Equal(minute(36).Add(5*time.Second)) {
			t.Errorf("%s: waits until %v", name, a.Until)
		}
		if a.Step == incident.EditRoot {
			if again := incident.Next(&inc, r.Done(a, incident.Receipt{}, test.now), test.caps, test.wishes, test.now); again.Step == incident.EditRoot {
				t.Errorf("%s: and then again: %+v", name, again)
			}
		}
	}
	group := incident.Record{Incident: "@group/x", Root: incident.Root{Posted: true, PostedAt: minute(7), TS: "1", Shown: 200}}
	members := []incident.Incident{open.WithPresent(newer), over}
	if a := incident.NextGroup(members, group, slackCaps, incident.Wishes{}, minute(37)); a.Step != incident.EditRoot || !a.Refresh || !a.Present.Equal(minute(35)) {
		t.Errorf("a group: %+v, want it brought up to date", a)
	}
	if a := incident.NextGroup(members, group, webhookCaps, incident.Wishes{}, minute(37)); a.Step != incident.Nothing {
		t.Errorf("a group by webhook: %+v", a)
	}
}
