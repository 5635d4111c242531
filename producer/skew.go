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

// tolerance is how far the two clocks may differ: the settle time is there for late calls, not for clocks.
func tolerance(settle time.Duration) time.Duration { return max(settle/2, time.Second) }

// look takes what an answer tells, and returns what there is to say about it: a warning when the clocks begin to differ,
// good news when they agree again, or nothing.
func (s *skew) look(answer *wolkvox.Answer, settle time.Duration) (warning string, agree bool) {
	ahead, known := answer.ClockAhead()
	if !known {
		return "", false
	}
	s.ahead = ahead
	excessive := ahead.Abs() > tolerance(settle)
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

// mostDelay bounds how long the host's clock is believed to be ahead without asking.
const mostDelay = 5 * time.Minute

// delay is how much later than by this host's clock a window is asked for, so that it is over by the API's.
func (s *skew) delay(settle time.Duration) time.Duration {
	if s.ahead <= tolerance(settle) {
		return 0
	}
	return min(s.ahead, mostDelay)
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
