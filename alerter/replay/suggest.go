package replay

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"unconnected/alerter/rule"
	"unconnected/events"
)

// Suggestion is what another threshold would do to a rule.
type Suggestion struct {
	Rule     *rule.Rule
	Constant string // the name of the constant that is moved; empty for a threshold that expr has as a number
	Present  Trial
	// Best is the threshold that catches most among those that keep to the number of alerts. It is nil when none does, or
	// Err says why there is nothing to try.
	Best *Trial
	Err  error

	Caught []Alert // of the rule's present alerts, those that overlap one with Best
	Missed []Alert // the others, the highest first
	New    []Alert // alerts with Best that overlap none of the present ones, the highest first
}

// Trial is one threshold and what came of it.
type Trial struct {
	Threshold float64
	Expr      string
	Clear     string
	Constants map[string]float64 // those that differ from the rule's
	Alerts    int
	PerWeek   float64
	Firing    float64 // part of the time that it fired: 0.01 is 1 %
}

// mostFiring is the part of the time beyond which a rule fires always rather than often.
const mostFiring = 0.1

// Suggest looks, for each rule that compares a number with its threshold, for the threshold that catches most with at
// most perWeek alerts a week (all operations together), firing no more than a tenth of the time; where none catches more,
// it is the present one. What clears the alert moves in proportion.
func Suggest(list []events.Event, rules *rule.Set, o Options, perWeek float64) ([]Suggestion, error) {
	var all []Suggestion
	o.Values = false
	present := Run(list, rules, o)
	for _, r := range rules.Rules {
		if r.Threshold == nil && r.Limit == "" {
			continue
		}
		s, err := suggest(list, rules, r, o, perWeek)
		if errors.Is(err, rule.ErrNoThreshold) {
			s, err = Suggestion{Err: err}, nil
			if r.Threshold != nil {
				s.Present.Threshold = *r.Threshold
			}
		}
		if err != nil {
			return nil, fmt.Errorf("suggest thresholds: %w", err)
		}
		s.Rule = r
		threshold := s.Present.Threshold
		s.Present = present.trial(r)
		s.Present.Threshold = threshold
		s.compare(present)
		all = append(all, s)
	}
	return all, nil
}

func suggest(list []events.Event, rules *rule.Set, r *rule.Rule, o Options, perWeek float64) (s Suggestion, err error) {
	bound, err := r.Bound()
	if err != nil {
		return s, err
	}
	s.Constant, s.Present.Threshold = bound.Constant, bound.Present
	thresholds := candidates(bound.Present, r.ValueIsShare())
	if !bound.Rising {
		slices.Reverse(thresholds)
	}
	variants, err := rules.Variants(r, thresholds)
	if err != nil {
		return s, err
	}
	trials := sweep(list, variants, o)
	for i := range trials {
		trials[i].Threshold, trials[i].Constants = thresholds[i], differing(variants.Rules[i].Constants, r.Constants)
	}
	s.Best = best(trials, slices.Index(thresholds, bound.Present), perWeek)
	if s.Best == nil {
		return s, nil
	}
	variants, err = rules.Variants(r, []float64{s.Best.Threshold})
	if err != nil {
		return s, err
	}
	s.New = Run(list, variants, o).alertsOf(variants.Rules[0]) // until compare takes out what is not new
	return s, nil
}

// best is the trial to suggest, of trials that fire more and more from the last to the first; nil when none keeps to
// perWeek. One that fires more than the present one must find more.
func best(trials []Trial, present int, perWeek float64) *Trial {
	var best *Trial
	for i := len(trials) - 1; i >= 0; i-- {
		t := &trials[i]
		if t.PerWeek > perWeek || t.Firing > mostFiring {
			break
		}
		if best == nil || i >= present || t.Alerts > best.Alerts {
			best = t
		}
	}
	return best
}

// candidates are the thresholds to try, rising: from a fifth of the present one to five times as much, with two digits.
func candidates(threshold float64, share bool) []float64 {
	const steps = 80
	list := []float64{threshold}
	for i := range steps + 1 {
		v := threshold * math.Pow(25, float64(i)/steps) / 5
		v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 2, 64), 64) // above all numbers it is infinite
		if !math.IsInf(v, 0) && (!share || v <= 1) {
			list = append(list, v)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// differing are the constants of a variant that are not those of the rule.
func differing(variant, of map[string]float64) map[string]float64 {
	constants := make(map[string]float64)
	for name, v := range variant {
		if v != of[name] {
			constants[name] = v
		}
	}
	return constants
}

// trial is how a rule did.
func (r *Result) trial(of *rule.Rule) Trial {
	t := Trial{Expr: of.Expr, Clear: of.Clear}
	for _, a := range r.alerts() {
		if a.Rule == of {
			t.Alerts++
			t.Firing += float64(r.within(a))
		}
	}
	t.PerWeek = r.PerWeek(t.Alerts)
	if span := float64(r.To.Sub(r.From)) * float64(len(r.Operations)); span > 0 {
		t.Firing /= span
	}
	return t
}

func (r *Result) alertsOf(of *rule.Rule) (alerts []Alert) {
	for _, a := range r.alerts() {
		if a.Rule == of {
			alerts = append(alerts, *a)
		}
	}
	return alerts
}

// compare tells what the suggested threshold, whose alerts are in New, would have caught of the present alerts.
func (s *Suggestion) compare(present *Result) {
	if s.Best == nil {
		return
	}
	now, then := present.alertsOf(s.Rule), s.New
	meets := func(a Alert, others []Alert) bool {
		return slices.ContainsFunc(others, func(o Alert) bool {
			return a.Operation == o.Operation && overlaps(a.Start, a.End, o.Start, o.End)
		})
	}
	for _, a := range now {
		if meets(a, then) {
			s.Caught = append(s.Caught, a)
		} else {
			s.Missed = append(s.Missed, a)
		}
	}
	s.New = slices.DeleteFunc(then, func(a Alert) bool { return meets(a, now) })
	slices.SortStableFunc(s.Missed, higherFirst)
	slices.SortStableFunc(s.New, higherFirst)
}

// higherFirst orders alerts by their peaks, unknown ones last.
func higherFirst(a, b Alert) int {
	value := func(p *float64) float64 {
		if p == nil {
			return math.NaN()
		}
		return *p
	}
	return compareUnknown(value(b.Peak), value(a.Peak))
}
