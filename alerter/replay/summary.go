package replay

import (
	"time"

	"unconnected/alerter/rule"
)

// week is what alerts are counted by.
const week = 7 * 24 * time.Hour

// Weeks is the length of the span told about, in weeks.
func (r *Result) Weeks() float64 { return float64(r.To.Sub(r.From)) / float64(week) }

// PerWeek is how many of a number there are in a week. Of less than a week it is an extrapolation.
func (r *Result) PerWeek(n int) float64 {
	if weeks := r.Weeks(); weeks > 0 {
		return float64(n) / weeks
	}
	return 0
}

// RuleSummary is how often a rule alerted.
type RuleSummary struct {
	Rule   *rule.Rule
	Alerts int
	Firing time.Duration // all operations together, within the span told about
}

// PerRule sums the alerts up, in the order of the rules.
func (r *Result) PerRule() []RuleSummary {
	list := make([]RuleSummary, len(r.Rules.Rules))
	place := make(map[*rule.Rule]*RuleSummary, len(list))
	for i, rule := range r.Rules.Rules {
		list[i].Rule = rule
		place[rule] = &list[i]
	}
	for _, a := range r.alerts() {
		s := place[a.Rule]
		s.Alerts++
		s.Firing += r.within(a)
	}
	return list
}

// alerts are those of all incidents that reach into the span told about.
func (r *Result) alerts() (alerts []*Alert) {
	for i := range r.Incidents {
		for at := range r.Incidents[i].Alerts {
			a := &r.Incidents[i].Alerts[at]
			if a.End.IsZero() || a.End.After(r.From) {
				alerts = append(alerts, a)
			}
		}
	}
	return alerts
}

// within is how long an alert fired in the span told about.
func (r *Result) within(a *Alert) time.Duration {
	start, end := a.Start, a.End
	if start.Before(r.From) {
		start = r.From
	}
	if end.IsZero() || end.After(r.To) {
		end = r.To
	}
	return max(0, end.Sub(start))
}
