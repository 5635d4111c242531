package slack

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"unconnected/alerter/incident"
	"unconnected/events"
)

// How much of what people call themselves, and of what they say, a line has room for.
const (
	limitName   = 80
	limitReason = 250
)

// person is what somebody is called. The name comes from outside.
func (w *words) person(name string) string {
	if name = shortened(name, limitName); name == "" {
		return w.somebody
	}
	return name
}

// withReason is text with why, where somebody said so.
func withReason(text, reason string) string {
	if reason = shortened(reason, limitReason); reason == "" {
		return text
	}
	return text + ": " + reason
}

// status says who takes care of the incident and which silence covers it.
func (d *draft) status(mute incident.Mute) []string {
	w, around := d.words, d.latest()
	var lines []string
	if by := d.inc.Acked; by != nil {
		phrase := w.wasOnIt
		if d.inc.Open {
			phrase = w.isOnIt
		}
		text := fmt.Sprintf(phrase, w.person(by.By), w.from(by.At.In(d.zone), around))
		lines = append(lines, "👀 "+withReason(text, by.Reason))
	}
	switch {
	case !d.inc.Open:
	case mute.Active():
		lines = append(lines, "🔕 "+withReason(d.silenced(mute.Until, mute.By, around), mute.Reason))
	case d.inc.Acked == nil && d.Buttons:
		lines = append(lines, "⚪ "+w.nobody)
	}
	return lines
}

// silenced says until when there is silence, and who wanted it.
func (d *draft) silenced(until time.Time, by string, around time.Time) string {
	return d.wantedBy(fmt.Sprintf(d.words.silencedUntil, d.words.from(until.In(d.zone), around)), by)
}

// wantedBy is text with who wanted it, where that is known.
func (d *draft) wantedBy(text, by string) string {
	if shortened(by, limitName) == "" {
		return text
	}
	return text + fmt.Sprintf(d.words.by, d.words.person(by))
}

// buttons are what can be done about an incident that is open.
func (d *draft) buttons(mute incident.Mute) Buttons {
	if !d.Buttons {
		return Buttons{}
	}
	return Buttons{Incident: d.inc.ID, Acknowledge: d.inc.Acked == nil, Silence: !mute.Active(), Language: d.Language}
}

// deed is the line for what somebody did about an incident.
func (c *Composer) deed(inc *incident.Incident, t incident.Transition) Message {
	d := c.draft(inc)
	w, a, at := d.words, t.Action, t.Action.At.In(d.zone)
	lead := inc.Lead()
	title := d.subject(&lead.Latest).named(&lead.Latest)
	m := Message{Brief: true, More: w.more, Transition: t.ID(), Incident: inc.ID}
	effect, why := "", w.why
	switch t.Kind {
	case incident.Silenced:
		text, then := d.silences(a, at)
		m.Icon, m.Headline, effect = "🔕", d.titled(text+": "+d.covered(a)), then
	case incident.Unsilenced:
		m.Icon, m.Headline, effect = "🔔", d.titled(fmt.Sprintf(w.endedSilence, w.person(a.By), title)), w.loud
	default:
		m.Icon, m.Headline, effect, why = "👀", d.titled(fmt.Sprintf(w.tookOver, w.person(a.By), title)), w.noReminders, w.remark
	}
	if reason := shortened(a.Reason, limitReason); reason != "" {
		m.Facts = []Fact{{Text: fmt.Sprintf(why, reason)}}
	}
	m.Facts = append(m.Facts, Fact{Text: effect})
	m.Notes = []string{clock(at) + ", " + w.date(at) + " (" + zone(at) + ")"}
	return d.marked(m)
}

// silences says for which time somebody silenced something, who, and what follows from that.
func (d *draft) silences(a *events.Action, at time.Time) (text, effect string) {
	until := at
	if a.Until != nil {
		until = a.Until.In(d.zone)
	}
	if a.From == nil {
		return d.silenced(until, a.By, at), d.words.quiet
	}
	text = fmt.Sprintf(d.words.silencedFrom, d.words.from(a.From.In(d.zone), at), d.words.from(until, at))
	return d.wantedBy(text, a.By), d.words.quietThen
}

// covered names what a silence covers.
func (d *draft) covered(a *events.Action) string {
	var titles []string
	for _, s := range d.inc.Alerts {
		if slices.Contains(a.Rules, s.Rule()) {
			titles = append(titles, d.subject(&s.Latest).title)
		}
	}
	switch {
	case len(titles) > 0:
		return strings.Join(titles, ", ")
	case a.Operation == events.AllOperations:
		return d.words.allEverywhere
	}
	return d.words.allAlerts
}

// Reminder is the post that mentions again an incident that still fires and that nobody takes care of. It calls nobody by name:
// people are called when an incident opens or gets worse, or once that may be said. unmuted is when a silence ended, if that is why; else zero.
func (c *Composer) Reminder(inc *incident.Incident, now, unmuted time.Time) Message {
	d := c.draft(inc)
	lead, w := inc.Lead(), d.words
	a, s := &lead.Latest, d.subject(&lead.Latest)
	lasted := w.duration(now.Sub(inc.Start))
	m := Message{
		Icon: Icon(a.Severity), Headline: d.titled(fmt.Sprintf(w.reminder, lasted, s.named(a))),
		Brief: true, More: w.more, Incident: inc.ID, Transition: inc.Last().ID(),
		Facts: d.unattended(), Others: d.others(lead.Rule()), Buttons: d.buttons(incident.Mute{}), Notes: d.notes(a, now, now),
	}
	if s.noData {
		m.Facts = append(m.Facts, d.blindFacts(a)...)
	} else {
		m.Facts = append(m.Facts, d.lastKnown(s, lead, now)...)
	}
	if !unmuted.IsZero() {
		m.Facts = append([]Fact{d.silenceOver(unmuted, now)}, m.Facts...)
	}
	d.advise(&m, s)
	return d.marked(m)
}

// silenceOver says when a silence ended.
func (d *draft) silenceOver(unmuted, now time.Time) Fact {
	return Fact{Text: "🔔 " + fmt.Sprintf(d.words.silenceOver, d.words.at(unmuted.In(d.zone), now.In(d.zone)))}
}

// unattended says that nobody takes care of what a reminder is about; only where people can say that they do.
func (c *Composer) unattended() []Fact {
	if !c.Buttons {
		return nil
	}
	return []Fact{{Strong: wordsFor(c.Language).nobody}}
}

// lastKnown are the value as the last event told it, with its time, and the worst that there was.
func (d *draft) lastKnown(s subject, state incident.State, now time.Time) []Fact {
	a := &state.Latest
	var facts []Fact
	if fact := s.evidence(a); fact != (Fact{}) {
		at := d.words.at(a.At().In(d.zone), now.In(d.zone))
		facts = append(facts, Fact{Strong: fact.Strong, Text: fact.Text + " · " + at + s.compared(a)})
	}
	text := fmt.Sprintf(d.words.since, d.words.from(a.StartsAt.In(d.zone), now.In(d.zone)))
	text += d.peak(s, state, now.In(d.zone)) + " · " + d.words.date(now.In(d.zone)) + ", " + zone(now.In(d.zone))
	facts = append(facts, Fact{Text: text})
	if state.Quiet {
		facts = append(facts, Fact{Text: d.words.calmer})
	}
	return facts
}
