package producer

import (
	"errors"
	"fmt"
	"time"

	"unconnected/events"
	"unconnected/producer/wolkvox"
)

// skew is how this host's clock and the API's differ, as far as the answers tell. Windows are cut by the API's clock, and
// asked for by this host's.
type skew struct {
	ahead  time.Duration // of this host's clock; negative is behind
	warned bool          // that they differ by more than they may
}

// Tolerance is how far the clocks of this host and of the API may differ, with POLL_SETTLE: the settle time is there for late calls, not for clocks.
func Tolerance(settle time.Duration) time.Duration { return max(settle/2, time.Second) }

// look takes what an answer tells, and returns what there is to say about it: a warning when the clocks begin to differ,
// good news when they agree again, or nothing.
func (s *skew) look(answer *wolkvox.Answer, tolerance time.Duration) (warning string, agree bool) {
	ahead, known := answer.ClockAhead()
	if !known {
		return "", false
	}
	s.ahead = ahead
	excessive := ahead.Abs() > tolerance
	if excessive == s.warned {
		return "", false
	}
	s.warned = excessive
	return s.text(), !excessive
}

// text describes a difference that matters, and is empty otherwise.
func (s *skew) text() string {
	switch by := s.ahead.Abs().Round(time.Second); {
	case !s.warned:
		return ""
	case s.ahead > 0:
		return fmt.Sprintf("this host's clock is %s ahead of the API's: synchronise it (NTP)", by)
	default:
		return fmt.Sprintf("this host's clock is %s behind the API's: synchronise it (NTP)", by)
	}
}

// mostDelay bounds how long an answer that came too early is waited with.
const mostDelay = 5 * time.Minute

// reckoning is what time it is: the earlier of what the API's clock and what we say, and no earlier because somebody sets
// the host's clock back. So a window is over by both clocks when it is asked for.
type reckoning struct {
	at    time.Time     // it was this time, in UTC, …
	when  time.Duration // … when a clock that nobody sets read this
	ahead time.Duration // of the host's clock beyond the API's; 0 unless that is more than it may be
}

func (r reckoning) now(elapsed time.Duration) time.Time { return r.at.Add(elapsed - r.when) }

// learn is what we know after an answer that was received at the reading elapsed.
func (r reckoning) learn(answer *wolkvox.Answer, elapsed, tolerance time.Duration) reckoning {
	host := answer.ReceivedAt.Round(0).UTC()
	ahead, known := answer.ClockAhead()
	switch {
	case answer.Date.IsZero(): // the host's clock is all there is
		return reckoning{at: host, when: elapsed}
	case !known: // it was set while the answer was under way
		return r
	case ahead > tolerance:
		return reckoning{at: host.Add(-ahead), when: elapsed, ahead: ahead}
	case ahead >= -tolerance:
		return reckoning{at: host, when: elapsed}
	}
	// The host's clock is behind. Time has passed since it was right, if it ever was, but no more than the API says.
	return reckoning{at: earlier(later(r.now(elapsed), host), host.Add(-ahead)), when: elapsed}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// errNotOver says that a window is not over by the API's clock.
var errNotOver = errors.New("the window is not over by the API's clock")

// notOver refuses an answer that came before the window's end by the API's own clock: it would count a part of the window.
func (s *skew) notOver(w events.Window, answer *wolkvox.Answer) *wolkvox.Error {
	latest := answer.Date.Add(time.Second) // it was written before
	if answer.Date.IsZero() || latest.After(w.End) {
		return nil
	}
	return &wolkvox.Error{
		Kind: wolkvox.KindRetry, Op: "cdr_6", Err: errNotOver, Hint: s.text(),
		RetryAfter: min(w.End.Sub(answer.Date), mostDelay),
	}
}
