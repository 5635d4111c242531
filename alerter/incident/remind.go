package incident

import (
	"fmt"
	"time"
)

// Wishes are what people want beside being told what happens. The zero Wishes are none.
type Wishes struct {
	Remind time.Duration // ALERT_REMIND: what still fires is mentioned again after this; 0 for never
	Mute   Mute          // silences cover all that fires
	// Unmuted is when silences last covered all that fires; see [UnmutedAt]. What was not told since, or did not ring since, does
	// then.
	Unmuted time.Time
	Unheard bool // of a group: something that a reminder speaks of got worse, and the channel has not heard of that
	Hush    bool // others share the root and are still open: the end of this one need not ring
}

// Reminders is the state of the posts that mention again what still fires.
type Reminders struct {
	Count  int     `json:"count,omitempty"`  // those that were posted, or given up
	Intent *Intent `json:"intent,omitempty"` // one whose result is not known yet
}

// nextReminder mentions again what fires and nobody takes care of, from time to time, and when a silence of it ends. open tells
// whether there is such a thing; like is an action about the same message. An attempt that came to nothing is made again only while there is.
func nextReminder(rec Record, caps Caps, w Wishes, now time.Time, open bool, like Action) Action {
	a := Action{
		Step: PostReminder, Sequence: like.Sequence, Shows: like.Shows, Plain: rec.Plain, Broadcast: true,
		Transition: fmt.Sprintf("%s/reminder/%d", rec.Incident, rec.Reminders.Count+1),
	}
	if first := orLookUp(a, rec.Reminders.Intent, caps, now); first.Step != PostReminder {
		return first
	}
	rung := rec.rung()
	switch {
	case !caps.Threads, w.Mute.Active(), !open, rec.Root.TS == "":
		return Action{}
	case w.Unmuted.After(rung):
		a.Unmuted = w.Unmuted
		return a
	case w.Remind <= 0:
		return Action{}
	case now.Before(rung.Add(w.Remind)):
		return Action{Step: Wait, Until: rung.Add(w.Remind)}
	}
	return a
}

// rung is when the channel heard of it the last time.
func (r Record) rung() time.Time {
	if r.RungAt.IsZero() {
		return r.Root.PostedAt
	}
	return r.RungAt
}

// HasNotHeard tells whether the incident fires and got worse after the channel heard of it the last time.
func (r Record) HasNotHeard(inc *Incident) bool { return inc.Open && worseSince(inc, r.rung()) }

// orLookUp is the post, or what must come before it while an earlier attempt has no result: waiting for its end, and looking
// for it.
func orLookUp(post Action, open *Intent, caps Caps, now time.Time) Action {
	switch {
	case open == nil, open.Deadline.IsZero():
		return post
	case now.Before(open.Deadline.Add(Grace)):
		return Action{Step: Wait, Until: open.Deadline.Add(Grace)}
	case !caps.Lookup:
		return post
	}
	find := Action{Step: FindRoot, Sequence: open.Sequence, Transition: open.Transition, Shows: open.Shows, Since: open.Since}
	if post.Step == PostReminder {
		find.Step = FindReminder
	}
	return find
}
