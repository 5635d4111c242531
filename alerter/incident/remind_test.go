package incident_test

import (
	"strings"
	"testing"
	"time"

	"unconnected/alerter/incident"
	"unconnected/events"
)

// TestReminderNoLongerWanted: a reminder of which nobody knows whether it was posted is not sent again when there is nothing left
// to mention.
func TestReminderNoLongerWanted(t *testing.T) {
	hourly := incident.Wishes{Remind: time.Hour}
	open := lived(t, fires("A", "critical", 0))
	s := &story{channel: channel{history: true}, caps: slackCaps, now: minute(7), rec: incident.Record{Incident: open.ID}}
	s.tell(t, &open)
	due := incident.Next(&open, s.rec, slackCaps, hourly, minute(67))
	if due.Step != incident.PostReminder {
		t.Fatalf("%+v, want a reminder", due)
	}
	intended := s.rec.Intend(due, &open, minute(67), minute(68))
	missing := intended.NotFound(incident.Next(&open, intended, slackCaps, hourly, minute(69)))
	if a := incident.Next(&open, missing, slackCaps, hourly, minute(69)); a.Step != incident.PostReminder {
		t.Fatalf("%+v, want the reminder again, which did not arrive", a)
	}

	blind := slackCaps
	blind.Lookup = false
	acked := lived(t, fires("A", "critical", 0), did("acknowledged", "ana", 68))
	closed := lived(t, fires("A", "critical", 0), resolves("A", "critical", 65))
	again := lived(t, fires("A", "critical", 0), resolves("A", "critical", 65), fires("A", "critical", 70))
	muted := incident.Wishes{Remind: time.Hour, Mute: incident.Mute{Until: minute(200), By: "ana"}}
	tests := map[string]struct {
		inc    incident.Incident
		rec    incident.Record
		caps   incident.Caps
		wishes incident.Wishes
		want   incident.Step
	}{
		"acknowledged, and surely not there":      {acked, missing, slackCaps, hourly, incident.Nothing},
		"acknowledged, and nobody can tell":       {acked, intended, blind, hourly, incident.Nothing},
		"acknowledged, and it may be there":       {acked, intended, slackCaps, hourly, incident.FindReminder},
		"closed":                                  {closed, missing, slackCaps, hourly, incident.Nothing},
		"silenced: look again at its end":         {open, missing, slackCaps, muted, incident.Wait},
		"switched off since":                      {open, missing, slackCaps, incident.Wishes{}, incident.Nothing},
		"it fires again: counted from that, anew": {again, missing, slackCaps, hourly, incident.Wait},
	}
	for name, test := range tests {
		s := &story{channel: channel{history: true}, caps: test.caps, wishes: test.wishes, now: minute(80), rec: test.rec}
		s.wishes.Remind = 0
		s.rec.Reminders.Intent = nil
		s.tell(t, &test.inc) // what happened is told; only the reminder is left
		rec := s.rec
		rec.Reminders.Intent = test.rec.Reminders.Intent
		if a := incident.Next(&test.inc, rec, test.caps, test.wishes, minute(90)); a.Step != test.want {
			t.Errorf("%s: %v, want %v", name, a.Step, test.want)
		}
	}
}

// TestGroupReminders: what is silenced or taken care of is not mentioned, and what was silenced is again when that has ended.
func TestGroupReminders(t *testing.T) {
	inc := lived(t, fires("A", "critical", 0))
	group := incident.Record{Incident: incident.GroupID(&inc), Channel: "#noc", Members: []string{inc.ID}}
	post := incident.NextGroup([]incident.Incident{inc}, group, slackCaps, incident.Wishes{}, minute(6))
	group = group.Done(post, incident.Receipt{ChannelID: "C1", TS: "1.0"}, minute(6))
	mute := incident.Mute{Until: minute(90), By: "ana"}
	for name, test := range map[string]struct {
		wishes incident.Wishes
		at     int
		want   incident.Action
	}{
		"due":                     {incident.Wishes{Remind: time.Hour}, 66, incident.Action{Step: incident.PostReminder}},
		"not yet":                 {incident.Wishes{Remind: time.Hour}, 65, incident.Action{Step: incident.Wait, Until: minute(66)}},
		"silenced":                {incident.Wishes{Remind: time.Hour, Mute: mute}, 66, incident.Action{Step: incident.Wait, Until: minute(90)}},
		"silenced, else never":    {incident.Wishes{Mute: mute}, 66, incident.Action{Step: incident.Wait, Until: minute(90)}},
		"it was, else never":      {incident.Wishes{Unmuted: minute(60)}, 66, incident.Action{Step: incident.PostReminder}},
		"never":                   {incident.Wishes{}, 66, incident.Action{}},
		"the silence has ended":   {incident.Wishes{Remind: time.Hour}, 90, incident.Action{Step: incident.PostReminder}},
		"its root was deleted":    {incident.Wishes{Remind: time.Hour}, 66, incident.Action{}},
		"Slack is not to be used": {incident.Wishes{Remind: time.Hour}, 66, incident.Action{Step: incident.Wait, Until: minute(70)}},
	} {
		rec := group
		switch name {
		case "its root was deleted":
			rec.Root.Gone = true
		case "Slack is not to be used":
			rec.Trouble = &incident.Trouble{Until: minute(70)}
		}
		got := incident.NextGroup([]incident.Incident{inc}, rec, slackCaps, test.wishes, minute(test.at))
		if got.Step != test.want.Step || !got.Until.Equal(test.want.Until) {
			t.Errorf("%s: %v until %v, want %v until %v", name, got.Step, got.Until, test.want.Step, test.want.Until)
		}
	}
}

func TestToMention(t *testing.T) {
	of := func(operation string, change func(*incident.Incident)) incident.Incident {
		inc := lived(t, fires("A", "critical", 0))
		inc.Operation = operation
		change(&inc)
		return inc
	}
	asIs := func(*incident.Incident) {}
	members := []incident.Incident{
		of("closed", func(i *incident.Incident) { i.Open = false }),
		of("acked", func(i *incident.Incident) { i.Acked = new(events.Action) }),
		of("one", asIs), of("two", asIs),
	}
	silence := func(operation string, until int) incident.Silence {
		return incident.Silence{Operation: operation, From: minute(0), Until: minute(until), By: operation}
	}
	for name, test := range map[string]struct {
		silences []incident.Silence
		want     string // the operations mentioned
		mute     string // who has silenced all of them
	}{
		"no silence":    {nil, "one two", ""},
		"of one":        {[]incident.Silence{silence("one", 60)}, "two", ""},
		"of both":       {[]incident.Silence{silence("one", 60), silence("two", 50)}, "", "two"},
		"over":          {[]incident.Silence{silence("one", 20), silence("two", 50)}, "one", ""},
		"of all others": {[]incident.Silence{silence("closed", 60), silence("acked", 60)}, "one two", ""},
	} {
		mention, mute := incident.ToMention(members, test.silences, minute(20))
		var names []string
		for i := range mention {
			names = append(names, mention[i].Operation)
		}
		if got := strings.Join(names, " "); got != test.want || mute.By != test.mute {
			t.Errorf("%s: mentioned %q, silenced by %q; want %q, %q", name, got, mute.By, test.want, test.mute)
		}
	}
}
