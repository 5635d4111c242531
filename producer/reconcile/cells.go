package reconcile

import (
	"time"

	"unconnected/events"
	"unconnected/producer/grid"
)

// state is what is known of a window.
type state uint8

const (
	known   state = iota // its counts are in the log
	missing              // it is to be asked for
	leftOut              // it can't be compared
)

// cell is a window of the span, and what the log has of it.
type cell struct {
	window   events.Window
	state    state
	absent   bool             // the log has no counts of it
	revision int              // of the counts
	counts   map[string]int64 // read-only; nil unless known
	polled   time.Time        // when they were asked for; zero when they are to be compared in any case
}

// cells are the windows that start in the span, in time order: those of the log, and those that fill its gaps.
func (s Schedule) cells(span events.Window, log []events.Event) []cell {
	cells := make([]cell, 0, len(log))
	at := span.Start
	for i := range log {
		e := &log[i]
		if !span.Contains(e.Window.Start) {
			continue
		}
		c := s.cell(e)
		if e.Window.Start.Before(at) { // both claim the same time: neither can be told from the API's total
			before := &cells[len(cells)-1]
			before.state, before.absent, c.state, c.absent = leftOut, false, leftOut, false
		}
		cells = append(s.fill(cells, at, e.Window.Start), c)
		at = later(at, e.Window.End)
	}
	return s.fill(cells, at, span.End)
}

func (s Schedule) cell(e *events.Event) cell {
	c := cell{window: e.Window, revision: e.Revision, counts: e.Counts, polled: e.PolledAt, absent: e.Missed != nil}
	switch {
	case e.Ambiguous || s.repeated(e.Window):
		c.state = leftOut
	case e.Missed != nil:
		c.state = missing
	}
	return c
}

// fill appends the windows that fit into a gap of the log. What remains of it is shorter than a window.
func (s Schedule) fill(cells []cell, from, to time.Time) []cell {
	previous := s.Window
	if len(cells) > 0 {
		previous = cells[len(cells)-1].window.Length()
	}
	for from.Before(to) {
		w := grid.Next(from, s.Window, previous)
		if w.End.After(to) {
			break
		}
		c := cell{window: w, state: missing, absent: true}
		if s.repeated(w) {
			c.state = leftOut
		}
		cells = append(cells, c)
		from, previous = w.End, w.Length()
	}
	return cells
}

func (s Schedule) repeated(w events.Window) bool {
	pass, _ := grid.Repeated(w, s.Zone)
	return pass != grid.Once
}

// runs are the longest stretches of known windows without anything between them, as [from, to) of the cells.
func runs(cells []cell) [][2]int {
	var runs [][2]int
	for i := range cells {
		switch {
		case cells[i].state != known:
		case len(runs) > 0 && runs[len(runs)-1][1] == i && cells[i-1].window.End.Equal(cells[i].window.Start):
			runs[len(runs)-1][1] = i + 1
		default:
			runs = append(runs, [2]int{i, i + 1})
		}
	}
	return runs
}

// sum is the calls per result of the cells.
func sum(cells []cell) map[string]int64 {
	total := make(map[string]int64)
	for i := range cells {
		for result, n := range cells[i].counts {
			total[result] += n
		}
	}
	return total
}

// same tells whether two counts are the same calls. A result that is absent counts as zero.
func same(a, b map[string]int64) bool {
	return (&events.Event{Counts: a}).SameCounts(&events.Event{Counts: b})
}

// minus is a − b per result.
func minus(a, b map[string]int64) map[string]int64 {
	rest := make(map[string]int64, len(a))
	for result, n := range a {
		rest[result] = n
	}
	for result, n := range b {
		rest[result] -= n
	}
	return rest
}
