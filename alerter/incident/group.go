package incident

import (
	"slices"
	"strings"
	"time"
)

// GroupFrom is how many roots must wait in one channel to leave as one message.
const GroupFrom = 5

// groupPrefix begins the id of a group. No operation's name can, so no incident's id does.
const groupPrefix = "@group/"

// GroupID is the id of a group of which that incident is the first. Its [Record] has the id in place of an incident's.
func GroupID(first *Incident) string { return groupPrefix + first.ID }

// IsGroup tells whether an id is that of a group.
func IsGroup(id string) bool { return strings.HasPrefix(id, groupPrefix) }

// Joins tells whether a message that is to be posted may become a share in a group, or a group's a part of another: nobody has
// seen it, because no attempt at it was made, or none arrived.
func (a Action) Joins(rec Record) bool {
	attempt := rec.Root.Intent
	return a.Step == PostRoot && (attempt == nil || attempt.Deadline.IsZero()) && !rec.Root.Gone && rec.Root.Group == ""
}

// Untroubled is the record as if the last attempt had not failed: for who goes ahead together with others.
func (r Record) Untroubled() Record {
	r.Trouble = nil
	return r
}

// Claim is the record of an incident that will have a share in the message of a group. Store it before the group's record,
// so that nobody posts a root of its own for it. unmuted is when the silence ended that had kept it from being told; zero for none.
func (r Record) Claim(group string, inc *Incident, unmuted time.Time) Record {
	r.Root, r.Trouble = Root{Group: group, Unmuted: unmuted}, nil
	r.Rules = r.covers(inc)
	return r
}

// Shared is the record of an incident as the message of its group stands for its root.
func (r Record) Shared(group Record) Record {
	if r.Root.Group == "" || r.Root.Posted {
		return r
	}
	r.ChannelID = group.ChannelID
	r.Root = Root{
		Group: r.Root.Group, Posted: group.Root.Posted, PostedAt: group.Root.PostedAt, TS: group.Root.TS,
		Shown: group.Root.Shown, Gone: group.Root.Gone, Unmuted: r.Root.Unmuted,
	}
	r.RungAt = group.RungAt
	return r
}

// Inherits is the record of a group that others join, some of which had trouble: since when people could not be told is as it
// was, but it is a new message that is tried.
func (r Record) Inherits(t *Trouble) Record {
	if r.Trouble == nil || t != nil && t.Since.Before(r.Trouble.Since) {
		r.Trouble = t
	}
	if r.Trouble != nil {
		own := *r.Trouble
		own.Count, own.Until = 0, time.Time{}
		r.Trouble = &own
	}
	return r
}

// Unclaimed is the record without a group that never came to be.
func (r Record) Unclaimed() Record {
	r.Root.Group = ""
	return r
}

// NextGroup is what to do next about the message of a group, given its members as the channel is told of them: post it, find
// it, or bring it up to date, and at last remind people of it. Next decides about what hangs below it. w is about all that a
// reminder would mention; it does not matter otherwise.
func NextGroup(members []Incident, rec Record, caps Caps, w Wishes, now time.Time) Action {
	shows := uint64(0)
	for i := range members {
		shows = max(shows, members[i].Last().Sequence)
	}
	post := Action{Step: PostRoot, Sequence: shows, Transition: rec.Incident, Shows: shows, Plain: rec.Plain}
	for i := range members {
		end, _ := members[i].presentAt()
		post.Present = later(post.Present, end)
	}
	switch t := rec.Trouble; {
	case len(members) == 0, rec.Root.Gone:
		return Action{}
	case t != nil && now.Before(t.Until):
		return Action{Step: Wait, Until: t.Until}
	case !rec.Root.Posted:
		post.Unmuted = rec.Root.Unmuted
		return orLookUp(post, rec.Root.Intent, caps, now)
	case caps.Edits && rec.Root.Shown < shows:
		post.Step = EditRoot
		return post
	}
	open := slices.ContainsFunc(members, func(m Incident) bool { return m.Open && m.Acked == nil })
	next := nextReminder(rec, caps, w, now, open, post)
	if next.Step == Nothing && open && w.Mute.Active() {
		next = Action{Step: Wait, Until: w.Mute.Until}
	}
	next.Call = w.Unheard && !next.Unmuted.IsZero()
	if caps.Edits {
		next = orSooner(next, refresh(post, rec, members, now))
	}
	return next
}

// ToMention are the members of a group that a reminder speaks of: those that fire, that nobody takes care of and that no silence
// covers. When silences cover all that would be left, mute is the one that ends first.
func ToMention(members []Incident, silences []Silence, now time.Time) (mention []Incident, mute Mute) {
	var first Mute
	for i := range members {
		m := &members[i]
		if !m.Open || m.Acked != nil {
			continue
		}
		covering := MuteOf(m, silences, now)
		switch {
		case !covering.Active():
			mention = append(mention, *m)
		case !first.Active() || covering.Until.Before(first.Until):
			first = covering
		}
	}
	if len(mention) > 0 {
		return mention, Mute{}
	}
	return nil, first
}
