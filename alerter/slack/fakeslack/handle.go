package fakeslack

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxBody bounds a request, in bytes.
const maxBody = 4 << 20

// answer is the body of an answer of the Web API.
type answer map[string]any

func refuse(code string) answer { return answer{"ok": false, "error": code} }

func missing(scope string) answer {
	return answer{"ok": false, "error": "missing_scope", "needed": scope}
}

// method is one method of the Web API. It is called with the lock held.
type method func(s *Server, args map[string]string) answer

var methods = map[string]method{
	"auth.test":             (*Server).authTest,
	"chat.postMessage":      (*Server).postMessage,
	"chat.update":           (*Server).update,
	"conversations.history": (*Server).history,
	"conversations.replies": (*Server).replies,
	"conversations.list":    (*Server).list,
	"conversations.info":    (*Server).info,
}

// ServeHTTP answers /api/<method> and the webhook.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, isAPI := strings.CutPrefix(r.URL.Path, "/api/")
	switch {
	case isAPI:
		s.serve(w, r, name, s.api)
	case strings.HasPrefix(r.URL.Path, "/services/"):
		s.serve(w, r, "webhook", s.webhook)
	default:
		http.NotFound(w, r)
	}
}

// serve reads one request, does to it what was asked for, and answers.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, name string, handle func(*http.Request, string, map[string]string) reply) {
	args, err := arguments(r)
	if err != nil {
		http.Error(w, "cannot read the request", http.StatusBadRequest)
		return
	}
	fault, out := s.handle(r, name, args, handle)
	if fault == nil {
		out.write(w)
		return
	}
	if fault.Delay > 0 {
		timer := time.NewTimer(fault.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return
		}
	}
	if fault.Drop {
		panic(http.ErrAbortHandler) // cuts the connection
	}
	fault.over(out).write(w)
}

// handle does everything that needs the lock, and writes the ledger.
func (s *Server) handle(r *http.Request, name string, args map[string]string, do func(*http.Request, string, map[string]string) reply) (*Fault, reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.tell()
	entry := Request{At: s.now(), Method: name, Args: withoutToken(args)}
	fault := s.fault(name)
	if fault == nil {
		fault = s.limited(name)
	}
	var out reply
	if fault != nil {
		entry.Fault = fault.Name
	}
	if fault == nil || fault.Handled {
		out = do(r, name, args)
		entry.Answer, entry.TS = out.word, out.ts
	}
	s.ledger = append(s.ledger, entry)
	return fault, out
}

// reply is an answer before it is written.
type reply struct {
	status     int
	body       string
	retryAfter string
	scopes     string
	word       string // for the ledger
	ts         string
}

func (f *Fault) over(out reply) reply {
	if f.Body != "" {
		out.body = f.Body
	}
	if f.Status != 0 {
		out.status = f.Status
	}
	out.retryAfter = f.RetryAfter
	return out
}

func (r reply) write(w http.ResponseWriter) {
	if r.retryAfter != "" {
		w.Header().Set("Retry-After", r.retryAfter)
	}
	if r.scopes != "" {
		w.Header().Set("X-OAuth-Scopes", r.scopes)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if r.status != 0 {
		w.WriteHeader(r.status)
	}
	_, _ = io.WriteString(w, r.body) // a client that has left is its own business
}

// api does one method of the Web API. The caller holds mu.
func (s *Server) api(r *http.Request, name string, args map[string]string) reply {
	a := s.authorised(r, name, args)
	body, err := json.Marshal(a)
	if err != nil {
		return reply{status: http.StatusInternalServerError}
	}
	out := reply{body: string(body), scopes: strings.Join(s.scopes, ","), word: "ok"}
	out.ts, _ = a["ts"].(string)
	if code, refused := a["error"].(string); refused {
		out.word = code
	}
	return out
}

func (s *Server) authorised(r *http.Request, name string, args map[string]string) answer {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		token = args["token"]
	}
	do, known := methods[name]
	switch {
	case !known:
		return refuse("unknown_method")
	case token == "":
		return refuse("not_authed")
	case token != s.token:
		return refuse("invalid_auth")
	}
	return do(s, args)
}

// can tells whether the token has a scope. The caller holds mu.
func (s *Server) can(scope string) bool { return slices.Contains(s.scopes, scope) }

// arguments reads a form or a JSON object, and the query.
func arguments(r *http.Request) (map[string]string, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, maxBody)
	args := make(map[string]string)
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		var object map[string]json.RawMessage
		if err := json.NewDecoder(r.Body).Decode(&object); err != nil {
			return nil, err
		}
		for key, value := range object {
			args[key] = text(value)
		}
		return args, nil
	}
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	for key := range r.Form {
		args[key] = r.Form.Get(key)
	}
	return args, nil
}

// text is a JSON string's content, or any other JSON as it is.
func text(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) == nil {
		return s
	}
	return string(value)
}

func withoutToken(args map[string]string) map[string]string {
	rest := make(map[string]string, len(args))
	for key, value := range args {
		if key != "token" {
			rest[key] = value
		}
	}
	return rest
}
