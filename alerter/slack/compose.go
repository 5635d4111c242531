package slack

import (
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
	Buttons  bool              // somebody answers to buttons (Socket Mode), so messages have them
}

// Compose is the message for a step of [incident.Next] about inc. A look-up needs none and gets the zero Message.
func (c *Composer) Compose(a incident.Action, inc *incident.Incident, rec incident.Record, w incident.Wishes, now time.Time) Message {
	switch a.Step {
	case incident.PostRoot, incident.EditRoot:
		shown := inc.AsOf(a.Shows)
		if !a.Present.IsZero() {
			shown = shown.Now()
		}
		if a.Step == incident.EditRoot {
			now = rec.Root.PostedAt // how late it came does not change with an edit
		}
		m := c.Root(&shown, now, w.Mute, rec.Root.Unmuted)
		if a.Step == incident.PostRoot {
			m.Transition = a.Transition // an edit must not bear the id of a line
		}
		return m
	case incident.PostLine:
		shown := inc.AsOf(a.Sequence)
		m := c.Line(&shown, now, rec.Root.Unmuted)
		if t := shown.Last(); t.Kind == incident.Better {
			after := inc.AsOf(lastOf(inc, t.Alert.Cause)) // what the same window ends as well does not go on
			m.Others = c.draft(&after).stillFiring()
		}
		if a.Quiet {
			m.Mentions = nil
		}
		return m
	case incident.PostReminder:
		shown := inc.Now()
		m := c.Reminder(&shown, now, a.Unmuted)
		if m.Transition = a.Transition; a.Call {
			m.Mentions = c.mentions(inc)
		}
		return m
	}
	return Message{}
}

// lastOf is the sequence of the last transition that a cause has brought about.
func lastOf(inc *incident.Incident, cause events.Cause) (sequence uint64) {
	for _, t := range inc.Transitions {
		if t.Action == nil && t.Alert.Cause == cause {
			sequence = t.Sequence
		}
	}
	return sequence
}

// ComposeGroup is the message for a step of [incident.NextGroup]. A look-up needs none and gets the zero Message.
func (c *Composer) ComposeGroup(a incident.Action, members []incident.Incident, rec incident.Record, now time.Time) Message {
	var shown []incident.Incident
	for i := range members {
		as := members[i].AsOf(a.Shows)
		if a.Step == incident.PostReminder || !a.Present.IsZero() {
			as = as.Now()
		}
		if len(as.Transitions) > 0 {
			shown = append(shown, as)
		}
	}
	if len(shown) == 0 {
		return Message{}
	}
	switch a.Step {
	case incident.PostRoot:
		return c.Group(rec.Incident, shown, now, rec.Root.Unmuted)
	case incident.EditRoot:
		return c.Group(rec.Incident, shown, rec.Root.PostedAt, rec.Root.Unmuted)
	case incident.PostReminder:
		m := c.GroupReminder(rec.Incident, shown, now, a.Unmuted)
		if m.Transition = a.Transition; a.Call {
			m.Mentions = c.group(shown).mentions()
		}
		return m
	}
	return Message{}
}

// Root is the message of an incident, as it is. posted is when it is, or was, posted; mute is the silence that covers it, and
// unmuted is when one ended that had kept it from being posted, zero for none. inc must have a transition.
func (c *Composer) Root(inc *incident.Incident, posted time.Time, mute incident.Mute, unmuted time.Time) Message {
	d := c.draft(inc)
	d.unmuted = unmuted
	first, lead := inc.Transitions[0], inc.Lead()
	m := d.message(first, &lead.Latest, posted)
	m.Others = d.others(lead.Rule())
	m.Status = d.status(mute)
	if inc.Open {
		d.fire(&m, d.words.firing, lead)
		m.Mentions, m.Buttons = c.mentions(inc), d.buttons(mute)
	} else {
		m.Icon, m.Headline = iconOver, d.headline(d.words.resolved, d.closedTitle(lead))
		m.Facts = d.overFacts(lead, inc.Start, inc.End, reopened(inc))
		if !improved(lead) {
			m.Icon, m.Headline = iconClosed, d.headline(d.words.closed, d.closedTitle(lead))
		}
	}
	return d.marked(m)
}

// Line is the post for the newest transition of inc. Hand in the incident as of that transition ([incident.Incident.AsOf]).
// unmuted is as in [Composer.Root].
func (c *Composer) Line(inc *incident.Incident, posted, unmuted time.Time) Message {
	switch t := inc.Last(); {
	case t.Action != nil:
		return c.deed(inc, t)
	case t.Kind == incident.Opened: // the root above is that of a group, which has no details
		m := c.Root(inc, posted, incident.Mute{}, unmuted)
		m.Mentions = nil
		return m
	case t.Kind == incident.Closed:
		m, d := c.Root(inc, posted, incident.Mute{}, unmuted), c.draft(inc)
		d.unmuted = unmuted
		m.Brief, m.Transition, m.Notes = true, t.ID(), d.notes(&t.Alert, t.At(), posted)
		m.Aside = d.late(t.At(), posted)
		return m
	default:
		return c.change(inc, t, posted, unmuted)
	}
}

// change is the post for an alert that joined, ended or made things worse.
func (c *Composer) change(inc *incident.Incident, t incident.Transition, posted, unmuted time.Time) Message {
	d := c.draft(inc)
	d.unmuted = unmuted
	i := slices.IndexFunc(inc.Alerts, func(s incident.State) bool { return s.Rule() == t.Alert.Rule })
	state := inc.Alerts[i]
	m := d.message(t, &t.Alert, posted)
	m.Brief, m.Status = true, d.status(incident.Mute{})
	switch t.Kind {
	case incident.Better:
		m.Icon, m.Headline = "🟢", d.headline(d.words.better, d.subject(&t.Alert).title)
		m.Facts = d.overFacts(state, state.Latest.StartsAt, endOf(&state.Latest), false)
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
	return d.marked(m)
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

// mentionsOf are who is called for an alert: nobody for a drill.
func (c *Composer) mentionsOf(a *events.Alert) []string {
	who := c.Rules[a.Rule].Mention
	switch {
	case a.IsDrill():
		return nil
	case who == nil && a.Severity == events.Critical:
		who = c.Mention
	}
	return parsed(who)
}

// parsed are the mentions in Slack's form, each once, without those that cannot ring.
func parsed(who []string) []string {
	var mentions []string
	for _, name := range who {
		if mention, ok := ParseMention(name); ok && !slices.Contains(mentions, mention) {
			mentions = append(mentions, mention)
		}
	}
	return mentions
}
