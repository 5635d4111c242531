package fakeslack

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Fault is something that happens to one request instead of the usual.
type Fault struct {
	Name       string        // in the ledger
	Handled    bool          // the request takes effect all the same
	Delay      time.Duration // before the answer; a client that leaves ends it
	Until      chan struct{} // ends the delay when it is closed; nil for never
	Drop       bool          // the connection is cut without an answer
	Status     int           // of the answer; 0 for 200
	RetryAfter string        // the header; "" for none
	Body       string        // of the answer; "" for the usual one, where it is Handled
}

// TooMany is 429. retryAfter is in seconds; a negative one leaves the header out, as Slack sometimes does.
func TooMany(retryAfter int) Fault {
	f := Fault{Name: "429", Status: http.StatusTooManyRequests, Body: `{"ok":false,"error":"ratelimited"}`}
	if retryAfter >= 0 {
		f.RetryAfter = strconv.Itoa(retryAfter)
	}
	return f
}

// Status is an answer with this status, before anything is done.
func Status(code int) Fault {
	return Fault{Name: strconv.Itoa(code), Status: code, Body: "<html>" + http.StatusText(code) + "</html>"}
}

// StatusAfter is an answer with this status although the request took effect.
func StatusAfter(code int) Fault {
	f := Status(code)
	f.Name, f.Handled = f.Name+" after", true
	return f
}

// DropBefore cuts the connection; nothing happens.
func DropBefore() Fault { return Fault{Name: "dropped before", Drop: true} }

// DropAfter lets the request take effect and loses the answer.
func DropAfter() Fault { return Fault{Name: "dropped after", Drop: true, Handled: true} }

// Refuse is ok:false with an error; nothing happens.
func Refuse(code string) Fault {
	return Fault{Name: "refused " + code, Body: fmt.Sprintf(`{"ok":false,"error":%q}`, code)}
}

// RefuseAfter is ok:false with an error although the request took effect, as Slack says of fatal_error.
func RefuseAfter(code string) Fault {
	f := Refuse(code)
	f.Name, f.Handled = f.Name+" after", true
	return f
}

// RefuseSilently is ok:false without an error; nothing happens.
func RefuseSilently() Fault { return Fault{Name: "refused silently", Body: `{"ok":false}`} }

// Slow answers as usual, but takes its time; the request takes effect at once.
func Slow(d time.Duration) Fault { return Fault{Name: "slow", Handled: true, Delay: d} }

// Held answers as usual, but not before until is closed, or d is over; the request takes effect at once.
func Held(until chan struct{}, d time.Duration) Fault {
	return Fault{Name: "held", Handled: true, Delay: d, Until: until}
}

// Garbage lets the request take effect and answers with something that is not its JSON.
func Garbage(body string) Fault { return Fault{Name: "garbage", Handled: true, Body: body} }

// Fail makes the next requests to a method fail, one after the other. The method "*" stands for every method, and waits
// until the method has no fault of its own. The webhook's method is "webhook".
func (s *Server) Fail(method string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[method] = append(s.faults[method], faults...)
}

// fault takes the next fault of a method. The caller holds mu.
func (s *Server) fault(method string) *Fault {
	for _, key := range []string{method, "*"} {
		if queue := s.faults[key]; len(queue) > 0 {
			s.faults[key] = queue[1:]
			return &queue[0]
		}
	}
	return nil
}

// limit is how many requests an interval bears.
type limit struct {
	n    int
	per  time.Duration
	seen []time.Time // within the interval, oldest first
}

// Limit allows n requests to a method in any interval of that length, and answers 429 with Retry-After to the others. n
// of 0 takes the limit away.
func (s *Server) Limit(method string, n int, per time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n == 0 {
		delete(s.limits, method)
		return
	}
	s.limits[method] = limit{n: n, per: per}
}

// limited is the fault of a request above its limit, or nil. The caller holds mu.
func (s *Server) limited(method string) *Fault {
	l, ok := s.limits[method]
	if !ok {
		return nil
	}
	now := s.now()
	for len(l.seen) > 0 && now.Sub(l.seen[0]) >= l.per {
		l.seen = l.seen[1:]
	}
	if len(l.seen) >= l.n {
		wait := l.per - now.Sub(l.seen[0])
		f := TooMany(int((wait + time.Second - 1) / time.Second))
		f.Name = "limit"
		return &f
	}
	l.seen = append(l.seen, now)
	s.limits[method] = l
	return nil
}
