package reconcile

import (
	"math/rand/v2"
	"slices"
	"time"

	"unconnected/events"
	"unconnected/producer/grid"
)

// Planned is a window to ask for by itself, whatever the totals say.
type Planned struct {
	Window events.Window
	// Known tells that the log has counts of the window; an answer that differs is a revision of them. Otherwise the log
	// lacks them, or has a marker that they were missed, and the answer is a backfill.
	Known    bool
	revision int              // of the counts that the log has
	counts   map[string]int64 // that the log has; read-only
	done     bool             // stored meanwhile, or asked for
}

// Plan is what a backfill asks for, window by window. It must not be used by two goroutines at a time.
type Plan struct {
	// There is how many windows are in the log, and not to be asked for again. LeftOut is how many can't be asked for, or
	// have answers that could not be told from another window's: those across the instant at which clocks go back,
	// ambiguous ones that the log has, and those that share time with others.
	There, LeftOut int

	windows []Planned // in time order
	next    int       // all before are done
	all     bool
}

// Plan says which windows of a span to ask for one by one: those that the log lacks or, with all, those that it has, too.
// The log is as in [Schedule.Begin].
func (s Schedule) Plan(span events.Window, log []events.Event, all bool) *Plan {
	plan := &Plan{all: all}
	for _, c := range s.cells(span, log) {
		switch {
		case c.absent && !grid.Askable(c.window, s.Zone), !c.absent && c.state == leftOut && all:
			plan.LeftOut++
		case c.absent:
			plan.windows = append(plan.windows, Planned{Window: c.window})
		case all:
			plan.windows = append(plan.windows, Planned{Window: c.window, Known: true, revision: c.revision, counts: c.counts})
		default:
			plan.There++
		}
	}
	return plan
}

// Left is how many windows are still to be asked for; some fewer, when others have stored them meanwhile.
func (p *Plan) Left() int { return len(p.windows) - p.next }

// Next is the first window that is to be asked for, nil when there is none left. It stays the same until it is done.
func (p *Plan) Next() *Planned {
	for ; p.next < len(p.windows); p.next++ {
		if w := &p.windows[p.next]; !w.done {
			return w
		}
		p.windows[p.next].counts = nil // they need not stay in memory
	}
	return nil
}

// Sample leaves so many windows, chosen at random of those that the log has counts of.
func (p *Plan) Sample(n int, r *rand.Rand) {
	p.windows = slices.DeleteFunc(p.windows, func(w Planned) bool { return !w.Known })
	r.Shuffle(len(p.windows), func(i, j int) { p.windows[i], p.windows[j] = p.windows[j], p.windows[i] })
	p.windows = p.windows[:min(n, len(p.windows))]
	slices.SortFunc(p.windows, func(a, b Planned) int { return a.Window.Start.Compare(b.Window.Start) })
}

// Counts are what the log has of the window; nil unless it is known, or when it is done. They must not be modified.
func (w *Planned) Counts() map[string]int64 { return w.counts }

// Finish notes that a window needs no more asking.
func (w *Planned) Finish() { w.done = true }

// IsDone tells whether a window needs no more asking, because somebody else has stored it meanwhile.
func (w *Planned) IsDone() bool { return w.done }

// Change is what an answer about the window means: an event to publish, or nothing when the log has these counts.
func (w *Planned) Change(counts map[string]int64) (Change, bool) {
	switch {
	case !w.Known:
		return Change{Window: w.Window, Counts: counts, Backfill: true}, true
	case same(counts, w.counts):
		return Change{}, false
	}
	return Change{Window: w.Window, Revision: w.revision + 1, Counts: counts}, true
}

// Update takes what was appended to the log since it was planned. Windows that others have stored, or that share time with
// what others have stored, are done; what they have revised is compared with their counts.
func (p *Plan) Update(e *events.Event) {
	if e.Missed != nil {
		return
	}
	rest := p.windows[p.next:]
	first, _ := slices.BinarySearchFunc(rest, e.Window.Start, func(w Planned, at time.Time) int {
		if w.Window.End.After(at) {
			return 1
		}
		return -1
	})
	for i := first; i < len(rest) && rest[i].Window.Overlaps(e.Window); i++ {
		w := &rest[i]
		if !w.Window.Equal(e.Window) || !p.all || e.Ambiguous {
			w.done = true
			continue
		}
		if !w.Known || e.Revision > w.revision {
			w.Known, w.revision, w.counts = true, e.Revision, e.Counts
		}
	}
}
