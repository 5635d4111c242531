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

// receive deals with an event, and acknowledges it when that is done: Slack shows people a warning otherwise, or sends it again, so
// that what a process leaves undone that dies is not lost. It waits for three seconds. What nobody knows is acknowledged too,
// because it would only be sent again.
func (r *receiver) receive(ctx context.Context, event *socketmode.Event) {
	switch event.Type {
	case socketmode.EventTypeInteractive:
		id := event.Request.EnvelopeID
		if callback, ok := event.Data.(slack.InteractionCallback); ok {
			r.start(func(handling context.Context) { r.clicks(ctx, handling, id, clicksOf(&callback)) })
			return
		}
		r.ack(ctx, id, nil)
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

// answerWithin is how long may take what is to be done before the acknowledgement, or to go with it.
const answerWithin = 2 * time.Second

// clicks deals with what somebody clicked, and acknowledges it then, or in time. It returns when all is done.
func (r *receiver) clicks(ctx, handling context.Context, id string, clicks []Click) {
	var dealing sync.WaitGroup
	for _, click := range clicks {
		dealing.Go(func() { r.handler.Click(handling, click) })
	}
	done := make(chan struct{})
	go func() { dealing.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(answerWithin):
	}
	r.ack(ctx, id, nil)
	<-done
}

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
