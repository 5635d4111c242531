package fakeslack

import (
	"encoding/json"
	"slices"
	"time"
)

// Request is one request as it came.
type Request struct {
	At     time.Time
	Method string            // "chat.postMessage", …, or "webhook"
	Args   map[string]string // without the token; what was no text is JSON
	Fault  string            // what was done to it on demand; "" for nothing
	Answer string            // "ok", or the error; "" when it was never handled
	TS     string            // the message posted or changed
}

// Message is a message as the channel shows it now.
type Message struct {
	Channel   string // id
	TS        string // unique in the workspace, and increasing
	ThreadTS  string // of the root, for a message in a thread
	Broadcast bool   // a thread's message that the channel shows, too
	Text      string
	Blocks    json.RawMessage // nil without
	Metadata  json.RawMessage // nil without
	Edits     int
	Webhook   bool // posted by the webhook
}

// IsRoot tells whether the message is one of its own in the channel.
func (m *Message) IsRoot() bool { return m.ThreadTS == "" }

// Requests returns the ledger, oldest first. Name methods to see only theirs.
func (s *Server) Requests(methods ...string) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var some []Request
	for _, r := range s.ledger {
		if len(methods) == 0 || slices.Contains(methods, r.Method) {
			some = append(some, r)
		}
	}
	return some
}

// Messages returns all messages of a channel, named by id or name, those in threads too, oldest first.
func (s *Server) Messages(channel string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channel(channel)
	if c == nil {
		return nil
	}
	var all []Message
	for _, m := range s.messages {
		if m.Channel == c.ID {
			all = append(all, *m)
		}
	}
	return all
}

// Roots returns the messages of a channel that are in no thread, oldest first.
func (s *Server) Roots(channel string) []Message {
	return slices.DeleteFunc(s.Messages(channel), func(m Message) bool { return !m.IsRoot() })
}

// Thread returns the messages below a root, oldest first.
func (s *Server) Thread(channel, ts string) []Message {
	return slices.DeleteFunc(s.Messages(channel), func(m Message) bool { return m.ThreadTS != ts })
}
