package evaluate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/evaluate"
	"unconnected/alerter/rule"
	"unconnected/events"
)

// tickStory follows an operation whose windows end at monday, each five minutes long, through ticks every second. What
// happens is given by the minute after monday: a word like "30:window" is the next window, stored then;
// "10:away", "12:back" is the connection; "5:quota" a state of the producer. Transitions are published as they come.
func tickStory(t *testing.T, text, script string, minutes int) string {
	t.Helper()
	at := map[int][]string{}
	for word := range strings.FieldsSeq(script) {
		var minute int
		var what string
		if _, err := fmt.Sscanf(word, "%d:%s", &minute, &what); err != nil {
			t.Fatal(err)
		}
		at[minute] = append(at[minute], what)
	}
	log := logOf(monday.Add(-50*time.Minute), counted{60, mix(200, 12, 6)})
	operation := evaluate.New("default", rules(t, text), options)
	published, sequence, connected := map[string]events.Alert{}, uint64(0), monday
	var status rule.Status
	var lines []string
	say := func(cause events.Cause, now time.Time) {
		transitions := operation.Transitions
		if cause.Tick != 0 {
			transitions = operation.TickTransitions
		}
		for _, a := range transitions(published, cause, "en") {
			if err := a.Validate(); err != nil || cause.Tick != 0 && a.Window != nil {
				t.Errorf("%+v: %v", a, err)
			}
			published[a.Rule] = a
			what := a.Reason
			if a.Status == events.Firing {
				what = fmt.Sprintf("firing from %d", int(a.StartsAt.Sub(monday).Minutes()))
			}
			lines = append(lines, fmt.Sprintf("%d %s", int(now.Sub(monday).Minutes()), what))
		}
	}
	apply := func(now time.Time) {
		ev := &log[sequence]
		ev.Stored, ev.PolledAt = now, now
		sequence++
		ev.Sequence = sequence
		operation.Apply(ev)
		say(events.Cause{Sequence: sequence}, now)
	}
	for range 10 {
		apply(log[sequence].Window.End.Add(90 * time.Second))
	}
	for second := range 60 * minutes {
		now := monday.Add(time.Duration(second) * time.Second)
		if second%60 == 0 {
			for _, what := range at[second/60] {
				switch what {
				case "window":
					apply(now)
				case "away":
					connected = time.Time{}
				case "back":
					connected = now
				case "restart":
					operation = evaluate.New("default", rules(t, text), options)
					for i := range sequence {
						operation.Apply(&log[i])
					}
					connected = now
				default:
					status = rule.Status{State: what, Reason: "because", Since: now}
				}
			}
		}
		if connected.IsZero() {
			continue
		}
		operation.Tick(evaluate.Tick{Now: now, Connected: connected, Status: status})
		say(events.Cause{Sequence: sequence, Tick: now.Unix()}, now)
	}
	return strings.Join(lines, "; ")
}

func TestMissing(t *testing.T) {
	const missing = "rules: [{alert: DataMissing, expr: missing, severity: critical}]"
	for _, c := range []struct{ name, rules, script, want string }{
		{"windows come", missing, "6:window 11:window 16:window 21:window 26:window 31:window 36:window", ""},
		{"none comes", missing, "", "16 firing from 0"},
		{"one comes, an old one", missing, "25:window", "16 firing from 0"},
		{"they are caught up", missing, "30:window 30:window 31:window 31:window 31:window 31:window", "16 firing from 0; 31 cleared"},
		{"nobody was there to see", missing, "1:away 30:back 39:window", ""},
		{"somebody is there again", missing, "1:away 10:back", "25 firing from 0"},
		{"after a restart it is not said again", missing, "20:restart", "16 firing from 0"},
		{"after a restart it ends once", missing, "20:restart 22:window 23:window 24:window 24:window", "16 firing from 0; 22 cleared; 39 firing from 20"},
		{"hours", "rules: [{alert: DataMissing, expr: missing, hours: '10:20-11:00'}]", "", "20 firing from 0"},
		{"hours end", "rules: [{alert: DataMissing, expr: missing, hours: '10:00-10:20'}]", "", "16 firing from 0; 20 out_of_hours"},
		{"hours end during a restart", "rules: [{alert: DataMissing, expr: missing, hours: '10:00-10:20'}]", "20:restart", "16 firing from 0; 20 out_of_hours"},
		{"the producer's state", `rules: [{alert: Quota, expr: 'status("quota", "refused")'}]`, "5:quota 9:ok", "5 firing from 5; 9 cleared"},
		{"no state", `rules: [{alert: Quota, expr: 'status("quota")'}]`, "", ""},
		{"both", `rules: [{alert: Quota, expr: 'missing && status("quota")'}]`, "5:quota 25:ok", "16 firing from 0; 25 cleared"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := tickStory(t, c.rules, c.script, 40); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestShortWindowsAreMissingAfterTwoMinutes: three windows of ten seconds are no time.
func TestShortWindowsAreMissingAfterTwoMinutes(t *testing.T) {
	s := script{length: 10 * time.Second, start: monday}
	s.word("q*30")
	operation := evaluate.New("default", rules(t, "rules: [{alert: DataMissing, expr: missing}]"), options)
	for i := range s.log {
		s.log[i].Stored = s.log[i].Window.End.Add(2 * time.Second)
		s.log[i].PolledAt = s.log[i].Stored
		operation.Apply(&s.log[i])
	}
	last := s.log[29].Stored
	for _, c := range []struct {
		after  time.Duration
		firing bool
	}{{119 * time.Second, false}, {120 * time.Second, true}, {time.Hour, true}} {
		operation.Tick(evaluate.Tick{Now: last.Add(c.after), Connected: monday})
		if got := operation.States()[0].Firing; got != c.firing {
			t.Errorf("after %v firing is %v", c.after, got)
		}
	}
}

func TestWhatATickSays(t *testing.T) {
	operation := evaluate.New("default", rule.Builtin(), options)
	for _, ev := range logOf(monday, counted{3, mix(200, 12, 6)}) {
		operation.Apply(&ev)
	}
	now := monday.Add(2 * time.Hour)
	operation.Tick(evaluate.Tick{Now: now, Connected: monday, Status: rule.Status{State: "quota", Reason: "the day's requests are spent"}})
	got := operation.TickTransitions(nil, events.Cause{Sequence: 3, Tick: now.Unix()}, "en")
	if len(got) != 1 || got[0].Rule != "DataMissing" || got[0].Summary != "no windows are coming: quota, the day's requests are spent" ||
		got[0].Value != nil || got[0].Observed != nil || got[0].Window != nil || got[0].ID() != fmt.Sprintf("default/DataMissing/3.%d/firing", now.Unix()) {
		t.Errorf("got %+v", got)
	}
	if again := operation.Transitions(nil, events.Cause{Sequence: 3}, "en"); len(again) != 0 {
		t.Errorf("a message says what only a tick may say: %+v", again)
	}
}
