package evaluate_test

import (
	"strings"
	"testing"
	"time"

	"unconnected/alerter/evaluate"
	"unconnected/events"
)

// TestTheLifeOfAnAlert is the specification: see [script] for the logs and [story] for what is wanted.
func TestTheLifeOfAnAlert(t *testing.T) {
	for _, c := range []struct{ name, keys, log, want string }{
		{"nothing happens", "", "q q m q", ""},
		{"one window is enough by default", "", "q H q", "1 firing from 1; 2 cleared at 2"},
		{"between the thresholds it goes on", "", "H m m m q", "0 firing from 0; 4 cleared at 4"},
		{"too few calls do not fire", "", "s s s", ""},
		{"no calls do not fire", "", "e e e", ""},

		{"for: 2 wants two in a row", "for: 2", "H q H m H H q", "5 firing from 4; 6 cleared at 6"},
		{"for: 2 of 3 allows one between", "for: 2 of 3", "H m H q", "2 firing from 0; 3 cleared at 3"},
		{"for: 2 of 3 does not allow two between", "for: 2 of 3", "H m m H", ""},
		{"for: 2 of 3 begins with the first that held", "for: 2 of 3", "q q H H", "3 firing from 2"},
		{"an unknown window takes a place", "for: 2 of 3", "H ? H", "2 firing from 0"},
		{"an unknown window takes a place of three", "for: 2 of 3", "H ? ? H", ""},
		{"an ambiguous window is unknown", "for: 2", "H a H", ""},
		{"a hole in the log is unknown", "for: 2 of 3", "H - H", "2 firing from 0"},
		{"a hole takes as many places as windows fit in", "for: 2 of 3", "H - - H", ""},
		{"a hole of days", "for: 2 of 3", "H -*2000 H H", "2002 firing from 2001"},
		{"after a resolution it counts anew", "for: 2 of 3", "H H q H H", "1 firing from 0; 2 cleared at 2; 4 firing from 3"},

		{"keep: 3 wants three quiet windows in a row", "keep: 3", "H q q m q q q", "0 firing from 0; 6 cleared at 4"},
		{"an unknown window breaks the row", "keep: 3", "H q q ? q q q", "0 firing from 0; 6 cleared at 4"},
		{"a hole breaks the row", "keep: 3", "H q q - q q q", "0 firing from 0; 6 cleared at 4"},
		{"a window without calls is not quiet", "keep: 2", "H q e q q", "0 firing from 0; 4 cleared at 3"},
		{"few calls with a low share are quiet", "clear: share.congestion < 0.95\nkeep: 2", "H s s",
			"0 firing from 0; 2 cleared at 1"},
		{"it fires again after it was cleared", "keep: 2", "H q q H", "0 firing from 0; 2 cleared at 1; 3 firing from 3"},

		{"an hour without calls ends it", "keep: 3", "H e*12", "0 firing from 0; 12 no_traffic at 13"},
		{"eleven windows are no hour", "keep: 3", "H e*11", "0 firing from 0"},
		{"an hour with too few calls ends it", "keep: 3", "H s*6 e*6", "0 firing from 0; 12 no_traffic at 13"},
		{"a window with enough calls begins the hour anew", "keep: 3", "H e*11 m e*11", "0 firing from 0"},
		{"an unknown window may have had calls", "keep: 3", "H e*11 ? e*11", "0 firing from 0"},
		{"a hole may have had calls", "keep: 3", "H e*11 - e*11", "0 firing from 0"},
		{"closing time during a row of quiet windows", "keep: 3", "H q q e*12", "0 firing from 0; 14 no_traffic at 15"},
		{"cleared and without traffic at once is cleared", "clear: total < 50\nkeep: 12", "H e*12",
			"0 firing from 0; 12 cleared at 1"},

		{"a revision may clear", "keep: 2", "H H 0=q 1=q", "0 firing from 0; 1 cleared at 0"},
		{"a revision may clear by an older window", "keep: 3", "H q m q 2=q", "0 firing from 0; 3 cleared at 1"},
		{"a revision may make something fire", "for: 2", "H q 1=H m", "1 firing from 0"},
		{"but not for long", "for: 2 of 3", "H q q 1=H@31m q q", ""},
		{"what it changed counts for the next window", "for: 2 of 3", "H q 1=H@31m q q", "2 firing from 0; 3 cleared at 2"},
		{"a revision of the newest window", "", "q q 1=H", "1 firing from 1"},
		{"a revision of a window that does not count any more", "for: 2", "H H q 1=m q 4=H", "1 firing from 0; 2 cleared at 2"},
		{"a revision of what came before the resolution", "for: 2", "H H q 0=H 1=H", "1 firing from 0; 2 cleared at 2"},
		{"a backfill may make something fire", "for: 2", "H ? 1+H", "1 firing from 0"},
		{"a backfill may clear", "keep: 3", "H q ? q 2+q", "0 firing from 0; 3 cleared at 1"},
		{"a backfill into a hole", "for: 3", "H - H 1+H", "2 firing from 0"},
		{"a backfill of a window that is there", "", "q 0+H", ""},
		{"a backfill of a window before the first", "for: 2", "- H 0+H", ""},
		{"a backfill before everything", "", "0+H 0=H q", ""},
		{"a revision may show that there was no traffic", "keep: 3", "H e*11 m e*11 12=e", "0 firing from 0; 23 no_traffic at 24"},
		{"a revision may show that there was traffic", "keep: 3", "H e*11 5=m e", "0 firing from 0"},
		{"a revision of a window of long ago", "keep: 3", "H m*30 0=q q q q", "0 firing from 0; 33 cleared at 31"},
	} {
		t.Run(c.name, func(t *testing.T) {
			keys := strings.Split(c.keys, "\n")
			text := congestionRule(keys...)
			if strings.Contains(c.keys, "clear:") {
				text = strings.Replace(text, "    clear: share.congestion < 0.1\n", "", 1)
			}
			if got := story(run(t, rules(t, text), parseScript(c.log), options)); got != c.want {
				t.Errorf("log %s\ngot  %s\nwant %s", c.log, got, c.want)
			}
		})
	}
}

