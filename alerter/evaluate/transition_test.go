package evaluate_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/evaluate"
	"unconnected/alerter/rule"
	"unconnected/events"
)

// fold applies a log without publishing anything.
func fold(set *rule.Set, log []events.Event) *evaluate.Operation {
	operation := evaluate.New("default", set, options)
	for i := range log {
		operation.Apply(&log[i])
	}
	return operation
}

func cause(sequence uint64) events.Cause { return events.Cause{Sequence: sequence} }

func TestWhatAnAlertEventSays(t *testing.T) {
	set := rules(t, congestionRule("for: 2", "title: {en: Congestion, es: Congestión}", "labels: {team: noc}"))
	alerts := run(t, set, parseScript("q H H q"), options)
	if len(alerts) != 2 {
		t.Fatalf("got %d alerts", len(alerts))
	}
	for i, want := range []string{
		`{"operation":"default","rule":"Congestion","severity":"critical","status":"firing",
		  "starts_at":"2026-11-23T15:05:00Z","ends_at":null,
		  "window":{"start":"2026-11-23T15:10:00Z","end":"2026-11-23T15:15:00Z"},
		  "value":0.3,"threshold":0.2,"summary":"Congestion: 30% (20%)","labels":{"team":"noc"},"reason":"",
		  "incident":"default/2026-11-23T15:05:00Z","timezone":"America/Bogota",
		  "observed":{"total":100,"counts":{"busy":0,"cancel":0,"chanunavail":0,"congestion":30,"do_not_call":0,"no_answer":70,
		  "tcpa":0},"peak":0.3,"peak_at":"2026-11-23T15:05:00Z"}}`,
		`{"operation":"default","rule":"Congestion","severity":"critical","status":"resolved",
		  "starts_at":"2026-11-23T15:05:00Z","ends_at":"2026-11-23T15:15:00Z",
		  "window":{"start":"2026-11-23T15:15:00Z","end":"2026-11-23T15:20:00Z"},
		  "value":0.05,"threshold":0.2,"summary":"Congestion: 5% (20%)","labels":{"team":"noc"},"reason":"cleared",
		  "incident":"default/2026-11-23T15:05:00Z","timezone":"America/Bogota",
		  "observed":{"total":100,"counts":{"busy":0,"cancel":0,"chanunavail":0,"congestion":5,"do_not_call":0,"no_answer":95,
		  "tcpa":0},"peak":0.3,"peak_at":"2026-11-23T15:05:00Z"}}`,
	} {
		// The shape is the contract's business; here the values count.
		text := must(json.Marshal(alerts[i]))
		var got, wanted map[string]any
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(want), &wanted); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, wanted) {
			t.Errorf("got  %s\nwant %s", text, want)
		}
	}
	if id := alerts[0].ID(); id != "default/Congestion/3/firing" {
		t.Errorf("the id is %s", id)
	}
}

func TestUnknownIsNotZero(t *testing.T) {
	alerts := run(t, rules(t, congestionRule("for: 2 of 3")), parseScript("H q ? 1=H"), options)
	if len(alerts) != 1 || alerts[0].Value != nil || alerts[0].Observed.Counts != nil || *alerts[0].Observed.Peak != 0.3 {
		t.Errorf("an alert that begins in a missed window: %+v", alerts)
	}
	if want := "Congestion: no data for this window"; alerts[0].Summary != want {
		t.Errorf("the summary is %q", alerts[0].Summary)
	}
	quiet := fold(rules(t, congestionRule()), parseScript("q ?")).States()[0]
	if quiet.Value != nil || quiet.Observed != nil {
		t.Errorf("a state in a missed window: %+v", quiet)
	}
}

func TestThePeak(t *testing.T) {
	for _, c := range []struct {
		name, log string
		want      float64
		at        string
	}{
		{"of the windows that counted", "m H m", 0.3, "1"},
		{"not of windows before", "q*2 H*2 q", 0.3, "2"},
		{"the first of several", "H H H m", 0.3, "0"},
		{"after its window became better", "H m m 0=m", 0.15, "0"},
		{"after another became worse", "H m m 2=H 0=m", 0.3, "2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			state := fold(rules(t, congestionRule("keep: 9")), parseScript(c.log)).States()[0]
			if got := state.Observed; got.Peak == nil || *got.Peak != c.want || number(*got.PeakAt) != c.at {
				t.Errorf("got %+v, want %v at %s", got, c.want, c.at)
			}
		})
	}
}

