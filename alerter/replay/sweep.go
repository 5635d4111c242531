package replay

import (
	"time"

	"unconnected/alerter/evaluate"
	"unconnected/alerter/rule"
	"unconnected/events"
)

// sweep replays windows for the number of alerts of each rule alone: unlike [Run] it makes no transitions, whose texts
// cost more than all else when a low threshold fires without end. The trials lack Threshold and Constants.
func sweep(list []events.Event, rules *rule.Set, o Options) []Trial {
	s := &sweeper{options: o, rules: rules, operations: make(map[string]*swept), trials: make([]Trial, len(rules.Rules))}
	for i := range list {
		if e := &list[i]; o.To.IsZero() || e.Window.Start.Before(o.To) {
			s.apply(e)
		}
	}
	for _, operation := range s.operations {
		for i := range operation.since {
			if firing, start, _ := operation.Stand(i); firing {
				s.add(operation.rules[i], start, s.span.To)
			}
		}
	}
	span := float64(s.span.To.Sub(s.span.From)) * float64(len(s.operations))
	for i, r := range rules.Rules {
		t := &s.trials[i]
		t.Expr, t.Clear, t.PerWeek = r.Expr, r.Clear, s.span.PerWeek(t.Alerts)
		if span > 0 {
			t.Firing /= span
		}
	}
	return s.trials
}

type sweeper struct {
	options    Options
	rules      *rule.Set
	operations map[string]*swept
	span       Result // only the span and the number of windows
	trials     []Trial
}

// swept is one operation of a sweep.
type swept struct {
	*evaluate.Operation
	rules []int  // places in the set of those that apply
	since []bool // whether each of them fired after the event before
}

func (s *sweeper) apply(e *events.Event) {
	operation := s.operations[e.Operation]
	if operation == nil {
		operation = s.begin(e.Operation)
		s.operations[e.Operation] = operation
	}
	changed := operation.Apply(e)
	if e.IsLive() && s.options.selects(e.Window) {
		s.span.count(e)
	}
	if !changed {
		return
	}
	for i := range operation.since {
		firing, start, end := operation.Stand(i)
		if operation.since[i] && !firing {
			s.add(operation.rules[i], start, end)
		}
		operation.since[i] = firing
	}
}

func (s *sweeper) begin(name string) *swept {
	operation := &swept{Operation: evaluate.New(name, s.rules, evaluate.Options{MaxAge: s.options.MaxAge, Zone: s.options.Zone})}
	for i, r := range s.rules.Rules {
		if r.AppliesTo(name) {
			operation.rules = append(operation.rules, i)
		}
	}
	operation.since = make([]bool, len(operation.rules))
	return operation
}

// add counts an alert that reaches into the span told about.
func (s *sweeper) add(place int, start, end time.Time) {
	if from := s.options.From; !from.IsZero() {
		if !end.After(from) {
			return
		}
		if start.Before(from) {
			start = from
		}
	}
	s.trials[place].Alerts++
	s.trials[place].Firing += float64(max(0, end.Sub(start)))
}
