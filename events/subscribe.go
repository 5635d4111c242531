package events

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Subscription describes a durable subscription to the stream CALLS.
type Subscription struct {
	// Durable is the subscription's name in JetStream, which remembers how far it got. Required. Any number of processes
	// may share it: one event at a time is handled by one of them.
	Durable string
	// Operations to follow; none means all. Other ones than before change the subscription, not its place: what an added
	// operation has behind that place is not made up for.
	Operations []string
	// From bounds the start of the windows a new subscription begins with; zero begins with the oldest retained. It is
	// ignored once the subscription exists, which goes on from where it got, with the From it began with.
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
	if err := subscribe(ctx, js, &s, handle); err != nil {
		return fmt.Errorf("events: subscribe %s: %w", s.Durable, err)
	}
	return nil
}

func subscribe(ctx context.Context, js jetstream.JetStream, s *Subscription, handle func(context.Context, Event) error) error {
	consumer, err := s.consumer(ctx, js)
	if err != nil {
		return err
	}
	// One at a time: a prefetched message would time out behind a slow handler, and come again.
	messages, err := consumer.Messages(jetstream.PullMaxMessages(1), jetstream.PullHeartbeat(heartbeat))
	if err != nil {
		return err
	}
	defer release(messages)
	config := consumer.CachedInfo().Config
	worker := worker{handle: handle, invalid: s.Invalid, alive: config.AckWait / 3}
	if config.OptStartTime != nil {
		worker.query.From = config.OptStartTime.Add(clockMargin)
	}
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if errors.Is(err, jetstream.ErrNoHeartbeat) && !isGone(ctx, consumer) {
			continue // the request for the next message got lost; another one is sent
		}
		if err != nil {
			return cmp.Or(ctx.Err(), err)
		}
		// An answer that gets lost, because the connection is away, is like none: the event comes again.
		_ = worker.do(ctx, msg)
	}
}

// heartbeat is how often the server says that it has no message yet. After twice that time of silence Subscribe looks why.
const heartbeat = time.Second

// release ends the reading and gives back at once what was received and not handled, so that whoever comes next need not
// wait for it to time out.
func release(messages jetstream.MessagesContext) {
	messages.Drain()
	for {
		msg, err := messages.Next(jetstream.NextMaxWait(time.Second))
		if err != nil {
			messages.Stop()
			return
		}
		_ = msg.Nak() // without it, the message comes again all the same, later
	}
}

// isGone tells whether a consumer that went silent was deleted while the connection was away.
func isGone(ctx context.Context, consumer jetstream.Consumer) bool {
	_, err := consumer.Info(ctx)
	return errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrStreamNotFound)
}

// consumer finds the durable consumer, or creates it. The place of an existing one does not move; how it delivers is
// brought up to date, because the order depends on it.
func (s *Subscription) consumer(ctx context.Context, js jetstream.JetStream) (jetstream.Consumer, error) {
	filters, err := filtersOf(s.Operations)
	if err != nil {
		return nil, err
	}
	want := jetstream.ConsumerConfig{
		Durable:        s.Durable,
		FilterSubjects: filters,
		AckPolicy:      jetstream.AckExplicitPolicy,
		AckWait:        cmp.Or(s.AckWait, 30*time.Second),
		MaxDeliver:     -1,
		MaxAckPending:  1, // strict order, whatever fails and however many processes share it
	}
	if !s.From.IsZero() {
		start := s.From.Add(-clockMargin).UTC()
		want.DeliverPolicy, want.OptStartTime = jetstream.DeliverByStartTimePolicy, &start
	}
	consumer, err := js.Consumer(ctx, StreamCalls, s.Durable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		consumer, err = js.CreateConsumer(ctx, StreamCalls, want)
		if errors.Is(err, jetstream.ErrConsumerExists) { // somebody else was faster, with another From
			consumer, err = js.Consumer(ctx, StreamCalls, s.Durable)
		}
	}
	if err != nil {
		return nil, err
	}
	is := consumer.CachedInfo().Config
	if deliversAlike(&is, &want) {
		return consumer, nil
	}
	is.FilterSubject, is.FilterSubjects = "", want.FilterSubjects
	is.AckWait, is.MaxDeliver, is.MaxAckPending = want.AckWait, want.MaxDeliver, want.MaxAckPending
	return js.UpdateConsumer(ctx, StreamCalls, is)
}

func deliversAlike(a, b *jetstream.ConsumerConfig) bool {
	subjects := func(c *jetstream.ConsumerConfig) []string {
		if c.FilterSubject != "" {
			return []string{c.FilterSubject}
		}
		return slices.Sorted(slices.Values(c.FilterSubjects))
	}
	return slices.Equal(subjects(a), subjects(b)) &&
		a.AckWait == b.AckWait && a.MaxDeliver == b.MaxDeliver && a.MaxAckPending == b.MaxAckPending
}

// worker handles the messages of a subscription, one after the other.
type worker struct {
	handle  func(context.Context, Event) error
	invalid func(*InvalidError)
	query   Query
	alive   time.Duration // how often the server is told that a message is still worked on
	decoder Decoder
}

// do handles one message and answers the server. Its error says that the answer did not get out.
func (w *worker) do(ctx context.Context, msg jetstream.Msg) error {
	e, err := w.decoder.Decode(msg)
	var invalid *InvalidError
	if errors.As(err, &invalid) {
		if w.invalid != nil {
			w.invalid(invalid)
		}
		return msg.TermWithReason("not an event")
	}
	if !w.query.selects(&e) {
		return msg.Ack()
	}
	stop := keepAlive(msg, w.alive)
	err = w.handle(ctx, e)
	stop()
	if err != nil {
		return msg.NakWithDelay(retryDelay(msg))
	}
	return msg.Ack()
}

// keepAlive tells the server at every interval that msg is still being worked on, until the returned func is called.
func keepAlive(msg jetstream.Msg, interval time.Duration) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
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
	return func() { close(done); <-ended }
}

// retryDelay doubles from a second to a minute with the number of times that msg was delivered.
func retryDelay(msg jetstream.Msg) time.Duration {
	meta, err := msg.Metadata()
	if err != nil {
		return time.Second
	}
	return min(time.Second<<min(meta.NumDelivered-1, 6), time.Minute)
}
