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
// It answers the methods that [Methods] names, the upload of files, incoming webhooks and response_urls, to forms and to
// JSON, and hands out WebSockets for Socket Mode. It checks tokens, scopes and the limits of Block Kit. [Server.Click] and
// [Server.Slash] do what people do; [Server.Page] shows the channels in a browser as people would see them.
//
// It needs no *testing.T: a demonstration can run it, too. [Options.Keep] bounds its memory then.
package fakeslack

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Secrets that are accepted when [Options] name no other.
const (
	DefaultToken      = "xoxb-fake-token"
	DefaultAppToken   = "xapp-1-A000FAKE-1-fake"
	DefaultWebhookKey = "fakewebhookkey"
)

// AllScopes are the scopes that the methods here ask for, and "commands" for the slash command.
func AllScopes() []string {
	return []string{
		"chat:write", "channels:history", "groups:history", "channels:read", "groups:read", "files:write", "commands",
		"usergroups:read", "users:read",
	}
}

// scopeSocket is what the app-level token needs for Socket Mode.
const scopeSocket = "connections:write"

// Options say how a [Server] begins. The zero Options are a workspace with the public channel #noc, two people, all scopes,
// [DefaultToken] and [DefaultAppToken].
type Options struct {
	Token     string
	Scopes    []string // nil for AllScopes; empty and not nil for none
	AppToken  string   // of Socket Mode
	AppScopes []string // of AppToken; nil for connections:write
	// WebhookKey ends the address of the incoming webhook. A Server that people look at needs one that nobody can guess: any
	// website can make their browser post to it.
	WebhookKey string
	Channels   []Channel
	Users      []User // the first is "you" on the page; nil for ana and luis
	Groups     []UserGroup

	// Adopt creates what an edit or a reply refers to instead of refusing it: for a Server whose memory is shorter than that
	// of its clients.
	Adopt bool
	// Keep is how many messages, ephemeral messages and requests are kept, the newest; 0 for all.
	Keep int
	// AckWait is how long an envelope of Socket Mode waits for its acknowledgement before it is sent again; 0 for 3 s.
	AckWait time.Duration
	// Ping is the time between two pings on a WebSocket; 0 for 10 s.
	Ping time.Duration
	// PageURL is where people find the [Server.Page]; permalinks lead there. "" for links that lead nowhere.
	PageURL string
	// Language is what the page itself speaks: "es", or English.
	Language string
	Now      func() time.Time // the workspace's clock; nil for the real one
}

// Server is a workspace. It is safe for concurrent use.
type Server struct {
	options  Options // as given, defaults filled in
	now      func() time.Time
	http     *http.Server
	listener net.Listener
	closed   chan struct{} // by Close
	closing  sync.Once
	page     http.Handler
	frozen   atomic.Bool // nothing is said on sockets

	mu        sync.Mutex // guards all below
	token     string
	scopes    []string
	appToken  string
	appScopes []string
	channels  []*Channel
	messages  []*Message // by ts
	whispers  []*Message // ephemeral ones, in the order of posting
	last      int64      // the newest ts, in microseconds
	touched   string     // ts of what the present request posted or changed
	uploads   []*upload  // under way
	responses []*responseURL
	ledger    []Request
	faults    map[string][]Fault // :: method → what happens to its next requests
	limits    map[string]limit   // :: method → how often
	sockets   socketState
	changed   chan struct{} // closed and replaced at every change
	version   uint64        // of what the page shows
}

// New returns a Server that does not listen: use it as an [http.Handler].
func New(o Options) *Server {
	o.setDefaults()
	s := &Server{
		options: o, now: o.Now, token: o.Token, scopes: o.Scopes, appToken: o.AppToken, appScopes: o.AppScopes,
		faults: make(map[string][]Fault), limits: make(map[string]limit), changed: make(chan struct{}),
		closed: make(chan struct{}),
	}
	for _, c := range o.Channels {
		s.channels = append(s.channels, &c)
	}
	s.page = s.newPage()
	return s
}

func (o *Options) setDefaults() {
	o.Token = cmp.Or(o.Token, DefaultToken)
	o.AppToken = cmp.Or(o.AppToken, DefaultAppToken)
	o.WebhookKey = cmp.Or(o.WebhookKey, DefaultWebhookKey)
	o.AckWait = cmp.Or(o.AckWait, ackWait)
	o.Ping = cmp.Or(o.Ping, pingEvery)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Scopes == nil {
		o.Scopes = AllScopes()
	}
	if o.AppScopes == nil {
		o.AppScopes = []string{scopeSocket}
	}
	if o.Channels == nil {
		o.Channels = []Channel{{ID: "C0000001", Name: "noc"}}
	}
	if o.Users == nil {
		o.Users = defaultUsers()
	}
}

// Start returns a Server that listens on a free port of the loopback interface. Close it.
func Start(o Options) (*Server, error) {
	s := New(o)
	var err error
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	s.http = &http.Server{
		Handler: s, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
	}
	go func() { _ = s.http.Serve(s.listener) }() // ends with Close
	return s, nil
}

// Close stops listening and breaks all connections, WebSockets and pages too. A Server that does not listen is closed to
// end those.
func (s *Server) Close() error {
	s.closing.Do(func() { close(s.closed) })
	if s.http == nil {
		return nil
	}
	return s.http.Close()
}

// APIURL is what SLACK_API_URL should be. The Server must listen.
func (s *Server) APIURL() string { return "http://" + s.listener.Addr().String() + "/api/" }

// WebhookURL is the address of the incoming webhook, which posts to the first channel. The Server must listen.
func (s *Server) WebhookURL() string { return "http://" + s.listener.Addr().String() + s.webhookPath() }

func (s *Server) webhookPath() string {
	return "/services/" + teamID + "/" + botID + "/" + s.options.WebhookKey
}

// SetToken makes another token the valid one.
func (s *Server) SetToken(token string) {
	s.change(func() { s.token = token })
}

// SetScopes changes what the token may do.
func (s *Server) SetScopes(scopes ...string) {
	s.change(func() { s.scopes = scopes })
}

// SetAppToken makes another app-level token the valid one, with these scopes; without any it has connections:write.
func (s *Server) SetAppToken(token string, scopes ...string) {
	if len(scopes) == 0 {
		scopes = []string{scopeSocket}
	}
	s.change(func() { s.appToken, s.appScopes = token, scopes })
}

// SetChannel adds a channel or changes the one with its ID: renames it, archives it, takes the bot out.
func (s *Server) SetChannel(c Channel) {
	s.change(func() {
		for _, known := range s.channels {
			if known.ID == c.ID {
				*known = c
				s.version++
				return
			}
		}
		s.channels = append(s.channels, &c)
	})
}

// Say posts a text as somebody would, to fill a channel, and returns its ts.
func (s *Server) Say(channel, text string) string { return s.SayAs("", channel, text) }

// SayAs posts a text as this person, named by id, and returns its ts.
func (s *Server) SayAs(user, channel, text string) string {
	m := &Message{Text: text, User: user}
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
		s.version++
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
