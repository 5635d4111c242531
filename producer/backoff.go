package producer

import (
	"time"

	"unconnected/producer/budget"
	"unconnected/producer/grid"
	"unconnected/producer/wolkvox"
)

// State is what an operation's poller is doing.
type State string

// The states of an operation. It does its job in [OK] and [CatchingUp].
const (
	Starting    State = "starting"
	OK          State = "ok"          // every window that is due is in the log
	CatchingUp  State = "catching up" // windows are due, and are being asked for as fast as the API allows
	Retrying    State = "retrying"    // something is away and is tried again
	Quota       State = "quota"       // the day's requests are spent
	Refused     State = "refused"     // a person must act: token, address, zone, or a damaged log
	Maintenance State = "maintenance" // the API is switched off
)

var states = []State{Starting, OK, CatchingUp, Retrying, Quota, Refused, Maintenance}

// The rhythm of retries.
const (
	firstWait   = time.Second
	mostWait    = time.Minute
	mostPatient = 5 * time.Minute // while waiting for a person, another program or the vendor
	firstSlow   = 5 * time.Second
)

// verdict is what follows from a failed request.
type verdict struct {
	state  State
	reason string
	wait   time.Duration
}

// judge decides what to do after the attempt-th failure in a row (from 1). Jitter is a random number in [0, 1) that keeps
// many operations from returning at the same instant.
func judge(err *wolkvox.Error, attempt int, now time.Time, zone *time.Location, timeout time.Duration, jitter float64) verdict {
	v := verdict{state: Retrying, reason: reason(err)}
	switch err.Kind {
	case wolkvox.KindQuota:
		return exhausted(budget.SpentUntil(now, zone), now, zone, jitter)
	case wolkvox.KindRefused:
		v.state, v.wait = Refused, doubled(firstSlow, attempt, mostPatient)
	case wolkvox.KindMaintenance:
		v.state, v.wait = Maintenance, doubled(firstWait, attempt, mostPatient)
	case wolkvox.KindTokenBusy:
		v.wait = doubled(firstWait, attempt, mostPatient)
	default:
		v.wait = doubled(firstWait, attempt, mostWait)
	}
	v.wait = jittered(v.wait, jitter)
	// An hour is the most that a server may tell us to stay away; more is a mistake or an attack.
	v.wait = max(v.wait, min(err.RetryAfter, time.Hour))
	if err.Timeout { // the server may still be at work on it, and works on one request at a time
		v.wait = max(v.wait, timeout/2)
	}
	return v
}

// exhausted is the verdict when the day's requests are spent until an instant: the local midnight or, where the server's day
// seems not to have changed yet, soon.
func exhausted(until, now time.Time, zone *time.Location, jitter float64) verdict {
	if until.Before(grid.NextMidnight(now, zone)) {
		return verdict{Quota, "the day's requests are spent, though the day has just begun here; asking again soon", jittered(until.Sub(now), jitter)}
	}
	reason := "the day's requests are spent; nothing is sent before " + until.In(zone).Format("2006-01-02 15:04 MST")
	return verdict{Quota, reason, until.Sub(now) + jittered(mostWait, jitter)}
}

func reason(err *wolkvox.Error) string {
	if err.Hint == "" {
		return err.Error()
	}
	return err.Error() + "; " + err.Hint
}

// doubled is first·2^(attempt−1), at most limit.
func doubled(first time.Duration, attempt int, limit time.Duration) time.Duration {
	return min(first<<min(attempt-1, 20), limit)
}

// jittered takes up to a quarter off.
func jittered(wait time.Duration, jitter float64) time.Duration {
	return wait - time.Duration(float64(wait)*jitter/4)
}
