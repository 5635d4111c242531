package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/alerter/baseline"
	"unconnected/alerter/rule"
	"unconnected/events"
	"unconnected/internal/diagnosis"
	"unconnected/internal/natsio"
)

// past is what the history of an operation shows to rules.
type past struct {
	windows, calls int64           // windows with calls, and calls in them
	results        map[string]bool // that there were
}

// lookback is how much of the history is looked at.
const lookback = 7 * 24 * time.Hour

// readingTime bounds how long reading it may take.
const readingTime = 10 * time.Second

// ExamineRules holds the rules against the history: does it have what they look at, and is it enough to know what is usual?
// source says where the rules come from. Without js the rules alone are told.
func ExamineRules(ctx context.Context, js jetstream.JetStream, set *rule.Set, source string, now time.Time) diagnosis.Findings {
	found := diagnosis.Findings{diagnosis.Ok("file", "%s: %s", source, diagnosis.Plural(len(set.Rules), "rule"))}
	if js == nil {
		return found
	}
	known, err := pasts(ctx, js, now, readingTime)
	if errors.Is(err, errTooMuch) {
		return append(found, diagnosis.Skip("history", "", "not held against the rules: %v", err))
	}
	if err != nil {
		return append(found, diagnosis.Skip("history", "", "what is in the history could not be read: %v", natsio.Explain(js, err)))
	}
	for _, r := range set.Rules {
		found = append(found, judgeRule(r, known)...)
	}
	for _, operation := range slices.Sorted(maps.Keys(known)) {
		found = append(found, judgeLearning(operation, known[operation]))
	}
	return found
}

// errTooMuch says that reading was given up, and no more: nothing is wrong with a large history.
var errTooMuch = errors.New("there is more of it than can be read in a few seconds")

// pasts reads the newest part of the history, by operation, for no longer than limit.
func pasts(ctx context.Context, js jetstream.JetStream, now time.Time, limit time.Duration) (map[string]*past, error) {
	known := make(map[string]*past)
	if _, err := js.Stream(ctx, events.StreamCalls); err != nil {
		return known, missingIsEmpty(err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errTooMuch)
	defer cancel()
	for e, err := range events.History(ctx, js, events.Query{From: now.Add(-lookback)}) {
		var invalid *events.InvalidError
		switch {
		case errors.As(err, &invalid):
			continue
		case errors.Is(context.Cause(ctx), errTooMuch):
			return nil, errTooMuch
		case err != nil:
			return nil, err
		}
		p := known[e.Operation]
		if p == nil {
			p = &past{results: make(map[string]bool)}
			known[e.Operation] = p
		}
		p.add(&e)
	}
	return known, nil
}

func (p *past) add(e *events.Event) {
	if e.Missed != nil || e.Total == 0 || e.Revision > 0 {
		return
	}
	p.windows, p.calls = p.windows+1, p.calls+e.Total
	for result, n := range e.Counts {
		if n > 0 {
			p.results[result] = true
		}
	}
}

// judgeRule says what of a rule can never be true of this history.
func judgeRule(r *rule.Rule, known map[string]*past) diagnosis.Findings {
	if len(known) == 0 {
		return nil
	}
	check := "rule " + r.Name
	var found diagnosis.Findings
	seen, applies := make(map[string]bool), false
	for operation, p := range known {
		if r.AppliesTo(operation) {
			applies = true
			maps.Copy(seen, p.results)
		}
	}
	if !applies {
		return diagnosis.Findings{diagnosis.Warn(check, "correct its operations, or take it away",
			"is for %s, and the history has only %s", strings.Join(r.Operations, ", "), strings.Join(slices.Sorted(maps.Keys(known)), ", "))}
	}
	var never []string
	for _, result := range r.QuotedResults() {
		if !seen[result] && !slices.Contains(events.DocumentedResults(), result) {
			never = append(never, result)
		}
	}
	if len(never) > 0 {
		found = append(found, diagnosis.Warn(check, "compare the spelling with `unconnected history`: results are in lower case, with _ for blanks",
			"looks at %s, which no call had in the last %s", strings.Join(never, ", "), diagnosis.Lasting(lookback)))
	}
	return found
}

// judgeLearning tells whether there is history enough to know what is usual.
func judgeLearning(operation string, p *past) diagnosis.Finding {
	check := "learning"
	having := fmt.Sprintf("%s with calls, %s in the last %s", diagnosis.Plural(int(p.windows), "window"), diagnosis.Plural(int(p.calls), "call"),
		diagnosis.Lasting(lookback))
	f := diagnosis.Warn(check, "`unconnected backfill --from -14d`, or wait", "still being learnt, so that rules which compare do not fire: %s", having)
	if baseline.Enough(p.windows, p.calls) {
		f = diagnosis.Ok(check, "%s: enough to know what is usual", having)
	}
	f.Operation = operation
	return f
}
