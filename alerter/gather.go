package alerter

import (
	"context"
	"errors"
	"slices"
	"time"

	"unconnected/alerter/incident"
)

// candidates are the jobs that a channel waits for.
type candidates []*job

// unseen are those that may leave as one message: messages of incidents and of groups that nobody has seen yet. The most urgent
// comes first. A drill goes alone: who conducts it looks for its message.
func (c candidates) unseen() candidates {
	list := slices.DeleteFunc(slices.Clone(c), func(j *job) bool {
		return j.notice != nil || !j.action.Joins(j.rec.Record) || j.isIncident() && j.part.IsDrill()
	})
	slices.SortFunc(list, func(a, b *job) int { return a.part.Compare(&b.part) })
	return list
}

// sought are the look-ups for messages of their own, which one reading of the channel answers.
func (c candidates) sought() candidates {
	return slices.DeleteFunc(slices.Clone(c), func(j *job) bool { return j.action.Step != incident.FindRoot })
}

// incidents are those that the jobs are about.
func (c candidates) incidents() int {
	n := 0
	for _, j := range c {
		n += max(1, len(j.members))
	}
	return n
}

// gather makes one job of all that may leave as one message, if best is part of that and there are enough; else it returns nil.
// Where a group among them was to be posted before, it is that one which the others join. It must be called with mu held.
func (n *notifier) gather(unseen candidates, best *job, now time.Time) *job {
	if !n.sink.Caps().Groups || len(unseen) < 2 || unseen.incidents() < incident.GroupFrom || !slices.Contains(unseen, best) {
		return nil
	}
	first := unseen[0]
	group := &job{part: first.part}
	group.rec.Incident, group.rec.Channel = incident.GroupID(&first.part), first.rec.Channel
	if at := slices.IndexFunc(unseen, func(j *job) bool { return !j.isIncident() }); at >= 0 {
		group.rec, group.members = unseen[at].rec, slices.Clone(unseen[at].members)
	} else if n.records.get(group.rec.Incident, group.rec.Channel).revision != 0 {
		return nil // a group of that name was made before, without its first member
	}
	group.joins = new(joining)
	all := slices.Clone(group.members)
	var unmuted []time.Time
	for _, j := range unseen {
		group.rec.Record, unmuted = group.rec.Inherits(j.rec.Trouble), append(unmuted, j.action.Unmuted)
		switch {
		case j.isIncident():
			group.joins.add(j.rec, j.part, j.action.Unmuted)
		case j.rec.Incident != group.rec.Incident:
			group.joins.dissolved = append(group.joins.dissolved, j.rec)
			for _, member := range j.members {
				rec := n.records.get(member.ID, j.rec.Channel)
				group.joins.add(rec, member, rec.Root.Unmuted)
			}
		}
	}
	all = append(all, group.joins.parts...)
	group.rec.Root.Unmuted = slices.MinFunc(unmuted, time.Time.Compare) // zero when one of them was not silenced
	group.action = incident.NextGroup(all, group.rec.Untroubled(), n.sink.Caps(), incident.Wishes{}, now)
	return group
}

// joining are incidents that are to have a share in a group.
type joining struct {
	records   []record
	parts     []incident.Incident // what the channel is told of each
	unmuted   []time.Time         // when the silence of each ended that had kept it from being told; zero for none
	dissolved []record            // groups that nobody has seen, whose members they were
}

func (j *joining) add(rec record, part incident.Incident, unmuted time.Time) {
	j.records, j.parts, j.unmuted = append(j.records, rec), append(j.parts, part), append(j.unmuted, unmuted)
}

// claim takes new members for a group, and leaves out those that somebody else is at. What was to be told by another group is
// free once that has no members any more, whatever happens before it is claimed.
func (n *notifier) claim(ctx context.Context, j *job) error {
	for _, rec := range j.joins.dissolved {
		rec.Members = nil
		if _, err := n.records.store(ctx, rec); err != nil {
			return err
		}
	}
	for i, rec := range j.joins.records {
		part := &j.joins.parts[i]
		rec.Record = rec.Claim(j.rec.Incident, part, j.joins.unmuted[i])
		_, err := n.records.store(ctx, rec)
		switch {
		case err == nil:
			j.members = append(j.members, *part)
		case !errors.Is(err, errStale):
			return err
		}
	}
	if len(j.members) == 0 {
		return errStale
	}
	return nil
}
