package simulator

import (
	"sync"
	"time"
)

// remembered is how many requests a ledger keeps; the oldest go first.
const remembered = 100_000

// Request is one request to the API as the server saw it.
type Request struct {
	At       time.Time // arrival, by the simulator's clock
	API      string    // cdr_6, token_info or whatever else was asked for
	From, To string    // date_ini and date_end as sent
	Status   int       // of the answer; 0 while there is none, or if the connection broke before it
	Done     bool      // the server is no longer at work on it
	InFlight int       // requests with the same token at its arrival, itself included
}

// ledger counts and remembers requests. It is safe for concurrent use.
type ledger struct {
	mu       sync.Mutex
	requests []*Request     // in order of arrival; guarded by mu, and so is what they point at
	inFlight map[string]int // token → requests being worked on
	most     int            // the highest value that was in inFlight

	// used is local day → token → requests that cost something. Days are kept, a
	// few bytes each: around midnight, requests need not arrive in their order,
	// and a test's clock may jump back.
	used map[string]map[string]int
}

func newLedger() *ledger {
	return &ledger{inFlight: map[string]int{}, used: map[string]map[string]int{}}
}

// arrive notes a request that begins and returns its entry, for depart, with
// how many requests of the token are in flight now.
func (l *ledger) arrive(request Request, token string) (entry *Request, inFlight int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight[token]++
	request.InFlight = l.inFlight[token]
	l.most = max(l.most, request.InFlight)
	if len(l.requests) >= 2*remembered {
		l.requests = append([]*Request(nil), l.requests[remembered:]...)
	}
	l.requests = append(l.requests, &request)
	return &request, request.InFlight
}

// depart notes how a request ended.
func (l *ledger) depart(entry *Request, token string, status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry.Status, entry.Done = status, true
	if l.inFlight[token]--; l.inFlight[token] == 0 {
		delete(l.inFlight, token)
	}
}

// charge counts a request against a local day's quota and returns what has been
// used of it so far, by the token and by all.
func (l *ledger) charge(day, token string) (own, all int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	used := l.used[day]
	if used == nil {
		used = map[string]int{}
		l.used[day] = used
	}
	used[token]++
	for _, n := range used {
		all += n
	}
	return used[token], all
}

// Ledger returns the requests in order of arrival, those still being worked on
// included. Only the last 100,000 or so are remembered.
func (s *Simulator) Ledger() []Request {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	requests := make([]Request, len(s.ledger.requests))
	for i, r := range s.ledger.requests {
		requests[i] = *r
	}
	return requests
}

// MaxConcurrent returns the most requests that one token ever had at the same time.
func (s *Simulator) MaxConcurrent() int {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	return s.ledger.most
}
