package incident_test

import (
	"strings"
	"testing"
	"time"

	"unconnected/alerter/incident"
)

// TestFaultsOfReminders: at most one reminder when it is due, whatever goes wrong, and one in an hour's time again.
func TestFaultsOfReminders(t *testing.T) {
	exceptions := map[string]int{ // how many are shown, where that is not one
		// Nobody can tell whether it was posted, so it is given up.
		"killed between intent and post/no history": 0,
		"answer lost, did not arrive/no history":    0,
		// It can never be posted.
		"the step is forbidden/history":    0,
		"the step is forbidden/no history": 0,
		"the root was deleted/history":     0,
		"the root was deleted/no history":  0,
	}
	inc := lived(t, fires("A", "critical", 0))
	for _, f := range allFaults() {
		for _, history := range []string{"history", "no history"} {
			name := f.name + "/" + history
			t.Run(name, func(t *testing.T) {
				s := &story{channel: channel{history: history == "history"}, caps: slackCaps, now: minute(7), rec: incident.Record{Incident: inc.ID}}
				s.tell(t, &inc)
				s.wishes.Remind, s.now, s.until, s.fault, s.at = time.Hour, minute(67), minute(100), f, incident.PostReminder
				s.tell(t, &inc)
				want, special := exceptions[name]
				if !special {
					want = 1
				}
				if got := strings.Join(s.lines, " "); strings.Count(got, "/reminder/1*") != want || len(s.lines) != want || len(s.root) != 1 {
					t.Errorf("the channel shows %d roots and %q, want %d reminders; steps: %v", len(s.root), got, want, s.steps)
				}
				s.now, s.until = minute(130), minute(160)
				s.tell(t, &inc)
				if got := strings.Join(s.lines, " "); !strings.Contains(got, "/reminder/2*") && f.failure.Class != incident.Gone {
					t.Errorf("an hour later the channel shows %q", got)
				}
			})
		}
	}
}

// TestFaultsOfGroups: the message of a group is there once, and says in the end that all is over.
func TestFaultsOfGroups(t *testing.T) {
	type shown struct {
		roots, lines int
		shows        uint64
	}
	exceptions := map[string]shown{
		// Nobody can tell: it comes twice, because that is better than never.
		"killed between post and result/post root/no history": {2, 1, 106},
		"answer lost, arrived/post root/no history":           {2, 1, 106},
		// Nobody can tell whether people were reminded.
		"killed between intent and post/post reminder/no history": {1, 0, 106},
		"answer lost, did not arrive/post reminder/no history":    {1, 0, 106},
		"the step is forbidden/post reminder/history":             {1, 0, 106},
		"the step is forbidden/post reminder/no history":          {1, 0, 106},
		// The message can't be changed, or is not there any more.
		"the step is forbidden/edit root/history":       {1, 1, 105},
		"the step is forbidden/edit root/no history":    {1, 1, 105},
		"the root was deleted/post reminder/history":    {1, 0, 105},
		"the root was deleted/post reminder/no history": {1, 0, 105},
		"the root was deleted/edit root/history":        {1, 1, 105},
		"the root was deleted/edit root/no history":     {1, 1, 105},
	}
	one, two := lived(t, fires("A", "critical", 0)), lived(t, fires("A", "critical", 5))
	over := lived(t, fires("A", "critical", 5), resolves("A", "critical", 6))
	for _, f := range allFaults() {
		for _, at := range []incident.Step{incident.PostRoot, incident.PostReminder, incident.EditRoot} {
			for _, history := range []string{"history", "no history"} {
				name := f.name + "/" + at.String() + "/" + history
				t.Run(name, func(t *testing.T) {
					members, w := []incident.Incident{one, two}, incident.Wishes{Remind: time.Hour}
					s := &story{
						channel: channel{history: history == "history"}, caps: slackCaps, now: minute(12), until: minute(60), fault: f, at: at,
						rec: incident.Record{Incident: incident.GroupID(&one), Members: []string{one.ID, two.ID}},
					}
					s.decide = func(rec incident.Record, now time.Time) incident.Action {
						return incident.NextGroup(members, rec, s.caps, w, now)
					}
					s.tell(t, nil)
					s.now, s.until = minute(75), minute(100)
					s.tell(t, nil)
					members = []incident.Incident{one, over}
					s.now, s.until = minute(110), minute(120)
					s.tell(t, nil)
					want, special := exceptions[name]
					if !special {
						want = shown{1, 1, 106}
					}
					if got := (shown{len(s.root), len(s.lines), s.shows}); got != want {
						t.Errorf("the channel shows %+v, want %+v; steps: %v", got, want, s.steps)
					}
				})
			}
		}
	}
}

