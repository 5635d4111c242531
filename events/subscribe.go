package events

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Subscription describes a durable subscription to the stream CALLS.
type Subscription struct {
	// Durable is the subscription's name in JetStream, which remembers how far it got. Required. Any number of processes
	// may share it: one event at a time is handled by one of them.
	Durable string
	// Operations to follow; none means all.
	Operations []string
	// From bounds the start of the windows a new subscription begins with; zero begins with the oldest retained. It is
	// ignored once the subscription exists.
	From time.Time
	// AckWait is how long a process may be silent before its event is given to another; 0 means 30 s. A handler may
	// take longer: while it runs, the server is told so.
	AckWait time.Duration
	// Invalid is told of each message that is no event, before it is set aside for good. May be nil.
	Invalid func(*InvalidError)
}

// Subscribe handles every event of the subscription, in the order of storing, one at a time, and returns when ctx ends
// (then with its error), or when the subscription or its stream is deleted.
//
// Every event is handled at least once: after a crash, or when the acknowledgement is lost, the same event comes again,
// so let the handler's effect be keyed by [Event.ID] or by the window. When handle fails the event comes again, after one
// second first, after a minute at the most, and nothing behind it is handled before.
func Subscribe(ctx context.Context, js jetstream.JetStream, s Subscription, handle func(context.Context, Event) error) error {
	consumer, err := s.consumer(ctx, js)
	if err != nil {
		return fmt.Errorf("events: subscribe %s: %w", s.Durable, err)
	}
	// One at a time: a prefetched message would time out behind a slow handler, and come again.
	messages, err := consumer.Messages(jetstream.PullMaxMessages(1))
	if err != nil {
		return fmt.Errorf("events: subscribe %s: %w", s.Durable, err)
	}
	defer messages.Stop()
	query := Query{From: s.From}
	var decoder Decoder
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("events: subscribe %s: %w", s.Durable, cmp.Or(ctx.Err(), err))
		}
		if err := s.handle(ctx, &decoder, &query, msg, handle); err != nil {
			return fmt.Errorf("events: subscribe %s: %w", s.Durable, err)
		}
	}
}

func (s *Subscription) ackWait() time.Duration { return cmp.Or(s.AckWait, 30*time.Second) }

// consumer finds the durable consumer, or creates it. An existing one is taken as it is: its position must not move.
func (s *Subscription) consumer(ctx context.Context, js jetstream.JetStream) (jetstream.Consumer, error) {
	consumer, err := js.Consumer(ctx, StreamCalls, s.Durable)
	if !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return consumer, err
	}
	config := jetstream.ConsumerConfig{
		Durable:        s.Durable,
		FilterSubjects: Subjects(s.Operations...),
		AckPolicy:      jetstream.AckExplicitPolicy,
		AckWait:        s.ackWait(),
		MaxDeliver:     -1,
		MaxAckPending:  1, // strict order, whatever fails and however many processes share it
	}
	if !s.From.IsZero() {
		start := s.From.Add(-clockMargin)
		config.DeliverPolicy, config.OptStartTime = jetstream.DeliverByStartTimePolicy, &start
	}
	return js.CreateConsumer(ctx, StreamCalls, config)
}

func (s *Subscription) handle(
	ctx context.Context, decoder *Decoder, query *Query, msg jetstream.Msg, handle func(context.Context, Event) error,
) error {
	e, err := decoder.Decode(msg)
	var invalid *InvalidError
	if errors.As(err, &invalid) {
		if s.Invalid != nil {
			s.Invalid(invalid)
		}
		return msg.TermWithReason("not an event")
	}
	if !query.selects(&e) {
		return msg.Ack()
	}
	stop := keepAlive(msg, s.ackWait()/3)
	err = handle(ctx, e)
	stop()
	if err != nil {
		return msg.NakWithDelay(retryDelay(msg))
	}
	return msg.Ack()
}

// keepAlive tells the server at every interval that msg is still being worked on, until the returned func is called.
func keepAlive(msg jetstream.Msg, interval time.Duration) (stop func()) {
	done := make(chan struct{})
	go func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				_ = msg.InProgress() // a lost one is made good by the next
			case <-done:
				return
			}
		}
	}()
	return func() { close(done) }
}

// retryDelay doubles from a second to a minute with the number of times that msg was delivered.
func retryDelay(msg jetstream.Msg) time.Duration {
	meta, err := msg.Metadata()
	if err != nil {
		return time.Second
	}
	return min(time.Second<<min(meta.NumDelivered-1, 6), time.Minute)
}
