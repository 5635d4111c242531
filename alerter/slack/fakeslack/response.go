package fakeslack

import (
	"crypto/rand"
	"net/http"
	"slices"
	"time"
)

// How long and how often an address that a Server handed out with an interaction takes answers.
const (
	maxAnswers = 5
	answerTime = 30 * time.Minute
)

// responseURL is such an address.
type responseURL struct {
	path    string
	channel string // id
	user    string // id
	ts      string // of the message that was clicked on; "" for a slash command
	thread  string // root of the thread that it is in
	until   time.Time
	used    int
}

// newResponseURL hands an address out. The caller holds mu.
func (s *Server) newResponseURL(prefix string, r responseURL) (path string) {
	r.path, r.until = prefix+rand.Text(), s.now().Add(answerTime)
	s.responses = newest(append(s.responses, &r), maxResponses)
	return r.path
}

// respond takes an answer to an interaction. The caller holds mu.
func (s *Server) respond(r *http.Request, _ string, args map[string]string) reply {
	i := slices.IndexFunc(s.responses, func(known *responseURL) bool { return known.path == r.URL.Path })
	if i < 0 {
		return notFound("invalid_url")
	}
	to := s.responses[i]
	switch {
	case !s.now().Before(to.until):
		return notFound("expired_url")
	case to.used >= maxAnswers:
		return notFound("used_url")
	}
	s.touched = ""
	if code := s.applyResponse(to, args); code != "" {
		return reply{status: http.StatusBadRequest, body: code, word: code}
	}
	to.used++
	return reply{body: "ok", word: "ok", ts: s.touched}
}

func notFound(code string) reply {
	return reply{status: http.StatusNotFound, body: `{"ok":false,"error":"` + code + `"}`, word: code}
}

// applyResponse does what an answer asks for: it replaces or deletes the message that was clicked on, or posts another one,
// which only the person sees unless response_type says otherwise. The caller holds mu.
func (s *Server) applyResponse(to *responseURL, args map[string]string) (code string) {
	original := s.anyMessage(to.ts)
	switch {
	case isTrue(args["delete_original"]):
		if original == nil {
			return "message_not_found"
		}
		s.take(original)
		return ""
	case isTrue(args["replace_original"]) && to.ts != "":
		if original == nil {
			return "message_not_found"
		}
		changed := *original
		changed.Text, changed.Blocks = "", nil // as a whole
		if code := changed.fill(args, maxUpdate); code != "" {
			return code
		}
		changed.Edits++
		*original = changed
		s.touch(original)
		return ""
	}
	m := &Message{Channel: to.channel, ThreadTS: to.thread}
	if code := m.fill(args, maxPost); code != "" {
		return code
	}
	s.show(m, to.user, args["response_type"])
	return ""
}

// show posts to everybody or to one person. The caller holds mu.
func (s *Server) show(m *Message, user, responseType string) {
	if responseType == "in_channel" {
		s.add(m)
		return
	}
	m.To = user
	s.whisper(m)
}

// anyMessage finds a message that everybody or somebody sees. The caller holds mu.
func (s *Server) anyMessage(ts string) *Message {
	if m := s.message(ts); m != nil {
		return m
	}
	for _, m := range s.whispers {
		if m.TS == ts {
			return m
		}
	}
	return nil
}

// take removes a message. The caller holds mu.
func (s *Server) take(gone *Message) {
	same := func(m *Message) bool { return m == gone }
	s.messages = slices.DeleteFunc(s.messages, same)
	s.whispers = slices.DeleteFunc(s.whispers, same)
	s.touch(gone)
}
