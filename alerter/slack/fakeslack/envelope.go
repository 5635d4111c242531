package fakeslack

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// AckLimit is how long Slack waits for the ack of an interaction before it shows people a warning.
const AckLimit = 3 * time.Second

// Timing of Socket Mode.
const (
	ackWait     = AckLimit // before an envelope is sent again
	maxAttempts = 3        // at sending one envelope
)

// Reasons why an interaction did not reach anybody.
var (
	ErrNoSocket  = errors.New("nobody is connected by Socket Mode")
	ErrNotAcked  = errors.New("nobody acknowledged the envelope")
	ErrNoPerson  = errors.New("no such person in the workspace")
	ErrNoChannel = errors.New("no such channel")
	ErrNoMessage = errors.New("no such message")
	ErrNoElement = errors.New("the message has no such button or menu")
	ErrNoOption  = errors.New("the menu has no such option")
)

// Envelope is an interaction that was sent by Socket Mode.
type Envelope struct {
	ID       string
	Type     string          // "interactive", "slash_commands"
	Payload  json.RawMessage // as sent
	SentAt   time.Time       // the first time
	Attempts int             // at sending it
	AckedAt  time.Time       // zero before
	Took     time.Duration   // from the last sending before the ack to the ack; over [AckLimit] is too late for Slack
	Response json.RawMessage // what came with the ack; nil for nothing
}

// envelope is an Envelope under way.
type envelope struct {
	Envelope
	lastSent time.Time
	on       *socket        // that it was last sent on
	url      responseURL    // whose answers it takes
	timer    *time.Timer    // until it is sent again
	done     chan struct{}  // closed with the ack, or when nobody acknowledges it
	lost     bool           // nobody acknowledged it
	build    payloadBuilder // for the first sending
}

// payloadBuilder makes the payload, which contains an address below base. The caller holds mu.
type payloadBuilder func(base string) (any, responseURL)

// send sends an interaction on one of the sockets and waits for its ack. With [ErrNotAcked] or the context's error it
// returns the Envelope as it was then.
func (s *Server) send(ctx context.Context, kind string, build payloadBuilder) (Envelope, error) {
	return s.await(ctx, &envelope{Envelope: Envelope{ID: rand.Text(), Type: kind}, build: build}, "")
}

// await sends an envelope and waits for its ack.
func (s *Server) await(ctx context.Context, e *envelope, retryReason string) (Envelope, error) {
	e.done = make(chan struct{})
	s.mu.Lock()
	err := s.dispatch(e, retryReason)
	if err == nil {
		s.sockets.waiting = append(s.sockets.waiting, e)
	}
	s.mu.Unlock()
	if err != nil {
		return e.Envelope, err
	}
	select {
	case <-e.done:
	case <-s.closed:
		err = ErrNotAcked
	case <-ctx.Done():
		err = fmt.Errorf("waiting for the ack: %w", ctx.Err())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil && e.lost {
		err = ErrNotAcked
	}
	return e.Envelope, err
}

// dispatch sends the envelope on one socket, in turn, and sees to it that it is sent again when no ack comes. The caller
// holds mu.
func (s *Server) dispatch(e *envelope, retryReason string) error {
	on := s.sockets.next()
	if on == nil {
		return ErrNoSocket
	}
	if e.Payload == nil {
		if err := s.pack(e, on.base); err != nil {
			return err
		}
	}
	e.on, e.lastSent = on, s.now()
	if e.Attempts++; e.Attempts == 1 {
		e.SentAt = e.lastSent
	}
	out := answer{
		"envelope_id": e.ID, "type": e.Type, "payload": e.Payload, "accepts_response_payload": e.Type == typeSlash,
	}
	if retryReason != "" {
		out["retry_attempt"], out["retry_reason"] = e.Attempts-1, retryReason
	}
	on.write(out)
	e.timer = time.AfterFunc(s.options.AckWait, func() { s.again(e) })
	return nil
}

// pack makes the payload. The caller holds mu.
func (s *Server) pack(e *envelope, base string) error {
	content, url := e.build(base)
	payload, err := json.Marshal(content)
	e.Payload, e.url = payload, url
	return err
}

// again sends an envelope that was not acknowledged once more, or gives it up.
func (s *Server) again(e *envelope) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(s.sockets.waiting, e) {
		s.retry(e, "timeout")
	}
}

// retry is again. The caller holds mu.
func (s *Server) retry(e *envelope, reason string) {
	e.timer.Stop()
	if e.Attempts < maxAttempts && s.dispatch(e, reason) == nil {
		return
	}
	if e.Attempts < maxAttempts && reason != "timeout" {
		// The socket is gone, and there may be another before the time is up.
		e.timer = time.AfterFunc(s.options.AckWait, func() { s.again(e) })
		e.on = nil
		return
	}
	e.lost = true
	s.settle(e, Request{At: s.now(), Answer: "never"})
}

// resend sends what waits for a socket. The caller holds mu.
func (s *Server) resend() {
	for _, e := range slices.Clone(s.sockets.waiting) {
		if e.on == nil {
			s.retry(e, "reconnected")
		}
	}
}

// orphan gives what a closed socket did not acknowledge to another one. The caller holds mu.
func (s *Server) orphan(gone *socket) {
	for _, e := range slices.Clone(s.sockets.waiting) {
		if e.on == gone {
			s.retry(e, "disconnected")
		}
	}
}

// acked takes an ack. One for an envelope that does not wait is recorded and ignored. The caller holds mu.
func (s *Server) acked(id string, response json.RawMessage) {
	entry := Request{At: s.now(), Answer: "ok"}
	i := slices.IndexFunc(s.sockets.waiting, func(e *envelope) bool { return e.ID == id })
	if i < 0 {
		entry.Method, entry.Args, entry.Answer = "ack", map[string]string{"envelope_id": id}, "unknown"
		s.record(entry)
		s.tell()
		return
	}
	e := s.sockets.waiting[i]
	e.AckedAt, e.Took, e.Response = entry.At, entry.At.Sub(e.lastSent), response
	if entry.Took = e.Took; e.Took > AckLimit {
		entry.Answer = "late"
	}
	if len(response) > 0 && e.Type == typeSlash {
		if code := s.answerCommand(e, response); code != "" {
			entry.Answer = code
		}
	}
	s.settle(e, entry)
}

// settle ends the waiting for an ack. The caller holds mu.
func (s *Server) settle(e *envelope, entry Request) {
	e.timer.Stop()
	s.sockets.waiting = slices.DeleteFunc(s.sockets.waiting, func(other *envelope) bool { return other == e })
	entry.Method, entry.TS = "ack", e.url.ts
	entry.Args = map[string]string{"envelope_id": e.ID, "type": e.Type, "payload": string(e.Response)}
	s.record(entry)
	close(e.done)
	s.tell()
}

// answerCommand shows what came with the ack of a slash command. The caller holds mu.
func (s *Server) answerCommand(e *envelope, response json.RawMessage) (code string) {
	args, err := object(response)
	if err != nil {
		return "invalid_payload"
	}
	return s.applyResponse(&e.url, args)
}
