package alerter

import (
	"slices"
	"time"

	"unconnected/alerter/incident"
	"unconnected/alerter/slack"
)

// job is the next thing to do in a channel.
type job struct {
	rec    record
	action incident.Action
	part   incident.Incident // what this channel is told of the incident; of a group, its most urgent member
	// members are what this channel is told of the incidents of a group; nil for an incident.
	members []incident.Incident
	// ended is what this channel is told of the incidents of the group whose last one this is to close; nil for others.
	ended  []incident.Incident
	claims []record // of a group that does not exist yet: the records of its members
	wishes incident.Wishes
	notice func(*slack.Composer) slack.Message // words a message that is about no incident; nil for others
}

// isIncident tells whether the job is about one incident alone.
func (j *job) isIncident() bool { return j.members == nil && j.notice == nil }

// compose puts the job into words.
func (j *job) compose(c *slack.Composer, rec incident.Record, now time.Time) slack.Message {
	if j.notice != nil {
		return j.notice(c)
	}
	if j.members != nil {
		return c.ComposeGroup(j.action, j.members, rec, now)
	}
	m := c.Compose(j.action, &j.part, rec, j.wishes, now)
	if j.action.Step == incident.PostLine && j.action.Broadcast && len(j.ended) > 1 && !j.part.AsOf(j.action.Sequence).Open {
		m = c.LastOfGroup(m, j.ended)
	}
	return m
}

