package people

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/incident"
	"unconnected/alerter/silence"
	"unconnected/alerter/slack"
	"unconnected/events"
)

var (
	now    = time.Date(2026, 11, 25, 15, 10, 0, 0, time.UTC)
	bogota = time.FixedZone("-05", -5*3600)
	ana    = silence.Person{Name: "Ana Torres", User: "U1"}
	luis   = silence.Person{Name: "Luis Rojas", User: "U2"}
)

// incidentWith is an open incident, changed.
func incidentWith(change func(*incident.Incident)) *incident.Incident {
	a := events.Alert{
		Operation: "ventas", Rule: "Congestion", Severity: events.Critical, Status: events.Firing, StartsAt: now.Add(-time.Hour),
		Window: &events.Window{Start: now.Add(-time.Hour), End: now.Add(-55 * time.Minute)}, Incident: "ventas/1", Sequence: 1,
		Cause: events.Cause{Sequence: 1},
	}
	inc, _, err := incident.NewFold().Apply(a)
	if err != nil {
		panic(err)
	}
	if change != nil {
		change(&inc)
	}
	return &inc
}

func acked(by silence.Person, key string) func(*incident.Incident) {
	return func(i *incident.Incident) {
		i.Acked = &events.Action{
			Action: events.Acknowledged, Operation: "ventas", Incident: "ventas/1", Key: key, By: by.Name, User: by.User, At: now.Add(-10 * time.Minute),
		}
	}
}

func clickOf(action, choice string) slack.Click {
	return slack.Click{
		Action: action, Choice: choice, Incident: "ventas/1", User: "U1", Channel: "C1", Stamp: "1764083400.000100", At: now,
	}
}

