package grid

import (
	"time"

	"unconnected/events"
)

// Pass says which of two equal local times a window lies at, when the clocks went back and repeated some of them.
type Pass uint8

// The passes of a local time.
const (
	Once   Pass = iota // the local time exists once
	First              // before the clocks went back
	Second             // after they went back
)

// Repeated tells whether the local times of w exist twice in the zone, which pass w lies in, and w's twin: the window of
// the same local times in the other pass. A window that lies in a repeated hour in part counts as being there.
func Repeated(w events.Window, zone *time.Location) (pass Pass, twin events.Window) {
	last := w.End.Add(-time.Second)
	if began, _ := last.In(zone).ZoneBounds(); !began.IsZero() {
		if back := setBack(began, zone); back > 0 && w.Start.Before(began.Add(back)) {
			if !w.Start.Before(began) {
				return Second, shift(w, -back)
			}
		}
	}
	if _, ends := w.Start.In(zone).ZoneBounds(); !ends.IsZero() {
		if back := setBack(ends, zone); back > 0 && w.End.After(ends.Add(-back)) {
			return First, shift(w, back)
		}
	}
	return Once, events.Window{}
}

// Askable tells whether one request can ask for w. It can't when the clocks go back in the middle of w: its local times
// run backwards then, and the API would find nothing in them. That concerns zones that change at half past an hour in UTC.
func Askable(w events.Window, zone *time.Location) bool {
	_, change := w.Start.In(zone).ZoneBounds()
	return change.IsZero() || !change.Before(w.End) || setBack(change, zone) <= 0
}

// setBack is by how much the clocks of the zone go back at a transition; negative when they go forward.
func setBack(transition time.Time, zone *time.Location) time.Duration {
	_, before := transition.Add(-time.Second).In(zone).Zone()
	_, after := transition.In(zone).Zone()
	return time.Duration(before-after) * time.Second
}

func shift(w events.Window, by time.Duration) events.Window {
	return events.Window{Start: w.Start.Add(by).UTC(), End: w.End.Add(by).UTC()}
}

// Share gives a window of a repeated local hour its part of the API's answer, which cannot tell the passes apart.
//
// Asked before the second pass of these local times began, the answer is the first pass, exactly. Asked for later, the
// first pass gets all of it. The second pass gets what remains when the twin's counts are taken off, never below zero:
// nothing, but for late calls, when the twin got all. Twin is the event of the twin window, nil when it is not in the
// log. The second result tells whether the counts are a guess.
func Share(pass Pass, w, twinWindow events.Window, polled time.Time, answer map[string]int64, twin *events.Event) (map[string]int64, bool) {
	switch {
	case pass == Once:
		return answer, false
	case pass == First:
		return answer, !polled.Before(twinWindow.Start)
	case twin == nil || twin.Missed != nil:
		return answer, true
	}
	return without(answer, twin.Counts), true
}

// without is a − b per result, never below zero.
func without(a, b map[string]int64) map[string]int64 {
	rest := make(map[string]int64, len(a))
	for result, n := range a {
		rest[result] = max(0, n-b[result])
	}
	return rest
}
