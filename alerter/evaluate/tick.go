package evaluate

import (
	"time"

	"unconnected/alerter/rule"
	"unconnected/events"
)

// Tick is the state of things at an instant between messages.
type Tick struct {
	Now time.Time
	// Connected is since when the log has been followed without interruption, its end having been reached: what did not
	// come before that may only not have been seen.
	Connected time.Time
	Status    rule.Status // of the producer; the zero Status when nobody knows
}

// tick is what an operation knows between windows.
type tick struct {
	stored time.Time     // when the newest live message was
	settle time.Duration // how long after its end a window is asked for, as far as the answers tell
	known  bool          // settle has been learnt
	last   rule.Tick
}

// usualSettle is what POLL_SETTLE is by default: what settle is while nothing is known of it.
const usualSettle = 90 * time.Second

// arrived notes a live message. A window that is asked for late, because the API was away, says little about how long
// windows settle, so settle falls at once and rises slowly.
func (t *tick) arrived(ev *events.Event) {
	t.stored = ev.Stored
	delay := ev.PolledAt.Sub(ev.Window.End)
	switch {
	case ev.PolledAt.IsZero() || delay < 0:
	case !t.known || delay < t.settle:
		t.settle, t.known = delay, true
	default:
		t.settle += min(delay-t.settle, ev.Window.Length()/8)
	}
}

// leastMissing is for how long windows must have stayed away at least.
const leastMissing = 2 * time.Minute

// isMissing tells whether windows that should have come have not: none for three windows, and two minutes at least, while
// somebody was there to see; until the newest is as young as can be. In between it is unknown, and things stay as they are.
func (o *Operation) isMissing(at Tick) rule.Tri {
	settle := usualSettle
	if o.tick.known {
		settle = o.tick.settle
	}
	since := o.tick.stored
	if at.Connected.After(since) {
		since = at.Connected
	}
	three := 3 * o.window.Length()
	switch {
	case at.Now.Sub(o.window.End) <= three+settle:
		return rule.False
	case at.Now.Sub(since) >= max(three, leastMissing):
		return rule.True
	}
	return rule.Unknown
}

// Tick judges the rules that look at the state of things between messages. It tells whether an alert began to fire or was
// resolved. Before the first live window nothing is judged. The cause of what changed is the message applied last and the
// tick.
func (o *Operation) Tick(at Tick) (changed bool) {
	if !o.ticking || o.window.IsZero() {
		return false
	}
	o.tick.last = rule.Tick{Missing: o.isMissing(at), Status: at.Status}
	w := rule.ObserveTick(o.tick.last)
	local := o.local(at.Now)
	for i := range o.tracks {
		t := &o.tracks[i]
		if !t.rule.OnTicks() {
			continue
		}
		v := t.rule.Eval(&w)
		t.outside = o.hours && !t.rule.InLocalHours(local)
		switch {
		case t.outside && t.firing:
			changed = t.endAt(at.Now, events.ReasonOutOfHours)
		case t.outside:
			t.decided = true
		case v.Expr == rule.True && !t.firing:
			t.firing, t.decided, t.startsAt, t.endsAt, t.reason = true, true, o.beganAt(at), 0, ""
			changed = true
		case v.Quiet() && t.firing:
			changed = t.endAt(at.Now, events.ReasonCleared)
		case v.Quiet():
			t.decided = true
		}
	}
	return changed
}

// endAt ends the alert of a rule on ticks.
func (t *track) endAt(now time.Time, reason string) bool {
	t.firing, t.decided, t.endsAt, t.reason = false, true, now.Unix(), reason
	return true
}

// beganAt is when what a tick found began: with the first window that is missing, or the producer's state.
func (o *Operation) beganAt(at Tick) int64 {
	switch {
	case o.tick.last.Missing == rule.True:
		return o.window.End.Unix()
	case !at.Status.Since.IsZero() && at.Status.Since.Before(at.Now):
		return at.Status.Since.Unix()
	}
	return at.Now.Unix()
}
