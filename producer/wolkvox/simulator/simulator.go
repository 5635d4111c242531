package simulator

import (
	"context"
	"net/http"
	"path"
	"slices"
	"sync"
	"time"
)

// Simulator is the simulated API of one operation. It is safe for concurrent
// use, while requests are served too.
type Simulator struct {
	options Options
	ledger  *ledger

	mu     sync.Mutex // guards what follows
	calls  *calls
	tokens []string
	queued []Fault // each for one request
	always Fault   // for all others; nil when the API is well
}

// New returns a simulator. Fields of o that are zero have useful defaults.
func New(o Options) *Simulator {
	o = o.withDefaults()
	return &Simulator{options: o, ledger: newLedger(), calls: newCalls(o), tokens: slices.Clone(o.Tokens)}
}

// Plant adds an incident, in the future or, as a correction, in the past.
func (s *Simulator) Plant(incident Incident) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = s.calls.plant(incident)
}

// SetTokens replaces the accepted tokens, as when a person makes a new one.
func (s *Simulator) SetTokens(tokens ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = slices.Clone(tokens)
}

// Truth returns how many calls begin in [from, to), by result: the seven
// documented results always, others if there are any. It is the final truth,
// late calls and the future included.
func (s *Simulator) Truth(from, to time.Time) map[string]int64 {
	c := s.story()
	truth := make(map[string]int64, len(c.results))
	for i, n := range c.sum(ceilSecond(from), ceilSecond(to), never) {
		if i < len(usual) || n > 0 {
			truth[c.results[i]] = n
		}
	}
	return truth
}

// ceilSecond returns the first whole Unix second not before t: calls begin at
// whole seconds.
func ceilSecond(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}

func (s *Simulator) story() *calls {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

func (s *Simulator) accepts(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.tokens, token)
}

// ServeHTTP answers as the API does. The scripts are found below any path;
// everything else is the page for people at "/" or a plain 404.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch path.Base(r.URL.Path) {
	case scriptReports, scriptInformation:
		s.serveAPI(w, r)
	case "/":
		s.servePage(w, r)
	default:
		http.NotFound(w, r)
	}
}

// serveAPI keeps the books around one request to the API.
func (s *Simulator) serveAPI(w http.ResponseWriter, r *http.Request) {
	token, query := r.Header.Get("wolkvox-token"), r.URL.Query()
	now := s.options.Clock()
	recorder := &statusRecorder{ResponseWriter: w}
	entry, inFlight := s.ledger.arrive(Request{
		At: now, API: query.Get("api"), From: query.Get("date_ini"), To: query.Get("date_end"),
	}, token)
	// Deferred, since a fault may end the request by a panic that net/http expects.
	defer func() { s.ledger.depart(entry, token, recorder.status) }()

	// Charged for on arrival: whoever goes away meanwhile has used a request, too.
	answer := s.decide(r, token, inFlight, now)
	if !sleep(r.Context(), s.options.Latency) {
		return
	}
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	if fault := s.nextFault(); fault != nil {
		fault(recorder, r, answer.write)
		return
	}
	answer.write(recorder, r)
}

// nextFault takes the next queued fault, else the one that lasts.
func (s *Simulator) nextFault() Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queued) == 0 {
		return s.always
	}
	next := s.queued[0]
	s.queued = s.queued[1:]
	return next
}

// sleep returns false if the client went away meanwhile.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// statusRecorder notes the status of an answer on its way out.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status and passes it on.
func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Write passes on a part of the body.
func (r *statusRecorder) Write(body []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(body)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