// twoRules are a critical and a warning one; Warned is first in the file and fires more easily.
const twoRules = `rules:
  - {alert: Warned, expr: share.congestion >= 0.1 && total >= 50, severity: warning, for: 2}
  - {alert: Critical, expr: share.congestion >= 0.2 && total >= 50, severity: critical}
  - {alert: Bad, expr: share.congestion >= 0.2 && total >= 50, severity: critical}
`

func order(alerts []events.Alert) string {
	var words []string
	for _, a := range alerts {
		words = append(words, a.Rule+" "+a.Status)
	}
	return strings.Join(words, ", ")
}

func TestTheOrderOfTransitions(t *testing.T) {
	operation := fold(rules(t, twoRules), parseScript("H H"))
	alerts := operation.Transitions(nil, cause(2), "en")
	if got := order(alerts); got != "Bad firing, Critical firing, Warned firing" {
		t.Errorf("the worst is not first: %s", got)
	}
	for _, a := range alerts {
		if want := "default/2026-11-23T15:00:00Z"; a.Incident != want {
			t.Errorf("%s opens %s, not the incident of the earliest start, %s", a.Rule, a.Incident, want)
		}
	}

	set := rules(t, `rules:
  - {alert: Ends, expr: share.congestion >= 0.2 && total >= 50, severity: critical}
  - {alert: Begins, expr: total > 0 && share.congestion < 0.2, severity: info}
`)
	alerts = run(t, set, parseScript("H m"), options)[1:]
	if got := order(alerts); got != "Begins firing, Ends resolved" || alerts[0].Incident != "default/2026-11-23T15:00:00Z" {
		t.Errorf("what ends comes before what begins, or another incident opens: %s, %s", got, alerts[0].Incident)
	}
}

func TestWhatIsPublishedAlready(t *testing.T) {
	set := rules(t, congestionRule())
	firing := events.Alert{
		Operation: "default", Rule: "Congestion", Status: events.Firing, Incident: "default/x",
		StartsAt: monday.Add(-time.Hour), Window: &events.Window{Start: monday.Add(-time.Hour), End: monday.Add(-55 * time.Minute)},
		Cause: cause(1),
	}
	resolved := firing
	resolved.Status, resolved.EndsAt, resolved.Reason = events.Resolved, &monday, events.ReasonCleared
	later := firing
	later.Cause = cause(3)
	for _, c := range []struct {
		name, log string
		published *events.Alert
		want      string
	}{
		{"nothing, and nothing fires", "q m m", nil, ""},
		{"nothing, and it fires", "q H H", nil, "Congestion firing"},
		{"it fires, and it does", "q H H", &firing, ""},
		{"it is resolved, and it fires", "q H H", &resolved, "Congestion firing"},
		{"it is resolved, and it is", "q H q", &resolved, ""},
		{"it fires, and it is resolved", "q H q", &firing, "Congestion resolved"},
		{"it fires, but by these rules it never did", "q m m", &firing, "Congestion resolved"},
		{"the cause was dealt with", "q H q", &later, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			published := map[string]events.Alert{}
			if c.published != nil {
				published["Congestion"] = *c.published
			}
			got := fold(set, parseScript(c.log)).Transitions(published, cause(3), "en")
			if order(got) != c.want {
				t.Errorf("got %s, want %s", order(got), c.want)
			}
			if len(got) == 1 && got[0].Status == events.Resolved &&
				(got[0].Incident != firing.Incident || !got[0].StartsAt.Equal(firing.StartsAt)) {
				t.Errorf("it is not the published alert that is resolved: %+v", got[0])
			}
		})
	}
}

