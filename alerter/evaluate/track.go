package evaluate

import (
	"unconnected/alerter/rule"
	"unconnected/events"
)

// track is the state of one rule on one operation. Times are Unix seconds.
type track struct {
	rule *rule.Rule
	past *rule.Past

	firing   bool
	startsAt int64  // of the present alert, or the last; 0 before the first
	endsAt   int64  // of the last alert; 0 while firing
	reason   string // why the last alert ended; "" while firing and before the first

	countFrom int64 // windows that start earlier do not count for `for`
	busyUntil int64 // end of the last window with traffic
	outside   bool  // the newest window is out of the rule's hours
	decided   bool  // of a rule on ticks: whether it fires is known, not only remembered by whoever published it

	peak   float64 // highest value since startsAt; NaN when none was known
	peakAt int64   // start of its window
}

// step moves the state of a rule to the newest window, whose verdict is in memory.
func (t *track) step(m *memory, index int, inHours, mayFire bool) (changed bool) {
	newest := m.newest()
	t.outside = !inHours
	switch {
	case t.outside:
		t.countFrom = newest.end
		if t.firing {
			return t.resolve(events.ReasonOutOfHours, newest.end, newest.end)
		}
	case t.firing:
		if count, since := m.quietRun(index, t.startsAt); count >= t.rule.Keep {
			return t.resolve(events.ReasonCleared, since, newest.end)
		}
		if t.idle(newest) {
			return t.resolve(events.ReasonNoTraffic, newest.end, newest.end)
		}
	case mayFire && !t.idle(newest):
		count, since := m.holding(index, t.rule.For.M, t.countFrom)
		if count >= t.rule.For.N || m.mark(m.n-1, index)&atOnce != 0 && newest.start >= t.countFrom {
			return t.fire(m, index, since)
		}
	}
	return false
}

// idle tells whether the hour before the end of the newest window was without traffic.
func (t *track) idle(newest *slot) bool { return newest.end-t.busyUntil >= hour }

func (t *track) fire(m *memory, index int, since int64) bool {
	t.firing, t.startsAt, t.endsAt, t.reason = true, since, 0, ""
	t.peak, t.peakAt = m.peak(index, since)
	return true
}

// resolve ends the alert. Windows up to the end of the one that caused it do not count again.
func (t *track) resolve(reason string, endsAt, causeEnd int64) bool {
	t.firing, t.endsAt, t.reason, t.countFrom = false, endsAt, reason, causeEnd
	return true
}

// observe takes the newest window, whose verdict is in memory, into what is kept beside it.
func (t *track) observe(m *memory, index int) {
	i := m.n - 1
	if m.n == 1 {
		t.busyUntil = m.at(i).start // what was before is unknown
	}
	if m.mark(i, index)&busy != 0 {
		t.busyUntil = m.at(i).end
	}
	if t.firing {
		t.raise(m.value(i, index), m.at(i).start)
	}
}

// raise notes a value that may be the highest.
func (t *track) raise(value float64, at int64) {
	if value > t.peak || t.peak != t.peak && value == value { // NaN is not equal to itself
		t.peak, t.peakAt = value, at
	}
}

// revise takes the changed verdict on window i into what is kept beside memory. When the window of the peak became
// better the peak is the highest that is remembered: windows long ago do not come back.
func (t *track) revise(m *memory, index, i int) {
	t.busyUntil = m.busyUntil(index)
	start, value := m.at(i).start, m.value(i, index)
	switch {
	case !t.firing || start < t.startsAt:
	case start == t.peakAt && !(value >= t.peak):
		t.peak, t.peakAt = m.peak(index, t.startsAt)
	default:
		t.raise(value, start)
	}
}
