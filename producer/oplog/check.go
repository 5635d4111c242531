package oplog

import (
	"fmt"
	"time"

	"unconnected/events"
)

// The kinds of [Fault].
const (
	Gap        = "gap"        // windows are missing between two live windows
	Overlap    = "overlap"    // a window shares time with another one
	Duplicate  = "duplicate"  // a window and revision is stored twice
	Checkpoint = "checkpoint" // the checkpoint header is not what the messages before it imply
	Revision   = "revision"   // a revision without its predecessor, or without a change
	Backfill   = "backfill"   // a backfill that is not before the checkpoint
	Invalid    = "invalid"    // bytes that are no event
)

// Fault is one broken rule of a log.
type Fault struct {
	Operation string        `json:"operation"`
	Sequence  uint64        `json:"sequence"` // of the message that breaks it
	Window    events.Window `json:"window"`
	Kind      string        `json:"kind"`
	Text      string        `json:"text"`
}

// Checker folds the log of one operation, message after message, and finds what is wrong with it. It holds about a
// hundred bytes a window. The zero Checker is ready to use; it must not be used by two goroutines at a time.
type Checker struct {
	// Messages, Windows, Revisions, Backfills count what was seen; Calls is the sum over the latest revisions.
	Messages, Windows, Revisions, Backfills int
	Calls                                   int64
	// First is the start of the first retained live window, Checkpoint where the log is complete.
	First, Checkpoint time.Time

	known  map[int64]window // by start, Unix seconds
	missed map[int64]Missed
	faults []Fault
}

// window is what the Checker remembers of a window: enough to recognise repeats and to follow revisions.
type window struct {
	end      int64
	revision int32
	missed   bool
	total    int64
	sum      uint64 // fingerprint of the counts
}

// Missed is a window that could not be had, and was not filled since.
type Missed struct {
	Operation string        `json:"operation"`
	Sequence  uint64        `json:"sequence"`
	Window    events.Window `json:"window"`
	Reason    string        `json:"reason"`
	Attempts  int           `json:"attempts"`
}

// Faults are the rules broken so far, in the order of the log.
func (c *Checker) Faults() []Fault { return c.faults }

// MissedWindows are the markers that nothing has filled, in no particular order.
func (c *Checker) MissedWindows() []Missed {
	missed := make([]Missed, 0, len(c.missed))
	for _, m := range c.missed {
		missed = append(missed, m)
	}
	return missed
}

// AddInvalid notes a message of the log that is no event.
func (c *Checker) AddInvalid(operation string, err *events.InvalidError) {
	c.faults = append(c.faults, Fault{Operation: operation, Sequence: err.Sequence, Kind: Invalid, Text: err.Reason})
}

// Add folds the next message of the log.
func (c *Checker) Add(e *events.Event) {
	if c.known == nil {
		c.known, c.missed = make(map[int64]window), make(map[int64]Missed)
	}
	c.Messages++
	before, seen := c.known[e.Window.Start.Unix()]
	switch {
	case e.IsLive():
		c.addLive(e, seen)
	case e.Revision > 0:
		c.addRevision(e, before, seen)
	default:
		c.addBackfill(e, before, seen)
	}
	c.remember(e, before, seen)
}

func (c *Checker) fault(e *events.Event, kind, format string, args ...any) {
	c.faults = append(c.faults, Fault{e.Operation, e.Sequence, e.Window, kind, fmt.Sprintf(format, args...)})
}

func (c *Checker) addLive(e *events.Event, seen bool) {
	switch start := e.Window.Start; {
	case c.Checkpoint.IsZero():
		c.First = start
	case seen:
		c.fault(e, Duplicate, "the window is stored again")
	case start.After(c.Checkpoint):
		c.fault(e, Gap, "nothing from %s to here", format(c.Checkpoint))
	case start.Before(c.Checkpoint):
		c.fault(e, Overlap, "the log was complete up to %s already", format(c.Checkpoint))
	}
	if !e.Checkpoint.Equal(e.Window.End) {
		c.fault(e, Checkpoint, "the header says %s, the window ends at %s", format(e.Checkpoint), format(e.Window.End))
	}
	// After a step back the log goes on from there: one fault, not one for each window after it.
	if !seen || e.Window.End.After(c.Checkpoint) {
		c.Checkpoint = e.Window.End
	}
}

// repeats checks the checkpoint of a message that must not move it. The first retained messages may be of this kind.
func (c *Checker) repeats(e *events.Event) {
	if c.Checkpoint.IsZero() {
		c.Checkpoint = e.Checkpoint
		c.First = e.Checkpoint
	}
	if !e.Checkpoint.Equal(c.Checkpoint) {
		c.fault(e, Checkpoint, "the header says %s, the log is complete up to %s", format(e.Checkpoint), format(c.Checkpoint))
	}
}

func (c *Checker) addRevision(e *events.Event, before window, seen bool) {
	c.Revisions++
	c.repeats(e)
	// What retention removed cannot be asked for: windows before the first retained one have no known predecessor.
	retained := !e.Window.Start.Before(c.First)
	switch {
	case !seen || before.missed:
		if retained {
			c.fault(e, Revision, "revision %d of a window that is not here", e.Revision)
		}
	case e.Revision == int(before.revision):
		c.fault(e, Duplicate, "revision %d is stored again", e.Revision)
	case e.Revision != int(before.revision)+1:
		c.fault(e, Revision, "revision %d follows revision %d", e.Revision, before.revision)
	case before.sum == fingerprint(e.Counts):
		c.fault(e, Revision, "revision %d changes no count", e.Revision)
	}
}

func (c *Checker) addBackfill(e *events.Event, before window, seen bool) {
	c.Backfills++
	c.repeats(e)
	switch {
	case e.Window.End.After(c.Checkpoint):
		c.fault(e, Backfill, "the window ends after the checkpoint %s", format(c.Checkpoint))
	case seen && !before.missed:
		c.fault(e, Duplicate, "the window is here already")
	}
}

// remember takes e as the present state of its window.
func (c *Checker) remember(e *events.Event, before window, seen bool) {
	start := e.Window.Start.Unix()
	if seen {
		c.Calls -= before.total
	} else {
		c.Windows++
	}
	c.Calls += e.Total
	c.known[start] = window{
		end: e.Window.End.Unix(), revision: int32(e.Revision), missed: e.Missed != nil, total: e.Total,
		sum: fingerprint(e.Counts),
	}
	if e.Missed != nil {
		c.missed[start] = Missed{e.Operation, e.Sequence, e.Window, e.Missed.Reason, e.Missed.Attempts}
	} else {
		delete(c.missed, start)
	}
}

// Finish checks what only the whole log shows, and returns all faults: backfilled windows must not share time with others.
func (c *Checker) Finish(operation string) []Fault {
	c.overlaps(operation)
	return c.faults
}

func format(t time.Time) string { return t.UTC().Format(time.RFC3339) }
