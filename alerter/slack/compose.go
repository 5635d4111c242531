package slack

import (
	"fmt"
	"slices"
	"time"

	"unconnected/alerter/incident"
	"unconnected/events"
)

// LateAfter is from when on a message says that it comes late. A window, the settle time and a few tries are usual.
const LateAfter = 5 * time.Minute

// Composer puts incidents into words. It is a value without state; the zero Composer writes English, in the zone of the
// events, and mentions nobody. It is safe for concurrent use as long as nobody changes it.
type Composer struct {
	Language string            // ALERT_LANGUAGE: "es", or English
	Zone     *time.Location    // ALERT_TIMEZONE; nil for the event's, or UTC when that is unknown
	Names    map[string]string // ALERT_OPERATION_NAMES :: operation → what people call it
	Rules    map[string]Rule   // :: rule → how it presents itself
	Mention  []string          // SLACK_MENTION_CRITICAL: who is called for critical alerts of rules that name nobody
}

// Compose is the message for a step of [incident.Next] about inc. A look-up needs none and gets the zero Message.
func (c *Composer) Compose(a incident.Action, inc *incident.Incident, rec incident.Record, w incident.Wishes, now time.Time) Message {
	switch a.Step {
	case incident.PostRoot, incident.EditRoot:
		shown := inc.AsOf(a.Shows)
		if a.Step == incident.EditRoot {
			now = rec.Root.PostedAt // how late it came does not change with an edit
		}
		m := c.Root(&shown, now, w.Mute)
		if a.Step == incident.PostRoot {
			m.Transition = a.Transition // an edit must not bear the id of a line
		}
		return m
	case incident.PostLine:
		shown := inc.AsOf(a.Sequence)
		m := c.Line(&shown, now)
		if a.Quiet {
			m.Mentions = nil
		}
		return m
	case incident.PostReminder:
		m := c.Reminder(inc, now)
		m.Transition = a.Transition
		return m
	}
	return Message{}
}

// Root is the message of an incident, as it is. posted is when it is, or was, posted; mute is the silence that covers it. inc
// must have a transition.
func (c *Composer) Root(inc *incident.Incident, posted time.Time, mute incident.Mute) Message {
	d := c.draft(inc)
	lead := inc.Lead()
	m := d.message(inc.Transitions[0], posted)
	m.Others = d.others(lead.Rule())
	if !inc.Open {
		m.Icon, m.Headline = "✅", d.headline(d.words.resolved, d.closedTitle(lead))
		m.Facts = d.overFacts(lead, inc.Start, inc.End)
		return m
	}
	d.fire(&m, d.words.firing, lead)
	m.Mentions = c.mentions(inc)
	return m
}

// Line is the post for the newest transition of inc. Hand in the incident as of that transition ([incident.Incident.AsOf]).
func (c *Composer) Line(inc *incident.Incident, posted time.Time) Message {
	t := inc.Last()
	if t.Action != nil {
		return c.deed(inc, t)
	}
	if t.Kind == incident.Closed {
		m := c.Root(inc, posted, incident.Mute{})
		m.Brief, m.Transition, m.Notes = true, t.ID(), c.draft(inc).notes(t, posted)
		return m
	}
	d := c.draft(inc)
	i := slices.IndexFunc(inc.Alerts, func(s incident.State) bool { return s.Rule() == t.Alert.Rule })
	state := inc.Alerts[i]
	m := d.message(t, posted)
	m.Brief = true
	switch t.Kind {
	case incident.Better:
		m.Icon, m.Headline = "🟢", d.headline(d.words.better, d.subject(&t.Alert).title)
		m.Facts = d.overFacts(state, state.Latest.StartsAt, endOf(&state.Latest))
		m.Others, m.OthersTitle = d.stillFiring(), ""
	case incident.Worse:
		d.fire(&m, d.words.worse, state)
		m.Mentions = c.mentionsOf(&t.Alert)
	case incident.Reopened:
		d.fire(&m, d.words.again, state)
		m.Mentions = c.mentionsOf(&t.Alert)
	default:
		d.fire(&m, d.words.joined, state)
	}
	return m
}

// mentions are those of all alerts that fire, each once.
func (c *Composer) mentions(inc *incident.Incident) []string {
	var all []string
	for _, state := range inc.Alerts {
		if !state.Firing() {
			continue
		}
		for _, mention := range c.mentionsOf(&state.Latest) {
			if !slices.Contains(all, mention) {
				all = append(all, mention)
			}
		}
	}
	return all
}

func (c *Composer) mentionsOf(a *events.Alert) []string {
	who := c.Rules[a.Rule].Mention
	if who == nil && a.Severity == events.Critical {
		who = c.Mention
	}
	var mentions []string
	for _, name := range who {
		if mention, ok := ParseMention(name); ok && !slices.Contains(mentions, mention) {
			mentions = append(mentions, mention)
		}
	}
	return mentions
}

// draft is a message being written: what all its sentences need.
type draft struct {
	*Composer
	words *words
	inc   *incident.Incident
	zone  *time.Location // in which the operation's people live
}

func (c *Composer) draft(inc *incident.Incident) *draft {
	d := draft{Composer: c, words: wordsFor(c.Language), inc: inc, zone: c.Zone}
	if d.zone == nil {
		var err error
		if d.zone, err = time.LoadLocation(inc.Timezone()); err != nil {
			d.zone = time.UTC
		}
	}
	return &d
}

// message is the part that all messages have.
func (d *draft) message(t incident.Transition, posted time.Time) Message {
	return Message{
		Notes: d.notes(t, posted), OthersTitle: d.words.alsoHere, More: d.words.more,
		Transition: t.ID(), Incident: d.inc.ID,
	}
}

// fire says that an alert fires.
func (d *draft) fire(m *Message, phrase string, state incident.State) {
	s := d.subject(&state.Latest)
	m.Icon, m.Headline = icon(state.Latest.Severity), d.headline(phrase, s.named(&state.Latest))
	m.Facts = d.firingFacts(state)
	m.Advice = s.advice()
	if s.runbook != "" {
		m.Link = Link{Text: d.words.runbook, URL: s.runbook}
	}
}

func (d *draft) headline(phrase, title string) string {
	name := d.Names[d.inc.Operation]
	if name == "" {
		name = d.inc.Operation
	}
	return fmt.Sprintf(phrase, title) + " · " + name
}

// closedTitle names what was wrong by its worst moment.
func (d *draft) closedTitle(lead incident.State) string {
	s := d.subject(&lead.Latest)
	if lead.Peak == nil {
		return s.title
	}
	return s.title + ", " + fmt.Sprintf(d.words.peak, s.value(*lead.Peak))
}

func icon(severity string) string {
	switch severity {
	case events.Critical:
		return "🔴"
	case events.Warning:
		return "🟠"
	}
	return "🔵"
}
