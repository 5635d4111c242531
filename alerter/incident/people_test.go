package incident_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/incident"
	"unconnected/events"
)

const theIncident = "default/2026-11-22T15:00:00Z"

// did is an action at a minute; its sequence in ALERTS follows the transition that was stored at that minute.
func did(action, by string, at int, change ...func(*events.Action)) events.Action {
	a := events.Action{
		Action: action, Operation: "default", Incident: theIncident, Key: by, By: by, At: minute(at),
		Sequence: uint64(100 + at + 1), Stored: minute(at),
	}
	if action == events.Silenced {
		until := minute(at + 60)
		a.Until = &until
	}
	for _, c := range change {
		c(&a)
	}
	return a
}

// lived is the incident after alerts and actions, in the order of their sequences.
func lived(t *testing.T, happened ...any) incident.Incident {
	t.Helper()
	f := incident.NewFold()
	for _, h := range happened {
		switch e := h.(type) {
		case events.Alert:
			if _, _, err := f.Apply(e); err != nil {
				t.Fatal(err)
			}
		case events.Action:
			f.Act(e)
		}
	}
	inc, _ := f.Get(theIncident)
	return inc
}

func TestWhatPeopleDo(t *testing.T) {
	other := func(a *events.Action) { a.Operation = "ventas" }
	all := func(a *events.Action) { a.Operation, a.Incident = events.AllOperations, "" }
	rule := func(name string) func(*events.Action) {
		return func(a *events.Action) { a.Incident, a.Rules = "", []string{name} }
	}
	key := func(k string) func(*events.Action) { return func(a *events.Action) { a.Key = k } }
	again := fires("A", "critical", 25)
	tests := map[string]struct {
		happened []any
		want     []string
		acked    string
	}{
		"acknowledged":            {[]any{fires("A", "critical", 0), did("acknowledged", "ana", 6)}, []string{"opened", "acknowledged"}, "ana"},
		"twice: the first counts": {[]any{fires("A", "critical", 0), did("acknowledged", "ana", 6), did("acknowledged", "luis", 7)}, []string{"opened", "acknowledged"}, "ana"},
		"before it began":         {[]any{did("acknowledged", "ana", 0), fires("A", "critical", 5)}, []string{"opened"}, ""},
		"after it closed":         {[]any{fires("A", "critical", 0), resolves("A", "critical", 10), did("acknowledged", "ana", 16)}, []string{"opened", "closed"}, ""},
		"it ends with the incident": {
			[]any{fires("A", "critical", 0), did("acknowledged", "ana", 6), resolves("A", "critical", 10), again},
			[]string{"opened", "acknowledged", "closed", "reopened"}, ""},
		"what gets worse is still worse": {
			[]any{fires("A", "warning", 0), did("acknowledged", "ana", 6), fires("B", "critical", 10)},
			[]string{"opened", "acknowledged", "worse"}, "ana"},
		"another operation's silence":  {[]any{fires("A", "critical", 0), did("silenced", "ana", 6, other)}, []string{"opened"}, ""},
		"a silence of all":             {[]any{fires("A", "critical", 0), did("silenced", "ana", 6, all)}, []string{"opened", "silenced"}, ""},
		"a silence of its rule":        {[]any{fires("A", "critical", 0), did("silenced", "ana", 6, rule("A"))}, []string{"opened", "silenced"}, ""},
		"a silence of another rule":    {[]any{fires("A", "critical", 0), did("silenced", "ana", 6, rule("B"))}, []string{"opened"}, ""},
		"a silence taken back":         {[]any{fires("A", "critical", 0), did("silenced", "ana", 6, key("s")), did("unsilenced", "luis", 7, key("s"))}, []string{"opened", "silenced", "unsilenced"}, ""},
		"the end of another silence":   {[]any{fires("A", "critical", 0), did("silenced", "ana", 6, key("s")), did("unsilenced", "luis", 7, key("x"))}, []string{"opened", "silenced"}, ""},
		"what was stored before again": {[]any{fires("A", "critical", 0), did("silenced", "ana", 6, key("s")), did("silenced", "ana", 7, key("s"))}, []string{"opened", "silenced"}, ""},
	}
	for name, test := range tests {
		inc := lived(t, test.happened...)
		acked := ""
		if inc.Acked != nil {
			acked = inc.Acked.By
		}
		if got := kinds(inc); strings.ReplaceAll(got, "*", "") != strings.Join(test.want, " ") || acked != test.acked {
			t.Errorf("%s: %s, acknowledged by %q; want %v, %q", name, got, acked, test.want, test.acked)
		}
		part := inc.Only(func(string) bool { return true })
		if got := kinds(part); got != kinds(inc) {
			t.Errorf("%s: rebuilt, it is %s", name, got)
		}
	}
}

