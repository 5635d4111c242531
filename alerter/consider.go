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
	ended    []incident.Incident
	joins    *joining // of a group that others join before it is posted; nil for others
	together []*job   // the look-ups that one reading of the channel answers; nil for others
	wishes   incident.Wishes
	notice   func(*slack.Composer) slack.Message // words a message that is about no incident; nil for others
}

// isIncident tells whether the job is about one incident alone.
func (j *job) isIncident() bool { return j.members == nil && j.joins == nil && j.notice == nil }

// isBefore tells whether the job goes first: what happened before what only refreshes a message, then the most urgent.
func (j *job) isBefore(other *job) bool {
	if j.action.Refresh != other.action.Refresh {
		return other.action.Refresh
	}
	return j.part.Compare(&other.part) < 0
}

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
// something happens. Incidents that need nothing more leave the queue.
func (n *notifier) next(q *queue, now time.Time) (best *job, until time.Time) {
	if !n.duty.has() {
		return nil, now.Add(standby)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	var all candidates
	for id := range q.pending {
		candidate, wait := n.consider(q, id, now)
		if !wait.IsZero() && (until.IsZero() || wait.Before(until)) {
			until = wait
		}
		if candidate == nil {
			continue
		}
		all = append(all, candidate)
		if wait.IsZero() && (best == nil || candidate.isBefore(best)) {
			best = candidate
		}
	}
	if best == nil {
		return nil, until
	}
	unseen, sought := all.unseen(), all.sought()
	if len(sought) > 0 && slices.Contains(unseen, best) && unseen.incidents()+len(sought) >= incident.GroupFrom {
		best = sought[0] // what did not arrive may leave with the others
	}
	if group := n.gather(unseen, best, now); group != nil {
		return group, until
	}
	if slices.Contains(sought, best) {
		best.together = sought
	}
	return best, until
}

// consider decides about one incident or group. A job with an instant may be done before that only together with others. It must
// be called with mu held.
func (n *notifier) consider(q *queue, id string, now time.Time) (*job, time.Time) {
	if word := n.notices[id]; word != nil {
		return n.decided(q, id, &job{rec: n.record(q, id), notice: word}, now, func(rec incident.Record) incident.Action {
			return incident.NextNotice(rec, n.sink.Caps(), now)
		})
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
	j := &job{part: part, rec: rec, wishes: wishes, ended: ended}
	return n.decided(q, id, j, now, func(rec incident.Record) incident.Action {
		return incident.Next(&part, rec, n.sink.Caps(), wishes, now)
	})
}

// record is what was done in a queue's channel, without a wait that is over because Slack is back. It must be called with mu held.
func (n *notifier) record(q *queue, id string) record {
	rec := n.records.get(id, q.channel)
	rec.Record = rec.Relieved(q.took)
	return rec
}

// decided sorts out what is nothing to do now, or may not be done yet.
func (n *notifier) decided(
	q *queue, id string, j *job, now time.Time, decide func(incident.Record) incident.Action,
) (*job, time.Time) {
	j.action = decide(j.rec.Record)
	switch j.action.Step {
	case incident.Nothing:
		delete(q.pending, id)
		delete(n.notices, id)
		return nil, time.Time{}
	case incident.Wait:
		until := j.action.Until
		if j.action = decide(j.rec.Untroubled()); j.action.Joins(j.rec.Record) {
			return j, until
		}
		return nil, until
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
	silences := n.inForce(now)
	return incident.Wishes{
		Remind: n.remind, Mute: incident.MuteOf(part, silences, now), Unmuted: incident.UnmutedAt(part, silences, now),
	}
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
	silences := n.inForce(now)
	mention, mute := incident.ToMention(j.members, silences, now)
	wishes := incident.Wishes{Remind: n.remind, Mute: mute}
	for i := range mention {
		m := &mention[i]
		if at := incident.UnmutedAt(m, silences, now); at.After(wishes.Unmuted) {
			wishes.Unmuted = at
		}
		own := n.records.get(m.ID, q.channel) // it was called for below the group's message, or in that
		wishes.Unheard = wishes.Unheard || rec.HasNotHeard(m) && own.HasNotHeard(m)
	}
	decided, wait := n.decided(q, id, j, now, func(rec incident.Record) incident.Action {
		return incident.NextGroup(j.members, rec, n.sink.Caps(), wishes, now)
	})
	if decided != nil && j.action.Step == incident.PostReminder && len(mention) > 0 {
		j.members = mention
	}
	return decided, wait
}
