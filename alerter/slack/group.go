package slack

import (
	"time"

	"unconnected/alerter/incident"
)

// Group is the message that opens for several incidents of one channel, as they are. id is that of the group, posted when
// it is, or was, posted. There must be a member.
func (c *Composer) Group(id string, members []incident.Incident, posted time.Time) Message {
	m := c.Root(&members[0], posted, incident.Mute{})
	m.Transition, m.Incident = id, id
	return m
}

// GroupReminder is the post that mentions again the members of a group that still fire and that nobody takes care of.
func (c *Composer) GroupReminder(id string, members []incident.Incident, now time.Time) Message {
	m := c.Group(id, members, now)
	m.Brief = true
	return m
}