func TestMuteOf(t *testing.T) {
	two := lived(t, fires("A", "critical", 0), fires("B", "warning", 5))
	closed := lived(t, fires("A", "critical", 0), resolves("A", "critical", 10))
	silence := func(operation string, from, until int, rules ...string) incident.Silence {
		return incident.Silence{ID: operation, Operation: operation, Rules: rules, From: minute(from), Until: minute(until), By: "ana"}
	}
	tests := map[string]struct {
		inc      incident.Incident
		silences []incident.Silence
		until    int // 0: not muted
	}{
		"none":                  {two, nil, 0},
		"all of it":             {two, []incident.Silence{silence("default", 0, 60)}, 60},
		"of all operations":     {two, []incident.Silence{silence(events.AllOperations, 0, 60)}, 60},
		"of another operation":  {two, []incident.Silence{silence("ventas", 0, 60)}, 0},
		"of one rule only":      {two, []incident.Silence{silence("default", 0, 60, "A")}, 0},
		"of both, in two":       {two, []incident.Silence{silence("default", 0, 60, "A"), silence("default", 0, 50, "B")}, 50},
		"the longer one counts": {two, []incident.Silence{silence("default", 0, 30), silence("default", 0, 90)}, 90},
		"not begun":             {two, []incident.Silence{silence("default", 21, 60)}, 0},
		"over":                  {two, []incident.Silence{silence("default", 0, 20)}, 0},
		"of what is closed":     {closed, []incident.Silence{silence("default", 0, 60, "A")}, 60},
		// What counts is whether it was silent when its end was known, which is at minute 16:30.
		"of what is closed, and over since":         {closed, []incident.Silence{silence("default", 0, 18)}, 18},
		"of what is closed, and over before":        {closed, []incident.Silence{silence("default", 0, 16)}, 0},
		"of what is closed, and begun only since":   {closed, []incident.Silence{silence("default", 18, 60)}, 0},
		"of what is closed, and begun just in time": {closed, []incident.Silence{silence("default", 16, 60)}, 60},
	}
	for name, test := range tests {
		mute := incident.MuteOf(&test.inc, test.silences, minute(20))
		var want time.Time
		if test.until != 0 {
			want = minute(test.until)
		}
		if !mute.Until.Equal(want) {
			t.Errorf("%s: muted until %v, want %v", name, mute.Until, want)
		}
	}
}

// TestSilenced: nobody is told while a silence holds; what still fires at its end is told then.
func TestSilenced(t *testing.T) {
	mute := incident.Wishes{Mute: incident.Mute{Until: minute(30), By: "ana"}}
	open := lived(t, fires("A", "critical", 0))
	over := lived(t, fires("A", "critical", 0), resolves("A", "critical", 10))
	again := lived(t, fires("A", "critical", 0), resolves("A", "critical", 10), fires("A", "critical", 15))

	if a := incident.Next(&open, incident.Record{}, slackCaps, mute, minute(6)); a.Step != incident.Wait || !a.Until.Equal(minute(30)) {
		t.Errorf("a silenced incident: %+v, want to wait until the silence ends", a)
	}
	if a := incident.Next(&open, incident.Record{}, slackCaps, incident.Wishes{}, minute(30)); a.Step != incident.PostRoot {
		t.Errorf("after the silence: %+v, want the root", a)
	}
	a := incident.Next(&over, incident.Record{}, slackCaps, mute, minute(16))
	if a.Step != incident.Forgo {
		t.Fatalf("closed while silenced: %+v, want to leave it out", a)
	}
	rec := incident.Record{}.Done(a, incident.Receipt{}, minute(16))
	if a := incident.Next(&over, rec, slackCaps, incident.Wishes{}, minute(60)); a.Step != incident.Nothing {
		t.Errorf("left out, and then: %+v", a)
	}
	if a := incident.Next(&again, rec, slackCaps, incident.Wishes{}, minute(60)); a.Step != incident.PostRoot || a.Transition != again.Last().ID() {
		t.Errorf("it fires again after the silence: %+v, want a root", a)
	}
}

