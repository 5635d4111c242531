package slack

import (
	"time"

	"unconnected/alerter/incident"
)

// deed is the line for what somebody did about an incident.
func (c *Composer) deed(inc *incident.Incident, t incident.Transition) Message {
	return Message{Headline: t.Kind.String() + " " + t.Action.By, Brief: true, Transition: t.ID(), Incident: inc.ID}
}

// Reminder is the post that mentions again an incident that still fires and that nobody takes care of.
func (c *Composer) Reminder(inc *incident.Incident, now time.Time) Message {
	m := c.Root(inc, now, incident.Mute{})
	m.Brief = true
	return m
}
