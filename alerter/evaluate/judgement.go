package evaluate

import (
	"time"

	"unconnected/alerter/rule"
	"unconnected/events"
)

// Judgement is what one rule made of one window, the newest or one that was corrected.
type Judgement struct {
	Rule    *rule.Rule
	Index   int // of the rule, among those that apply to the operation
	Window  events.Window
	Seen    *rule.Window // what the rule saw; valid during the call
	Verdict rule.Verdict
}

// tell tells [Options].Judged a verdict on remembered window i.
func (o *Operation) tell(i, index int, w *rule.Window, v rule.Verdict) {
	s := o.memory.at(i)
	window := events.Window{Start: instant(s.start), End: instant(s.end)}
	o.options.Judged(Judgement{Rule: o.tracks[index].rule, Index: index, Window: window, Seen: w, Verdict: v})
}

// Rules are the rules of the set that apply to the operation, in its order.
func (o *Operation) Rules() []*rule.Rule {
	rules := make([]*rule.Rule, len(o.tracks))
	for i := range o.tracks {
		rules[i] = o.tracks[i].rule
	}
	return rules
}

// Count is how far a rule is from firing or from being resolved, after the last message.
type Count struct {
	Firing  bool
	Held    int  // windows that held, of the last M of `for`, since the alert was resolved last
	Quiet   int  // quiet windows in a row, up to the newest; `keep` of them resolve the alert
	InHours bool // the newest window lies in the rule's hours and on no holiday
	Idle    bool // an hour without traffic has passed
}

// Count counts for the rule of a name; it is not ok when the rule does not apply, or before the first window.
func (o *Operation) Count(name string) (count Count, ok bool) {
	for i := range o.tracks {
		t := &o.tracks[i]
		if t.rule.Name != name || o.window.IsZero() {
			continue
		}
		count = Count{Firing: t.firing, InHours: !t.outside, Idle: t.idle(o.memory.newest())}
		count.Held, _ = o.memory.holding(i, t.rule.For.M, t.countFrom)
		count.Quiet, _ = o.memory.quietRun(i, t.startsAt)
		return count, true
	}
	return Count{}, false
}

// Stand is how the rule at an index of [Operation.Rules] stands after the last message, in short: whether it fires, and
// the beginning and the end of its present or last alert; see [State] for the whole.
func (o *Operation) Stand(index int) (firing bool, startsAt, endsAt time.Time) {
	t := &o.tracks[index]
	return t.firing, instant(t.startsAt), instant(t.endsAt)
}
