package reconcile

import (
	"math/bits"
	"slices"
	"time"

	"unconnected/events"
)

// What says what a [Request] is for.
type What uint8

// What a request is for.
const (
	Missing What = iota // one window that the log lacks; the answer is a backfill
	Total               // several windows as a whole; the answer is only compared
	Single              // one window that the log has; the answer is a revision if it differs
)

// String is what the request is for, in a word for logs and metrics.
func (w What) String() string { return [...]string{"missing", "total", "single"}[w] }

// Request is what to ask the API for: the calls in the span.
type Request struct {
	Span events.Window
	What What
}

// Change is an event to publish: the window's counts as the API has them now, whole.
type Change struct {
	Window   events.Window
	Revision int              // 0 for a backfill, else one more than the log has
	Counts   map[string]int64 // those of the answer
	Backfill bool             // the log has no counts of the window: a missed marker, or nothing
}

// Check is the comparison of one span under way. It takes as published what it said was to be published: after a failure
// to publish, or when somebody else changed windows of the span, begin it anew. It must not be used by two goroutines at
// a time.
type Check struct {
	job      Job
	cells    []cell
	missing  []int  // cells to be asked for, before any total
	tasks    []task // a stack
	patience int    // how many more totals may answer garbage and be halved for that
}

// task is to ask for the cells [from, mid) as a whole. If mid < to, those of [from, to) add up to total, which differs
// from the log.
type task struct {
	from, mid, to int
	total         map[string]int64
}

// Begin begins a job. The log is what it holds of the windows that start in the job's span, as [events.Latest] returns
// them: one event a window, in time order. A span must not begin before the first window that the stream retains, or what
// retention removed would be taken for a gap.
func (s Schedule) Begin(job Job, log []events.Event) *Check {
	c := &Check{job: job, cells: s.cells(job.Span, log)}
	c.patience = bits.Len(uint(len(c.cells))) // enough to find one bad window
	for i := range c.cells {
		if c.cells[i].state == missing {
			c.missing = append(c.missing, i)
		}
	}
	if len(c.missing) == 0 {
		c.compare()
	}
	return c
}

// compare begins with the totals, the first run on top of the stack. A run of windows that were all asked for when the job
// was due, or later, needs no comparing: that is what an outage leaves behind.
func (c *Check) compare() {
	for _, run := range slices.Backward(runs(c.cells)) {
		early := func(known cell) bool { return known.polled.IsZero() || known.polled.Before(c.job.Due) }
		if slices.ContainsFunc(c.cells[run[0]:run[1]], early) {
			c.ask(run[0], run[1])
		}
	}
}

// ask pushes the task to ask for the cells [from, to).
func (c *Check) ask(from, to int) { c.tasks = append(c.tasks, task{from: from, mid: to, to: to}) }

// halve pushes the task to find what changed in the cells [from, to), whose total differs from the log.
func (c *Check) halve(from, to int, total map[string]int64) {
	if to-from == 1 {
		c.ask(from, to) // the total may be inferred; what is published is the window's own answer
		return
	}
	c.tasks = append(c.tasks, task{from, (from + to) / 2, to, total})
}

// Next is what to ask for now, false when the span is done. It stays the same until it is answered.
func (c *Check) Next() (Request, bool) {
	if len(c.missing) > 0 {
		return Request{c.cells[c.missing[0]].window, Missing}, true
	}
	if len(c.tasks) == 0 {
		return Request{}, false
	}
	t := c.tasks[len(c.tasks)-1]
	span := events.Window{Start: c.cells[t.from].window.Start, End: c.cells[t.mid-1].window.End}
	if t.mid-t.from == 1 {
		return Request{span, Single}, true
	}
	return Request{span, Total}, true
}

// Answer takes the API's answer to what [Check.Next] asked for, and returns the change to publish, if any. The counts are
// not modified, and must not be after.
func (c *Check) Answer(counts map[string]int64) (Change, bool) {
	switch {
	case len(c.missing) > 0:
		return c.fillIn(counts), true
	case len(c.tasks) == 0:
		return Change{}, false
	}
	t := c.pop()
	if t.mid < t.to {
		c.sibling(t, counts)
	}
	if same(counts, sum(c.cells[t.from:t.mid])) {
		return Change{}, false
	}
	if t.mid-t.from == 1 {
		changed := &c.cells[t.from]
		return Change{Window: changed.window, Revision: changed.revision + 1, Counts: counts}, true
	}
	c.halve(t.from, t.mid, counts)
	return Change{}, false
}

// sibling decides about the second half, given the total of both and the first half's. See the package comment.
func (c *Check) sibling(t task, first map[string]int64) {
	rest := minus(t.total, first)
	if same(rest, sum(c.cells[t.mid:t.to])) {
		c.ask(t.mid, t.to)
		return
	}
	c.halve(t.mid, t.to, rest)
}

func (c *Check) pop() task {
	t := c.tasks[len(c.tasks)-1]
	c.tasks = c.tasks[:len(c.tasks)-1]
	return t
}

func (c *Check) fillIn(counts map[string]int64) Change {
	i := c.found(known)
	c.cells[i].counts = counts
	c.proceed()
	return Change{Window: c.cells[i].window, Counts: counts, Backfill: true}
}

// found notes what became of the missing window that was asked for, and returns its index.
func (c *Check) found(s state) int {
	i := c.missing[0]
	c.missing, c.cells[i].state = c.missing[1:], s
	return i
}

// proceed goes on to the totals when no window is missing any more.
func (c *Check) proceed() {
	if len(c.missing) == 0 {
		c.compare()
	}
}

// Unanswerable says that the API's answer to what [Check.Next] asked for was garbage. A window stays as it is in the log,
// and a total that may be garbage because of one bad window is halved; where all of it is bad, the rest is given up.
// Failures that concern no span in particular (no connection, quota, maintenance) are waited for instead.
func (c *Check) Unanswerable() {
	switch {
	case len(c.missing) > 0:
		c.found(leftOut)
		c.proceed()
		return
	case len(c.tasks) == 0:
		return
	}
	t := c.pop()
	if t.mid < t.to {
		c.ask(t.mid, t.to)
	}
	if t.mid-t.from > 1 && c.patience > 0 {
		c.patience--
		half := (t.from + t.mid) / 2
		c.ask(half, t.mid)
		c.ask(t.from, half)
	}
}

// Advance is the progress with this job done; without the job while it isn't.
func (c *Check) Advance(p events.Reconciled) events.Reconciled {
	if _, more := c.Next(); more {
		return p
	}
	end := c.end()
	if c.job.Kind == Day {
		return Latest(p, events.Reconciled{Days: end})
	}
	return Latest(p, events.Reconciled{Periods: end})
}

// end is the end of the span, or of the window that lies across it, of a time when windows were longer.
func (c *Check) end() time.Time {
	if len(c.cells) == 0 {
		return c.job.Span.End
	}
	return later(c.job.Span.End, c.cells[len(c.cells)-1].window.End)
}
