package fakeslack

import (
	"encoding/json"
	"io"
	"maps"
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
type method struct {
	do  func(s *Server, args map[string]string) answer
	app bool // it wants the app-level token
}

var methods = map[string]method{
	"apps.connections.open":        {do: (*Server).openConnection, app: true},
	"auth.test":                    {do: (*Server).authTest},
	"chat.getPermalink":            {do: (*Server).permalink},
	"chat.postEphemeral":           {do: (*Server).postEphemeral},
	"chat.postMessage":             {do: (*Server).postMessage},
	"chat.update":                  {do: (*Server).update},
	"conversations.history":        {do: (*Server).history},
	"conversations.info":           {do: (*Server).info},
	"conversations.list":           {do: (*Server).list},
	"conversations.members":        {do: (*Server).conversationMembers},
	"conversations.replies":        {do: (*Server).replies},
	"files.completeUploadExternal": {do: (*Server).completeUpload},
	"files.getUploadURLExternal":   {do: (*Server).uploadURL},
	"usergroups.users.list":        {do: (*Server).groupUsers},
	"users.info":                   {do: (*Server).userInfo},
}

// Methods are the names of the methods of the Web API that a Server answers, sorted.
func Methods() []string { return slices.Sorted(maps.Keys(methods)) }

// Parts of the server beside /api/.
const (
	uploadPath   = "/upload/v1/"
	actionsPath  = "/actions/" + teamID + "/" // of a response_url
	commandsPath = "/commands/" + teamID + "/"
	socketPath   = "/link/"
)

// ServeHTTP answers /api/<method>, the webhook, the addresses that a Server hands out, and shows the [Server.Page] at /.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, isAPI := strings.CutPrefix(r.URL.Path, "/api/")
	switch {
	case isAPI:
		s.serve(w, r, name, arguments, s.api)
	case strings.HasPrefix(r.URL.Path, "/services/"):
		s.serve(w, r, "webhook", arguments, s.webhook)
	case strings.HasPrefix(r.URL.Path, uploadPath):
		s.serve(w, r, "upload", uploaded, s.upload)
	case strings.HasPrefix(r.URL.Path, actionsPath), strings.HasPrefix(r.URL.Path, commandsPath):
		s.serve(w, r, "response_url", arguments, s.respond)
	case r.URL.Path == socketPath:
		s.serveSocket(w, r)
	default:
		s.page.ServeHTTP(w, r)
	}
}

type (
	reader  func(*http.Request) (map[string]string, error)
	handler func(r *http.Request, name string, args map[string]string) reply
)

// serve reads one request, does to it what was asked for, and answers.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, name string, read reader, do handler) {
	args, err := read(r)
	if err != nil {
		http.Error(w, "cannot read the request", http.StatusBadRequest)
		return
	}
	fault, out := s.handle(r, name, args, do)
	if fault == nil {
		out.write(w)
		return
	}
	if fault.Delay > 0 {
		timer := time.NewTimer(fault.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-fault.Until:
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
func (s *Server) handle(r *http.Request, name string, args map[string]string, do handler) (*Fault, reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.tell()
	entry := Request{At: s.now(), Method: name, Args: forLedger(args)}
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
	s.record(entry)
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
	args[argBase] = base(r)
	s.touched = ""
	a := s.authorised(r, name, args)
	body, err := json.Marshal(a)
	if err != nil {
		return reply{status: http.StatusInternalServerError}
	}
	out := reply{body: string(body), scopes: strings.Join(s.scopes, ","), word: "ok", ts: s.touched}
	if code, refused := a["error"].(string); refused {
		out.word = code
	}
	return out
}

// argBase is the argument under which a method finds the address that the request came to.
const argBase = " base"

// base is the address that a request came to, without a path.
func base(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func (s *Server) authorised(r *http.Request, name string, args map[string]string) answer {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		token = args["token"]
	}
	m, known := methods[name]
	valid, other := s.token, s.appToken
	if m.app {
		valid, other = other, valid
	}
	switch {
	case !known:
		return refuse("unknown_method")
	case token == "":
		return refuse("not_authed")
	case token == valid:
		return m.do(s, args)
	case token == other:
		return refuse("not_allowed_token_type")
	}
	return refuse("invalid_auth")
}

// can tells whether the token has a scope. The caller holds mu.
func (s *Server) can(scope string) bool { return slices.Contains(s.scopes, scope) }

// arguments reads a form or a JSON object, and the query.
func arguments(r *http.Request) (map[string]string, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, maxBody)
	args := make(map[string]string)
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		if len(body) == 0 {
			return args, nil
		}
		return object(body)
	}
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	for key := range r.Form {
		args[key] = r.Form.Get(key)
	}
	return args, nil
}

// object reads a JSON object as arguments.
func object(data []byte) (map[string]string, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	args := make(map[string]string, len(fields)+1)
	for key, value := range fields {
		args[key] = text(value)
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

// forLedger leaves out the token, what is not an argument, and the content of files.
func forLedger(args map[string]string) map[string]string {
	rest := make(map[string]string, len(args))
	for key, value := range args {
		if key != "token" && key != argBase && key != argData {
			rest[key] = value
		}
	}
	return rest
}
