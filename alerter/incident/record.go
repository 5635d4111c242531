package incident

import (
	"slices"
	"time"
)

// Record is what was done about one incident in one channel. It is kept (as JSON, changed by compare-and-set) so that
// whoever goes on, after a crash or in another process, knows what has been posted and what may have been. The zero
// Record says that nothing was done.
//
// A Record is a value; its methods return the Record that follows and leave the old one alone.
type Record struct {
	Incident string `json:"incident"`
	Channel  string `json:"channel"` // as configured: an id or a name

	// ChannelID is the channel's id, from the first answer; "" until then. It outlives renames.
	ChannelID string   `json:"channel_id,omitempty"`
	Rules     []string `json:"rules,omitempty"` // the rules that the message speaks of; see [Routes]
	Root      Root     `json:"root"`
	Line      Line     `json:"line"`
	Plain     bool     `json:"plain,omitempty"`   // Slack refused the blocks: text only from here on
	Trouble   *Trouble `json:"trouble,omitempty"` // why the last attempt failed; nil after a success

	Reminders Reminders `json:"reminders,omitzero"`
	RungAt    time.Time `json:"rung_at,omitzero"`  // when the channel heard of it the last time: root, broadcast, reminder
	Members   []string  `json:"members,omitempty"` // of a group: the incidents that its message opens for
}

// Root is the state of the message without thread_ts.
type Root struct {
	Intent   *Intent   `json:"intent,omitempty"` // a post whose result is not known yet
	Posted   bool      `json:"posted,omitempty"`
	PostedAt time.Time `json:"posted_at,omitzero"`
	TS       string    `json:"ts,omitempty"`    // Slack's name for the message; "" where there is none (webhook, terminal)
	Shown    uint64    `json:"shown,omitempty"` // sequence of the last transition that the message shows
	// Gone says that there is no message: somebody deleted it, or silences covered all of the incident up to Shown. Only what
	// gets worse or fires again after that has a new one.
	Gone  bool   `json:"gone,omitempty"`
	Mute  string `json:"mute,omitempty"`  // what the message says of a silence
	Group string `json:"group,omitempty"` // the group whose message it is; see [GroupID]
	Fixed bool   `json:"fixed,omitempty"` // Slack lets nobody edit it any more: nothing is refreshed
	// Present is the end of the newest window that the message tells of; zero when that is the one of its last transition.
	Present time.Time `json:"present,omitzero"`
	// Unmuted is when the silence ended that had kept it from being posted; zero when there was none.
	Unmuted time.Time `json:"unmuted,omitzero"`
}

// Line is the state of the posts that follow the root. They leave strictly in order, so one number says it all.
type Line struct {
	Done   uint64  `json:"done,omitempty"`   // every transition up to this sequence was posted, or will never be
	Intent *Intent `json:"intent,omitempty"` // a post whose result is not known yet
}

// Intent is recorded before a post: whoever finds it without a result looks whether the post arrived.
type Intent struct {
	Sequence   uint64    `json:"sequence"`   // the transition that is posted
	Transition string    `json:"transition"` // its id, which the post bears as metadata
	Shows      uint64    `json:"shows"`      // a root: the last transition that it shows
	Attempt    int       `json:"attempt"`    // 1, 2, …
	Since      time.Time `json:"since"`      // when the first of these attempts was recorded
	Deadline   time.Time `json:"deadline"`   // when the attempt is over, whoever makes it
}

// Receipt is what a successful post returns, or what a look-up finds. Both are empty where there is no such thing.
type Receipt struct{ ChannelID, TS string }

// Begun tells whether something was posted, or may have been.
func (r Record) Begun() bool {
	return r.Root.Posted || r.Root.Gone || r.Root.Intent != nil || r.Root.Group != ""
}

