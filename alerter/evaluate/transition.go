package evaluate

import (
	"cmp"
	"slices"
	"time"

	"unconnected/alerter/incident"
	"unconnected/alerter/rule"
	"unconnected/events"
)

// Transitions are the alert events that must be published so that the stream agrees with the states, in the order in
// which to publish them: what fires before what is resolved, so that an incident is not closed while another alert joins
// it, and the worst severity first.
//
// published are the last messages on all alert subjects of the operation :: rule → alert, those of rules that are gone
// too. cause is what was applied last. An alert whose published cause is not before cause is left alone, so asking again
// after a part was published gives the rest. Summaries are in language, "en" or "es". Published alerts of rules that are
// gone are the business of [Removed]. The alerts share Labels and Threshold with the rules: treat them as read-only.
func (o *Operation) Transitions(published map[string]events.Alert, cause events.Cause, language string) []events.Alert {
	return o.transitions(published, cause, language, false)
}

// TickTransitions are those of the rules that are judged at ticks alone: what a tick, the cause, has found.
func (o *Operation) TickTransitions(published map[string]events.Alert, cause events.Cause, language string) []events.Alert {
	return o.transitions(published, cause, language, true)
}

func (o *Operation) transitions(published map[string]events.Alert, cause events.Cause, language string, ticksOnly bool) []events.Alert {
	if o.window.IsZero() {
		return nil
	}
	var firing, resolved []events.Alert
	for i := range o.tracks {
		t := &o.tracks[i]
		if ticks := t.rule.OnTicks(); !ticks && ticksOnly || ticks && (cause.Tick == 0 || !t.decided) {
			continue // what a tick found is said with the tick
		}
		last, exists := published[t.rule.Name]
		wasFiring := exists && last.Status == events.Firing
		if t.firing == wasFiring || exists && last.Cause.Compare(cause) >= 0 {
			continue
		}
		a := o.alert(i, cause, language)
		if t.firing {
			a.Status, a.StartsAt = events.Firing, instant(t.startsAt)
			firing = append(firing, a)
		} else {
			o.end(&a, t, &last)
			resolved = append(resolved, a)
		}
	}
	if len(firing) > 0 {
		id := incident.ID(o.name, published, firing)
		for i := range firing {
			firing[i].Incident = id
		}
	}
	return append(worstFirst(firing), worstFirst(resolved)...)
}

// alert is what an event about rule i says whether it fires or is resolved.
func (o *Operation) alert(i int, cause events.Cause, language string) events.Alert {
	r := o.tracks[i].rule
	seen := o.newest.Behind(o.tracks[i].past)
	if r.OnTicks() {
		seen = rule.ObserveTick(o.tick.last)
	}
	a := events.Alert{
		Operation: o.name, Rule: r.Name, Severity: r.Severity,
		Value: o.value(i), Threshold: r.ThresholdIn(&seen), Observed: o.observed(i),
		Summary: r.Summary(language, o.name, &seen), Labels: r.Labels,
		Timezone: o.timezone, Cause: cause,
	}
	if cause.Tick == 0 {
		window := o.window
		a.Window = &window
	}
	return a
}

// end makes a the resolution of last, the alert that is published as firing. It is the same alert, whatever the rules
// of today make of its beginning.
func (o *Operation) end(a *events.Alert, t *track, last *events.Alert) {
	a.Status, a.StartsAt, a.Incident = events.Resolved, last.StartsAt, last.Incident
	ends, reason := instant(t.endsAt), t.reason
	if reason == "" || ends.Before(last.StartsAt) {
		ends, reason = o.whyQuiet(t, a)
	}
	if ends.Before(last.StartsAt) {
		ends = last.StartsAt
	}
	a.EndsAt, a.Reason = &ends, reason
}

// whyQuiet says why a rule does not fire that, by the rules of today, has not fired since the published alert began.
func (o *Operation) whyQuiet(t *track, a *events.Alert) (ends time.Time, reason string) {
	switch {
	case t.outside:
		return a.At(), events.ReasonOutOfHours
	case t.rule.OnTicks():
		return a.At(), events.ReasonCleared
	case t.idle(o.memory.newest()):
		return a.At(), events.ReasonNoTraffic
	}
	return o.window.Start, events.ReasonCleared
}

// Removed are the resolutions, reason rule_removed, of the published alerts that fire although their rule is gone or does
// not apply to their operation any more, the worst severity first. published is as in Transitions; cause must be a tick.
func Removed(published map[string]events.Alert, rules *rule.Set, cause events.Cause) []events.Alert {
	var removed []events.Alert
	for _, last := range published {
		r := rules.Find(last.Rule)
		if last.Status != events.Firing || r != nil && r.AppliesTo(last.Operation) || last.Cause.Compare(cause) >= 0 {
			continue
		}
		a := last
		a.Sequence, a.Stored = 0, time.Time{}
		a.Status, a.Reason, a.Cause = events.Resolved, events.ReasonRuleRemoved, cause
		a.Window, a.Value, a.Observed = nil, nil, nil // the tick knows of no window
		ends := a.At()
		a.EndsAt = &ends
		removed = append(removed, a)
	}
	return worstFirst(removed)
}

// worstFirst orders alerts by severity, then by rule, and returns them.
func worstFirst(alerts []events.Alert) []events.Alert {
	slices.SortFunc(alerts, func(a, b events.Alert) int {
		return cmp.Or(
			cmp.Compare(events.SeverityRank(b.Severity), events.SeverityRank(a.Severity)),
			cmp.Compare(a.Rule, b.Rule),
		)
	})
	return alerts
}
