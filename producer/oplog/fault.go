package oplog

import (
	"fmt"
	"time"

	"unconnected/events"
)

// The kinds of [Fault].
const (
	Gap        = "gap"        // nothing is stored of some time between two live windows
	Overlap    = "overlap"    // a window shares time with another one
	Duplicate  = "duplicate"  // a window and revision is stored twice
	Order      = "order"      // a live window stands behind a later one, or a message behind one of a higher sequence
	Grid       = "grid"       // a window that lies across a full hour in UTC, as none of the grid does
	Checkpoint = "checkpoint" // the checkpoint header is not what the messages before it imply
	Reconciled = "reconciled" // the header Unconnected-Reconciled goes back
	Revision   = "revision"   // a revision without its predecessor, or without a change
	Backfill   = "backfill"   // a backfill that is not before the checkpoint
	Counts     = "counts"     // the counts are not what the reported rows, or the total, say
	Source     = "source"     // simulated and real calls in one log
	Invalid    = "invalid"    // bytes that are no event
)

// Fault is one broken rule of a log.
type Fault struct {
	Operation string        `json:"operation"`
	Sequence  uint64        `json:"sequence"`        // of the message that breaks it; of a gap, the one behind it
	Window    events.Window `json:"window,omitzero"` // the window; of a gap, the time that nothing is stored of
	Kind      string        `json:"kind"`
	Text      string        `json:"text"`
}

// Missed is a window that could not be had, and was not filled since.
type Missed struct {
	Operation string        `json:"operation"`
	Sequence  uint64        `json:"sequence"`
	Window    events.Window `json:"window"`
	Reason    string        `json:"reason"`
	Attempts  int           `json:"attempts"`
}

// fault notes a broken rule, unless its window is not selected.
func (c *Checker) fault(e *events.Event, kind, text string, args ...any) {
	if c.selects(e.Window) {
		c.faults = append(c.faults, Fault{e.Operation, e.Sequence, e.Window, kind, fmt.Sprintf(text, args...)})
	}
}

// selects tells whether the window starts between From and To.
func (c *Checker) selects(w events.Window) bool {
	return (c.From.IsZero() || !w.Start.Before(c.From)) && (c.To.IsZero() || w.Start.Before(c.To))
}

func format(t time.Time) string { return t.UTC().Format(time.RFC3339) }
