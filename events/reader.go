package events

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// readAhead is how many messages a reader asks the server for at a time; measured, more is not faster.
const readAhead = 5000

// handedOver is how many messages wait between receiving and decoding at the most.
const handedOver = 512

// consumerTimeout is how long the server keeps the consumer of a reader that is gone. One that is only slow gets another.
const consumerTimeout = time.Minute

// stallCheck is how long a reader waits for a message before it asks whether there is one.
const stallCheck = time.Second

// historyReader reads up to the message that was the stream's last when it was opened. Receiving has a goroutine of its
// own: it overlaps with decoding, and while the client makes good a lost consumer it heeds no context.
type historyReader struct {
	js       jetstream.JetStream
	filters  []string
	received handover
	batch    []received // taken over and not yet returned, from next on
	at       int
	close    context.CancelFunc
	decoder  Decoder
	stall    *time.Ticker
	cursor   uint64 // the sequence read last
	end      uint64 // the sequence to read last
}

type received struct {
	msg jetstream.Msg
	err error
}

// openHistory returns nil when there is nothing to read.
func openHistory(ctx context.Context, js jetstream.JetStream, q Query) (*historyReader, error) {
	filters, err := filtersOf(q.Operations)
	if err != nil {
		return nil, err
	}
	stream, err := js.Stream(ctx, StreamCalls)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", StreamCalls, err)
	}
	config := jetstream.OrderedConsumerConfig{InactiveThreshold: consumerTimeout}
	if len(q.Operations) > 0 { // all subjects of the stream are ours, and the server is faster without filters
		config.FilterSubjects = filters
	}
	switch {
	case q.After > 0:
		config.DeliverPolicy, config.OptStartSeq = jetstream.DeliverByStartSequencePolicy, q.After+1
	case !q.From.IsZero():
		start := q.From.Add(-clockMargin)
		config.DeliverPolicy, config.OptStartTime = jetstream.DeliverByStartTimePolicy, &start
	}
	consumer, err := stream.OrderedConsumer(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("consumer of %s: %w", StreamCalls, err)
	}
	if consumer.CachedInfo().NumPending == 0 {
		return nil, nil
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(readAhead))
	if err != nil {
		return nil, fmt.Errorf("consumer of %s: %w", StreamCalls, err)
	}
	r := &historyReader{
		js: js, filters: filters, cursor: q.After, end: stream.CachedInfo().State.LastSeq,
		received: newHandover(), stall: time.NewTicker(stallCheck),
	}
	ctx, r.close = context.WithCancel(ctx)
	go r.receive(ctx, messages)
	return r, nil
}

// receive hands messages over until ctx ends or an error has been handed over.
func (r *historyReader) receive(ctx context.Context, messages jetstream.MessagesContext) {
	defer r.stall.Stop()
	// Stop makes an end of the attempts to get a consumer again, and may have to wait for one.
	defer context.AfterFunc(ctx, messages.Stop)()
	defer messages.Stop()
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if !r.received.put(ctx, received{msg, err}) || err != nil {
			return
		}
	}
}

// next returns the next message; nil when there is none left up to the end.
func (r *historyReader) next(ctx context.Context) (jetstream.Msg, error) {
	for idle := false; ; {
		if r.at == len(r.batch) {
			r.batch, r.at = r.received.take(r.batch), 0
		}
		if r.at < len(r.batch) {
			next := r.batch[r.at]
			r.batch[r.at] = received{} // what was read need not stay in memory
			r.at++
			return next.msg, cmp.Or(ctx.Err(), next.err)
		}
		select {
		case <-r.received.ready:
			continue
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-r.stall.C:
		}
		if !idle { // the tick came in the middle of an interval
			idle = true
			continue
		}
		if left, err := r.left(ctx); err != nil || !left {
			return nil, err
		}
	}
}

// left tells whether the stream holds a message that was not read yet. Usually it does, and the connection is away; but
// what was there when the reader was opened may have been removed by the stream's limits since, or have got lost with the
// server. Its error is for good.
func (r *historyReader) left(ctx context.Context) (bool, error) {
	stream, err := r.js.Stream(ctx, StreamCalls)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return false, fmt.Errorf("stream %s: %w", StreamCalls, err)
	}
	if err != nil {
		return true, nil // the connection is away
	}
	for _, filter := range r.filters {
		msg, err := stream.GetMsg(ctx, r.cursor+1, jetstream.WithGetMsgSubject(filter))
		if errors.Is(err, jetstream.ErrMsgNotFound) || err == nil && msg.Sequence > r.end {
			continue
		}
		return true, nil
	}
	return false, nil
}

// filtersOf are the subjects of the operations, whose names may come from people.
func filtersOf(operations []string) ([]string, error) {
	for _, operation := range operations {
		if !ValidOperation(operation) {
			return nil, fmt.Errorf("operation %.80q is not a name", operation)
		}
	}
	return Subjects(operations...), nil
}
