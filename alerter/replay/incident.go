package replay

import (
	"time"

	"unconnected/alerter/evaluate"
	"unconnected/alerter/rule"
	"unconnected/events"
)

// Incident is what an operation suffered at a time: the alerts that fired together (see package incident). Times are in
// UTC.
type Incident struct {
	ID        string
	Operation string
	Timezone  string // IANA name; may be empty
	Severity  string // the worst of its alerts
	Start     time.Time
	Told      time.Time // end of the window with which the first alert fired
	End       time.Time // zero while an alert fires
	Alerts    []Alert   // in the order in which they fired
}

// Alert is one alert of an incident, from firing to being resolved.
type Alert struct {
	Rule      *rule.Rule
	Operation string
	Timezone  string // IANA name; may be empty
	Severity  string
	Start     time.Time // of the earliest window that counted
	Told      time.Time // end of the window with which it fired
	End       time.Time // zero while it fires
	Reason    string    // why it ended
	Peak      *float64  // highest value; nil when none was known
	PeakAt    time.Time
	Threshold *float64
	Summary   string // when it fired
}

// Delay is how long after its beginning the incident was told. What passes between the end of a window and its being
// stored comes on top.
func (i *Incident) Delay() time.Duration { return i.Told.Sub(i.Start) }

// Delay is how long after its beginning the alert fired.
func (a *Alert) Delay() time.Duration { return a.Told.Sub(a.Start) }

// Peak is the alert that says how bad it was: of the worst ones with a value, that which fired first.
func (i *Incident) Peak() *Alert {
	var worst *Alert
	for at := range i.Alerts {
		a := &i.Alerts[at]
		if a.Peak != nil && (worst == nil || events.SeverityRank(a.Severity) > events.SeverityRank(worst.Severity)) {
			worst = a
		}
	}
	return worst
}

// within tells whether the incident reaches into a span; a zero time leaves its side open.
func (i *Incident) within(from, to time.Time) bool {
	return (i.End.IsZero() || from.IsZero() || i.End.After(from)) && (to.IsZero() || i.Start.Before(to))
}

// overlaps tells whether two spans share an instant, or touch; a zero end is open.
func overlaps(start, end, otherStart, otherEnd time.Time) bool {
	return (end.IsZero() || !otherStart.After(end)) && (otherEnd.IsZero() || !start.After(otherEnd))
}

// incidentsOf groups an operation's transitions. states are those after the last of them.
func incidentsOf(rules *rule.Set, transitions []events.Alert, states []evaluate.State) []Incident {
	var list []Incident
	place := make(map[string]int) // id → where in list
	for i := range transitions {
		a := &transitions[i]
		at, known := place[a.Incident]
		if !known {
			at = len(list)
			place[a.Incident] = at
			list = append(list, Incident{ID: a.Incident, Operation: a.Operation, Timezone: a.Timezone, Start: a.StartsAt, Told: a.At()})
		}
		list[at].add(rules, a)
	}
	for i := range list {
		list[i].close(states)
	}
	return list
}

// add takes the next transition of the incident.
func (i *Incident) add(rules *rule.Set, a *events.Alert) {
	if a.Status == events.Firing {
		if a.StartsAt.Before(i.Start) {
			i.Start = a.StartsAt
		}
		if i.Severity == "" || events.SeverityRank(a.Severity) > events.SeverityRank(i.Severity) {
			i.Severity = a.Severity
		}
		i.Alerts = append(i.Alerts, Alert{
			Rule: rules.Find(a.Rule), Operation: a.Operation, Timezone: a.Timezone, Severity: a.Severity, Start: a.StartsAt, Told: a.At(),
			Threshold: a.Threshold, Summary: a.Summary,
		})
		i.Alerts[len(i.Alerts)-1].observe(a.Observed)
		return
	}
	for at := len(i.Alerts) - 1; at >= 0; at-- {
		if fired := &i.Alerts[at]; fired.Rule.Name == a.Rule {
			fired.End, fired.Reason = *a.EndsAt, a.Reason
			fired.observe(a.Observed)
			return
		}
	}
}

// close finds the end of the incident, and the peak of what fires still.
func (i *Incident) close(states []evaluate.State) {
	open := false
	for at := range i.Alerts {
		a := &i.Alerts[at]
		if !a.End.IsZero() {
			if a.End.After(i.End) {
				i.End = a.End
			}
			continue
		}
		open = true
		for _, s := range states {
			if s.Rule == a.Rule {
				a.observe(s.Observed)
			}
		}
	}
	if open {
		i.End = time.Time{}
	}
}

// observe takes the peak that was seen last, which is that of all windows since the beginning.
func (a *Alert) observe(o *events.Observed) {
	if o != nil && o.Peak != nil && o.PeakAt != nil {
		a.Peak, a.PeakAt = o.Peak, *o.PeakAt
	}
}
