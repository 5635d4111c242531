package alerter

import (
	"slices"

	"unconnected/alerter/incident"
	"unconnected/alerter/slack"
	"unconnected/events"
)

// routes is what each channel is told of an incident. It must be called with mu held.
func (n *notifier) routes(inc *incident.Incident) map[string]incident.Incident {
	return incident.Routes(inc, n.claims(inc), n.channelOf)
}

// part is what a channel is told of an incident, and how that is at present. It must be called with mu held.
func (n *notifier) part(id, channel string) (part incident.Incident, routed bool) {
	inc, known := n.fold.Get(id)
	if !known {
		return part, false
	}
	part, routed = n.routes(&inc)[channel]
	return part.WithPresent(n.progress.standing(inc.Operation)), routed && len(part.Transitions) > 0
}

// claims are the records that have a say in where an incident is told: not that of a channel which Slack has closed to us and
// which the configuration does not name any more, because somebody has named another one for what is still to be told.
func (n *notifier) claims(inc *incident.Incident) []incident.Record {
	return slices.DeleteFunc(n.records.of(inc.ID), func(rec incident.Record) bool {
		return n.isLost(&rec) && !n.isConfigured(rec.Channel, inc)
	})
}

// isLost tells whether Slack does not let us into the channel of a record, for itself or for the group that it has a share in.
func (n *notifier) isLost(rec *incident.Record) bool {
	lost := func(t *incident.Trouble) bool { return t != nil && slack.ChannelLost(t.Code) }
	return lost(rec.Trouble) || rec.Root.Group != "" && lost(n.records.get(rec.Root.Group, rec.Channel).Trouble)
}

// isConfigured tells whether the alerts of an incident belong to a channel now.
func (n *notifier) isConfigured(channel string, inc *incident.Incident) bool {
	return slices.ContainsFunc(inc.Alerts, func(s incident.State) bool {
		return incident.SameChannel(n.channelOf(s.Rule()), channel) || s.Latest.IsDrill() && s.Latest.Labels[events.LabelChannel] == channel
	})
}

// reroute looks at all incidents again when a channel that the configuration does not name any more turns out to be closed to us.
func (n *notifier) reroute(j *job) {
	n.mu.Lock()
	defer n.mu.Unlock()
	rec := n.records.get(j.rec.Incident, j.rec.Channel).Record
	if j.notice == nil && n.isLost(&rec) && !n.isConfigured(rec.Channel, &j.part) {
		n.again()
	}
}
