package rule

import (
	"maps"
	"math"

	"unconnected/events"
)

// documented are the results that have a fixed place in a Window, in the order of their places.
var documented = [...]string{
	events.Busy, events.Cancel, events.ChanUnavail, events.Congestion, events.DoNotCall, events.NoAnswer, events.TCPA,
}

// Window is what expressions see of one window: its calls, if they are known. Functions over the past, when the language
// gets them, will find the windows before it through it as well. The zero Window is unknown.
//
// A Window made by [Observe] shares the event's Counts; neither is ever changed.
type Window struct {
	known  bool
	total  int64
	counts [len(documented)]int64
	others map[string]int64 // all counts of the event; nil unless it has results that are not documented
}

// Observe is what expressions see of an event. A missed marker and an ambiguous window are unknown.
func Observe(ev *events.Event) Window {
	if ev.Missed != nil || ev.Ambiguous {
		return Window{}
	}
	w := Window{known: true, total: ev.Total}
	found := 0
	for i, result := range documented {
		if n, ok := ev.Counts[result]; ok {
			w.counts[i] = n
			found++
		}
	}
	if len(ev.Counts) > found {
		w.others = ev.Counts
	}
	return w
}

// Known tells whether the window's calls are known.
func (w *Window) Known() bool { return w.known }

// Total is the number of unconnected calls; 0 when unknown.
func (w *Window) Total() int64 { return w.total }

// Counts is a new map of the calls per result, with all documented ones; nil when unknown.
func (w *Window) Counts() map[string]int64 {
	if !w.known {
		return nil
	}
	counts := make(map[string]int64, len(documented))
	maps.Copy(counts, w.others)
	for i, result := range documented {
		counts[result] = w.counts[i]
	}
	return counts
}

// unknown is how closures write an unknown number. Arithmetic passes a NaN on by itself.
var unknown = math.NaN()

// totalOf is the series "total".
func totalOf(w *Window) float64 {
	if !w.known {
		return unknown
	}
	return float64(w.total)
}

// countOf is the series "count.<result>".
func countOf(result string) func(*Window) float64 {
	for i, name := range documented {
		if name == result {
			return func(w *Window) float64 {
				if !w.known {
					return unknown
				}
				return float64(w.counts[i])
			}
		}
	}
	return func(w *Window) float64 {
		if !w.known {
			return unknown
		}
		return float64(w.others[result])
	}
}

// shareOf is the series "share.<result>": unknown without calls.
func shareOf(result string) func(*Window) float64 {
	count := countOf(result)
	return func(w *Window) float64 {
		if w.total == 0 {
			return unknown
		}
		return count(w) / float64(w.total)
	}
}
