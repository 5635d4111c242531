package slack

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"unconnected/alerter/incident"
	"unconnected/events"
)

// draft is a message being written: what all its sentences need.
type draft struct {
	*Composer
	words *words
	inc   *incident.Incident
	zone  *time.Location // in which the operation's people live
	// unmuted is when a silence ended until which nobody wanted to be told; zero for none. Nothing is late for that.
	unmuted time.Time
}

func (c *Composer) draft(inc *incident.Incident) *draft {
	return &draft{Composer: c, words: wordsFor(c.Language), inc: inc, zone: ZoneOf(inc, c.Zone)}
}

// ZoneOf is the zone in which people are told of an incident: the configured one, else that of its operation, else UTC. It is
// safe for concurrent use.
func ZoneOf(inc *incident.Incident, configured *time.Location) *time.Location {
	if configured != nil {
		return configured
	}
	return zoneNamed(inc.Timezone())
}

// zones holds what zoneNamed found, because time.LoadLocation reads a file every time :: name → *time.Location.
var zones sync.Map

// zoneNamed is the zone of that name; UTC when there is none.
func zoneNamed(name string) *time.Location {
	if known, ok := zones.Load(name); ok {
		return known.(*time.Location)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	zones.Store(name, zone)
	return zone
}

// message is the part that all messages about alerts have: t is what they tell, a the alert that they lead with.
func (d *draft) message(t incident.Transition, a *events.Alert, posted time.Time) Message {
	return Message{
		Notes: d.notes(a, t.At(), posted), Aside: d.late(t.At(), posted), OthersTitle: d.words.alsoHere, More: d.words.more,
		Transition: t.ID(), Incident: d.inc.ID,
	}
}

// fire says that an alert fires.
func (d *draft) fire(m *Message, phrase string, state incident.State) {
	s := d.subject(&state.Latest)
	m.Icon, m.Headline = Icon(state.Latest.Severity), d.headline(phrase, s.named(&state.Latest))
	m.Facts = d.firingFacts(state)
	d.advise(m, s)
	if !s.noData { // else the first fact says it
		since := state.Latest.StartsAt.In(d.zone)
		text := fmt.Sprintf(d.words.otherSince, d.words.from(since, state.Latest.At().In(d.zone))) + " " + Offset(since)
		m.Aside = joined(text, m.Aside)
	}
}

// advise says what to check first.
func (d *draft) advise(m *Message, s subject) {
	m.Advice = s.advice()
	if s.runbook != "" {
		m.Link = Link{Text: d.words.runbook, URL: s.runbook}
	}
}

func (d *draft) headline(phrase, title string) string { return d.titled(fmt.Sprintf(phrase, title)) }

// titled is text about the incident, with what people call its operation.
func (d *draft) titled(text string) string { return text + " · " + d.name(d.inc.Operation) }

// name is what people call an operation.
func (c *Composer) name(operation string) string {
	if name := c.Names[operation]; name != "" {
		return name
	}
	return operation
}

// closedTitle names what was wrong by its worst moment.
func (d *draft) closedTitle(lead incident.State) string {
	s := d.subject(&lead.Latest)
	switch {
	case s.noData && lead.Latest.Reason == events.ReasonCleared:
		return d.words.dataAgain
	case lead.Peak == nil:
		return s.title
	}
	return s.title + ", " + fmt.Sprintf(d.words.peak, s.value(*lead.Peak))
}

// drill tells whether all of the incident is a test: with anything real in it, it is none.
func (d *draft) drill() bool {
	for i := range d.inc.Alerts {
		if !d.inc.Alerts[i].Latest.IsDrill() {
			return false
		}
	}
	return len(d.inc.Alerts) > 0
}

// marked is m, loudly marked when it is about a drill.
func (d *draft) marked(m Message) Message {
	if !d.drill() {
		return m
	}
	m.Icon, m.Headline, m.Mentions = "🧪", fmt.Sprintf(d.words.drill, m.Headline), nil
	note := d.words.drillNote
	if !d.inc.Open {
		note = d.words.drillOver
	}
	m.Status = append([]string{note}, m.Status...)
	return m
}

// Icon is the emoji of a severity.
func Icon(severity string) string {
	switch severity {
	case events.Critical:
		return "🔴"
	case events.Warning:
		return "🟠"
	}
	return "🔵"
}

// What stands for the end of an incident: that things are better, or only that it is not judged any more.
const (
	iconOver   = "✅"
	iconClosed = "⚪"
)

// improved tells whether an alert that is over is so because things are better.
func improved(s incident.State) bool {
	switch s.Latest.Reason {
	case events.ReasonNoTraffic, events.ReasonOutOfHours, events.ReasonRuleRemoved, events.ReasonRebased:
		return false
	}
	return true
}

// joined are the parts that are not empty, on one line.
func joined(parts ...string) string {
	var full []string
	for _, part := range parts {
		if part != "" {
			full = append(full, part)
		}
	}
	return strings.Join(full, " · ")
}
