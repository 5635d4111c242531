package oplog

import (
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"time"

	"unconnected/events"
)

var seed = maphash.MakeSeed()

// fingerprint is equal for equal counts, whatever the order of the map; a result of zero counts as absent.
func fingerprint(counts map[string]int64) uint64 {
	var sum uint64
	for result, n := range counts {
		if n != 0 {
			sum += maphash.Comparable(seed, struct {
				result string
				n      int64
			}{result, n})
		}
	}
	return sum
}

// overlaps reports windows that share time with the window before them. Live windows that do so were reported with the
// message; here are those that a backfill put among them.
func (c *Checker) overlaps(operation string) {
	var end int64
	for i, start := range slices.Sorted(maps.Keys(c.known)) {
		if w := c.known[start]; i > 0 && start < end && !c.reported(start) {
			span := events.Window{Start: time.Unix(start, 0).UTC(), End: time.Unix(w.end, 0).UTC()}
			c.faults = append(c.faults, Fault{
				Operation: operation, Window: span, Kind: Overlap,
				Text: fmt.Sprintf("shares time with a window that ends at %s", format(time.Unix(end, 0))),
			})
		}
		end = max(end, c.known[start].end)
	}
}

func (c *Checker) reported(start int64) bool {
	return slices.ContainsFunc(c.faults, func(f Fault) bool { return f.Kind == Overlap && f.Window.Start.Unix() == start })
}