func TestResolvingWhatNeverFiredByTheRulesOfToday(t *testing.T) {
	published := map[string]events.Alert{"Congestion": {
		Operation: "default", Rule: "Congestion", Status: events.Firing, Incident: "default/x", StartsAt: monday,
		Cause: cause(1),
	}}
	for _, c := range []struct{ name, keys, log, want string }{
		{"now it is quiet", "for: 9", "H m m", "2 cleared at 2"},
		{"now it is out of hours", "hours: 20:00-21:00", "H H H", "2 out_of_hours at 3"},
		{"now there is no traffic", "for: 9", "q e*12", "12 no_traffic at 13"},
		{"by these rules it ended before it began", "", "- - H q m", "4 cleared at 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := fold(rules(t, congestionRule(c.keys)), parseScript(c.log)).Transitions(published, cause(99), "en")
			if story(got) != c.want {
				t.Errorf("got %s, want %s", story(got), c.want)
			}
		})
	}
}

func TestATickCausesNoWindow(t *testing.T) {
	tick := events.Cause{Sequence: 1, Tick: monday.Add(time.Hour).Unix()}
	got := fold(rules(t, congestionRule()), parseScript("H")).Transitions(nil, tick, "en")
	if len(got) != 1 || got[0].Window != nil || got[0].Validate() != nil {
		t.Errorf("got %+v", got)
	}
}

func TestRulesThatAreGone(t *testing.T) {
	alert := func(name, status string, at events.Cause) events.Alert {
		return events.Alert{
			Operation: "default", Rule: name, Severity: events.Warning, Status: status, StartsAt: monday,
			Incident: "default/x", Window: &events.Window{}, Cause: at, Sequence: 7, Stored: monday,
		}
	}
	published := map[string]events.Alert{}
	for _, a := range []events.Alert{
		alert("Congestion", events.Firing, cause(1)),
		alert("Gone", events.Firing, cause(1)),
		alert("Elsewhere", events.Firing, cause(1)),
		alert("Over", events.Resolved, cause(1)),
		alert("Later", events.Firing, events.Cause{Sequence: 5, Tick: 99}),
	} {
		published[a.Rule] = a
	}
	published["Gone"] = func(a events.Alert) events.Alert { a.Severity = events.Critical; return a }(published["Gone"])
	before := maps.Clone(published)
	set := rules(t, congestionRule()+"  - {alert: Elsewhere, expr: total > 5, operations: [ventas]}\n")
	tick := events.Cause{Sequence: 5, Tick: monday.Add(time.Hour).Unix()}
	published["Later"] = func(a events.Alert) events.Alert { a.Cause = tick; return a }(published["Later"])
	before["Later"] = published["Later"]

	removed := evaluate.Removed(published, set, tick)
	if got := order(removed); got != "Gone resolved, Elsewhere resolved" {
		t.Fatalf("got %s", got)
	}
	for _, a := range removed {
		if err := a.Validate(); err != nil {
			t.Error(err)
		}
		if a.Reason != events.ReasonRuleRemoved || !a.EndsAt.Equal(monday.Add(time.Hour)) ||
			a.Window != nil || a.Sequence != 0 {
			t.Errorf("got %+v", a)
		}
	}
	if !reflect.DeepEqual(published, before) {
		t.Error("Removed changes what it is given")
	}
}

func TestStates(t *testing.T) {
	operation := evaluate.New("default", rules(t, twoRules+"  - {alert: Elsewhere, expr: total > 5, operations: [ventas]}\n"), options)
	if got := operation.States(); got != nil {
		t.Errorf("before the first window: %+v", got)
	}
	for _, ev := range parseScript("H q H") {
		operation.Apply(&ev)
	}
	states := operation.States()
	names := slices.Collect(func(yield func(string) bool) {
		for _, s := range states {
			if !yield(s.Rule.Name) {
				return
			}
		}
	})
	if !slices.Equal(names, []string{"Warned", "Critical", "Bad"}) {
		t.Fatalf("the rules are %v", names)
	}
	if s := states[0]; s.Firing || !s.StartsAt.IsZero() || s.Reason != "" {
		t.Errorf("a rule that never fired: %+v", s)
	}
	if s := states[1]; !s.Firing || number(s.StartsAt) != "2" || !s.EndsAt.IsZero() ||
		number(s.Window.Start) != "2" || s.Observed.Total != 100 {
		t.Errorf("a rule that fires: %+v", s)
	}
}
