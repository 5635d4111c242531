package slack

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/incident"
	"unconnected/events"
)

var update = flag.Bool("update", false, "write the golden files anew")

// scenes are the messages that people get to see.
var scenes = []struct {
	name   string
	alerts []events.Alert
	posted time.Time
	line   bool // the post for the newest transition, not the root
}{
	{"firing", []events.Alert{firing("CongestionSpike", "critical", "congestion", 0, 476, 1073)}, minute(7), false},
	{"firing-usual", []events.Alert{with(firing("CongestionSpike", "critical", "congestion", 0, 476, 1073), func(a *events.Alert) {
		usual := 0.13
		a.Observed.Usual = &usual
		a.Summary = "44% congestion (476 of 1,073 unconnected calls) · usual 13%"
	})}, minute(7), false},
	{"firing-learning", []events.Alert{with(firing("CongestionSpike", "critical", "congestion", 0, 476, 1073), func(a *events.Alert) {
		a.Observed.Learning = true
		a.Summary = "44% congestion (476 of 1,073 unconnected calls)"
	})}, minute(7), false},
	{"firing-late", []events.Alert{firing("CongestionSpike", "critical", "congestion", 0, 476, 1073)}, minute(67), false},
	{"firing-two", []events.Alert{
		firing("CongestionSpike", "critical", "congestion", 0, 476, 1073),
		with(firing("BusyShift", "warning", "busy", 5, 80, 1200), labelled),
	}, minute(7), false},
	{"firing-network", []events.Alert{with(firing("NetworkSideHalf", "critical", "congestion", 0, 560, 1073), func(a *events.Alert) {
		a.Observed.Counts["congestion"], a.Observed.Counts["chanunavail"] = 300, 260
		a.Summary = "52% on the network side: 300 congestion and 260 channel unavailable of 1,073 unconnected calls"
	})}, minute(7), false},
	{"firing-no-data", []events.Alert{noData(events.Firing, 20)}, minute(21), false},
	{"firing-rule-gone", []events.Alert{firing("TrunkTrouble", "warning", "chanunavail", 0, 9, 120)}, minute(7), false},
	{"firing-unlisted-result", []events.Alert{with(firing("UnknownResult", "warning", "congestion", 0, 60, 1073), func(a *events.Alert) {
		a.Observed.Counts = map[string]int64{"r_603_decline": 60}
	})}, minute(7), false},
	{"resolved", spike(resolved("CongestionSpike", "critical", "congestion", 40, 31, 402)), minute(7), false},
	{"resolved-late", spike(resolved("CongestionSpike", "critical", "congestion", 40, 31, 402)), minute(47), false},
	{"resolved-no-traffic", spike(with(resolved("CongestionSpike", "critical", "congestion", 40, 31, 402), func(a *events.Alert) {
		a.Reason, a.Value, a.Observed = events.ReasonNoTraffic, nil, nil
	})), minute(7), false},
	{"resolved-next-day", spike(resolved("CongestionSpike", "critical", "congestion", 24*60, 31, 402)), minute(7), false},
	{"line-worse", spike(firing("ChannelUnavailableSpike", "critical", "chanunavail", 10, 236, 1073)), minute(17), true},
	{"line-joined", []events.Alert{
		firing("CongestionSpike", "critical", "congestion", 0, 476, 1073), firing("BusyShift", "warning", "busy", 0, 250, 1073),
	}, minute(7), true},
	{"line-better", spike(firing("BusyShift", "warning", "busy", 10, 236, 1073), resolved("BusyShift", "warning", "busy", 30, 10, 900)), minute(37), true},
	{"line-closed", spike(resolved("CongestionSpike", "critical", "congestion", 40, 31, 402)), minute(47), true},
	{"line-out-of-hours", spike(with(resolved("CongestionSpike", "critical", "congestion", 40, 310, 702), func(a *events.Alert) {
		a.Reason = events.ReasonOutOfHours
	})), minute(47), true},
	{"line-reopened", spike(resolved("CongestionSpike", "critical", "congestion", 40, 31, 402),
		firing("CongestionSpike", "critical", "congestion", 45, 300, 900)), minute(52), true},
	{"resolved-reopened", spike(resolved("CongestionSpike", "critical", "congestion", 40, 31, 402),
		firing("CongestionSpike", "critical", "congestion", 45, 300, 900), resolved("CongestionSpike", "critical", "congestion", 70, 30, 400)), minute(77), false},
	{"line-worse-late", spike(firing("ChannelUnavailableSpike", "critical", "chanunavail", 10, 236, 1073)), minute(200), true},
}

func labelled(a *events.Alert) {
	a.Labels, a.Summary = map[string]string{"team": "noc", "shift": "a & b"}, "busier than the hour before"
}

