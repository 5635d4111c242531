package fakeslack

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Bounds of Socket Mode.
const (
	maxSockets = 10 // connections of an app at once
	maxTickets = 100
	ticketTime = 30 * time.Second // from handing an address out to connecting to it
	pingEvery  = 10 * time.Second
	writeTime  = 5 * time.Second // for one message
	maxAck     = 64 << 10        // bytes
	maxQueued  = 64              // messages that wait for the network before the connection counts as dead
)

// socketState is everything about Socket Mode.
type socketState struct {
	open    []*socket
	turn    int                  // which socket gets the next envelope
	tickets map[string]time.Time // :: handed out, not used yet → until when
	refused string               // the error that apps.connections.open answers; "" for none
	waiting []*envelope          // for their acks
}

// next is the socket whose turn it is, or nil.
func (st *socketState) next() *socket {
	ready := st.ready()
	if len(ready) == 0 {
		return nil
	}
	st.turn++
	return ready[st.turn%len(ready)]
}

// ready are the sockets that take envelopes.
func (st *socketState) ready() []*socket {
	return slices.DeleteFunc(slices.Clone(st.open), func(c *socket) bool { return c.leaving })
}

// socket is one connection.
type socket struct {
	conn    *websocket.Conn
	base    string // the address that it came to
	out     chan any
	gone    chan struct{} // closed when it ends
	once    sync.Once
	leaving bool // was told to leave; guarded by Server.mu
}

// write queues a message; a connection that takes none is dead.
func (c *socket) write(v any) {
	select {
	case c.out <- v:
	default:
		c.end()
	}
}

// end breaks the connection.
func (c *socket) end() {
	c.once.Do(func() {
		close(c.gone)
		_ = c.conn.Close() // it is over in any case
	})
}

// openConnection hands an address out.
func (s *Server) openConnection(args map[string]string) answer {
	switch {
	case !slices.Contains(s.appScopes, scopeSocket):
		return missing(scopeSocket)
	case s.sockets.refused != "":
		return refuse(s.sockets.refused)
	}
	now := s.now()
	for ticket, until := range s.sockets.tickets {
		if now.After(until) || len(s.sockets.tickets) >= maxTickets {
			delete(s.sockets.tickets, ticket)
		}
	}
	if s.sockets.tickets == nil {
		s.sockets.tickets = make(map[string]time.Time)
	}
	ticket := rand.Text()
	s.sockets.tickets[ticket] = now.Add(ticketTime)
	address := "ws" + strings.TrimPrefix(args[argBase], "http") + socketPath + "?ticket=" + ticket + "&app_id=" + appID
	return answer{"ok": true, "url": address}
}

// upgrader lets every origin in: the ticket, which only holders of the app-level token get, is what counts.
var upgrader = websocket.Upgrader{HandshakeTimeout: writeTime, CheckOrigin: func(*http.Request) bool { return true }}

// serveSocket serves a connection until it ends.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	if !s.redeem(r.URL.Query().Get("ticket")) {
		http.Error(w, "invalid ticket", http.StatusForbidden)
		return
	}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // the upgrader has answered
	}
	c := &socket{conn: conn, base: base(r), out: make(chan any, maxQueued), gone: make(chan struct{})}
	defer c.end()
	go s.writeAll(c)
	if !s.join(c) {
		c.write(answer{"type": "disconnect", "reason": "too_many_websockets", "debug_info": answer{"host": "fake"}})
		c.read(func(string, json.RawMessage) {}) // until it leaves
		return
	}
	defer s.leave(c)
	c.read(func(id string, payload json.RawMessage) { s.locked(func() { s.acked(id, payload) }) })
}

// redeem takes a ticket, which is good for one connection.
func (s *Server) redeem(ticket string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	until, known := s.sockets.tickets[ticket]
	delete(s.sockets.tickets, ticket)
	return known && !s.now().After(until)
}

// join says hello to a connection, unless there are too many.
func (s *Server) join(c *socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sockets.open) >= maxSockets {
		return false
	}
	s.sockets.open = append(s.sockets.open, c)
	c.write(answer{
		"type": "hello", "num_connections": len(s.sockets.open), "connection_info": answer{"app_id": appID},
		"debug_info": answer{"host": "fake", "build_number": 1, "approximate_connection_time": 3600},
	})
	s.version++
	s.resend()
	s.tell()
	return true
}

func (s *Server) leave(c *socket) { s.locked(func() { s.part(c) }) }

// part forgets a connection, and gives what it did not acknowledge to another one. The caller holds mu.
func (s *Server) part(c *socket) {
	if !slices.Contains(s.sockets.open, c) {
		return
	}
	s.sockets.open = slices.DeleteFunc(s.sockets.open, func(other *socket) bool { return other == c })
	s.version++
	s.orphan(c)
	s.tell()
}

func (s *Server) locked(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// writeAll writes what is queued for a socket, and pings, until it or the server ends.
func (s *Server) writeAll(c *socket) {
	defer c.end()
	ticker := time.NewTicker(s.options.Ping)
	defer ticker.Stop()
	for {
		var err error
		select {
		case v := <-c.out:
			if s.frozen.Load() {
				continue
			}
			_ = c.conn.SetWriteDeadline(time.Now().Add(writeTime)) // writing reports it
			err = c.conn.WriteJSON(v)
		case <-ticker.C:
			if s.frozen.Load() {
				continue
			}
			err = c.conn.WriteControl(websocket.PingMessage, []byte("Ping from fakeslack"), time.Now().Add(writeTime))
		case <-c.gone:
			return
		case <-s.closed:
			return
		}
		if err != nil {
			return
		}
	}
}

// read takes acks until the connection ends. What is no ack is ignored, as Slack does.
func (c *socket) read(acked func(id string, payload json.RawMessage)) {
	c.conn.SetReadLimit(maxAck)
	for {
		_, data, err := c.conn.ReadMessage()
		if err != nil {
			return
		}
		var ack struct {
			EnvelopeID string          `json:"envelope_id"`
			Payload    json.RawMessage `json:"payload"`
		}
		if json.Unmarshal(data, &ack) == nil && ack.EnvelopeID != "" {
			acked(ack.EnvelopeID, ack.Payload)
		}
	}
}
