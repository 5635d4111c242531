package events

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Window is a half-open span of instants [Start, End), in UTC, in whole seconds. The zero Window is empty and lies at no
// time.
type Window struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Length is the time between Start and End.
func (w Window) Length() time.Duration { return w.End.Sub(w.Start) }

// IsZero tells whether w is the zero Window.
func (w Window) IsZero() bool { return w.Start.IsZero() && w.End.IsZero() }

// Contains tells whether t lies in [Start, End).
func (w Window) Contains(t time.Time) bool { return !t.Before(w.Start) && t.Before(w.End) }

// Overlaps tells whether the two spans share an instant.
func (w Window) Overlaps(o Window) bool { return w.Start.Before(o.End) && o.Start.Before(w.End) }

// Equal tells whether both ends are the same instants.
func (w Window) Equal(o Window) bool { return w.Start.Equal(o.Start) && w.End.Equal(o.End) }

// String is the window for people: both ends in RFC 3339, UTC.
func (w Window) String() string {
	return w.Start.UTC().Format(time.RFC3339) + "/" + w.End.UTC().Format(time.RFC3339)
}

// idTime is how an id writes the start of a window.
const idTime = "20060102T150405Z"

// appendKey appends the part of an id that names the window: its start and its length.
func (w Window) appendKey(b []byte) []byte {
	b = w.Start.UTC().AppendFormat(b, idTime)
	b = append(b, "/PT"...)
	b = strconv.AppendInt(b, w.End.Unix()-w.Start.Unix(), 10) // a Duration ends after 292 years
	return append(b, 'S')
}

// check tells what is wrong with w as the window of an event.
func (w Window) check() error {
	switch {
	case w.Start.IsZero() || w.End.IsZero():
		return errors.New("the window has no start or no end")
	case !w.End.After(w.Start):
		return fmt.Errorf("the window %v ends before it begins", w)
	case w.Start.UTC().Year() < 1 || w.End.UTC().Year() > 9999:
		return fmt.Errorf("the window %v lies outside the calendar of RFC 3339", w)
	case w.Start.Nanosecond() != 0 || w.End.Nanosecond() != 0:
		return fmt.Errorf("the window %v is not in whole seconds", w)
	}
	return nil
}
