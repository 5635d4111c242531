package incident

import (
	"slices"
	"time"
)

// Grace is how long after its deadline an attempt without a result is looked up: Slack may still be at work on it.
const Grace = 5 * time.Second

// Caps is what a way of telling people can do. The zero Caps can post, and nothing else.
type Caps struct {
	Threads bool // posts can hang below the root; without, only what Announces names is posted after it
	Edits   bool // the root can be changed
	Lookup  bool // it can be found out whether a post arrived
	Worse   bool // without threads: getting worse is announced, beside closing and re-opening
	Groups  bool // many roots that wait may leave as one message
}

// announces tells whether a transition after the first gets a post.
func (c Caps) announces(t Transition) bool {
	switch {
	case c.Threads, t.Kind == Closed, t.Kind == Reopened:
		return true
	}
	return c.Worse && t.Kind == Worse
}

// Step is a kind of Action.
type Step int

// The steps. The zero Step is Nothing.
const (
	Nothing      Step = iota // the channel shows what there is to show
	Wait                     // nothing before Until
	PostRoot                 // post the message of the incident
	FindRoot                 // find out whether it was posted
	PostLine                 // post one later transition
	FindLine                 // find out whether it was posted
	EditRoot                 // bring the message up to date
	PostReminder             // mention again what still fires
	FindReminder             // find out whether it was posted
	Forgo                    // silences covered all of it from its beginning to its end: note that nothing is to be told
)

// String is the step for logs and tests.
func (s Step) String() string {
	names := [...]string{"nothing", "wait", "post root", "find root", "post line", "find line", "edit root",
		"post reminder", "find reminder", "forgo"}
	if s < 0 || int(s) >= len(names) {
		return names[Nothing]
	}
	return names[s]
}

// Posts tells whether the step posts something, so that an intent is recorded before it.
func (s Step) Posts() bool { return s == PostRoot || s == PostLine || s == PostReminder }

// Action is the one thing to do next about one incident in one channel.
type Action struct {
	Step  Step
	Until time.Time // Wait

	Sequence   uint64 // posts and look-ups: the transition
	Transition string // posts and look-ups: its id, for the metadata
	Shows      uint64 // the root shows the incident as of this sequence ([Incident.AsOf])
	Broadcast  bool   // PostLine, PostReminder: to the channel as well
	Quiet      bool   // PostLine: nobody is called, because of a silence
	Call       bool   // PostReminder: people are called, because they were not when it got worse
	Dropped    uint64 // PostLine: lines up to this sequence are given up, nobody can tell whether they arrived
	Plain      bool   // send text only
	Mute       string // what the root says of a silence
	Refresh    bool   // EditRoot: nothing has happened, and everything else comes first
	// Present is the end of the newest window that the root tells of; see [Incident.Now].
	Present time.Time

	// Unmuted is when the silence ended that had kept this from being told: PostRoot, or that is why it is mentioned again:
	// PostReminder; zero for neither.
	Unmuted time.Time

	Since time.Time // look-ups: the post is not older
}

// Next decides what to do about an incident in a channel, given what was done. Do it, record the outcome with
// [Record.Done], [Record.Failed], [Record.NotFound] or [Record.NoHistory], and ask again. Before a post, store
// [Record.Intend] first. Next must only be asked about what is [Worth] telling.
func Next(inc *Incident, rec Record, caps Caps, w Wishes, now time.Time) Action {
	if len(inc.Transitions) == 0 || rec.Root.Gone && rec.Root.Intent == nil && revives(inc, rec) == nil {
		return Action{}
	}
	troubled := rec.Trouble != nil && now.Before(rec.Trouble.Until)
	if troubled && !rec.Trouble.Edit {
		return Action{Step: Wait, Until: rec.Trouble.Until}
	}
	if !rec.Root.Posted || rec.Root.Gone {
		return nextRoot(inc, rec, caps, w, now)
	}
	line, waiting := nextLine(inc, rec, caps, w, now)
	edit := nextEdit(inc, rec, caps, w)
	switch {
	case line.Step == Nothing && edit.Step == Nothing:
		after := orEndOfMute(nextAfter(inc, rec, caps, w, now), inc, w)
		if troubled {
			return after
		}
		return orSooner(after, nextRefresh(inc, rec, caps, w, now))
	case edit.Step == Nothing:
		return line
	case troubled: // Slack wants no edits now, and a line is not one
		return orSooner(line, Action{Step: Wait, Until: rec.Trouble.Until})
	case line.Step == Nothing, line.Step == Wait, waiting > 1:
		// A line rings a phone, so it goes before the edit; a backlog of them would keep the truth waiting.
		return edit
	}
	return line
}

// nextAfter is what is left when the channel shows all that happened: to remind people of it. A group reminds of its members.
func nextAfter(inc *Incident, rec Record, caps Caps, w Wishes, now time.Time) Action {
	if rec.Root.Group != "" {
		return Action{}
	}
	worse := rec.HasNotHeard(inc)
	if inc.Acked != nil {
		w.Remind = 0
	}
	last := inc.Last()
	next := nextReminder(rec, caps, w, now, inc.Open && (inc.Acked == nil || worse), Action{Sequence: last.Sequence, Shows: last.Sequence})
	next.Call = worse && !next.Unmuted.IsZero()
	return next
}

// worseSince tells whether the incident got worse after an instant.
func worseSince(inc *Incident, since time.Time) bool {
	return slices.ContainsFunc(inc.Transitions, func(t Transition) bool {
		return (t.Kind == Worse || t.Kind == Reopened) && t.Stored().After(since)
	})
}