// Intend records that a is about to be done and will be over by the deadline. Store the result before doing it. inc is
// what the channel is told of. Only a post needs an intent: for other steps Intend returns r as it is. A group's post has no incident: inc is nil then.
func (r Record) Intend(a Action, inc *Incident, now, deadline time.Time) Record {
	next := Intent{Sequence: a.Sequence, Transition: a.Transition, Shows: a.Shows, Attempt: 1, Since: now, Deadline: deadline}
	switch a.Step {
	case PostRoot:
		// That there was one before, and what it told, is still true should this one come to nothing.
		r.Root = Root{Intent: next.after(r.Root.Intent), Gone: r.Root.Gone, Shown: r.Root.Shown, Unmuted: a.Unmuted}
		r.Rules = r.covers(inc)
	case PostLine:
		if a.Dropped > 0 {
			r.Line.Done = max(r.Line.Done, a.Dropped)
		}
		r.Line.Intent = next.after(r.Line.Intent)
		r.Rules = r.covers(inc)
	case PostReminder:
		r.Reminders.Intent = next.after(r.Reminders.Intent)
	}
	return r
}

// after keeps the count and the beginning of earlier attempts at the same post.
func (i Intent) after(earlier *Intent) *Intent {
	if earlier != nil && earlier.Transition == i.Transition {
		i.Attempt, i.Since = earlier.Attempt+1, earlier.Since
	}
	return &i
}

// covers are the rules that the channel has been told of with inc; nil stands for a group, which has none of its own.
func (r Record) covers(inc *Incident) []string {
	rules := slices.Clone(r.Rules)
	if inc == nil {
		return rules
	}
	for _, s := range inc.Alerts {
		if !slices.Contains(rules, s.Rule()) {
			rules = append(rules, s.Rule())
		}
	}
	return rules
}

// Done records that a was done: the post or the edit succeeded, or the look-up found it.
func (r Record) Done(a Action, got Receipt, now time.Time) Record {
	r.Trouble = nil
	if got.ChannelID != "" {
		r.ChannelID = got.ChannelID
	}
	switch a.Step {
	case PostRoot, FindRoot:
		r.Root = Root{Posted: true, PostedAt: now, TS: got.TS, Shown: a.Shows, Present: a.Present, Unmuted: r.Root.Unmuted}
		r.Line.Done = max(r.Line.Done, a.Sequence)
		r.RungAt = now
	case EditRoot:
		r.Root.Shown, r.Root.Mute, r.Root.Present = max(r.Root.Shown, a.Shows), a.Mute, later(r.Root.Present, a.Present)
	case PostLine, FindLine:
		r.Line = Line{Done: max(r.Line.Done, a.Sequence)}
		if a.Broadcast {
			r.RungAt = now
		}
	case PostReminder, FindReminder:
		r.Reminders = Reminders{Count: r.Reminders.Count + 1}
		r.RungAt = now
	case Forgo:
		r.Root = Root{Gone: true, Shown: a.Shows}
		r.Line.Done = max(r.Line.Done, a.Shows)
	}
	return r
}

// NotFound records that a look-up went through the history and the post is not there: it is sent again.
func (r Record) NotFound(a Action) Record {
	switch a.Step {
	case FindRoot:
		r.Root.Intent = r.Root.Intent.missing()
	case FindLine:
		r.Line.Intent = r.Line.Intent.missing()
	case FindReminder:
		r.Reminders.Intent = r.Reminders.Intent.missing()
	}
	return r
}

// missing is the intent whose attempt is known to have come to nothing: Next posts again, counting on.
func (i *Intent) missing() *Intent {
	if i == nil {
		return nil
	}
	gone := *i
	gone.Deadline = time.Time{}
	return &gone
}

// NoHistory records that nobody can tell whether the post arrived. The root is posted again, because an incident that
// nobody hears of is worse than one told twice; a line or a reminder is dropped.
func (r Record) NoHistory(a Action, now time.Time) Record {
	switch a.Step {
	case FindRoot:
		return r.NotFound(a)
	case FindLine, FindReminder:
		return r.Done(a, Receipt{}, now)
	}
	return r
}
