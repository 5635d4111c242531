package wolkvox

import (
	"net/http"
	"time"
)

// ClockAhead says by how much this machine's clock is certainly ahead of the
// server's; negative is behind. It is 0 as long as the two may agree: the
// server wrote its Date, in whole seconds, at some moment between RequestedAt
// and ReceivedAt, so the slower an answer, the less it tells.
//
// It is not known when the answer has no Date, or when this machine's clock was
// set back while the answer was under way.
func (a Answer) ClockAhead() (d time.Duration, known bool) {
	if a.Date.IsZero() || a.RequestedAt.IsZero() || a.ReceivedAt.IsZero() {
		return 0, false
	}
	ahead := a.RequestedAt.Sub(a.Date) - time.Second // its second may have been nearly over
	behind := a.ReceivedAt.Sub(a.Date)
	switch {
	case behind < a.RequestedAt.Sub(a.Date):
		return 0, false
	case ahead > 0:
		return ahead, true
	case behind < 0:
		return behind, true
	default:
		return 0, true
	}
}

// serverDate returns the Date of an answer, zero when there is none. A cache's
// answer has one that is older than the answer's way to us.
func serverDate(header http.Header) time.Time {
	if age := header.Get("Age"); age != "" && age != "0" {
		return time.Time{}
	}
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return date
}
