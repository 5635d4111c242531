package producer

import (
	"context"
	"maps"
	"math/rand/v2"

	"unconnected/events"
)

// Difference is a window that the API counts differently from the log.
type Difference struct {
	Window   events.Window
	Log, Now map[string]int64 // what the log has, and what the API says now
}

// Sample makes the filling one of so many windows, chosen at random of those that the log has counts of. Use it with
// BackfillOptions.Recheck, and before Compare.
func (f *Filling) Sample(n int, r *rand.Rand) { f.plan.Sample(n, r) }

// Compare asks for the windows like Run, and returns those that differ; nothing is stored. It does not wait for another day's
// quota: that is an [access.NoBudgetError].
func (f *Filling) Compare(ctx context.Context, progress Progress) (differences []Difference, err error) {
	defer f.gate.Leave(ctx)
	f.today = true
	for w := f.plan.Next(); w != nil; w = f.plan.Next() {
		answer, outcome, err := f.askPatiently(ctx, w, progress)
		if err != nil {
			return differences, err
		}
		if outcome == Filled {
			outcome = Unchanged
			if _, changed := w.Change(answer.Counts); changed {
				outcome = Revised
				differences = append(differences, Difference{Window: w.Window, Log: maps.Clone(w.Counts()), Now: answer.Counts})
			}
		}
		w.Finish()
		progress.Done(w.Window, outcome)
	}
	return differences, nil
}