// TestEndOfASilence: what still fires then is mentioned again at once, also where nobody reminds otherwise; people are called if it
// got worse meanwhile, whoever is on it.
func TestEndOfASilence(t *testing.T) {
	hushed := incident.Silence{ID: "s", Operation: "default", From: minute(8), Until: minute(68), By: "ana"}
	short := hushed
	short.Until = minute(9)
	early := incident.Silence{ID: "e", Operation: "default", From: minute(0), Until: minute(4), By: "ana"}
	part := hushed
	part.Rules = []string{"B"}
	opened := fires("A", "warning", 0)
	worse := fires("B", "critical", 10)
	ack := func(at int) events.Action { return did("acknowledged", "luis", at) }
	for name, test := range map[string]struct {
		happened []any
		silences []incident.Silence
		remind   bool
		call     bool
	}{
		"nothing happened":              {[]any{opened}, []incident.Silence{hushed}, true, false},
		"it got worse":                  {[]any{opened, worse}, []incident.Silence{hushed}, true, true},
		"it was over":                   {[]any{opened, resolves("A", "warning", 10)}, []incident.Silence{hushed}, false, false},
		"somebody is on it":             {[]any{opened, ack(12)}, []incident.Silence{hushed}, false, false},
		"it got worse, and somebody is": {[]any{opened, worse, ack(17)}, []incident.Silence{hushed}, true, true},
		"somebody is, and it got worse": {[]any{opened, ack(7), worse}, []incident.Silence{hushed}, true, true},
		"it was over before it began":   {[]any{opened}, []incident.Silence{early}, false, false},
		"it was not of all that fires":  {[]any{opened, worse}, []incident.Silence{part}, false, false},
		"it was taken back":             {[]any{opened}, []incident.Silence{short}, true, false},
		"there was none":                {[]any{opened, worse}, nil, false, false},
	} {
		inc := lived(t, test.happened...)
		s := &story{channel: channel{history: true}, caps: slackCaps, now: minute(7), rec: incident.Record{Incident: inc.ID}}
		first := lived(t, test.happened[0])
		s.tell(t, &first)
		s.now, s.wishes = minute(20), incident.Wishes{Mute: incident.MuteOf(&inc, test.silences, minute(20)), Unmuted: incident.UnmutedAt(&inc, test.silences, minute(20))}
		s.tell(t, &inc)
		var last incident.Action
		s.now, s.wishes = minute(68), incident.Wishes{Unmuted: incident.UnmutedAt(&inc, test.silences, minute(68))}
		for a := s.next(&inc); a.Step != incident.Nothing; a = s.next(&inc) {
			if a.Step == incident.PostReminder {
				last = a
			}
			if err := s.step(&inc, a); err != nil {
				t.Fatal(err)
			}
		}
		reminders := strings.Count(strings.Join(s.lines, " "), "/reminder/")
		if (reminders == 1) != test.remind || reminders > 1 || last.Call != test.call {
			t.Errorf("%s: the thread has %v, people are called: %v; want a reminder: %v, a call: %v", name, s.lines, last.Call, test.remind, test.call)
		}
	}
}

// TestSilencedWhileShown: the root says so, lines ring nobody, and at the end of the silence the root is as before.
func TestSilencedWhileShown(t *testing.T) {
	s := &story{channel: channel{history: true}, caps: slackCaps, now: minute(7)}
	opened := lived(t, fires("A", "warning", 0))
	s.tell(t, &opened)
	muted := lived(t, fires("A", "warning", 0), did("silenced", "ana", 8), fires("B", "critical", 10))
	s.wishes.Mute, s.now = incident.Mute{Until: minute(68), By: "ana"}, minute(17)
	a := incident.Next(&muted, s.rec, slackCaps, s.wishes, s.now)
	if a.Step != incident.EditRoot || a.Mute == "" {
		t.Fatalf("with two lines waiting: %+v, want the root to speak of the silence", a)
	}
	s.tell(t, &muted)
	if got := s.lines; len(got) != 2 || slices.ContainsFunc(got, func(l string) bool { return l[len(l)-1] == '*' }) {
		t.Errorf("the lines are %v, want two that ring nobody", got)
	}
	if a := incident.Next(&muted, s.rec, slackCaps, s.wishes, s.now); a.Step != incident.Wait || !a.Until.Equal(minute(68)) {
		t.Errorf("%+v, want to look again when the silence ends", a)
	}
	a = incident.Next(&muted, s.rec, slackCaps, incident.Wishes{}, minute(68))
	if a.Step != incident.EditRoot || a.Mute != "" {
		t.Errorf("after it: %+v, want the root edited", a)
	}
	if a := incident.Next(&muted, s.rec.Done(a, incident.Receipt{}, minute(68)), slackCaps, incident.Wishes{}, minute(69)); a.Step != incident.Nothing {
		t.Errorf("and then: %+v", a)
	}
}

