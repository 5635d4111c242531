package incident

import "time"

// Class is what a failed attempt means for what to do next.
type Class int

// The classes of failure. The zero Class is Ambiguous, the careful one.
const (
	Ambiguous   Class = iota // it may have arrived: time-out, reset, 5xx, an answer that cannot be read
	Undelivered              // it surely did not arrive and may be tried again: no connection, 429
	Permanent                // it is refused until somebody does something: a revoked token, a channel without the bot
	Payload                  // this very message is refused: send it as plain text
	Forbidden                // this step can never succeed (an edit that the workspace forbids): go on without it
	Gone                     // the root was deleted: nothing more to do in this channel
)

// String is the class for logs and metrics.
func (c Class) String() string {
	names := [...]string{"ambiguous", "undelivered", "permanent", "payload", "skip", "gone"}
	if c < 0 || int(c) >= len(names) {
		return names[Ambiguous]
	}
	return names[c]
}

// Failure is why an attempt failed, without secrets.
type Failure struct {
	Class      Class
	Code       string        // Slack's word, or ours: "timeout", "http_500"
	Hint       string        // what a person can do about it; "" when nothing
	RetryAfter time.Duration // from the answer; 0 when it did not say
}

// Trouble is the Failure that holds up a message. It clears with the next success.
type Trouble struct {
	Class string    `json:"class"`
	Code  string    `json:"code"`
	Hint  string    `json:"hint,omitempty"`
	Count int       `json:"count"`       // failures in a row
	Since time.Time `json:"since"`       // the first of them
	At    time.Time `json:"at,omitzero"` // the last of them
	Until time.Time `json:"until"`       // nothing is tried before
	// Edit says that it was an edit that failed: posts, which Slack limits by themselves and which ring a phone, need not wait.
	Edit bool `json:"edit,omitempty"`
}

// How long to wait before trying again when the answer does not say.
const (
	retryFirst     = time.Second
	retryMost      = time.Minute
	retryPermanent = time.Minute
)

// Failed records that a failed.
func (r Record) Failed(a Action, f Failure, now time.Time) Record {
	switch {
	case f.Class == Payload && r.Plain:
		f.Class = Permanent // plain text was refused as well
	case (f.Class == Gone || f.Class == Forbidden) && !r.Root.Posted:
		f.Class = Undelivered // there is nothing yet that could be gone or be done without
	}
	r.Trouble = r.Trouble.again(f, now)
	r.Trouble.Edit = a.Step == EditRoot
	if f.Class != Ambiguous {
		r = r.withdraw(a)
	}
	switch f.Class {
	case Ambiguous:
		// A post waits for its look-up; an edit or a look-up does no harm twice and is tried again after a while.
		if a.Step.Posts() {
			r = r.endAttempt(a, now)
			r.Trouble.Until = time.Time{}
		}
	case Payload:
		r.Plain, r.Trouble.Until = true, time.Time{}
	case Forbidden:
		r = r.Done(a, Receipt{}, now)
		r.Root.Fixed = r.Root.Fixed || a.Step == EditRoot
	case Gone:
		r.Root.Gone, r.Trouble = true, nil
	}
	return r
}

// Relieved is the record when the channel took something else since the last failure: it need not wait any longer, so that all
// that waits for Slack leaves when it is back. Each such failure is followed by one attempt before its time, not by more. What
// Slack refuses even as plain text waits on: that it takes others means nothing for it.
func (r Record) Relieved(took time.Time) Record {
	if t := r.Trouble; t != nil && t.At.Before(took) && !(r.Plain && t.Class == Permanent.String()) {
		eased := *t
		eased.Until = time.Time{}
		r.Trouble = &eased
	}
	return r
}

// endAttempt notes that the attempt is over before its deadline, so that it can be looked up the sooner.
func (r Record) endAttempt(a Action, now time.Time) Record {
	end := func(intent *Intent) *Intent {
		if intent == nil || intent.Deadline.Before(now) {
			return intent
		}
		ended := *intent
		ended.Deadline = now
		return &ended
	}
	switch a.Step {
	case PostRoot:
		r.Root.Intent = end(r.Root.Intent)
	case PostReminder:
		r.Reminders.Intent = end(r.Reminders.Intent)
	default:
		r.Line.Intent = end(r.Line.Intent)
	}
	return r
}

// withdraw takes back the intent of a post that surely did not arrive. An earlier attempt at the same post was looked up
// before this one was made, so nothing is left open.
func (r Record) withdraw(a Action) Record {
	switch a.Step {
	case PostRoot:
		r.Root.Intent = nil
	case PostLine:
		r.Line.Intent = nil
	case PostReminder:
		r.Reminders.Intent = nil
	}
	return r
}

// again adds one failure to a run of them.
func (t *Trouble) again(f Failure, now time.Time) *Trouble {
	next := Trouble{Class: f.Class.String(), Code: f.Code, Hint: f.Hint, Count: 1, Since: now, At: now}
	if t != nil {
		next.Count, next.Since = t.Count+1, t.Since
	}
	wait := f.RetryAfter
	switch {
	case wait > 0:
	case f.Class == Permanent:
		wait = retryPermanent
	default:
		wait = min(retryFirst<<min(next.Count-1, 10), retryMost)
	}
	next.Until = now.Add(wait)
	return &next
}
