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

// Window is what expressions see of one window: its calls, if they are known, and through [Window.Behind] the windows
// before it. The zero Window is unknown, and has no past.
//
// A Window made by [Observe] shares the event's Counts; neither is ever changed.
type Window struct {
	start, end int64 // Unix seconds
	known      bool
	total      int64
	counts     [len(documented)]int64
	others     map[string]int64 // all counts of the event; nil unless it has results that are not documented

	past *Past // nil: everything about the past is unknown
	tick *Tick // nil: everything about the state of things is unknown
}

// Behind returns the window with what is behind it in the eyes of one rule: what [History.Of] returned for that rule.
func (w Window) Behind(p *Past) Window {
	w.past = p
	return w
}

// Observe is what expressions see of an event. A missed marker and an ambiguous window are unknown.
func Observe(ev *events.Event) Window {
	w := Window{start: ev.Window.Start.Unix(), end: ev.Window.End.Unix()}
	if ev.Missed != nil || ev.Ambiguous {
		return w
	}
	w.known, w.total = true, ev.Total
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
