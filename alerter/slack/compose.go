package slack

import (
	"fmt"
	"maps"
	"slices"
	"strings"
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
func (c *Composer) Compose(a incident.Action, inc *incident.Incident, rec incident.Record, now time.Time) Message {
	switch a.Step {
	case incident.PostRoot, incident.EditRoot:
		shown := inc.AsOf(a.Shows)
		if a.Step == incident.EditRoot {
			now = rec.Root.PostedAt // how late it came does not change with an edit
		}
		return c.Root(&shown, now)
	case incident.PostLine:
		shown := inc.AsOf(a.Sequence)
		return c.Line(&shown, now)
	}
	return Message{}
}

// Root is the message of an incident, as it is. posted is when it is, or was, posted. inc must have a transition.
func (c *Composer) Root(inc *incident.Incident, posted time.Time) Message {
	lead := inc.Lead()
	s := c.subject(&lead.Latest)
	m := c.message(inc, inc.Transitions[0], posted)
	if inc.Open {
		m.Icon, m.Headline = icon(lead.Latest.Severity), c.headline(c.words().firing, s.named(&lead.Latest), inc)
		m.Facts = c.firingFacts(inc, &lead.Latest, lead)
		m.Mentions = c.mentions(inc)
		m.Advice, m.Link = s.advice(), c.link(s)
	} else {
		m.Icon, m.Headline = "✅", c.headline(c.words().resolved, c.closedTitle(s, lead), inc)
		m.Facts = c.closedFacts(inc, lead)
	}
	m.Others = c.others(inc, lead.Rule())
	return m
}

// Line is the post for the newest transition of inc. Hand in the incident as of that transition ([incident.Incident.AsOf]).
func (c *Composer) Line(inc *incident.Incident, posted time.Time) Message {
	t := inc.Last()
	if t.Kind == incident.Closed {
		m := c.Root(inc, posted)
		m.Brief, m.Transition = true, t.ID()
		m.Notes = c.notes(t, posted)
		return m
	}
	i := slices.IndexFunc(inc.Alerts, func(s incident.State) bool { return s.Rule() == t.Alert.Rule })
	state, s, w := inc.Alerts[i], c.subject(&t.Alert), c.words()
	m := c.message(inc, t, posted)
	m.Brief = true
	if t.Kind == incident.Better {
		m.Icon, m.Headline = "🟢", c.headline(w.better, s.title, inc)
		m.Facts, m.OthersTitle = c.overFacts(inc, state, state.Latest.StartsAt, endOf(&state.Latest)), ""
		for _, other := range c.others(inc, t.Alert.Rule) {
			m.Others = append(m.Others, fmt.Sprintf(w.stillFiring, other))
		}
		return m
	}
	phrase := map[incident.Kind]string{incident.Worse: w.worse, incident.Reopened: w.again, incident.Joined: w.joined, incident.Opened: w.firing}[t.Kind]
	m.Icon, m.Headline = icon(t.Alert.Severity), c.headline(phrase, s.named(&t.Alert), inc)
	m.Facts = c.firingFacts(inc, &t.Alert, state)
	m.Advice, m.Link = s.advice(), c.link(s)
	if t.Kind == incident.Worse || t.Kind == incident.Reopened {
		m.Mentions = c.mentionsOf(&t.Alert)
	}
	return m
}

// message is the part that all messages have.
func (c *Composer) message(inc *incident.Incident, t incident.Transition, posted time.Time) Message {
	w := c.words()
	return Message{
		Notes: c.notes(t, posted), OthersTitle: w.alsoHere, More: w.more,
		Transition: t.ID(), Incident: inc.ID,
	}
}

func (c *Composer) headline(phrase, title string, inc *incident.Incident) string {
	return fmt.Sprintf(phrase, title) + " · " + c.name(inc.Operation)
}

// closedTitle names what was wrong by its worst moment.
func (c *Composer) closedTitle(s subject, lead incident.State) string {
	if lead.Peak == nil {
		return s.title
	}
	return s.title + ", " + fmt.Sprintf(c.words().peak, s.value(*lead.Peak))
}

// firingFacts are the lines about an alert that fires.
func (c *Composer) firingFacts(inc *incident.Incident, a *events.Alert, state incident.State) []Fact {
	w, s := c.words(), c.subject(a)
	var facts []Fact
	if fact := s.evidence(a); fact != (Fact{}) {
		fact.Text += s.threshold(a)
		facts = append(facts, fact)
	}
	if !s.saidBy(a) {
		facts = append(facts, Fact{Text: a.Summary})
	}
	at, where := c.local(inc, a.At()), ""
	if a.Window != nil {
		from, to := c.local(inc, a.Window.Start), c.local(inc, a.Window.End)
		facts = append(facts, Fact{Text: fmt.Sprintf(w.window, span(from, to), w.date(from), zone(from))})
	} else {
		where = " (" + w.date(at) + ", " + zone(at) + ")"
	}
	since := fmt.Sprintf(w.since, w.when(c.local(inc, a.StartsAt), at)) + where
	if d := at.Sub(a.StartsAt); d > 0 {
		since += fmt.Sprintf(w.sofar, w.duration(d))
	}
	if a.Window == nil || !state.PeakAt.Equal(a.Window.Start) { // else the peak is the value above
		since += c.peak(inc, s, state, at)
	}
	return append(facts, Fact{Text: since})
}

// closedFacts are the lines about an incident that is over: the evidence stays.
func (c *Composer) closedFacts(inc *incident.Incident, lead incident.State) []Fact {
	return c.overFacts(inc, lead, inc.Start, inc.End)
}

func (c *Composer) overFacts(inc *incident.Incident, state incident.State, start, end time.Time) []Fact {
	w, s := c.words(), c.subject(&state.Latest)
	from, to := c.local(inc, start), c.local(inc, end)
	span := fmt.Sprintf(w.fromTo, w.when(from, to), clock(to)) + fmt.Sprintf(w.took, w.duration(end.Sub(start)))
	facts := []Fact{{Text: span + c.peak(inc, s, state, to) + " · " + w.date(to) + ", " + zone(to)}}
	if state.Fired != nil {
		if fact := s.evidence(state.Fired); fact != (Fact{}) {
			facts = append(facts, Fact{Text: fmt.Sprintf(w.whenFired, fact.String()) + s.threshold(state.Fired)})
		}
	}
	if fact := s.evidence(&state.Latest); fact != (Fact{}) && !state.Firing() {
		facts = append(facts, Fact{Text: fmt.Sprintf(w.finalValue, fact.String())})
	}
	if why := w.reason(state.Latest.Reason); why != "" {
		facts = append(facts, Fact{Text: why})
	}
	return facts
}

// reason says how an alert ended if that is not simply that things are better.
func (w *words) reason(reason string) string {
	switch reason {
	case events.ReasonNoTraffic:
		return w.noTraffic
	case events.ReasonOutOfHours:
		return w.outOfHours
	case events.ReasonRuleRemoved:
		return w.ruleRemoved
	case events.ReasonRebased:
		return w.rebased
	}
	return ""
}

func (c *Composer) peak(inc *incident.Incident, s subject, state incident.State, around time.Time) string {
	if state.Peak == nil || state.PeakAt.IsZero() {
		return ""
	}
	return fmt.Sprintf(c.words().peakAt, s.value(*state.Peak), c.words().when(c.local(inc, state.PeakAt), around))
}

// others are the further alerts of the incident, one line each.
func (c *Composer) others(inc *incident.Incident, lead string) []string {
	var lines []string
	w, last := c.words(), inc.Last()
	around := c.local(inc, last.Alert.At())
	for _, state := range inc.Alerts {
		if state.Rule() == lead {
			continue
		}
		a := &state.Latest
		s := c.subject(a)
		if !state.Firing() {
			if inc.Open && last.Kind == incident.Better {
				continue // a line about one end is about what is left
			}
			lines = append(lines, "✅ "+s.title+" · "+fmt.Sprintf(w.othersResolved, w.when(c.local(inc, endOf(a)), around)))
			continue
		}
		lines = append(lines, icon(a.Severity)+" "+s.named(a)+" · "+fmt.Sprintf(w.otherSince, w.when(c.local(inc, a.StartsAt), around)))
	}
	return lines
}

// notes are the small print: severity, labels, and how late the message comes.
func (c *Composer) notes(t incident.Transition, posted time.Time) []string {
	w := c.words()
	small := []string{fmt.Sprintf(w.severity, w.severities[t.Alert.Severity])}
	for _, key := range slices.Sorted(maps.Keys(t.Alert.Labels)) {
		small = append(small, key+": "+t.Alert.Labels[key])
	}
	notes := []string{strings.Join(small, " · ")}
	if late := posted.Sub(t.Alert.At()); late > LateAfter {
		notes = append([]string{"⏰ " + fmt.Sprintf(w.late, w.duration(late))}, notes...)
	}
	return notes
}

func (c *Composer) link(s subject) Link {
	if s.runbook == "" {
		return Link{}
	}
	return Link{Text: c.words().runbook, URL: s.runbook}
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

func (c *Composer) words() *words { return wordsFor(c.Language) }

func (c *Composer) name(operation string) string {
	if name := c.Names[operation]; name != "" {
		return name
	}
	return operation
}

// local is t in the zone that the operation's people live in.
func (c *Composer) local(inc *incident.Incident, t time.Time) time.Time {
	if c.Zone != nil {
		return t.In(c.Zone)
	}
	zone, err := time.LoadLocation(inc.Timezone())
	if err != nil {
		return t.UTC()
	}
	return t.In(zone)
}

func endOf(a *events.Alert) time.Time {
	if a.EndsAt != nil {
		return *a.EndsAt
	}
	return a.At()
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
