package fakeslack_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack/socketmode"

	"unconnected/alerter/slack/fakeslack"
)

func TestEnvelopesAreSentAgain(t *testing.T) {
	w := start(t, fakeslack.Options{AckWait: 200 * time.Millisecond})
	ts := w.post("text", "x", "blocks", card)
	conn := w.dial()
	seen := make(chan []map[string]any, 1)
	go func() {
		var all []map[string]any
		for range 3 {
			all = append(all, w.next(conn))
		}
		seen <- all
	}()
	sent, err := w.Click(t.Context(), "ana", ts, "ack")
	if !errors.Is(err, fakeslack.ErrNotAcked) || sent.Attempts != 3 {
		t.Errorf("an envelope that nobody acknowledges is %+v, %v", sent, err)
	}
	for i, envelope := range <-seen {
		attempt, _ := envelope["retry_attempt"].(float64)
		if envelope["envelope_id"] != sent.ID || int(attempt) != i {
			t.Errorf("sending %d is %v", i, envelope)
		}
	}
	if acks := w.Requests("ack"); len(acks) != 1 || acks[0].Answer != "never" {
		t.Errorf("the ledger has %+v", acks)
	}
	go func() { w.ack(conn, w.next(conn)) }()
	again, err := w.Repeat(t.Context(), sent)
	if err != nil || again.ID != sent.ID || again.AckedAt.IsZero() || !bytes.Equal(again.Payload, sent.Payload) {
		t.Errorf("the repeated envelope is %+v, %v", again, err)
	}
}

func TestLateAck(t *testing.T) {
	var clock clock
	w := start(t, fakeslack.Options{Now: clock.now, AckWait: time.Minute})
	ts := w.post("text", "x", "blocks", card)
	conn := w.dial()
	go func() {
		envelope := w.next(conn)
		clock.add(3001 * time.Millisecond)
		w.ack(conn, envelope)
	}()
	sent, err := w.Click(t.Context(), "ana", ts, "ack")
	if err != nil || sent.Took != 3001*time.Millisecond {
		t.Errorf("the envelope is %+v, %v", sent, err)
	}
	if acks := w.Requests("ack"); len(acks) != 1 || acks[0].Answer != "late" {
		t.Errorf("the ledger has %+v", acks)
	}
}

func TestASocketThatDies(t *testing.T) {
	w := start(t, fakeslack.Options{})
	ts := w.post("text", "x", "blocks", card)
	first, second := w.dial(), w.dial()
	heard := make(chan map[string]any, 2)
	for _, conn := range []*websocket.Conn{first, second} {
		go func() {
			envelope := make(map[string]any)
			if conn.ReadJSON(&envelope) != nil {
				return
			}
			if heard <- envelope; envelope["retry_attempt"] == nil {
				conn.Close() // without an ack
				return
			}
			if err := conn.WriteJSON(map[string]any{"envelope_id": envelope["envelope_id"]}); err != nil {
				t.Error(err)
			}
		}()
	}
	sent, err := w.Click(t.Context(), "ana", ts, "ack")
	if err != nil || sent.Attempts != 2 {
		t.Fatalf("the envelope is %+v, %v", sent, err)
	}
	if a, b := <-heard, <-heard; a["envelope_id"] != b["envelope_id"] || b["retry_reason"] != "disconnected" {
		t.Errorf("the two sockets heard %v and %v", a, b)
	}
}

func TestEachEnvelopeGoesToOneSocket(t *testing.T) {
	w := start(t, fakeslack.Options{})
	ts := w.post("text", "x", "blocks", card)
	heard := make(chan int, 100)
	for i := range 2 {
		w.listen(func(c *socketmode.Client, e socketmode.Event) {
			heard <- i
			if err := c.Ack(*e.Request); err != nil {
				t.Error(err)
			}
		})
	}
	for range 10 {
		if _, err := w.Click(t.Context(), "ana", ts, "ack"); err != nil {
			t.Fatal(err)
		}
	}
	count := map[int]int{}
	for range len(heard) {
		count[<-heard]++
	}
	if count[0] != 5 || count[1] != 5 {
		t.Errorf("the sockets heard %v of 10", count)
	}
}

