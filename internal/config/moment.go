package config

import (
	"fmt"
	"strings"
	"time"
)

// Moment is a point in time as people give it: RFC 3339, a date (its midnight in UTC), `now`, or how long ago, such as
// -24h or -2d. The zero Moment is unset. It is also a flag value.
type Moment struct {
	text     string // as it was given
	relative bool
	ago      time.Duration // if relative
	at       time.Time     // if not, in UTC
}

// Set reads a moment.
func (m *Moment) Set(value string) error {
	text := strings.TrimSpace(value)
	if text == "now" {
		*m = Moment{text: text, relative: true}
		return nil
	}
	if strings.HasPrefix(text, "-") {
		ago, err := ParseDuration(text)
		if err != nil {
			return notMoment(value)
		}
		*m = Moment{text: text, relative: true, ago: -ago}
		return nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			*m = Moment{text: text, at: at.UTC()}
			return nil
		}
	}
	return notMoment(value)
}

func notMoment(value string) error {
	return fmt.Errorf("%s is not a time (RFC 3339, a date, now, or how long ago, such as -24h)", quote(value))
}

// At is the moment in UTC as seen from now. An unset moment is the zero time.
func (m Moment) At(now time.Time) time.Time {
	switch {
	case !m.IsSet():
		return time.Time{}
	case m.relative:
		return now.UTC().Add(-m.ago)
	default:
		return m.at
	}
}

// IsSet reports whether a moment was given.
func (m Moment) IsSet() bool { return m.text != "" }

// String is the moment as it was given.
func (m Moment) String() string { return m.text }

// Example is a right value.
func (Moment) Example() string { return "-24h or 2026-11-22T15:00:00Z" }

// TimeOfDay is a local time such as 07:00. The zero TimeOfDay is unset.
type TimeOfDay struct {
	minutes int // since midnight
	set     bool
}

// Set reads a time of day.
func (t *TimeOfDay) Set(value string) error {
	at, err := time.Parse("15:04", strings.TrimSpace(value))
	if err != nil {
		return fmt.Errorf("%s is not a time of day", quote(value))
	}
	*t = TimeOfDay{minutes: at.Hour()*60 + at.Minute(), set: true}
	return nil
}

// IsSet reports whether a time of day was given.
func (t TimeOfDay) IsSet() bool { return t.set }

// After is the first instant after now at which the clocks of zone show this time, in UTC. Where clocks skip it, it is
// the instant that [time.Date] makes of it.
func (t TimeOfDay) After(now time.Time, zone *time.Location) time.Time {
	local := now.In(zone)
	for days := 0; ; days++ {
		at := time.Date(local.Year(), local.Month(), local.Day()+days, 0, t.minutes, 0, 0, zone)
		if at.After(now) {
			return at.UTC()
		}
	}
}

// String is the time of day as it is given, empty when unset.
func (t TimeOfDay) String() string {
	if !t.set {
		return ""
	}
	return fmt.Sprintf("%02d:%02d", t.minutes/60, t.minutes%60)
}

// Example is a right value.
func (TimeOfDay) Example() string { return "07:00" }