// spike is an incident of congestion that got worse than it began, with what comes after.
func spike(then ...events.Alert) []events.Alert {
	peak, at := 0.51, minute(10)
	for i := range then {
		if then[i].Status == events.Resolved {
			if then[i].Observed == nil {
				then[i].Observed = &events.Observed{}
			}
			if then[i].Rule == "CongestionSpike" {
				then[i].Observed.Peak, then[i].Observed.PeakAt = &peak, &at
			}
		}
	}
	return append([]events.Alert{firing("CongestionSpike", "critical", "congestion", 0, 476, 1073)}, then...)
}

// noData is an event that a tick caused.
func noData(status string, at int) events.Alert {
	return events.Alert{
		Operation: "default", Rule: "DataMissing", Severity: "critical", Status: status, StartsAt: minute(0),
		Incident: "default/2026-11-22T15:00:00Z", Timezone: "America/Bogota", Summary: "no data for 20 min: the last window ended at 10:00",
		Cause: events.Cause{Sequence: 9, Tick: minute(at).Unix()}, Stored: minute(at),
	}
}

func compose(c *Composer, alerts []events.Alert, posted time.Time, line bool) Message {
	inc := folded(alerts...)
	if line {
		return c.Line(&inc, posted, time.Time{})
	}
	return c.Root(&inc, posted, incident.Mute{}, time.Time{})
}

// eachMessage hands over every message that people get to see, in both languages.
func eachMessage(t *testing.T, check func(t *testing.T, language, name string, m *Message)) {
	for _, language := range []string{"en", "es"} {
		for _, scene := range scenes {
			t.Run(language+"/"+scene.name, func(t *testing.T) {
				m := compose(composer(language), scene.alerts, scene.posted, scene.line)
				check(t, language, scene.name, &m)
			})
		}
		for _, scene := range occasions {
			t.Run(language+"/"+scene.name, func(t *testing.T) {
				m := scene.message(composer(language))
				check(t, language, scene.name, &m)
			})
		}
	}
}

func TestGoldenMessages(t *testing.T) {
	eachMessage(t, func(t *testing.T, language, name string, m *Message) {
		path := filepath.Join("testdata", language, name)
		golden(t, path+".json", asJSON(t, m))
		golden(t, path+".txt", "notification: "+m.Notification()+"\n\n"+m.Card(false)+"plain text:\n"+m.PlainText()+"\n")
	})
}

// TestEveryGoldenFileIsWritten finds files that no message is held against any more.
func TestEveryGoldenFileIsWritten(t *testing.T) {
	known := make(map[string]bool)
	for _, scene := range scenes {
		known[scene.name] = true
	}
	for _, scene := range occasions {
		known[scene.name] = true
	}
	files, err := filepath.Glob("testdata/e[ns]/*")
	if err != nil || len(files) != 4*len(known) {
		t.Errorf("%d files for %d messages in two languages and two forms, %v", len(files), len(known), err)
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)); !known[name] {
			t.Errorf("nothing writes %s", file)
		}
	}
}

// asJSON is what Slack is sent, readable.
func asJSON(t *testing.T, m *Message) string {
	t.Helper()
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(map[string]any{"text": m.Notification(), "blocks": m.Blocks()})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; look at it and run go test -update\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

// TestEveryPhraseIsThere looks for what a language lacks.
func TestEveryPhraseIsThere(t *testing.T) {
	samePhrases(t, "", reflect.ValueOf(english), reflect.ValueOf(spanish))
	for language, w := range map[string]words{"en": english, "es": spanish} {
		for _, result := range events.DocumentedResults() {
			if w.results[result] == "" || w.hints[result] == "" {
				t.Errorf("%s has no title or no hint for %s", language, result)
			}
		}
	}
}

// samePhrases holds two sets of phrases against each other, field by field.
func samePhrases(t *testing.T, name string, en, es reflect.Value) {
	if en.IsZero() || es.IsZero() {
		t.Errorf("%s is missing", name)
	}
	switch en.Kind() {
	case reflect.Struct:
		for i := range en.NumField() {
			samePhrases(t, name+"."+en.Type().Field(i).Name, en.Field(i), es.Field(i))
		}
	case reflect.String:
		if strings.Count(en.String(), "%s") != strings.Count(es.String(), "%s") {
			t.Errorf("%s takes other arguments in Spanish than in English", name)
		}
	}
}

// TestNobodyCallsItAFailureRate: cdr_6 knows no answered calls.
func TestNobodyCallsItAFailureRate(t *testing.T) {
	eachMessage(t, func(t *testing.T, _, _ string, m *Message) {
		shown := *m
		shown.Buttons = Buttons{} // they carry ids, which nobody sees
		text := strings.ToLower(shown.PlainText() + asJSON(t, &shown))
		for _, word := range []string{"failure rate", "asr", "tasa de fallo", "default/2026", "congestionspike", "@group"} {
			if strings.Contains(text, word) {
				t.Errorf("it says %q", word)
			}
		}
	})
}

func TestWhoIsMentioned(t *testing.T) {
	critical := firing("CongestionSpike", "critical", "congestion", 0, 476, 1073)
	busy := firing("BusyShift", "warning", "busy", 5, 300, 1200)
	cases := []struct {
		name   string
		alerts []events.Alert
		line   bool
		want   string
	}{
		{"a critical opening: the default", []events.Alert{critical}, false, "<!here>"},
		{"a warning: nobody", []events.Alert{with(critical, func(a *events.Alert) { a.Severity = "warning" })}, false, ""},
		{"a rule that names somebody", []events.Alert{busy}, false, "<@U012AB3CD>"},
		{"both", []events.Alert{critical, busy}, false, "<!here> <@U012AB3CD>"},
		{"getting worse: the worse one's", []events.Alert{critical, busy}, true, "<@U012AB3CD>"},
		{"joining: nobody", []events.Alert{critical, with(busy, func(a *events.Alert) { a.Cause = critical.Cause })}, true, ""},
		{"closing: nobody", []events.Alert{critical, resolved("CongestionSpike", "critical", "congestion", 40, 1, 402)}, true, ""},
		{"the root, once closed: nobody", []events.Alert{critical, resolved("CongestionSpike", "critical", "congestion", 40, 1, 402)}, false, ""},
		{"re-opening: as opening", []events.Alert{critical, resolved("CongestionSpike", "critical", "congestion", 40, 1, 402),
			firing("CongestionSpike", "critical", "congestion", 45, 476, 1073)}, true, "<!here>"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := compose(composer("en"), c.alerts, minute(60), c.line)
			if got := strings.Join(m.Mentions, " "); got != c.want {
				t.Errorf("mentions %q, want %q", got, c.want)
			}
		})
	}
}