func TestDroppedSocketsComeBack(t *testing.T) {
	w := start(t, fakeslack.Options{})
	ts := w.post("text", "x", "blocks", card)
	w.listen(func(c *socketmode.Client, e socketmode.Event) { _ = c.Ack(*e.Request) })
	for _, trouble := range []func(){w.DropSockets, func() { w.DisconnectSockets("refresh_requested") }} {
		asked := len(w.Requests("apps.connections.open"))
		trouble()
		w.until(func(s *fakeslack.Server) bool {
			return len(s.Requests("apps.connections.open")) > asked && s.Connections() == 1
		})
		if _, err := w.Click(t.Context(), "ana", ts, "ack"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAWarnedSocketStillHears(t *testing.T) {
	w := start(t, fakeslack.Options{})
	ts := w.post("text", "x", "blocks", card)
	conn := w.dial()
	w.DisconnectSockets("warning")
	if got := w.next(conn); got["type"] != "disconnect" || got["reason"] != "warning" {
		t.Errorf("the socket hears %v", got)
	}
	go func() { w.ack(conn, w.next(conn)) }()
	if _, err := w.Click(t.Context(), "ana", ts, "ack"); err != nil {
		t.Error(err)
	}
}

func TestSocketsAreRefused(t *testing.T) {
	w := start(t, fakeslack.Options{})
	open := func() string {
		_, _, err := w.api().StartSocketModeContext(t.Context())
		if err == nil {
			return ""
		}
		return err.Error()
	}
	w.RefuseSockets("internal_error")
	if got := open(); got != "internal_error" {
		t.Errorf("refused sockets give %q", got)
	}
	w.RefuseSockets("")
	if got := open(); got != "" {
		t.Errorf("sockets that are not refused any more give %q", got)
	}
	w.SetAppToken(fakeslack.DefaultAppToken, "authorizations:read")
	if got := open(); !strings.HasPrefix(got, "missing_scope") {
		t.Errorf("a token without the scope gives %q", got)
	}
	w.SetAppToken("xapp-new")
	if got := open(); got != "invalid_auth" {
		t.Errorf("an old token gives %q", got)
	}
}

func TestTicketsAreGoodOnce(t *testing.T) {
	w := start(t, fakeslack.Options{})
	_, address, err := w.api().StartSocketModeContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false} {
		conn, _, err := websocket.DefaultDialer.Dial(address, nil)
		if (err == nil) != want {
			t.Errorf("connection %d: %v", i, err)
		}
		if err == nil {
			conn.Close()
		}
	}
}

func TestAtMostTenSockets(t *testing.T) {
	w := start(t, fakeslack.Options{})
	for range 10 {
		w.dial()
	}
	_, address, err := w.api().StartSocketModeContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn, _, err := websocket.DefaultDialer.Dial(address, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := w.next(conn); got["type"] != "disconnect" || got["reason"] != "too_many_websockets" {
		t.Errorf("the eleventh connection hears %v", got)
	}
}

func TestPings(t *testing.T) {
	w := start(t, fakeslack.Options{Ping: time.Millisecond})
	conn := w.dial()
	pinged := make(chan struct{}, 1)
	conn.SetPingHandler(func(string) error {
		select {
		case pinged <- struct{}{}:
		default:
		}
		return nil
	})
	go func() { _, _, _ = conn.ReadMessage() }() // the handler is called from here
	select {
	case <-pinged:
	case <-time.After(10 * time.Second):
		t.Error("no ping came")
	}
}

func TestFrozenSockets(t *testing.T) {
	w := start(t, fakeslack.Options{AckWait: 200 * time.Millisecond})
	ts := w.post("text", "x", "blocks", card)
	conn := w.dial()
	w.FreezeSockets(true)
	if _, err := w.Click(t.Context(), "ana", ts, "ack"); !errors.Is(err, fakeslack.ErrNotAcked) {
		t.Errorf("a click on a frozen socket gives %v", err)
	}
	w.FreezeSockets(false)
	go func() { w.ack(conn, w.next(conn)) }()
	if sent, err := w.Click(t.Context(), "ana", ts, "ack"); err != nil {
		t.Errorf("a click on a socket that was frozen gives %+v, %v", sent, err)
	}
}

func TestCloseEndsSockets(t *testing.T) {
	w := start(t, fakeslack.Options{})
	conn := w.dial()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var closed any
	if err := conn.ReadJSON(&closed); err == nil {
		t.Errorf("a socket of a closed server hears %v", closed)
	}
}

func TestUnknownAcksAreRecorded(t *testing.T) {
	w := start(t, fakeslack.Options{})
	conn := w.dial()
	for _, message := range []string{`{"envelope_id":"nobody-sent-it"}`, `not JSON`, `{}`, `{"envelope_id":"last"}`} {
		if err := conn.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
			t.Fatal(err)
		}
	}
	w.until(func(s *fakeslack.Server) bool { return len(s.Requests("ack")) >= 2 })
	acks, err := json.Marshal(w.Requests("ack"))
	if err != nil || strings.Count(string(acks), `"unknown"`) != 2 {
		t.Errorf("the ledger has %s, %v", acks, err)
	}
}
