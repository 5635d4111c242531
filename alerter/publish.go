package alerter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natsio"
)

// errUnstorable says that a stream will never take an alert event as it is.
var errUnstorable = errors.New("it can never be stored")

// publish stores what differs, one alert after the other. When an append is refused, or nobody knows whether it was
// stored, the subject's last message is read and what differs is decided anew. While NATS is away it keeps trying.
func (e *evaluator) publish(ctx context.Context, operation string, differs func(published map[string]events.Alert) []events.Alert) {
	said := ""
	for wait := publishFirst; ctx.Err() == nil; {
		todo := differs(e.published[operation])
		if len(todo) == 0 {
			break
		}
		err := e.append(ctx, &todo[0])
		switch {
		case errors.Is(err, errUnstorable):
			e.log.Error("an alert event is left out", "alert", todo[0].ID(), "error", err)
			todo[0].Sequence = e.published[operation][todo[0].Rule].Sequence
			e.notePublished(todo[0]) // as if it were stored, or it would be tried for ever
			continue
		case err == nil:
			wait = publishFirst
			continue
		case err.Error() != said && ctx.Err() == nil:
			said = err.Error()
			e.log.Warn("an alert event can't be stored now; trying again", "alert", todo[0].ID(), "error", err)
		}
		e.setTrouble(err.Error())
		waitFor(ctx, nil, time.Now().Add(wait))
		wait = min(2*wait, publishMost)
	}
	e.setTrouble("")
}

// hindered is why an alert event can't be stored, and nothing behind it is judged; "" while that goes well. It is safe for
// concurrent use.
func (e *evaluator) hindered() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.trouble
}

func (e *evaluator) setTrouble(reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.trouble = reason
}

const (
	appendTimeout = 5 * time.Second
	publishFirst  = 50 * time.Millisecond // how long to wait before an append is tried again
	publishMost   = 5 * time.Second
)

// append stores a behind the message that it was decided upon. Afterwards published holds what the subject's last message
// is, whether that is a or not. An error means that a was not stored, or that this is not known.
func (e *evaluator) append(ctx context.Context, a *events.Alert) error {
	msg, err := events.EncodeAlert(a)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnstorable, err)
	}
	behind := e.published[a.Operation][a.Rule].Sequence
	ack, err := e.send(ctx, msg, behind)
	if err == nil && ack.Duplicate {
		// The server remembers the id from a CALLS that is gone. The sequence alone keeps the alert from being stored twice.
		msg.Header.Del(jetstream.MsgIDHeader)
		ack, err = e.send(ctx, msg, behind)
	}
	if err == nil {
		stored := *a
		stored.Sequence, stored.Stored = ack.Sequence, time.Now().UTC()
		e.notePublished(stored)
		e.log.Info("alert "+a.Status, "operation", a.Operation, "rule", a.Rule, "incident", a.Incident, "reason", a.Reason, "summary", a.Summary)
		return nil
	}
	if isUnstorable(err) {
		return fmt.Errorf("%w: %w", errUnstorable, err)
	}
	if err := e.reread(ctx, a.Operation, a.Rule); err != nil {
		return natsio.Explain(e.js, err)
	}
	if e.published[a.Operation][a.Rule].Sequence != behind {
		return nil // somebody else was faster, or it was stored after all: decide anew
	}
	return natsio.Explain(e.js, err)
}

func (e *evaluator) send(ctx context.Context, msg *nats.Msg, behind uint64) (*jetstream.PubAck, error) {
	ctx, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	return e.js.PublishMsg(ctx, msg, jetstream.WithExpectStream(events.StreamAlerts), jetstream.WithExpectLastSequencePerSubject(behind))
}

// jsErrTooLarge is the server's answer to a message above the stream's limit.
const jsErrTooLarge jetstream.ErrorCode = 10054

func isUnstorable(err error) bool {
	var api *jetstream.APIError
	return errors.Is(err, nats.ErrMaxPayload) || errors.As(err, &api) && api.ErrorCode == jsErrTooLarge
}

// reread takes the last message of an alert's subject for what is published.
func (e *evaluator) reread(ctx context.Context, operation, rule string) error {
	ctx, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	raw, err := e.alerts.GetLastMsgForSubject(ctx, events.AlertSubject(operation, rule))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		delete(e.published[operation], rule)
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the alert's state: %w", err)
	}
	alert, err := events.DecodeRawAlert(raw)
	if err != nil {
		return e.noteForeign(ctx, raw.Subject, raw.Sequence)
	}
	e.noteRead(alert)
	return nil
}
