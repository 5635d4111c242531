package slack

import (
	"strings"
	"testing"

	"unconnected/alerter/incident"
	"unconnected/events"
)

func TestButtonsFollowTheState(t *testing.T) {
	mute := incident.Mute{Until: minute(240), By: "Ana Gómez"}
	over := resolved("CongestionSpike", "critical", "congestion", 40, 31, 402)
	const ack, silence, link = ActionAcknowledge, ActionSilence, ActionRunbook
	cases := []struct {
		name    string
		message func(c *Composer) Message
		want    string
	}{
		{"open", func(c *Composer) Message { return root(c, incident.Mute{}, congested()) }, ack + " " + silence + " " + link},
		{"acknowledged", func(c *Composer) Message {
			return root(c, incident.Mute{}, congested(), acknowledged(17, ""))
		}, silence + " " + link},
		{"silenced", func(c *Composer) Message { return root(c, mute, congested()) }, ack + " " + link},
		{"both", func(c *Composer) Message { return root(c, mute, congested(), acknowledged(17, "")) }, ""},
		{"over", func(c *Composer) Message { return root(c, incident.Mute{}, congested(), over) }, ""},
		{"details below a group", func(c *Composer) Message { return lineOf(c, congested()) }, ack + " " + silence + " " + link},
		{"a deed", func(c *Composer) Message { return lineOf(c, congested(), acknowledged(17, "")) }, ""},
		{"an id that Slack would refuse", func(c *Composer) Message {
			return root(c, incident.Mute{}, with(congested(), func(a *events.Alert) { a.Incident = strings.Repeat("x", 300) }))
		}, ""},
		{"nobody answers", func(c *Composer) Message { c.Buttons = false; return root(c, incident.Mute{}, congested()) }, ""},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			c := composer("en")
			c.Buttons = true
			m := tc.message(c)
			text := asJSON(t, &m)
			var got []string
			for _, id := range []string{ack, silence, link} {
				if strings.Contains(text, `"action_id": "`+id+`"`) {
					got = append(got, id)
				}
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("buttons %q, want %q", got, tc.want)
			}
			if links := strings.Count(text, "https://wiki.example.com"); m.Link.URL != "" && links > 1 {
				t.Errorf("the runbook is linked %d times", links)
			}
		})
	}
}

func TestIncidentOfButtons(t *testing.T) {
	c := composer("en")
	c.Buttons = true
	m := root(c, incident.Mute{}, congested())
	blocks := m.Blocks()
	id := blocks[len(blocks)-1].ID()
	if incident, ok := IncidentOfButtons(id); !ok || incident != "default/2026-11-22T14:55:00Z" {
		t.Errorf("the buttons in %q are about %q, %v", id, incident, ok)
	}
	for _, id := range []string{"", "x", "unconnected/", "default/2026"} {
		if incident, ok := IncidentOfButtons(id); ok {
			t.Errorf("%q is about %q", id, incident)
		}
	}
}

func TestADrillCallsNobody(t *testing.T) {
	test, real := with(congested(), drill), firing("BusyShift", "critical", "busy", 10, 236, 1073)
	cases := []struct {
		name     string
		what     []any
		line     bool
		drill    bool
		mentions string
	}{
		{"opening", []any{test}, false, true, ""},
		{"acknowledged", []any{test, acknowledged(17, "")}, true, true, ""},
		{"something real beside it", []any{test, real}, false, false, "<@U012AB3CD>"},
		{"something real makes it worse", []any{test, real}, true, false, "<@U012AB3CD>"},
		{"the drill beside something real", []any{real, with(test, func(a *events.Alert) { a.Cause.Sequence = 20 })}, true, false, ""},
		{"over", []any{test, with(resolved("CongestionSpike", "critical", "congestion", 40, 31, 402), drill)}, true, true, ""},
		{"another value of the label", []any{with(congested(), func(a *events.Alert) { a.Labels = map[string]string{"drill": "no"} })}, false, false, "<!here>"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			m := root(composer("en"), incident.Mute{}, tc.what...)
			if tc.line {
				m = lineOf(composer("en"), tc.what...)
			}
			if marked := strings.HasPrefix(m.Notification(), "🧪 DRILL · "); marked != tc.drill {
				t.Errorf("marked as a drill: %v, want %v: %s", marked, tc.drill, m.Notification())
			}
			if got := strings.Join(m.Mentions, " "); got != tc.mentions {
				t.Errorf("mentions %q, want %q", got, tc.mentions)
			}
		})
	}
}

func TestWhoDidItIsNeverEmptyOrEndless(t *testing.T) {
	for name, want := range map[string]string{
		"": "Somebody", "\u200b \x00": "Somebody", " Ana\nGómez ": "Ana Gómez", strings.Repeat("x", 100): strings.Repeat("x", 79) + "…",
	} {
		if got := english.person(name); got != want {
			t.Errorf("%q is called %q, want %q", name, got, want)
		}
	}
}

// TestAReminderHasItsOwnID: its transition is that of the post, not of what it reminds of.
func TestAReminderHasItsOwnID(t *testing.T) {
	inc := story(congested())
	a := incident.Action{Step: incident.PostReminder, Transition: inc.ID + "/reminder/1"}
	m := composer("en").Compose(a, &inc, incident.Record{}, incident.Wishes{}, minute(240))
	if m.Transition != a.Transition || m.Incident != inc.ID {
		t.Errorf("the reminder bears %q of %q", m.Transition, m.Incident)
	}
}

func TestTheRootTellsOfASilenceOnlyWhileItIsOpen(t *testing.T) {
	inc := story(congested(), resolved("CongestionSpike", "critical", "congestion", 40, 31, 402))
	mute := incident.Wishes{Mute: incident.Mute{Until: minute(240), By: "Ana Gómez"}}
	rec := incident.Record{Root: incident.Root{Posted: true, PostedAt: minute(7)}}
	for shows, want := range map[uint64]bool{1: true, 2: false} {
		m := composer("en").Compose(incident.Action{Step: incident.EditRoot, Shows: shows}, &inc, rec, mute, minute(60))
		if got := strings.Contains(m.PlainText(), "🔕 Silenced until 14:00 by Ana Gómez"); got != want {
			t.Errorf("as of %d it tells of the silence: %v, want %v", shows, got, want)
		}
	}
}

func TestSpanishHours(t *testing.T) {
	c := composer("es")
	for at, want := range map[int]string{-9 * 60: "la 01:00", -8 * 60: "las 02:00", 17: "las 10:17", -24 * 60: "el 21 nov a las 10:00"} {
		if got := spanish.from(minute(at).In(zoneNamed("America/Bogota")), t0.In(zoneNamed("America/Bogota"))); got != want {
			t.Errorf("%d: %q, want %q", at, got, want)
		}
	}
	if m := root(c, incident.Mute{}, congested()); !strings.Contains(m.PlainText(), "Desde las 09:55") {
		t.Error(m.PlainText())
	}
}
