// Package grid decides which windows there are, when each may be asked for, and what the clocks of the operation's zone do
// to it. It is pure: instants in, windows out.
package grid

import (
	"time"

	"unconnected/events"
)

// Align is the last boundary of the grid at or before t. The grid of windows of a length is aligned to full hours in UTC.
// The length must divide an hour.
func Align(t time.Time, length time.Duration) time.Time {
	return time.Unix(0, 0).UTC().Add(t.Sub(time.Unix(0, 0)).Truncate(length))
}

func aligned(t time.Time, length time.Duration) bool { return length > 0 && Align(t, length).Equal(t) }

// Next is the window that follows the checkpoint. A new length takes effect where its grid meets the checkpoint; until
// then the windows keep the length that they had: history wins. Previous is the length of the log's last window, or 0.
// Should the checkpoint lie on neither grid, the window ends at the next boundary of the new one.
func Next(checkpoint time.Time, length, previous time.Duration) events.Window {
	checkpoint = checkpoint.UTC()
	switch {
	case aligned(checkpoint, length):
		return events.Window{Start: checkpoint, End: checkpoint.Add(length)}
	case aligned(checkpoint, previous):
		return events.Window{Start: checkpoint, End: checkpoint.Add(previous)}
	}
	return events.Window{Start: checkpoint, End: Align(checkpoint, length).Add(length)}
}

// Due is the instant from which on a window may be asked for: calls that ring across its end are recorded late.
func Due(w events.Window, settle time.Duration) time.Time { return w.End.Add(settle) }

// Behind counts the windows that are due at now and not yet in the log.
func Behind(checkpoint, now time.Time, length, settle time.Duration) int {
	late := now.Sub(checkpoint) - settle
	if late < length {
		return 0
	}
	return int(late / length)
}

// NextMidnight is the beginning of the next local day after now, in UTC: when a spent daily quota is given anew.
func NextMidnight(now time.Time, zone *time.Location) time.Time {
	y, m, d := now.In(zone).Date()
	next := time.Date(y, m, d+1, 0, 0, 0, 0, zone)
	// Where clocks go forward at midnight, 00:00 does not exist, and Go's choice for it may be an instant of the old day.
	for next.In(zone).Day() == d {
		next = next.Add(time.Hour)
	}
	return next.UTC()
}
