package fakeslack

import (
	"encoding/json"
	"slices"
	"time"
)

// Request is one request as it came.
type Request struct {
	At     time.Time
	Method string            // "chat.postMessage", …, "webhook", "upload", "response_url"; "ack" for one by Socket Mode
	Args   map[string]string // without the token; what was no text is JSON
	Fault  string            // what was done to it on demand; "" for nothing
	Answer string            // "ok", or the error; "" when it was never handled
	TS     string            // the message posted or changed; for an ack the one that was clicked on
	Took   time.Duration     // from sending an envelope to its ack; over [AckLimit] Slack shows people a warning
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
	Webhook   bool   // posted by the webhook
	User      string // id of the person who wrote it; "" for the app
	To        string // id of the only person who sees it, for an ephemeral one; else ""
	Files     []File
}

// File is an uploaded file.
type File struct {
	ID, Name, Title string
	AltText         string // for those who do not see the image
	Type            string // of its content, as detected: "image/png"
	Data            []byte // not to be changed
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

// Ephemeral returns the messages that only this person, named by id or name, sees in a channel, oldest first.
func (s *Server) Ephemeral(channel, user string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, u := s.channel(channel), s.user(user)
	var some []Message
	for _, m := range s.whispers {
		if c != nil && u != nil && m.Channel == c.ID && m.To == u.ID {
			some = append(some, *m)
		}
	}
	return some
}

// Roots returns the messages of a channel that are in no thread, oldest first.
func (s *Server) Roots(channel string) []Message {
	return slices.DeleteFunc(s.Messages(channel), func(m Message) bool { return !m.IsRoot() })
}

// Thread returns the messages below a root, oldest first.
func (s *Server) Thread(channel, ts string) []Message {
	return slices.DeleteFunc(s.Messages(channel), func(m Message) bool { return m.ThreadTS != ts })
}
