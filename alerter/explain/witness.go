package explain

import (
	"errors"
	"iter"
	"slices"
	"time"

	"unconnected/alerter/evaluate"
	"unconnected/alerter/rule"
	"unconnected/events"
)

// witness judges history and remembers what one rule saw of late.
type witness struct {
	rule      *rule.Rule
	index     int // of the rule in operation
	operation *evaluate.Operation

	first    uint64 // sequence of the first message
	timezone string
	met      bool // the cause was among the messages
	turned   bool // the last message made the rule fire or be resolved
	steps    []Step

	current *events.Event // while it is applied
}

func newWitness(r *rule.Rule, operation string, rules *rule.Set, options evaluate.Options) *witness {
	w := &witness{rule: r}
	options.Judged = w.judged
	w.operation = evaluate.New(operation, rules, options)
	w.index = slices.Index(w.operation.Rules(), r)
	return w
}

// read judges history up to what is asked for.
func (w *witness) read(history iter.Seq2[events.Event, error], q *Question) error {
	for e, err := range history {
		if errors.Is(err, events.ErrInvalid) {
			continue
		}
		if err != nil {
			return err
		}
		if e.Operation != q.Operation || q.Transition == nil && e.Window.End.After(q.At) {
			continue
		}
		if w.first == 0 {
			w.first = e.Sequence
		}
		if q.Transition != nil && e.Sequence > q.Transition.Cause.Sequence {
			return nil
		}
		w.apply(&e)
		w.met = q.Transition != nil && e.Sequence == q.Transition.Cause.Sequence
	}
	return nil
}

func (w *witness) apply(e *events.Event) {
	w.timezone, w.current = e.Timezone, e
	before, _, _ := w.operation.Stand(w.index)
	w.operation.Apply(e)
	after, _, _ := w.operation.Stand(w.index)
	w.turned = before != after
	if count, ok := w.operation.Count(w.rule.Name); ok && len(w.steps) > 0 {
		newest := &w.steps[len(w.steps)-1]
		newest.Count = &Count{Held: count.Held, Quiet: count.Quiet, Firing: count.Firing, InHours: count.InHours, Idle: count.Idle}
	}
	w.forget()
}

// forget drops what cannot count any more.
func (w *witness) forget() {
	newest := w.operation.Window()
	if newest.IsZero() {
		return
	}
	most := max(w.rule.For.M, w.rule.Keep, int(time.Hour/newest.Length())) + 3
	if len(w.steps) > 2*most {
		w.steps = slices.Delete(w.steps, 0, len(w.steps)-most)
	}
}

// judged takes what the rule made of a window, in the place of what it made of it before.
func (w *witness) judged(j evaluate.Judgement) {
	if j.Rule != w.rule {
		return
	}
	step := stepOf(&j)
	if e := w.current; e.Window.Equal(j.Window) {
		step.Sequence, step.Kind = e.Sequence, kindOf(e)
	}
	at, found := slices.BinarySearchFunc(w.steps, step, func(a, b Step) int { return a.Window.Start.Compare(b.Window.Start) })
	if found {
		step.Count = w.steps[at].Count
		w.steps[at] = step
		return
	}
	w.steps = slices.Insert(w.steps, at, step)
}

func kindOf(e *events.Event) string {
	switch {
	case e.Missed != nil:
		return "missed"
	case e.Ambiguous:
		return "ambiguous"
	case e.Backfill:
		return "backfill"
	case e.Revision > 0:
		return "revision"
	}
	return "live"
}

func stepOf(j *evaluate.Judgement) Step {
	step := Step{
		Kind: "hole", Window: j.Window, Expr: j.Verdict.Expr.String(), Clear: j.Verdict.Clear.String(), Quiet: j.Verdict.Quiet(),
		AtOnce: j.Verdict.AtOnce.String(), Value: known(j.Verdict.Value), Threshold: j.Rule.ThresholdIn(j.Seen),
	}
	if j.Seen.Known() {
		total := j.Seen.Total()
		step.Total, step.Counts = &total, j.Seen.Counts()
	}
	trace := j.Rule.Trace(j.Seen)
	step.Parts, step.ClearParts, step.AtOnceParts = partsOf(trace.Expr), partsOf(trace.Clear), partsOf(trace.AtOnce)
	return step
}

func partsOf(trace []rule.Part) []Part {
	parts := make([]Part, len(trace))
	for i, p := range trace {
		parts[i] = Part{Text: p.Text, Depth: p.Depth, Value: known(p.Value)}
		if p.Truth != nil {
			parts[i].Truth, parts[i].Value = p.Truth.String(), nil
		}
	}
	return parts
}

// known is a pointer to v, nil for NaN.
func known(v float64) *float64 {
	if v != v {
		return nil
	}
	return &v
}

// last are the last n steps.
func (w *witness) last(n int) []Step { return w.steps[max(0, len(w.steps)-n):] }

// lead is how many windows are shown before those that count.
const lead = 2

// relevant are the windows that count for a transition, and a few before.
func (w *witness) relevant(t *events.Alert) []Step {
	var from time.Time
	switch {
	case t.Status == events.Firing:
		from = t.StartsAt
	case t.Reason == events.ReasonCleared && t.EndsAt != nil:
		from = *t.EndsAt
	case t.Reason == events.ReasonNoTraffic:
		from = t.At().Add(-time.Hour)
	default:
		return w.last(1 + lead)
	}
	first, _ := slices.BinarySearchFunc(w.steps, from, func(s Step, at time.Time) int { return s.Window.Start.Compare(at) })
	return w.steps[max(0, min(first, len(w.steps)-1)-lead):]
}