// next picks the most urgent job that may be done now. When there is none it returns when to look again, or zero for when
// something happens.
// Incidents that need nothing more leave the queue.
func (n *notifier) next(q *queue, now time.Time) (best *job, until time.Time) {
	if !n.duty.has() {
		return nil, now.Add(standby)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	var roots []*job // that may leave as one message
	var sought *job  // the most urgent of those of which nobody knows whether they arrived
	seeking := 0
	for id := range q.pending {
		candidate, wait := n.consider(q, id, now)
		switch {
		case candidate == nil:
			if !wait.IsZero() && (until.IsZero() || wait.Before(until)) {
				until = wait
			}
		case best == nil || candidate.part.Compare(&best.part) < 0:
			best = candidate
		}
		switch {
		case candidate == nil || !candidate.isIncident():
		case candidate.action.Joins(candidate.rec.Record):
			roots = append(roots, candidate)
		case candidate.action.Step == incident.FindRoot:
			if seeking++; sought == nil || candidate.part.Compare(&sought.part) < 0 {
				sought = candidate
			}
		}
	}
	if sought != nil && len(roots)+seeking >= incident.GroupFrom && slices.Contains(roots, best) {
		return sought, until // what did not arrive may leave with the others
	}
	if n.sink.Caps().Groups && len(roots) >= incident.GroupFrom && slices.Contains(roots, best) {
		return groupOf(roots, now), until
	}
	return best, until
}

// groupOf makes one job of many roots.
func groupOf(roots []*job, now time.Time) *job {
	slices.SortFunc(roots, func(a, b *job) int { return a.part.Compare(&b.part) })
	first := roots[0]
	group := &job{part: first.part}
	group.rec.Incident, group.rec.Channel = incident.GroupID(&first.part), first.rec.Channel
	for _, root := range roots {
		group.members = append(group.members, root.part)
		group.claims = append(group.claims, root.rec)
	}
	group.action = incident.NextGroup(group.members, group.rec.Record, incident.Caps{}, incident.Wishes{}, now)
	return group
}

// consider decides about one incident or group. It must be called with mu held.
func (n *notifier) consider(q *queue, id string, now time.Time) (*job, time.Time) {
	if word := n.notices[id]; word != nil {
		rec := n.record(q, id)
		return n.decided(q, id, &job{rec: rec, notice: word, action: incident.NextNotice(rec.Record, n.sink.Caps(), now)}, now)
	}
	if incident.IsGroup(id) {
		return n.considerGroup(q, id, now)
	}
	part, routed := n.part(id, q.channel)
	if !routed {
		delete(q.pending, id)
		return nil, time.Time{}
	}
	rec := n.record(q, id)
	wishes := n.wishes(&part, now)
	var ended []incident.Incident
	if group := rec.Root.Group; group != "" {
		g := n.records.get(group, q.channel)
		switch {
		case g.revision == 0 || !slices.Contains(g.Members, id):
			rec.Record = rec.Unclaimed()
		case !g.Root.Posted && !g.Root.Gone:
			q.add(group) // its message comes first
			return nil, time.Time{}
		}
		rec.Record = rec.Shared(g.Record)
		if wishes.Hush = n.outlasted(&part, g.Members, q.channel); !wishes.Hush && !part.Open {
			ended = n.parts(g.Members, q.channel)
		}
	}
	if !incident.Worth(&part, rec.Record, n.reached(part.Operation), n.maxAge, now) {
		if !part.Open { // while it is open, evaluation may yet reach a younger window
			delete(q.pending, id)
		}
		return nil, time.Time{}
	}
	action := incident.Next(&part, rec.Record, n.sink.Caps(), wishes, now)
	return n.decided(q, id, &job{part: part, rec: rec, action: action, wishes: wishes, ended: ended}, now)
}

// record is what was done in a queue's channel, without a wait that is over because Slack is back. It must be called with mu held.
func (n *notifier) record(q *queue, id string) record {
	rec := n.records.get(id, q.channel)
	rec.Record = rec.Relieved(q.took)
	return rec
}

// decided sorts out what is nothing to do now, or may not be done yet.
func (n *notifier) decided(q *queue, id string, j *job, now time.Time) (*job, time.Time) {
	switch j.action.Step {
	case incident.Nothing:
		delete(q.pending, id)
		delete(n.notices, id)
		return nil, time.Time{}
	case incident.Wait:
		return nil, j.action.Until
	}
	if free := n.pacer.Free(slack.Lane(q.channel, j.action.Step)); now.Before(free) {
		return nil, free // by then something more urgent may have come
	}
	return j, time.Time{}
}

// parts are what a channel is told of these incidents. It must be called with mu held.
func (n *notifier) parts(ids []string, channel string) []incident.Incident {
	var parts []incident.Incident
	for _, id := range ids {
		if part, routed := n.part(id, channel); routed {
			parts = append(parts, part)
		}
	}
	return parts
}

// wishes are what people want about an incident. It must be called with mu held.
func (n *notifier) wishes(part *incident.Incident, now time.Time) incident.Wishes {
	return incident.Wishes{Remind: n.remind, Mute: incident.MuteOf(part, n.silences(), now)}
}

// outlasted tells whether any other of those incidents is open, or closed later, as far as the channel is told of it. It must be
// called with mu held.
func (n *notifier) outlasted(part *incident.Incident, others []string, channel string) bool {
	return slices.ContainsFunc(n.parts(others, channel), func(other incident.Incident) bool {
		return other.ID != part.ID && (other.Open || other.Last().Sequence > part.Last().Sequence)
	})
}

// considerGroup decides about the message of a group. It must be called with mu held.
func (n *notifier) considerGroup(q *queue, id string, now time.Time) (*job, time.Time) {
	rec := n.record(q, id)
	j := &job{rec: rec}
	for _, member := range rec.Members {
		part, routed := n.part(member, q.channel)
		if !routed {
			continue
		}
		j.members = append(j.members, part)
		if len(j.members) == 1 || part.Compare(&j.part) < 0 {
			j.part = part
		}
	}
	mention, mute := incident.ToMention(j.members, n.silences(), now)
	j.action = incident.NextGroup(j.members, rec.Record, n.sink.Caps(), incident.Wishes{Remind: n.remind, Mute: mute}, now)
	if j.action.Step == incident.PostReminder && len(mention) > 0 {
		j.members = mention
	}
	return n.decided(q, id, j, now)
}
