// Package fakeslack is a Slack to test against: a real HTTP server that behaves like the part of Slack's Web API that
// notifications need, keeps what was posted, and fails on demand.
//
//	server, err := fakeslack.Start(fakeslack.Options{})
//	defer server.Close()
//	server.Fail("chat.postMessage", fakeslack.DropAfter()) // posted, but the answer is lost
//	…                                                      // SLACK_API_URL=server.APIURL(), SLACK_TOKEN=fakeslack.DefaultToken
//	server.Messages("#noc")                                // what a person would see
//	server.Requests()                                      // what was asked for, in order
//
// It answers auth.test, chat.postMessage, chat.update, conversations.history, conversations.replies, conversations.list,
// conversations.info and incoming webhooks, to forms and to JSON. It checks the token, the scopes and the limits of Block
// Kit. It needs no *testing.T: a demonstration can run it, too.
package fakeslack

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// DefaultToken is accepted when [Options] name no other.
const DefaultToken = "xoxb-fake-token"

// webhookPath is below the server's root; its last part is the key.
const webhookPath = "/services/T000FAKE/B000FAKE/fakewebhookkey"

// AllScopes are the scopes that the methods here ask for.
func AllScopes() []string {
	return []string{"chat:write", "channels:history", "groups:history", "channels:read", "groups:read"}
}

// Channel is a channel of the workspace.
type Channel struct {
	ID, Name  string // "C0000001", "noc"
	Private   bool
	Archived  bool
	NotMember bool // the bot was not invited
}

// Options say how a [Server] begins. The zero Options are a workspace with the public channel #noc, all scopes and
// [DefaultToken].
type Options struct {
	Token    string
	Scopes   []string // nil for AllScopes; empty and not nil for none
	Channels []Channel
	Now      func() time.Time // the workspace's clock; nil for the real one
}

// Server is a workspace. It is safe for concurrent use.
type Server struct {
	now      func() time.Time
	http     *http.Server
	listener net.Listener

	mu       sync.Mutex // guards all below
	token    string
	scopes   []string
	channels []*Channel
	messages []*Message // in the order of posting
	last     int64      // the newest ts, in microseconds
	ledger   []Request
	faults   map[string][]Fault // :: method → what happens to its next requests
	limits   map[string]limit   // :: method → how often
	changed  chan struct{}      // closed and replaced at every change
}

// New returns a Server that does not listen: use it as an [http.Handler].
func New(o Options) *Server {
	s := &Server{
		now: o.Now, token: o.Token, scopes: o.Scopes,
		faults: make(map[string][]Fault), limits: make(map[string]limit), changed: make(chan struct{}),
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.token == "" {
		s.token = DefaultToken
	}
	if s.scopes == nil {
		s.scopes = AllScopes()
	}
	if o.Channels == nil {
		o.Channels = []Channel{{ID: "C0000001", Name: "noc"}}
	}
	for _, c := range o.Channels {
		s.channels = append(s.channels, &c)
	}
	return s
}

// Start returns a Server that listens on a free port of the loopback interface. Close it.
func Start(o Options) (*Server, error) {
	s := New(o)
	var err error
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.http.Serve(s.listener) }() // ends with Close
	return s, nil
}

// Close stops listening and breaks all connections.
func (s *Server) Close() error {
	if s.http == nil {
		return nil
	}
	return s.http.Close()
}

// APIURL is what SLACK_API_URL should be. The Server must listen.
func (s *Server) APIURL() string { return "http://" + s.listener.Addr().String() + "/api/" }

// WebhookURL is the address of the incoming webhook, which posts to the first channel. The Server must listen.
func (s *Server) WebhookURL() string { return "http://" + s.listener.Addr().String() + webhookPath }

// SetToken makes another token the valid one.
func (s *Server) SetToken(token string) {
	s.change(func() { s.token = token })
}

// SetScopes changes what the token may do.
func (s *Server) SetScopes(scopes ...string) {
	s.change(func() { s.scopes = scopes })
}

// SetChannel adds a channel or changes the one with its ID: renames it, archives it, takes the bot out.
func (s *Server) SetChannel(c Channel) {
	s.change(func() {
		for _, known := range s.channels {
			if known.ID == c.ID {
				*known = c
				return
			}
		}
		s.channels = append(s.channels, &c)
	})
}

// Say posts a text as a person would, to fill a channel, and returns its ts.
func (s *Server) Say(channel, text string) string {
	m := &Message{Text: text}
	s.change(func() {
		if c := s.channel(channel); c != nil {
			m.Channel = c.ID
			s.add(m)
		}
	})
	return m.TS
}

// Delete takes a message away, as a person can.
func (s *Server) Delete(ts string) {
	s.change(func() {
		s.messages = slices.DeleteFunc(s.messages, func(m *Message) bool { return m.TS == ts })
	})
}

// Wait returns when done is true of the Server, which is asked after every change, or with the context's error.
func (s *Server) Wait(ctx context.Context, done func(*Server) bool) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if done(s) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errors.Join(errors.New("the channel does not show what was waited for"), ctx.Err())
		}
	}
}

// change does f under the lock and tells those who wait.
func (s *Server) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	s.tell()
}

// tell wakes those who wait. The caller holds mu.
func (s *Server) tell() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// channel finds a channel by id or name. The caller holds mu.
func (s *Server) channel(name string) *Channel {
	name = strings.TrimPrefix(name, "#")
	for _, c := range s.channels {
		if c.ID == name || c.Name == name {
			return c
		}
	}
	return nil
}
