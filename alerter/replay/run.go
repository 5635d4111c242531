package replay

import (
	"maps"
	"slices"
	"time"

	"unconnected/alerter/evaluate"
	"unconnected/alerter/rule"
	"unconnected/events"
)

// Options are what a replay depends on besides windows and rules.
type Options struct {
	MaxAge   time.Duration  // see [evaluate.Options]
	Zone     *time.Location // see [evaluate.Options]
	Language string         // of summaries, "en" or "es"

	// From and To bound the starts of the windows that are told about, half-open; a zero time leaves that side open.
	// Windows before From are judged all the same, so that the state at From is right.
	From, To time.Time

	// Values keeps what each rule saw in each window, for [Result.Values].
	Values bool
}

// selects tells whether a window is told about.
func (o *Options) selects(w events.Window) bool {
	return !w.Start.Before(o.From) && (o.To.IsZero() || w.Start.Before(o.To))
}

// Result is what rules made of windows. Times are in UTC.
type Result struct {
	Rules      *rule.Set
	From, To   time.Time // start of the first window told about and end of the last; zero when there was none
	Windows    int       // live windows told about
	Unknown    int       // those of them that were missed or ambiguous
	Operations []string  // in alphabetical order
	LeftOut    []string  // rules with conditions on the clock, which never hold here

	// Transitions are as the stream ALERTS would hold them, in the order in which they happened; only those whose window
	// is told about. The sequence of a cause is that of the event, or its place among those replayed from 1.
	Transitions []events.Alert
	Incidents   []Incident // in the order in which they were told; those that reach into the span told about

	recorders map[string]*recorder
}

// Run judges windows, in the order given.
func Run(list []events.Event, rules *rule.Set, o Options) *Result {
	r := &run{options: o, rules: rules, operations: make(map[string]*operation), result: &Result{
		Rules: rules, LeftOut: leftOut(rules), recorders: make(map[string]*recorder),
	}}
	for i := range list {
		if !o.To.IsZero() && !list[i].Window.Start.Before(o.To) {
			continue
		}
		r.apply(i, &list[i])
	}
	r.finish()
	return r.result
}

func leftOut(rules *rule.Set) (names []string) {
	for _, r := range rules.Rules {
		if r.OnTicks() {
			names = append(names, r.Name)
		}
	}
	return names
}

// run is a replay under way.
type run struct {
	options    Options
	rules      *rule.Set
	operations map[string]*operation
	last       *operation // of the event before: mostly the next event's, too
	result     *Result
}

// operation is one operation's part of a replay.
type operation struct {
	*evaluate.Operation
	published map[string]events.Alert // rule → its last transition, with the place of the cause as its sequence
	all       []events.Alert
}

func (r *run) operation(name string) *operation {
	if r.last != nil && r.last.Name() == name {
		return r.last
	}
	o := r.operations[name]
	if o == nil {
		o = r.begin(name)
		r.operations[name] = o
	}
	r.last = o
	return o
}

// begin is an operation before its first event.
func (r *run) begin(name string) *operation {
	options := evaluate.Options{MaxAge: r.options.MaxAge, Zone: r.options.Zone}
	kept := &recorder{}
	if r.options.Values {
		options.Judged = kept.record
		r.result.recorders[name] = kept
	}
	o := &operation{Operation: evaluate.New(name, r.rules, options), published: make(map[string]events.Alert)}
	kept.rules = o.Rules()
	return o
}

// apply judges the event at a place.
func (r *run) apply(place int, e *events.Event) {
	o := r.operation(e.Operation)
	changed := o.Apply(e)
	if e.IsLive() && r.options.selects(e.Window) {
		r.result.count(e)
	}
	if !changed {
		return
	}
	cause := events.Cause{Sequence: uint64(place + 1)}
	for _, a := range o.Transitions(o.published, cause, r.options.Language) {
		o.published[a.Rule] = a
		if e.Sequence > 0 {
			a.Cause.Sequence = e.Sequence
		}
		o.all = append(o.all, a)
		if a.Window != nil && r.options.selects(*a.Window) {
			r.result.Transitions = append(r.result.Transitions, a)
		}
	}
}

func (r *Result) count(e *events.Event) {
	if r.Windows == 0 || e.Window.Start.Before(r.From) {
		r.From = e.Window.Start
	}
	if e.Window.End.After(r.To) {
		r.To = e.Window.End
	}
	r.Windows++
	if e.Missed != nil || e.Ambiguous {
		r.Unknown++
	}
}

// finish makes incidents of the transitions.
func (r *run) finish() {
	r.result.Operations = slices.Sorted(maps.Keys(r.operations))
	for _, name := range r.result.Operations {
		o := r.operations[name]
		for _, in := range incidentsOf(r.rules, o.all, o.States()) {
			if in.within(r.options.From, r.options.To) {
				r.result.Incidents = append(r.result.Incidents, in)
			}
		}
	}
	slices.SortStableFunc(r.result.Incidents, func(a, b Incident) int { return a.Told.Compare(b.Told) })
}
