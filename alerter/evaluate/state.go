package evaluate

import (
	"slices"
	"time"

	"unconnected/alerter/rule"
	"unconnected/events"
)

// State is how one rule stands on an operation after the last message. Times are in UTC.
type State struct {
	Rule   *rule.Rule
	Firing bool

	StartsAt time.Time // of the present alert, or the last; zero when the rule never fired
	EndsAt   time.Time // of the last alert; zero while firing
	Reason   string    // why the last alert ended; "" while firing

	Learning bool             // the rule compares with what is usual, and that is not known yet
	Window   events.Window    // the newest live window
	Value    *float64         // of the rule in it; nil when unknown, or the rule has none
	Observed *events.Observed // what the window held, and the worst since StartsAt; nil when neither is known
}

// States are the states of all rules that apply, in the order of the set. There are none before the first live window.
func (o *Operation) States() []State {
	if o.window.IsZero() {
		return nil
	}
	states := make([]State, len(o.tracks))
	for i := range o.tracks {
		t := &o.tracks[i]
		states[i] = State{
			Rule: t.rule, Firing: t.firing, Reason: t.reason,
			StartsAt: instant(t.startsAt), EndsAt: instant(t.endsAt), Learning: t.past.Learning(),
			Window: o.window, Value: o.value(i), Observed: o.observed(i),
		}
	}
	return states
}

// Learning tells whether a rule compares with what is usual, and that is not known yet.
func (o *Operation) Learning() bool {
	return slices.ContainsFunc(o.tracks, func(t track) bool { return t.past.Learning() })
}

// value is that of rule i in the newest window, nil when unknown.
func (o *Operation) value(i int) *float64 { return known(o.memory.value(o.memory.n-1, i)) }

// observed is the evidence for rule i: the newest window's counts, absent when unknown, and the peak.
func (o *Operation) observed(i int) *events.Observed {
	t := &o.tracks[i]
	if t.rule.OnTicks() {
		return nil
	}
	seen := &events.Observed{Total: o.newest.Total(), Counts: o.newest.Counts()}
	if t.startsAt != 0 && known(t.peak) != nil {
		at := instant(t.peakAt)
		seen.Peak, seen.PeakAt = known(t.peak), &at
	}
	if !o.newest.Known() && seen.Peak == nil {
		return nil
	}
	if share, ok := t.past.Usual(); ok {
		seen.Usual = &share
	}
	seen.Learning = t.past.Learning()
	return seen
}

// known is a pointer to v, nil for NaN.
func known(v float64) *float64 {
	if v != v {
		return nil
	}
	return &v
}

// instant is the time of Unix seconds, the zero time for 0.
func instant(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
