package fakeslack

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

// Bounds of what the page sends.
const (
	maxSaid = 4000     // characters typed
	maxForm = 64 << 10 // bytes
)

// clicked does what a person did with a button or a menu on the page.
func (s *Server) clicked(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	var chosen []string
	if option := r.PostFormValue("option"); option != "" {
		chosen = []string{option}
	}
	ctx, cancel := context.WithTimeout(r.Context(), AckLimit)
	defer cancel()
	_, err := s.Click(ctx, s.you().ID, r.PostFormValue("ts"), r.PostFormValue("action"), chosen...)
	s.tellPage(w, err)
}

// said takes what a person typed: a command, or a message.
func (s *Server) said(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	text := strings.TrimSpace(r.PostFormValue("text"))
	channel := r.PostFormValue("channel")
	switch {
	case text == "" || length(text) > maxSaid:
		http.Error(w, "nothing to say, or too much", http.StatusBadRequest)
	case strings.HasPrefix(text, "/"):
		command, rest, _ := strings.Cut(text, " ")
		ctx, cancel := context.WithTimeout(r.Context(), AckLimit)
		defer cancel()
		_, err := s.Slash(ctx, s.you().ID, channel, command, strings.TrimSpace(rest))
		s.tellPage(w, err)
	case s.SayAs(s.you().ID, channel, escapeText(text)) == "":
		s.tellPage(w, ErrNoChannel)
	default:
		s.tellPage(w, nil)
	}
}

// escapeText is what Slack makes of what people type.
func escapeText(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// you is who looks at the page.
func (s *Server) you() *User {
	if len(s.options.Users) == 0 {
		return &User{}
	}
	return &s.options.Users[0]
}

// tellPage says what became of what a person did.
func (s *Server) tellPage(w http.ResponseWriter, err error) {
	outcome := answer{"ok": err == nil}
	switch {
	case err == nil:
	case errors.Is(err, ErrNoSocket):
		outcome["problem"] = s.words().NoSocket
	case errors.Is(err, ErrNotAcked), errors.Is(err, context.DeadlineExceeded):
		outcome["problem"] = s.words().NotAcked
	default:
		outcome["problem"] = s.words().Failed + " " + err.Error()
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(outcome) // a browser that has left is its own business
}
