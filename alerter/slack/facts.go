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

// firingFacts are the lines about an alert that fires: how bad, in which window, since when.
func (d *draft) firingFacts(state incident.State) []Fact {
	a := &state.Latest
	s := d.subject(a)
	if s.noData {
		return d.blindFacts(a)
	}
	var facts []Fact
	if fact := s.evidence(a); fact != (Fact{}) {
		fact.Text += s.compared(a)
		facts = append(facts, fact)
	}
	if parts := s.parts(a); parts != "" {
		facts = append(facts, Fact{Text: parts})
	}
	if !s.saidBy(a) {
		facts = append(facts, Fact{Text: a.Summary})
	}
	if a.Window != nil {
		from, to := a.Window.Start.In(d.zone), a.Window.End.In(d.zone)
		facts = append(facts, Fact{Text: fmt.Sprintf(d.words.window, span(from, to), d.words.date(from), zone(from))})
	}
	facts = append(facts, Fact{Text: d.since(s, state)})
	if state.Quiet {
		facts = append(facts, Fact{Text: d.words.calmer})
	}
	return facts
}

// blindFacts are the lines about data that does not come: since when, and what that means.
func (d *draft) blindFacts(a *events.Alert) []Fact {
	facts := []Fact{{Text: fmt.Sprintf(d.words.noDataSince, d.words.exactly(a.StartsAt.In(d.zone)))}}
	if a.Summary != "" {
		facts = append(facts, Fact{Text: fmt.Sprintf(d.words.known, a.Summary)})
	}
	return facts
}

// since says since when an alert fires, how long that was at the time of its event, and what was worst.
func (d *draft) since(s subject, state incident.State) string {
	a := &state.Latest
	at := a.At().In(d.zone)
	text := fmt.Sprintf(d.words.since, d.words.from(a.StartsAt.In(d.zone), at))
	if a.Window == nil { // else the line above tells the day and the zone
		text += " (" + d.words.date(at) + ", " + zone(at) + ")"
	}
	if lasts := at.Sub(a.StartsAt); lasts > 0 {
		text += fmt.Sprintf(d.words.sofar, d.words.duration(lasts), d.words.hour(at))
	}
	if a.Window != nil && state.PeakAt.Equal(a.Window.Start) {
		return text // the peak is the value that was just given
	}
	return text + d.peak(s, state, at)
}

// overFacts are the lines about an alert, or an incident that it leads, that is over: the evidence stays. reopened says that
// it was over in between, so that it did not last all the time, nor begin with the evidence.
func (d *draft) overFacts(state incident.State, start, end time.Time, reopened bool) []Fact {
	w, s := d.words, d.subject(&state.Latest)
	from, to := start.In(d.zone), end.In(d.zone)
	span := w.between(from, to) + fmt.Sprintf(w.took, w.duration(end.Sub(start)))
	whenFired := w.whenFired
	if reopened {
		span, whenFired = span+w.withBreaks, w.whenFiredLast
	}
	where := zone(to)
	if sameDay(from, to) { // else the line has both days
		where = w.date(to) + ", " + where
	}
	var facts []Fact
	if why := w.reason(state.Latest.Reason); why != "" {
		facts = []Fact{{Text: why}} // the first thing to know, also on a phone
	}
	facts = append(facts, Fact{Text: span + d.peak(s, state, to) + " · " + where})
	if state.Fired != nil {
		if fact := s.evidence(state.Fired); fact != (Fact{}) {
			facts = append(facts, Fact{Text: fmt.Sprintf(whenFired, fact.String()) + s.compared(state.Fired)})
		}
	}
	if fact := s.evidence(&state.Latest); fact != (Fact{}) {
		facts = append(facts, Fact{Text: fmt.Sprintf(w.finalValue, fact.String())})
	}
	return facts
}

// reopened tells whether an incident fired again after it had closed.
func reopened(inc *incident.Incident) bool {
	return slices.ContainsFunc(inc.Transitions, func(t incident.Transition) bool { return t.Kind == incident.Reopened })
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

func (d *draft) peak(s subject, state incident.State, around time.Time) string {
	if state.Peak == nil || state.PeakAt.IsZero() {
		return ""
	}
	return fmt.Sprintf(d.words.peakAt, s.value(*state.Peak), d.words.when(state.PeakAt.In(d.zone), around))
}

// others are the alerts beside the leading one, a line each.
func (d *draft) others(lead string) []string {
	var lines []string
	for _, state := range d.inc.Alerts {
		switch {
		case state.Rule() == lead:
		case state.Firing():
			lines = append(lines, d.other(state, d.subject(&state.Latest).named(&state.Latest)))
		default:
			at := d.words.at(endOf(&state.Latest).In(d.zone), d.latest())
			lines = append(lines, "✅ "+d.subject(&state.Latest).title+" · "+fmt.Sprintf(d.words.othersResolved, at))
		}
	}
	return lines
}

// stillFiring are the alerts that fire, a line each, without their values: those are of another time.
func (d *draft) stillFiring() []string {
	var lines []string
	for _, state := range d.inc.Alerts {
		if state.Firing() {
			lines = append(lines, d.words.stillFiring+" "+d.other(state, d.subject(&state.Latest).title))
		}
	}
	return lines
}

// other is a firing alert in one line.
func (d *draft) other(state incident.State, title string) string {
	a := &state.Latest
	since := d.words.from(a.StartsAt.In(d.zone), d.latest())
	return Icon(a.Severity) + " " + title + " · " + fmt.Sprintf(d.words.otherSince, since)
}

// latest is when the newest transition happened.
func (d *draft) latest() time.Time {
	t := d.inc.LastAlert()
	return t.Alert.At().In(d.zone)
}

// notes are the small print: how late the message about what happened at an instant comes, severity and labels.
func (d *draft) notes(a *events.Alert, at, posted time.Time) []string {
	w := d.words
	small := []string{fmt.Sprintf(w.severity, w.severities[a.Severity])}
	for _, key := range slices.Sorted(maps.Keys(a.Labels)) {
		if key != events.LabelDrill {
			small = append(small, key+": "+a.Labels[key])
		}
	}
	notes := d.silencedBefore(at, posted)
	if late := d.lateness(at, posted); late > LateAfter {
		notes = append(notes, "⏰ "+fmt.Sprintf(w.late, w.duration(late)))
	}
	return append(notes, strings.Join(small, " · "))
}

// silencedBefore says until when nobody wanted to be told of what happened, or nothing.
func (d *draft) silencedBefore(at, posted time.Time) []string {
	if !d.unmuted.After(at) {
		return nil
	}
	return []string{"🔕 " + fmt.Sprintf(d.words.wasSilenced, d.words.from(d.unmuted.In(d.zone), posted.In(d.zone)))}
}

// late says on one line with others how late a message comes, or nothing when it does not.
func (d *draft) late(at, posted time.Time) string {
	if late := d.lateness(at, posted); late > LateAfter {
		return "⏰ " + fmt.Sprintf(d.words.lateBy, d.words.duration(late))
	}
	return ""
}

// lateness is how long after it happened, or after people wanted to be told again, a message comes.
func (d *draft) lateness(at, posted time.Time) time.Duration {
	if d.unmuted.After(at) {
		at = d.unmuted
	}
	return posted.Sub(at)
}

func endOf(a *events.Alert) time.Time {
	if a.EndsAt != nil {
		return *a.EndsAt
	}
	return a.At()
}
