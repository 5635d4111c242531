package slack

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// receiver deals with what comes on one connection.
type receiver struct {
	socket   *Socket
	client   *socketmode.Client
	handler  Handler
	handling context.Context // of what people did; outlives the connection
	work     *sync.WaitGroup
}

// handleWithin bounds how long one thing that somebody did is dealt with. They wait for it.
const handleWithin = 30 * time.Second

// receive acknowledges an event before anything is done about it: Slack waits for three seconds, and shows people a warning
// otherwise. What nobody knows is acknowledged too, because it would only be sent again.
func (r *receiver) receive(ctx context.Context, event *socketmode.Event) {
	switch event.Type {
	case socketmode.EventTypeInteractive:
		r.ack(ctx, event.Request.EnvelopeID, nil)
		if callback, ok := event.Data.(slack.InteractionCallback); ok {
			for _, click := range clicksOf(&callback) {
				r.start(func(ctx context.Context) { r.handler.Click(ctx, click) })
			}
		}
	case socketmode.EventTypeSlashCommand:
		id := event.Request.EnvelopeID
		if command, ok := event.Data.(slack.SlashCommand); ok {
			r.start(func(handling context.Context) { r.command(ctx, handling, id, commandOf(&command)) })
			return
		}
		r.ack(ctx, id, nil)
	case socketmode.EventTypeErrorBadMessage:
		if bad, ok := event.Data.(*socketmode.ErrorBadMessage); ok {
			r.socket.config.Log.Debug("something by Socket Mode is left out", "error", bad.Cause)
			r.ack(ctx, envelopeOf(bad.Message), nil)
		}
	default:
		if event.Request != nil {
			r.ack(ctx, event.Request.EnvelopeID, nil)
		}
	}
}

// envelopeOf is the id of an envelope that could not be read otherwise, or "".
func envelopeOf(message []byte) string {
	var envelope struct {
		ID string `json:"envelope_id"`
	}
	if json.Unmarshal(message, &envelope) != nil {
		return ""
	}
	return envelope.ID
}

// ackWithin bounds how long an acknowledgement may wait to be sent: later it is worth nothing, and what is not received
// meanwhile is late, too.
const ackWithin = 3 * time.Second

// ack acknowledges. Where the connection ended meanwhile Slack sends the envelope again.
func (r *receiver) ack(ctx context.Context, id string, payload *reply) {
	if id == "" {
		return
	}
	sending, cancel := context.WithTimeout(ctx, ackWithin)
	defer cancel()
	var content any
	if payload != nil {
		content = payload
	}
	if err := r.client.AckCtx(sending, id, content); err != nil && ctx.Err() == nil {
		r.socket.config.Log.Debug("an envelope was not acknowledged; Slack sends it again", "error", err)
	}
}

// start deals with something that somebody did.
func (r *receiver) start(do func(ctx context.Context)) {
	r.work.Go(func() {
		ctx, cancel := context.WithTimeout(r.handling, handleWithin)
		defer cancel()
		do(ctx)
	})
}

// answerWithin is how long an answer may take that is to go with the acknowledgement.
const answerWithin = 2 * time.Second

// command answers with the acknowledgement if that can be in time, and else by itself.
func (r *receiver) command(ctx, handling context.Context, id string, c Command) {
	answer := make(chan Answer, 1)
	r.work.Go(func() { answer <- r.handler.Command(handling, c) })
	select {
	case a := <-answer:
		r.ack(ctx, id, a.payload())
	case <-time.After(answerWithin):
		r.ack(ctx, id, nil)
		if err := r.socket.Respond(handling, c.Answer, <-answer); err != nil {
			r.socket.config.Log.Warn("somebody gave the slash command and gets no answer", "error", err)
		}
	}
}
