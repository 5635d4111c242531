package slack

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"unconnected/alerter/incident"
	"unconnected/events"
)

func TestGoldenMessagesKeepToTheLimits(t *testing.T) {
	eachMessage(t, func(t *testing.T, _, _ string, m *Message) {
		m.Mentions = nil // they come from the configuration, and are meant to ring
		checkMessage(t, m)
	})
}

// FuzzNobodyBreaksAMessage gives people and everything that a message names hostile texts.
func FuzzNobodyBreaksAMessage(f *testing.F) {
	for i := range nasty {
		f.Add(start(nasty[i]), start(nasty[(i+1)%len(nasty)]), uint8(i), int64(i*i))
	}
	f.Fuzz(func(t *testing.T, text, other string, n uint8, count int64) {
		for _, language := range []string{"en", "es"} {
			c := composer(language)
			c.Mention, c.Buttons = nil, n%2 == 0
			c.Names = map[string]string{"default": text, "op1": other}
			c.Rules = map[string]Rule{"A": {Title: map[string]string{"en": text}, Share: true, Runbook: "https://x.example/" + other}}
			mute := incident.Mute{Until: minute(int(n)), By: text, Reason: other}
			inc := lived(text, other, int(n))
			for i := range inc.Transitions {
				part := inc.AsOf(inc.Transitions[i].Sequence)
				for _, m := range []Message{c.Root(&part, minute(600), mute, minute(590)), c.Line(&part, minute(600), minute(590)), c.Reminder(&part, minute(600), minute(590))} {
					checkMessage(t, &m)
				}
			}
			members := []incident.Incident{inc, folded(hostile(text, other, int(n), float64(count))...), lived(other, text, 1)}
			for _, m := range []Message{
				c.Group(text, members, minute(600), time.Time{}), c.GroupReminder(text, members, minute(600), minute(590)), c.GroupReminder(text, nil, t0, time.Time{}),
				c.Digest(text, []Day{dayOf(text, other, count)}), c.Digest(text, []Day{dayOf(text, other, count), dayOf(other, text, -count)}),
				c.Digest(text, nil), c.Blind(text, t0, time.Time{}, other), c.Blind(text, t0, minute(int(n)), text),
			} {
				checkMessage(t, &m)
			}
		}
	})
}

// start is as much of a text as is too long for all that is made of it; the search goes faster than with all of it.
func start(text string) string { return text[:min(len(text), 1000)] }

// lived is an incident about which people did something, with hostile names and reasons.
func lived(by, reason string, n int) incident.Incident {
	if by == "" {
		by = " "
	}
	ack, silence := acknowledged(17, reason), silenced()
	ack.By, silence.By, silence.Reason = by, by, reason
	unsilence := events.Action{Action: events.Unsilenced, Operation: "default", Key: silence.Key, By: by, At: minute(n), Reason: reason}
	return story(
		with(firing("A", "critical", "congestion", 0, 476, 1073), func(a *events.Alert) { a.Summary = by }),
		ack, silence, unsilence,
		firing("BusyShift", "warning", "busy", 10, 236, 1073),
		resolved("BusyShift", "warning", "busy", 30, 10, 900),
		resolved("A", "critical", "congestion", 40, 31, 402),
	)
}

// dayOf is a day with hostile names and counts.
func dayOf(text, other string, count int64) Day {
	peak := float64(count)
	return Day{
		Operation: text, From: t0, To: t0.Add(24 * time.Hour), Total: count, Before: -count / 2, Windows: int(count % 300), Missed: int(count % 7),
		Counts:    map[string]int64{text: count, other: 1, "busy": count / 2},
		Incidents: []DayIncident{{Rule: other, Start: minute(int(count % 1000)), End: t0, Peak: &peak}, {Rule: "A", Start: t0, Open: true, Peak: &peak}},
	}
}

// TestAThousandOperations holds messages that have more to say than fits against the limits.
func TestAThousandOperations(t *testing.T) {
	for _, language := range []string{"en", "es"} {
		c := composer(language)
		c.Mention = nil
		group, digest := c.Group("@group/x", operations(1000, 100), minute(7), time.Time{}), c.Digest("digest", days(1000))
		reminder := c.GroupReminder("@group/x", operations(1000, 100), minute(240), minute(239))
		for name, m := range map[string]*Message{"group": &group, "digest": &digest, "reminder": &reminder} {
			checkMessage(t, m)
			for form, text := range map[string]string{"blocks": asJSON(t, m), "plain text": m.PlainText()} {
				if !moreThan800.MatchString(text) {
					t.Errorf("%s in %s does not say how many more there are: %.300s", name, form, text)
				}
			}
		}
	}
}

// moreThan800 is what stands for the lines that were cut.
var moreThan800 = regexp.MustCompile(`\+[89]\d\d (more|más)`)

func BenchmarkCompose(b *testing.B) {
	c := composer("es")
	inc := story(congested(), acknowledged(17, "llamé a Claro"))
	for _, n := range []int{12, 1000} {
		members, yesterday := operations(n, n/3), days(n)
		b.Run(fmt.Sprint("group/", n), func(b *testing.B) {
			for b.Loop() {
				m := c.Group("@group/x", members, minute(7), time.Time{})
				m.Blocks()
			}
		})
		b.Run(fmt.Sprint("digest/", n), func(b *testing.B) {
			for b.Loop() {
				m := c.Digest("digest", yesterday)
				m.Blocks()
			}
		})
	}
	b.Run("root", func(b *testing.B) {
		for b.Loop() {
			m := c.Root(&inc, minute(7), incident.Mute{}, time.Time{})
			m.Blocks()
		}
	})
}