func TestReminders(t *testing.T) {
	remind := incident.Wishes{Remind: time.Hour}
	shown := func(happened ...any) (incident.Incident, incident.Record) {
		inc := lived(t, happened...)
		s := &story{channel: channel{history: true}, caps: slackCaps, now: minute(7), rec: incident.Record{Incident: inc.ID}}
		s.tell(t, &inc)
		return inc, s.rec
	}
	inc, rec := shown(fires("A", "critical", 0))
	a := incident.Next(&inc, rec, slackCaps, remind, minute(10))
	if a.Step != incident.Wait || !a.Until.Equal(minute(67)) {
		t.Fatalf("%+v, want to wait for an hour after the root", a)
	}
	a = incident.Next(&inc, rec, slackCaps, remind, minute(67))
	if a.Step != incident.PostReminder || !a.Broadcast || a.Transition != theIncident+"/reminder/1" {
		t.Fatalf("%+v, want the first reminder", a)
	}
	intended := rec.Intend(a, &inc, minute(67), minute(68))
	if a := incident.Next(&inc, intended, slackCaps, remind, minute(69)); a.Step != incident.FindReminder || a.Transition != theIncident+"/reminder/1" {
		t.Errorf("%+v, want to look for the reminder whose result is unknown", a)
	}
	done := intended.Done(a, incident.Receipt{}, minute(67))
	if a := incident.Next(&inc, done, slackCaps, remind, minute(68)); a.Step != incident.Wait || !a.Until.Equal(minute(127)) {
		t.Errorf("%+v, want to wait for another hour", a)
	}
	if a := incident.Next(&inc, done, slackCaps, remind, minute(127)); a.Transition != theIncident+"/reminder/2" {
		t.Errorf("%+v, want the second reminder", a)
	}
	for name, quiet := range map[string]incident.Action{
		"switched off": incident.Next(&inc, rec, slackCaps, incident.Wishes{}, minute(600)),
		"by webhook":   incident.Next(&inc, rec, webhookCaps, remind, minute(600)),
	} {
		if quiet.Step != incident.Nothing {
			t.Errorf("%s: %+v", name, quiet)
		}
	}
	acked, rec := shown(fires("A", "critical", 0), did("acknowledged", "ana", 5))
	if a := incident.Next(&acked, rec, slackCaps, remind, minute(600)); a.Step != incident.Nothing {
		t.Errorf("acknowledged: %+v", a)
	}
	over, rec := shown(fires("A", "critical", 0), resolves("A", "critical", 10))
	if a := incident.Next(&over, rec, slackCaps, remind, minute(600)); a.Step != incident.Nothing {
		t.Errorf("closed: %+v", a)
	}
}