func TestHoursAndHolidays(t *testing.T) {
	// Window 0 is Monday 2026-11-23 10:00 in Bogotá, 15:00 in UTC; window 12 is 11:00.
	for _, c := range []struct {
		name, keys, log, want string
		zone                  *time.Location
	}{
		{"it fires in its hours only", "hours: 10:10-11:00", "H H H", "2 firing from 2", nil},
		{"it ends with them", "hours: 07:00-10:10", "H H H H", "0 firing from 0; 2 out_of_hours at 3", nil},
		{"windows before do not count", "hours: 10:10-11:00\n    for: 2", "H H H H", "3 firing from 2", nil},
		{"windows before a pause do not count", "hours: 07:00-10:10, 10:15-11:00\n    for: 2 of 4", "m H H H", "", nil},
		{"a pause that is missing in the log is one", "hours: 07:00-10:10, 10:15-11:00\n    for: 2 of 4", "m H - H", "", nil},
		{"an unknown window ends it as well", "hours: 07:00-10:10", "H H ?", "0 firing from 0; 2 out_of_hours at 3", nil},
		{"a revision does not bring it back", "hours: 07:00-10:10", "H q H 0=H", "0 firing from 0; 1 cleared at 1", nil},
		{"hours by another zone", "hours: 15:10-16:00", "H H H", "2 firing from 2", time.UTC},
	} {
		t.Run(c.name, func(t *testing.T) {
			opts := evaluate.Options{MaxAge: options.MaxAge, Zone: c.zone}
			if got := story(run(t, rules(t, congestionRule(c.keys)), parseScript(c.log), opts)); got != c.want {
				t.Errorf("log %s\ngot  %s\nwant %s", c.log, got, c.want)
			}
		})
	}

	t.Run("a holiday", func(t *testing.T) {
		set := rules(t, "holidays: [2026-11-24]\n"+congestionRule("for: 2"))
		// 14 hours after window 0 the local day ends.
		log := parseScript("q*166 H H H q*287 H H q H")
		const want = "167 firing from 166; 168 out_of_hours at 169; 457 firing from 456; 458 cleared at 458"
		if got := story(run(t, set, log, options)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})

	t.Run("a zone that nobody knows is UTC", func(t *testing.T) {
		log := parseScript("H H H")
		for i := range log {
			log[i].Timezone = "Atlantis/Capital"
		}
		set := rules(t, congestionRule("hours: 15:10-16:00"))
		if got, want := story(run(t, set, log, options)), "2 firing from 2"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestWindowsOfDifferentLengths(t *testing.T) {
	minutes := script{length: time.Minute, start: monday}
	for _, word := range strings.Fields("H e*30") {
		minutes.word(word)
	}
	fives := script{length: 5 * time.Minute, start: monday.Add(31 * time.Minute), log: minutes.log}
	for _, word := range strings.Fields("e*6") {
		fives.word(word)
	}
	alerts := run(t, rules(t, congestionRule()), fives.log, options)
	// 30 windows of a minute and 6 of five minutes are the hour.
	if len(alerts) != 2 || alerts[1].Reason != events.ReasonNoTraffic || !alerts[1].EndsAt.Equal(monday.Add(61*time.Minute)) {
		t.Errorf("got %+v", alerts)
	}
}

func TestMessagesThatTheLogShouldNotHave(t *testing.T) {
	quiet := parseScript("q q q")
	newest := quiet[2].Window
	hot := func(change func(*events.Event)) events.Event {
		ev := parseScript("- - - H")[0]
		change(&ev)
		return ev
	}
	for _, c := range []struct {
		name  string
		event events.Event
	}{
		{"another operation", hot(func(ev *events.Event) { ev.Operation = "ventas" })},
		{"a window again", hot(func(ev *events.Event) { ev.Window = newest })},
		{"a window before the first", hot(func(ev *events.Event) {
			ev.Window = events.Window{Start: monday.Add(-time.Hour), End: monday}
		})},
		{"a window over another", hot(func(ev *events.Event) { ev.Window.Start = ev.Window.Start.Add(-time.Minute) })},
		{"a window over all", hot(func(ev *events.Event) { ev.Window.Start = monday.Add(-time.Hour) })},
		{"a window of next year", hot(func(ev *events.Event) {
			ev.Window = events.Window{Start: ev.Stored.AddDate(1, 0, 0), End: ev.Stored.AddDate(1, 0, 0).Add(5 * time.Minute)}
		})},
		{"an empty window", hot(func(ev *events.Event) { ev.Window.End = ev.Window.Start })},
		{"a window backwards", hot(func(ev *events.Event) { ev.Window.End = monday })},
		{"a revision of a window that was not there", hot(func(ev *events.Event) { ev.Revision = 1 })},
		{"a revision of a part of a window", hot(func(ev *events.Event) {
			ev.Revision, ev.Window = 1, events.Window{Start: newest.Start, End: newest.End.Add(-time.Minute)}
		})},
		{"the first answer as a revision", hot(func(ev *events.Event) { ev.Backfill, ev.Window = true, newest })},
	} {
		t.Run(c.name, func(t *testing.T) {
			operation := evaluate.New("default", rules(t, congestionRule()), options)
			for i := range quiet {
				operation.Apply(&quiet[i])
			}
			before := operation.States()[0]
			if operation.Apply(&c.event) || operation.States()[0].Firing || operation.Window() != newest {
				t.Errorf("it changes %+v to %+v", before, operation.States()[0])
			}
		})
	}
}

func TestAnOlderRevisionDoesNotReplaceANewerOne(t *testing.T) {
	log := parseScript("q q 1=H 1=q")
	log[2].Revision, log[3].Revision = 2, 1
	if got, want := story(run(t, rules(t, congestionRule()), log, options)), "1 firing from 1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