// TestGroupDeleted: when somebody deleted a group's message its members say no more, but what gets worse has a message of its own.
func TestGroupDeleted(t *testing.T) {
	quiet := lived(t, fires("A", "warning", 0))
	worse := lived(t, fires("A", "warning", 0), fires("B", "critical", 5))
	over := lived(t, fires("A", "warning", 0), resolves("A", "warning", 10))
	group := incident.Record{Incident: incident.GroupID(&quiet), Channel: "#noc", Members: []string{quiet.ID}}
	post := incident.NextGroup([]incident.Incident{quiet}, group, slackCaps, incident.Wishes{}, minute(6))
	group = group.Done(post, incident.Receipt{ChannelID: "C1", TS: "1.0"}, minute(6))
	claimed := incident.Record{Incident: quiet.ID, Channel: "#noc"}.Claim(group.Incident, &quiet, time.Time{})
	told := claimed.Shared(group)
	told = told.Done(incident.Next(&quiet, told, slackCaps, incident.Wishes{}, minute(7)), incident.Receipt{}, minute(7))
	gone := incident.Failure{Class: incident.Gone, Code: "message_not_found"}
	group = group.Failed(incident.Action{Step: incident.EditRoot}, gone, minute(8))

	for name, rec := range map[string]incident.Record{"nothing told yet": claimed, "told in its thread": told} {
		for _, test := range []struct {
			inc  incident.Incident
			want string // the steps that succeed
		}{{quiet, ""}, {over, ""}, {worse, "post root"}} {
			rec, steps, now := rec.Shared(group), "", minute(12)
			for a := incident.Next(&test.inc, rec, slackCaps, incident.Wishes{}, now); a.Step != incident.Nothing; a = incident.Next(&test.inc, rec, slackCaps, incident.Wishes{}, now) {
				rec = rec.Intend(a, &test.inc, now, now.Add(attempt))
				if rec.Root.TS == "1.0" {
					rec = rec.Failed(a, gone, now)
					continue
				}
				steps += a.Step.String()
				rec = rec.Done(a, incident.Receipt{ChannelID: "C1", TS: "2.0"}, now)
			}
			if steps != test.want || steps != "" && (rec.Root.Group != "" || rec.Root.TS != "2.0") {
				t.Errorf("%s, %s: %q, want %q; the record is %+v", name, kinds(test.inc), steps, test.want, rec)
			}
		}
	}
}

// TestTogether: what nobody has seen may leave with others, also while it waits for another attempt; what may have arrived may not.
func TestTogether(t *testing.T) {
	inc := lived(t, fires("A", "critical", 0))
	post := incident.Next(&inc, incident.Record{}, slackCaps, incident.Wishes{}, minute(7))
	begun := incident.Record{}.Intend(post, &inc, minute(7), minute(8))
	refused := begun.Failed(post, incident.Failure{Class: incident.Undelivered, Code: "connection"}, minute(7))
	lost := begun.Failed(post, incident.Failure{Class: incident.Ambiguous, Code: "http_503"}, minute(7))
	look := incident.Next(&inc, lost, slackCaps, incident.Wishes{}, minute(8))
	for name, test := range map[string]struct {
		rec  incident.Record
		want bool
	}{
		"no attempt": {incident.Record{}, true}, "refused": {refused, true}, "begun": {begun, false}, "the answer is lost": {lost, false},
		"it is not there": {lost.NotFound(look), true}, "it is there": {lost.Done(look, incident.Receipt{TS: "1"}, minute(8)), false},
		"a share in a group": {refused.Claim("@group/x", &inc, time.Time{}), false},
	} {
		a := incident.Next(&inc, test.rec.Untroubled(), slackCaps, incident.Wishes{}, minute(9))
		if got := a.Joins(test.rec); got != test.want {
			t.Errorf("%s: may leave with others is %v", name, got)
		}
	}
	if rec := refused.Claim("@group/x", &inc, time.Time{}); rec.Trouble != nil {
		t.Error("it takes its trouble along, for which the group has its own")
	}
	older := incident.Trouble{Code: "connection", Count: 7, Since: minute(1), Until: minute(20)}
	rec := incident.Record{Trouble: refused.Trouble}.Inherits(&older).Inherits(nil)
	if got := rec.Trouble; got == nil || got.Count != 0 || !got.Since.Equal(minute(1)) || !got.Until.IsZero() || older.Count != 7 {
		t.Errorf("a group of what has failed since %v has failed since %+v", older.Since, got)
	}
}