// TestGroup: many openings are one message; each member's story hangs below it, and rings only where it gets worse and at
// the very end.
func TestGroup(t *testing.T) {
	inc := lived(t, fires("A", "critical", 0))
	group := incident.Record{Incident: incident.GroupID(&inc), Channel: "#noc", Members: []string{inc.ID}}
	if !incident.IsGroup(group.Incident) || incident.IsGroup(inc.ID) {
		t.Error("groups and incidents are not told apart")
	}
	caps := slackCaps
	members := []incident.Incident{inc}
	post := incident.NextGroup(members, group, caps, incident.Wishes{}, minute(6))
	if post.Step != incident.PostRoot || post.Transition != group.Incident || post.Shows != inc.Last().Sequence {
		t.Fatalf("%+v, want the group's message", post)
	}
	group = group.Intend(post, nil, minute(6), minute(7))
	if a := incident.NextGroup(members, group, caps, incident.Wishes{}, minute(8)); a.Step != incident.FindRoot {
		t.Errorf("%+v, want to look for the message whose result is unknown", a)
	}
	claimed := incident.Record{Incident: inc.ID, Channel: "#noc"}.Claim(group.Incident, &inc, time.Time{})
	group = group.Done(post, incident.Receipt{ChannelID: "C1", TS: "1.0"}, minute(6))
	rec := claimed.Shared(group)
	line := incident.Next(&inc, rec, caps, incident.Wishes{}, minute(7))
	if line.Step != incident.PostLine || line.Transition != inc.Transitions[0].ID() || line.Broadcast {
		t.Fatalf("%+v, want the details in the thread", line)
	}
	rec = rec.Done(line, incident.Receipt{}, minute(7))
	if a := incident.Next(&inc, rec, caps, incident.Wishes{Remind: time.Hour}, minute(600)); a.Step != incident.Nothing {
		t.Errorf("%+v: the group reminds, not its members", a)
	}
	unmuted := incident.Wishes{Unmuted: minute(60)}
	if a := incident.Next(&inc, rec, caps, unmuted, minute(60)); a.Step != incident.Nothing {
		t.Errorf("%+v: the group says what still fires when a silence ends, not its members", a)
	}
	if a := incident.NextGroup(members, group, caps, unmuted, minute(60)); a.Step != incident.PostReminder || a.Call {
		t.Errorf("%+v, want the group mentioned when a silence of it ends", a)
	}
	unmuted.Unheard = true
	if a := incident.NextGroup(members, group, caps, unmuted, minute(60)); a.Step != incident.PostReminder || !a.Call {
		t.Errorf("%+v, want people called for a group of which something got worse in silence", a)
	}
	worse := lived(t, fires("A", "warning", 0), fires("B", "critical", 10))
	if !group.HasNotHeard(&worse) || group.HasNotHeard(&inc) {
		t.Error("what got worse after the channel heard of it is not told from what did not")
	}
	over := lived(t, fires("A", "critical", 0), resolves("A", "critical", 10))
	if a := incident.Next(&over, rec, caps, incident.Wishes{Hush: true}, minute(16)); a.Step != incident.PostLine || a.Broadcast {
		t.Errorf("%+v, want the end as a line that does not ring", a)
	}
	if a := incident.Next(&over, rec, caps, incident.Wishes{}, minute(16)); !a.Broadcast {
		t.Errorf("%+v, want the last end to ring", a)
	}
	if a := incident.NextGroup([]incident.Incident{over}, group, caps, incident.Wishes{}, minute(16)); a.Step != incident.EditRoot {
		t.Errorf("%+v, want the group's message edited", a)
	}
	if a := incident.NextGroup(members, group, caps, incident.Wishes{Remind: time.Hour}, minute(66)); a.Step != incident.PostReminder {
		t.Errorf("%+v, want a reminder of what still fires", a)
	}
}

// TestASecondRootIsOneMessage: what got worse after its message was deleted, or after it was left out, has a message anew, and
// nothing beside it; also when the first attempt at that fails. When it is over before that it has none.
func TestASecondRootIsOneMessage(t *testing.T) {
	deleted := lived(t, fires("A", "warning", 0), fires("B", "critical", 5))
	again := lived(t, fires("A", "critical", 0), resolves("A", "critical", 10), fires("A", "critical", 15))
	over := lived(t, fires("A", "critical", 0), resolves("A", "critical", 10), fires("A", "critical", 15), resolves("A", "critical", 20))
	first := incident.Record{Incident: theIncident}.Done(incident.Action{Step: incident.PostRoot, Sequence: 100, Shows: 100}, incident.Receipt{ChannelID: "C1", TS: "1"}, minute(7))
	records := map[string]struct {
		inc incident.Incident
		rec incident.Record
	}{
		"deleted":  {deleted, first.Failed(incident.Action{Step: incident.EditRoot}, incident.Failure{Class: incident.Gone}, minute(8))},
		"left out": {again, incident.Record{Incident: theIncident}.Done(incident.Action{Step: incident.Forgo, Shows: 110}, incident.Receipt{}, minute(16))},
	}
	for name, c := range records {
		for _, f := range allFaults() {
			s := &story{channel: channel{history: true}, caps: slackCaps, now: minute(21), rec: c.rec, fault: f, at: incident.PostRoot}
			s.tell(t, &c.inc)
			if len(s.root) != 1 || len(s.lines) != 0 || s.root[0] != c.inc.Last().ID() {
				t.Errorf("%s, %s: the channel shows %v and %v, want one root for %s", name, f.name, s.root, s.lines, c.inc.Last().ID())
			}
		}
	}
	c := records["left out"]
	a := incident.Next(&c.inc, c.rec, slackCaps, incident.Wishes{}, minute(21))
	rec := c.rec.Intend(a, &c.inc, minute(21), minute(22)).Failed(a, incident.Failure{Class: incident.Undelivered}, minute(21))
	if a := incident.Next(&over, rec, slackCaps, incident.Wishes{}, minute(30)); a.Step != incident.Nothing || a.Joins(rec) {
		t.Errorf("it ended before its second message could be posted, and then: %+v", a)
	}
}
