package slack

import (
	"time"
)

// Day is what one operation went through on one local day.
type Day struct {
	Operation string
	From, To  time.Time        // the day; 23 to 25 hours
	Total     int64            // unconnected calls
	Counts    map[string]int64 // :: result → calls
	Before    int64            // unconnected calls of the same day a week before; -1 when not all of it is known
	Windows   int              // known
	Missed    int              // windows that the API never answered for
	Absent    int              // windows that are not in the history: before its beginning, or not polled yet
	Incidents []DayIncident    // that were open at some time of the day, the first first
}

// DayIncident is an incident in a digest.
type DayIncident struct {
	Rule       string // of the alert that leads it
	Start, End time.Time
	Open       bool // at the end of the day
	Peak       *float64
}

// Digest is the daily message: one line for each operation's yesterday. id is what it bears as metadata.
func (c *Composer) Digest(id string, days []Day) Message {
	return Message{Icon: "📊", Headline: "digest", Transition: id, Incident: id}
}

// Blind is the message that nothing can be judged because NATS is away since an instant. back is when that was over; zero
// while it lasts.
func (c *Composer) Blind(id string, since, back time.Time, reason string) Message {
	return Message{Icon: "🙈", Headline: "blind", Transition: id, Incident: id}
}