// TestDecide reads as what becomes of a click.
func TestDecide(t *testing.T) {
	ack, hour := clickOf(slack.ActionAcknowledge, ""), clickOf(slack.ActionSilence, slack.SilenceHour)
	hushed := incident.Silence{ID: silenceID(hour), Operation: "ventas", From: now.Add(-time.Minute), Until: now, By: "Ana Torres"}
	longer := incident.Silence{ID: "x", Operation: events.AllOperations, From: now.Add(-time.Hour), Until: now.Add(2 * time.Hour), By: "luis"}
	shorter := longer
	shorter.Until = now.Add(time.Minute)
	stale := ack
	stale.At = now.Add(-2 * time.Hour)
	for _, c := range []struct {
		name     string
		click    slack.Click
		inc      *incident.Incident
		silences []incident.Silence
		want     string // said, or "ack at …", "silence until …", ""
	}{
		{"nobody is on it", ack, incidentWith(nil), nil, "ack at 15:10"},
		{"the clock of Slack is far away", stale, incidentWith(nil), nil, "ack at 15:10"},
		{"the same click again", ack, incidentWith(acked(ana, ack.Key())), nil, ""},
		{"another click of the same person", ack, incidentWith(acked(ana, "U1/0")), nil, "You are already on it, since 10:00."},
		{"somebody was faster", ack, incidentWith(acked(luis, "U2/0")), nil, "Luis Rojas is already on it, since 10:00."},
		{"it is over", ack, incidentWith(func(i *incident.Incident) { i.Open, i.End = false, now.Add(-29*time.Minute) }), nil,
			"This incident has been over since 09:41"},
		{"it is over since yesterday", hour, incidentWith(func(i *incident.Incident) { i.Open, i.End = false, now.Add(-24*time.Hour) }), nil,
			"This incident has been over since 24 Nov 10:10"},
		{"nobody knows it", hour, nil, nil, "nothing is known of it any more"},
		{"a link", clickOf(slack.ActionRunbook, ""), nil, nil, ""},
		{"one hour", hour, incidentWith(nil), nil, "silence until 16:10"},
		{"four hours", clickOf(slack.ActionSilence, slack.SilenceHours), incidentWith(nil), nil, "silence until 19:10"},
		{"until tomorrow", clickOf(slack.ActionSilence, slack.SilenceTomorrow), incidentWith(nil), nil, "silence until 12:00"},
		{"some other time", clickOf(slack.ActionSilence, "99h"), incidentWith(nil), nil, "choose from the menu again"},
		{"the same choice again, ended meanwhile", hour, incidentWith(nil), []incident.Silence{hushed}, ""},
		{"silent for longer", hour, incidentWith(nil), []incident.Silence{longer}, "This is silent until 12:10 already, by luis."},
		{"silent for less", hour, incidentWith(nil), []incident.Silence{shorter}, "silence until 16:10"},
	} {
		d := Decide(c.click, ana, Situation{Incident: c.inc, Silences: c.silences, Zone: bogota, Now: now}, "en")
		got := d.Say
		switch {
		case d.Record != nil:
			got = "ack at " + d.Record.At.Format("15:04")
			if err := d.Record.Validate(); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		case d.Silence != nil:
			got = "silence until " + d.Silence.Until.Format("15:04")
			if err := silence.Validate(d.Silence, now); err != nil || strings.Join(d.Silence.Rules, " ") != "Congestion" {
				t.Errorf("%s: %v, %+v", c.name, err, d.Silence)
			}
		}
		if got != c.want && (c.want == "" || !strings.Contains(got, c.want)) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestTidy(t *testing.T) {
	for name, want := range map[string]string{
		"Ana Torres": "Ana Torres", " a\nb\x00\xff ": "ab", "": "U1", "\t": "U1", strings.Repeat("ñ", 100): strings.Repeat("ñ", 80),
	} {
		if got := tidy(name, "U1"); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
}

// TestWords: both languages say everything, with the same blanks.
func TestWords(t *testing.T) {
	en, es := reflect.ValueOf(english), reflect.ValueOf(spanish)
	for i := range en.NumField() {
		name := en.Type().Field(i).Name
		a, b := en.Field(i).String(), es.Field(i).String()
		if a == "" || b == "" {
			t.Errorf("%s is missing", name)
		}
		if strings.Count(a, "%") != strings.Count(b, "%") {
			t.Errorf("%s has other blanks in Spanish", name)
		}
	}
}

// TestTell: the status of a bad day, in both languages.
func TestTell(t *testing.T) {
	silences := []incident.Silence{
		{ID: "s1", Operation: "ventas", Rules: []string{"Congestion"}, From: now.Add(-time.Hour), Until: now.Add(time.Hour), By: "luis", Reason: "the carrier works on it"},
		{ID: "s2", Operation: events.AllOperations, From: now.Add(time.Hour), Until: now.Add(24 * time.Hour), By: "eva"},
		{ID: "s3", Operation: "ventas", From: now.Add(-time.Hour), Until: now, By: "eva"},
	}
	s := Status{
		Open: []incident.Incident{*incidentWith(acked(ana, "U1/0"))}, Silences: silences, Now: now,
		Checkpoints: map[string]time.Time{"ventas": now.Add(-time.Minute), "cob": now.Add(-26 * time.Hour)}, Unwell: []string{"channel #noc waits"},
	}
	v := Wording{Zone: bogota, Title: func(rule, _ string) string { return map[string]string{"Congestion": "Too busy"}[rule] }}
	const want = `*One incident is open*
🔴 Too busy, ventas: since 09:10 UTC−5 · Ana Torres is on it since 10:00 · silent until 11:10 (luis)
*Silences*
🔕 ventas, Too busy: until 11:10 UTC−5, by luis: the carrier works on it (s1)
🔕 all operations, all rules: from 11:10 until 26 Nov 10:10 UTC−5, by eva (s2)
*Judged up to*
• cob: 26 h ago
• ventas: 60 s ago
*Not well*
• channel #noc waits`
	if got := strings.Join(Tell(s, "", v), "\n"); got != want {
		t.Errorf("it says\n%s\nwant\n%s", got, want)
	}
	v.Language = "es"
	if got := strings.Join(Tell(s, "cob", v), "\n"); !strings.Contains(got, "No hay incidentes abiertos") || strings.Contains(got, "s1") || !strings.Contains(got, "s2") {
		t.Errorf("in Spanish it says\n%s", got)
	}
	got := strings.Join(Tell(s, "", v), "\n")
	for _, want := range []string{
		"desde las 09:10 UTC−5 · Ana Torres se encarga desde las 10:00 · en silencio hasta las 11:10 (luis)",
		"todas las operaciones, todas las reglas: desde las 11:10 hasta el 26 nov a las 10:10 UTC−5, por eva",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("in Spanish it says\n%s\nwithout %s", got, want)
		}
	}
}

// TestTellIsCut: many incidents, silences and troubles leave room for each other.
func TestTellIsCut(t *testing.T) {
	s := Status{Now: now, Checkpoints: map[string]time.Time{}}
	for i := range 100 {
		s.Open = append(s.Open, *incidentWith(nil))
		s.Silences = append(s.Silences, incident.Silence{ID: "s", Operation: "ventas", Until: now.Add(time.Hour)})
		s.Checkpoints[strings.Repeat("a", i+1)] = now
		s.Unwell = append(s.Unwell, "something")
	}
	lines := Tell(s, "", Wording{})
	if text := strings.Join(lines, "\n"); len(lines) != 4*(mostLines+2) || strings.Count(text, "+88 more") != 4 || !strings.HasPrefix(text, "*100 incidents") {
		t.Errorf("it says\n%s", text)
	}
}
