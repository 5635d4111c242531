package slack

import (
	"fmt"
	"time"
)

// Blind is the message that nothing can be judged because NATS is away since an instant. back is when that was over; zero
// while it lasts. Its times are in the Composer's zone, or UTC. It calls nobody by name: that is for what gets worse at an
// operation.
func (c *Composer) Blind(id string, since, back time.Time, reason string) Message {
	w, in := wordsFor(c.Language), time.UTC
	if c.Zone != nil {
		in = c.Zone
	}
	from := since.In(in)
	m := Message{Transition: id, Incident: id, More: w.more}
	if back.IsZero() {
		m.Icon, m.Headline = "🔴", fmt.Sprintf(w.blindSince, w.hour(from))
		m.Facts = []Fact{{Text: w.blindWhy}, {Text: w.blindMeans}}
		m.Advice = []string{w.blindDo}
	} else {
		to := back.In(in)
		m.Icon = "✅"
		m.Headline = joined(fmt.Sprintf(w.watchedAgain, w.from(to, from)), fmt.Sprintf(w.blindFor, w.duration(to.Sub(from))))
		m.Facts = []Fact{{Text: fmt.Sprintf(w.blindOver, lowerFirst(w.between(from, to)))}}
	}
	m.Notes = []string{fmt.Sprintf(w.timesIn, w.date(from)+", "+zone(from))}
	if reason = shortened(reason, limitReason); reason != "" {
		m.Notes = append(m.Notes, fmt.Sprintf(w.blindReason, reason))
	}
	return m
}