// nextRefresh shows how an incident is at present. A group shows that of its members.
func nextRefresh(inc *Incident, rec Record, caps Caps, w Wishes, now time.Time) Action {
	if !caps.Edits || rec.Root.Group != "" || !inc.Open {
		return Action{}
	}
	return refresh(editOf(inc, rec, w), rec, []Incident{*inc}, now)
}

// orSooner is what is to be done first: an action before an edit, and whatever is to be done before a wait.
func orSooner(a, edit Action) Action {
	switch {
	case a.Step == Nothing, a.Step == Wait && (edit.Step == EditRoot || edit.Step == Wait && edit.Until.Before(a.Until)):
		return edit
	}
	return a
}

// orEndOfMute looks again when a silence ends, because the root speaks of it.
func orEndOfMute(a Action, inc *Incident, w Wishes) Action {
	if a.Step == Nothing && inc.Open && w.Mute.Active() {
		return Action{Step: Wait, Until: w.Mute.Until}
	}
	return a
}

// revives is the transition that gives an incident a new root when somebody deleted the old one, or when it was silenced from
// its beginning to its end: it got worse, or fires again, that was told nowhere, and it is not over. Nil when there is none.
func revives(inc *Incident, rec Record) *Transition {
	if !inc.Open {
		return nil
	}
	for i, t := range inc.Transitions {
		if (t.Kind == Worse || t.Kind == Reopened) && t.Sequence > max(rec.Root.Shown, rec.Line.Done) {
			return &inc.Transitions[i]
		}
	}
	return nil
}

func nextRoot(inc *Incident, rec Record, caps Caps, w Wishes, now time.Time) Action {
	first := inc.Transitions[0]
	if second := revives(inc, rec); rec.Root.Gone && second != nil {
		first = *second
	}
	if open := rec.Root.Intent; open != nil {
		if t, ok := inc.Find(open.Sequence); ok {
			first = t // the attempt that was begun goes on
		}
	} else if w.Mute.Active() {
		if inc.Open {
			return Action{Step: Wait, Until: w.Mute.Until}
		}
		return Action{Step: Forgo, Shows: inc.Last().Sequence}
	}
	post := Action{Step: PostRoot, Sequence: first.Sequence, Transition: first.ID(), Shows: rootShows(inc, caps), Plain: rec.Plain}
	if w.Unmuted.After(first.Stored()) {
		post.Unmuted = w.Unmuted
	}
	if caps.Edits { // where there are no edits, what is to be told later has a post of its own
		post.Present, _ = inc.presentAt()
	}
	return orLookUp(post, rec.Root.Intent, caps, now)
}

// rootShows is up to where the first post tells the story: to the end where it is the message that counts; up to what
// gets a post of its own where it cannot be changed later.
func rootShows(inc *Incident, caps Caps) uint64 {
	if caps.Edits {
		return inc.Last().Sequence
	}
	shows := inc.Transitions[0].Sequence
	for _, t := range inc.Transitions[1:] {
		if !caps.Threads && caps.announces(t) {
			break
		}
		shows = t.Sequence
	}
	return shows
}

// nextLine is the next post after the root, and how many wait in all.
func nextLine(inc *Incident, rec Record, caps Caps, w Wishes, now time.Time) (next Action, waiting int) {
	done, dropped := rec.Line.Done, uint64(0)
	if open := rec.Line.Intent; open != nil && !open.Deadline.IsZero() {
		switch {
		case now.Before(open.Deadline.Add(Grace)):
			return Action{Step: Wait, Until: open.Deadline.Add(Grace)}, 1
		case caps.Lookup:
			return Action{Step: FindLine, Sequence: open.Sequence, Transition: open.Transition, Since: open.Since}, 1
		}
		done, dropped = max(done, open.Sequence), open.Sequence
	}
	for _, t := range inc.Transitions[rec.opensInThread(caps):] {
		if t.Sequence <= done || !caps.announces(t) {
			continue
		}
		if waiting++; waiting == 1 {
			quiet := w.Mute.Active()
			next = Action{Step: PostLine, Sequence: t.Sequence, Transition: t.ID(), Shows: t.Sequence, Quiet: quiet,
				Broadcast: t.Broadcast() && !quiet && !(w.Hush && t.Kind == Closed), Dropped: dropped, Plain: rec.Plain}
		}
	}
	return next, waiting
}

// opensInThread is the place of the first transition that gets a line: where the root is that of a group, it tells no
// details, and the first line does.
func (r Record) opensInThread(caps Caps) int {
	if r.Root.Group != "" && caps.Threads {
		return 0
	}
	return 1
}

func nextEdit(inc *Incident, rec Record, caps Caps, w Wishes) Action {
	edit := editOf(inc, rec, w)
	if !caps.Edits || rec.Root.Group != "" || rec.Root.Shown >= edit.Shows && rec.Root.Mute == edit.Mute {
		return Action{}
	}
	return edit
}

// editOf is the edit that shows the incident as it is.
func editOf(inc *Incident, rec Record, w Wishes) Action {
	last := inc.Last()
	edit := Action{Step: EditRoot, Sequence: last.Sequence, Transition: last.ID(), Shows: last.Sequence, Plain: rec.Plain}
	if inc.Open {
		edit.Mute = w.Mute.mark()
	}
	edit.Present, _ = inc.presentAt()
	return edit
}