func TestResultsOf(t *testing.T) {
	for expression, want := range map[string]string{
		"share.congestion": "congestion", "share.congestion + share.chanunavail": "congestion chanunavail",
		`share["r_603"] / count['busy'] + share.busy`: "r_603 busy", "total": "", "": "", "myshare.x": "",
	} {
		if got := strings.Join(ResultsOf(expression), " "); got != want {
			t.Errorf("ResultsOf(%q) = %q, want %q", expression, got, want)
		}
	}
}

func TestGuessingWhatARuleIsAbout(t *testing.T) {
	counts := func(n map[string]int64) func(*events.Alert) {
		return func(a *events.Alert) { a.Observed.Counts = n }
	}
	cases := []struct {
		name, rule string
		counts     map[string]int64
		want       string
	}{
		{"one result fits", "A", map[string]int64{"busy": 5, "cancel": 1}, "5 of 20"},
		{"two fit, and the name tells", "NoAnswerHigh", map[string]int64{"busy": 5, "no_answer": 5}, "no answer (5 of 20"},
		{"two fit, and nothing tells", "A", map[string]int64{"busy": 5, "no_answer": 5}, ""},
		{"the network side", "A", map[string]int64{"congestion": 2, "chanunavail": 3}, "congestion + channel unavailable (5 of 20"},
		{"none fits", "A", map[string]int64{"busy": 4}, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			alerts := []events.Alert{with(firing(c.rule, "info", "busy", 0, 5, 20), counts(c.counts))}
			m := compose(&Composer{}, alerts, minute(7), false)
			if got := m.Facts[0].String(); !strings.Contains(got, c.want) || c.want == "" && strings.Contains(got, "of 20") {
				t.Errorf("the evidence is %q, want %q", got, c.want)
			}
		})
	}
}

func TestTheEditKeepsHowLateTheMessageCame(t *testing.T) {
	inc := folded(spike(resolved("CongestionSpike", "critical", "congestion", 40, 1, 402))...)
	rec := incident.Record{Root: incident.Root{Posted: true, PostedAt: minute(35), Shown: 1}}
	m := composer("en").Compose(incident.Action{Step: incident.EditRoot, Shows: 2}, &inc, rec, incident.Wishes{}, minute(600))
	if want := "⏰ This message came 30\u00a0min late."; m.Notes[0] != want {
		t.Errorf("the edit says %q, want %q", m.Notes[0], want)
	}
}

// TestWhatGoesOn: beside the end of an alert stands what goes on, and not what ends with it.
func TestWhatGoesOn(t *testing.T) {
	two := []events.Alert{
		firing("CongestionSpike", "critical", "congestion", 0, 476, 1073), firing("BusyShift", "warning", "busy", 5, 250, 1073),
		resolved("BusyShift", "warning", "busy", 40, 1, 402), resolved("CongestionSpike", "critical", "congestion", 40, 1, 402),
	}
	apart := slices.Clone(two)
	apart[3] = resolved("CongestionSpike", "critical", "congestion", 45, 1, 402)
	for name, test := range map[string]struct {
		alerts []events.Alert
		want   string
	}{"both end": {two, ""}, "one goes on": {apart, "Still firing: 🔴 Congestion · since 09:55"}} {
		inc := folded(test.alerts...)
		m := composer("en").Compose(incident.Action{Step: incident.PostLine, Sequence: 3}, &inc, incident.Record{}, incident.Wishes{}, minute(47))
		if got := strings.Join(m.Others, ", "); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
