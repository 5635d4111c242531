package replay

import (
	"slices"
	"time"

	"unconnected/events"
)

// Arrange puts history as it was stored into the order in which it is judged: first what was backfilled before the first
// live window of its operation, each window once, as if it had been live; then the rest, as it was stored. It reorders
// list.
func Arrange(list []events.Event) []events.Event {
	first := make(map[string]time.Time)
	for i := range list {
		if e := &list[i]; e.IsLive() && first[e.Operation].IsZero() {
			first[e.Operation] = e.Window.Start
		}
	}
	before := func(e *events.Event) bool {
		start, live := first[e.Operation]
		return !live || e.Window.Start.Before(start)
	}
	if !slices.ContainsFunc(list, func(e events.Event) bool { return before(&e) }) {
		return list
	}
	earlier, _ := events.Latest(func(yield func(events.Event, error) bool) { // which has no errors to return
		for i := range list {
			if before(&list[i]) && !yield(list[i], nil) {
				return
			}
		}
	})
	for i := range earlier {
		asLive(&earlier[i])
	}
	return append(earlier, slices.DeleteFunc(list, func(e events.Event) bool { return before(&e) })...)
}
