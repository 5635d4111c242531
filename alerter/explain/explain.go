// Package explain says why an alert fired or was resolved: it judges the operation's history again, with the evaluator
// that judged it first (package evaluate), and keeps what the rule saw in each window.
//
// History does not explain everything: rules change, and old windows are removed. What speaks against an explanation is
// part of it, see [Explanation].Doubts.
package explain

import (
	"cmp"
	"fmt"
	"iter"
	"time"

	"unconnected/alerter/evaluate"
	"unconnected/alerter/rule"
	"unconnected/events"
)

// Question is what is to be explained.
type Question struct {
	Operation string
	Rule      string
	// Transition is the alert event to explain. Without one, the newest window up to At is: why the rule does or does
	// not fire there.
	Transition *events.Alert
	At         time.Time // windows that end later are not looked at, without a Transition
	Created    time.Time // when the stream CALLS was created; zero when nobody knows
}

// Explanation is the answer. Times are in UTC.
type Explanation struct {
	Operation  string        `json:"operation"`
	Rule       string        `json:"rule"`
	Timezone   string        `json:"timezone,omitempty"`
	Transition *events.Alert `json:"transition"` // nil when there is none
	Cause      string        `json:"cause,omitempty"`
	Explained  bool          `json:"explained"` // the windows lead to the transition
	Doubts     []string      `json:"doubts"`    // what speaks against it; empty when it is explained
	Definition *rule.Rule    `json:"definition"`
	Steps      []Step        `json:"windows"` // those that count, and a few before them, in the order of time
}

// Step is what the rule made of one window.
type Step struct {
	Sequence    uint64           `json:"sequence"` // of the message in CALLS that was judged last; 0 where there is none
	Kind        string           `json:"kind"`     // live, missed, ambiguous, revision, backfill or hole
	Window      events.Window    `json:"window"`
	Total       *int64           `json:"total"`            // nil when unknown
	Counts      map[string]int64 `json:"counts,omitempty"` // none when unknown
	Value       *float64         `json:"value"`            // nil when unknown, or the rule has none
	Expr        string           `json:"expr"`             // true, false or unknown
	Clear       string           `json:"clear"`            // alike
	AtOnce      string           `json:"at_once"`          // alike; false for a rule without such a condition
	Threshold   *float64         `json:"threshold"`        // what the value is compared with; nil when unknown, or there is none
	Quiet       bool             `json:"quiet"`            // it counts for keep
	Parts       []Part           `json:"parts"`            // of expr
	ClearParts  []Part           `json:"clear_parts,omitempty"`
	AtOnceParts []Part           `json:"at_once_parts,omitempty"`
	// How the windows counted when this was the newest; absent for what was judged before that.
	Count *Count `json:"count"`
}

// Part is a part of a condition: a truth or a number.
type Part struct {
	Text  string   `json:"text"`
	Depth int      `json:"depth"`
	Truth string   `json:"truth,omitempty"` // true, false or unknown; empty for a number
	Value *float64 `json:"value,omitempty"` // nil when unknown, and for a truth
}

// Count is how far the rule was from firing and from being resolved.
type Count struct {
	Held    int  `json:"held"`  // windows of the last m that held, for `n of m`
	Quiet   int  `json:"quiet"` // quiet windows in a row, for keep
	Firing  bool `json:"firing"`
	InHours bool `json:"in_hours"`
	Idle    bool `json:"idle"` // an hour without traffic
}

// Explain answers a question from the operation's history, in the order in which it was stored. It reads no further than
// it must. The error is the history's.
func Explain(history iter.Seq2[events.Event, error], rules *rule.Set, q Question, options evaluate.Options) (*Explanation, error) {
	x := &Explanation{
		Operation: q.Operation, Rule: q.Rule, Transition: q.Transition, Doubts: []string{}, Steps: []Step{},
		Definition: rules.Find(q.Rule),
	}
	if q.Transition != nil {
		x.Cause, x.Timezone = q.Transition.Cause.String(), q.Transition.Timezone
	}
	if !x.canJudge(&q) {
		return x, nil
	}
	w := newWitness(x.Definition, q.Operation, rules, options)
	if err := w.read(history, &q); err != nil {
		return nil, err
	}
	if x.Timezone == "" {
		x.Timezone = w.timezone
	}
	x.conclude(&q, w)
	return x, nil
}

