package oplog

import (
	"fmt"
	"time"

	"unconnected/events"
)

// gap is a step of the live windows over some time, Unix seconds. It is a fault only if no other message fills it.
type gap struct {
	from, to int64
	sequence uint64 // of the message behind it
}

// noteGap notes that the live window e begins behind the checkpoint; or, when it begins before it, that the log goes on from
// there: the gaps behind e will be found again when it steps over them once more.
func (c *Checker) noteGap(e *events.Event) {
	start, checkpoint := e.Window.Start.Unix(), c.Checkpoint.Unix()
	if start > checkpoint {
		c.gaps = append(c.gaps, gap{checkpoint, start, e.Sequence})
		return
	}
	for n := len(c.gaps); n > 0 && c.gaps[n-1].to > start; n = len(c.gaps) {
		if c.gaps[n-1].from < start {
			c.gaps[n-1].to = start
			return
		}
		c.gaps = c.gaps[:n-1]
	}
}

// reportGaps makes faults of what was not filled.
func (c *Checker) reportGaps(operation string) {
	for _, g := range c.gaps {
		for _, hole := range c.windows.holes(g.from, g.to) {
			span := events.Window{Start: time.Unix(hole[0], 0).UTC(), End: time.Unix(hole[1], 0).UTC()}
			if !c.To.IsZero() && !span.Start.Before(c.To) || !span.End.After(c.From) {
				continue
			}
			c.faults = append(c.faults, Fault{operation, g.sequence, span, Gap, fmt.Sprintf("nothing is stored of %s", span.Length())})
		}
	}
	c.gaps = nil
}
