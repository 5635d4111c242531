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

// ComposeGroup is the message for a step of [incident.NextGroup]. A look-up needs none and gets the zero Message.
func (c *Composer) ComposeGroup(a incident.Action, members []incident.Incident, rec incident.Record, now time.Time) Message {
	var shown []incident.Incident
	for i := range members {
		if as := members[i].AsOf(a.Shows); len(as.Transitions) > 0 {
			shown = append(shown, as)
		}
	}
	if len(shown) == 0 {
		return Message{}
	}
	switch a.Step {
	case incident.PostRoot:
		return c.Group(rec.Incident, shown, now)
	case incident.EditRoot:
		return c.Group(rec.Incident, shown, rec.Root.PostedAt)
	case incident.PostReminder:
		m := c.GroupReminder(rec.Incident, shown, now)
		m.Transition = a.Transition
		return m
	}
	return Message{}
}