func (x *Explanation) doubt(format string, args ...any) {
	x.Doubts = append(x.Doubts, fmt.Sprintf(format, args...))
}

// canJudge tells whether judging again can explain anything.
func (x *Explanation) canJudge(q *Question) bool {
	r, t := x.Definition, q.Transition
	switch {
	case r == nil:
		x.doubt("the rules of today have no rule %s: are these the rules that the alerter has (ALERT_RULES)?", q.Rule)
	case !r.AppliesTo(q.Operation):
		x.doubt("by the rules of today %s does not judge %s", q.Rule, q.Operation)
	case r.OnTicks() && t == nil:
		x.doubt("%s is judged by the clock (missing, status) and not by windows, and nothing is stored of it up to then", q.Rule)
	case t == nil:
	case t.Cause.Tick != 0:
		x.doubt("no window caused this, but the clock: %s", cmp.Or(t.Reason, t.Summary))
	case !q.Created.IsZero() && !t.Stored.IsZero() && t.Stored.Before(q.Created):
		x.doubt("it comes from a history that is gone: the stream %s of today was created at %s", events.StreamCalls, q.Created.UTC().Format(time.RFC3339))
	}
	return len(x.Doubts) == 0
}

// conclude holds what was found against what is to be explained.
func (x *Explanation) conclude(q *Question, w *witness) {
	t := q.Transition
	if t == nil {
		x.Steps = w.last(max(x.Definition.For.M, x.Definition.Keep) + 1)
		if x.Explained = len(x.Steps) > 0; !x.Explained {
			x.doubt("history has no window of %s up to then", q.Operation)
		}
		return
	}
	x.Steps = w.relevant(t)
	if !w.met {
		oldest := fmt.Sprintf("its oldest of %s is %d", q.Operation, w.first)
		if w.first == 0 {
			oldest = "it has none of " + q.Operation
		}
		x.doubt("%s no longer has the message %d, which caused it; %s", events.StreamCalls, t.Cause.Sequence, oldest)
		return
	}
	x.compare(t, w)
	x.Explained = len(x.Doubts) == 0
}

// compare notes where the state after the cause is not what the transition says.
func (x *Explanation) compare(t *events.Alert, w *witness) {
	firing, starts, ends := w.operation.Stand(w.index)
	switch wants := t.Status == events.Firing; {
	case firing != wants:
		x.doubt("judged by the rules of today, the alert %s after this window; the rules have changed since, or older windows were removed", standing(firing))
	case !w.turned:
		x.doubt("judged by the rules of today, the alert was %s before this window already; the rules have changed since, or this was the first window after a start", t.Status)
	case wants && !starts.Equal(t.StartsAt):
		x.doubt("judged by the rules of today, it began at %s, not at %s", starts.Format(time.RFC3339), t.StartsAt.Format(time.RFC3339))
	case !wants && t.EndsAt != nil && !ends.Equal(*t.EndsAt):
		x.doubt("judged by the rules of today, it ended at %s, not at %s", ends.Format(time.RFC3339), t.EndsAt.Format(time.RFC3339))
	}
	if r := x.Definition; r.Threshold != nil && !same(r.Threshold, t.Threshold) {
		x.doubt("the rule's threshold was another: %s", text(t.Threshold))
	}
	if last := len(x.Steps) - 1; last >= 0 && t.Window != nil && x.Steps[last].Window.Equal(*t.Window) && !same(x.Steps[last].Value, t.Value) {
		x.doubt("the rule's value was %s, and is %s by the rules of today", text(t.Value), text(x.Steps[last].Value))
	}
}

func standing(firing bool) string {
	if firing {
		return "fires"
	}
	return "does not fire"
}

func text(v *float64) string {
	if v == nil {
		return "none"
	}
	return fmt.Sprintf("%g", *v)
}

func same(a, b *float64) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }
