package oplog

import (
	"cmp"
	"math"
	"slices"
	"time"

	"unconnected/events"
	"unconnected/producer/grid"
)

// Checker folds the log of one operation, message after message, and finds what is wrong with it. Retention may have removed
// the log's beginning: what only that could show is no fault. It holds 40 bytes a window (80 at worst, when
// they come backwards), and its findings. The zero Checker is ready to use; it must not be used by two goroutines at a time.
type Checker struct {
	// From and To bound the starts of the windows that are counted and reported, half-open; a zero time leaves that side
	// open. All messages are folded all the same: whether a window is right depends on those before it.
	From, To time.Time

	// Messages counts what was added, Windows, Revisions and Backfills what of it is selected; Calls is the sum over the latest
	// revisions of the selected windows.
	Messages, Windows, Revisions, Backfills int
	Calls                                   int64
	// First is the start of the first retained live window, Checkpoint where the log is complete; zero when nothing was added.
	First, Checkpoint time.Time

	windows    timeline
	gaps       []gap             // in the order of the log and of time
	rows       tally             // working memory
	sequence   uint64            // of the message before
	source     string            // of the message before
	reconciled events.Reconciled // the latest
	missed     map[int64]Missed  // by start, Unix seconds
	faults     []Fault
}

// MissedWindows are the selected markers that nothing has filled, in the order of their windows.
func (c *Checker) MissedWindows() []Missed {
	missed := make([]Missed, 0, len(c.missed))
	for _, m := range c.missed {
		missed = append(missed, m)
	}
	slices.SortFunc(missed, func(a, b Missed) int { return a.Window.Start.Compare(b.Window.Start) })
	return missed
}

// Finish returns all faults, in the order of the log. Only now are gaps among them, since a backfill may fill one.
func (c *Checker) Finish(operation string) []Fault {
	c.reportGaps(operation)
	slices.SortStableFunc(c.faults, func(a, b Fault) int { return cmp.Compare(a.Sequence, b.Sequence) })
	return c.faults
}

// AddInvalid notes a message of the log that is no event.
func (c *Checker) AddInvalid(operation string, err *events.InvalidError) {
	c.Messages++
	c.sequence = err.Sequence
	c.faults = append(c.faults, Fault{Operation: operation, Sequence: err.Sequence, Kind: Invalid, Text: err.Reason})
}

// Add folds the next message of the log.
func (c *Checker) Add(e *events.Event) {
	c.Messages++
	c.follows(e)
	if hour := grid.Align(e.Window.Start, time.Hour); e.Window.End.After(hour.Add(time.Hour)) {
		c.fault(e, Grid, "the window lies across a full hour")
	}
	c.checkCounts(e)
	switch {
	case e.IsLive():
		c.addLive(e)
	case e.Revision > 0:
		c.addRevision(e)
	default:
		c.addBackfill(e)
	}
}

// follows checks what each message has in common with the one before it.
func (c *Checker) follows(e *events.Event) {
	if e.Sequence <= c.sequence && e.Sequence > 0 {
		c.fault(e, Order, "the message before has the sequence %d", c.sequence)
	}
	if (Head{Source: c.source}).MixesKinds(e.Source) {
		c.fault(e, Source, "counts from %s behind counts from %s", e.Source, c.source)
	}
	c.sequence, c.source = e.Sequence, e.Source
	if e.Reconciled.IsZero() { // written by an older producer
		return
	}
	if before := c.reconciled; e.Reconciled.Periods.Before(before.Periods) || e.Reconciled.Days.Before(before.Days) {
		c.fault(e, Reconciled, "periods up to %s and days up to %s had been compared again, the header says %s and %s",
			format(before.Periods), format(before.Days), format(e.Reconciled.Periods), format(e.Reconciled.Days))
	}
	c.reconciled = e.Reconciled
}

func (c *Checker) addLive(e *events.Event) {
	if !e.Checkpoint.Equal(e.Window.End) {
		c.fault(e, Checkpoint, "the header says %s, the window ends at %s", format(e.Checkpoint), format(e.Window.End))
	}
	same, overlaps := c.windows.locate(e.Window.Start.Unix(), e.Window.End.Unix())
	if c.Checkpoint.IsZero() {
		c.First, c.Checkpoint = e.Window.Start, e.Window.Start
	}
	back := e.Window.Start.Before(c.Checkpoint)
	switch {
	case same != nil:
		c.fault(e, Duplicate, "the window is stored again")
	case overlaps:
		c.fault(e, Overlap, "the window shares time with one that is here already")
	case back:
		c.fault(e, Order, "the log was complete up to %s already", format(c.Checkpoint))
	}
	if same == nil || same.missed {
		c.store(e, same)
	}
	if same == nil || !back { // after a step back the log goes on from there: one fault, not one for each window after it
		c.noteGap(e)
		c.Checkpoint = e.Window.End
	}
}

// repeats checks the checkpoint of a message that must not move it. The first retained messages may be of this kind.
func (c *Checker) repeats(e *events.Event) {
	if c.Checkpoint.IsZero() {
		c.First, c.Checkpoint = e.Checkpoint, e.Checkpoint
	}
	if !e.Checkpoint.Equal(c.Checkpoint) {
		c.fault(e, Checkpoint, "the header says %s, the log is complete up to %s", format(e.Checkpoint), format(c.Checkpoint))
	}
}

func (c *Checker) addRevision(e *events.Event) {
	if c.selects(e.Window) {
		c.Revisions++
	}
	c.repeats(e)
	same, overlaps := c.windows.locate(e.Window.Start.Unix(), e.Window.End.Unix())
	switch {
	case same != nil && same.missed:
		c.fault(e, Revision, "revision %d of a window that is marked missed", e.Revision)
		return
	case same != nil:
		if c.follow(e, same) {
			c.store(e, same)
		}
		return
	case !e.Window.Start.Before(c.First):
		c.fault(e, Revision, "revision %d of a window that is not here", e.Revision)
		return
	case overlaps:
		c.fault(e, Overlap, "the window shares time with one that is here already")
	}
	// Its predecessor is what retention removed.
	c.store(e, nil)
}

// follow checks a revision against the one before it, and tells whether it is the later one.
func (c *Checker) follow(e *events.Event, before *record) bool {
	switch last := int(before.revision); {
	case e.Revision == last:
		c.fault(e, Duplicate, "revision %d is stored again", e.Revision)
		return false
	case e.Revision != last+1:
		c.fault(e, Revision, "revision %d follows revision %d", e.Revision, last)
		return e.Revision > last
	case before.counts == fingerprint(e.Counts):
		c.fault(e, Revision, "revision %d changes no count", e.Revision)
	}
	return true
}

func (c *Checker) addBackfill(e *events.Event) {
	if c.selects(e.Window) {
		c.Backfills++
	}
	c.repeats(e)
	same, overlaps := c.windows.locate(e.Window.Start.Unix(), e.Window.End.Unix())
	switch {
	case e.Window.End.After(c.Checkpoint):
		c.fault(e, Backfill, "the window ends after the checkpoint %s", format(c.Checkpoint))
	case same != nil && !same.missed:
		c.fault(e, Duplicate, "the window is here already")
		return
	case overlaps:
		c.fault(e, Overlap, "the window shares time with one that is here already")
	}
	c.store(e, same)
}

// store takes e as the present state of its window, whose state was before; nil if there was none.
func (c *Checker) store(e *events.Event, before *record) {
	now := record{
		start: e.Window.Start.Unix(), end: e.Window.End.Unix(),
		total: e.Total, counts: fingerprint(e.Counts), revision: int32(min(e.Revision, math.MaxInt32)), missed: e.Missed != nil,
	}
	calls, windows := e.Total, 1
	if before != nil {
		calls, windows = e.Total-before.total, 0
		*before = now
	} else if !c.windows.insert(now) {
		return // another window with its start is there, which was reported
	}
	if !c.selects(e.Window) {
		return
	}
	c.Calls += calls
	c.Windows += windows
	if e.Missed == nil {
		delete(c.missed, now.start)
		return
	}
	if c.missed == nil {
		c.missed = make(map[int64]Missed)
	}
	c.missed[now.start] = Missed{e.Operation, e.Sequence, e.Window, e.Missed.Reason, e.Missed.Attempts}
}
