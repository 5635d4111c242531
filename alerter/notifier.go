package alerter

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"unconnected/alerter/incident"
	"unconnected/alerter/slack"
	"unconnected/events"
)

// notifier is the second half of the alerter: it reads ALERTS, knows from the records what was told, and tells what was
// not. It never holds up evaluation.
type notifier struct {
	js        jetstream.JetStream
	sink      slack.Sink
	composer  slack.Composer
	pacer     *slack.Pacer
	records   *records
	progress  *progress
	channelOf func(rule string) string
	maxAge    time.Duration
	log       *slog.Logger
	metrics   *metrics

	mu     sync.Mutex
	fold   *incident.Fold    // guarded by mu
	queues map[string]*queue // by channel; guarded by mu
}

// run tells people until ctx ends. It returns an error when the stream can't be followed any more.
func (n *notifier) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	n.mu.Lock()
	n.fold, n.queues = incident.NewFold(), make(map[string]*queue)
	n.mu.Unlock()
	startQueue := func(q *queue) { group.Go(func() error { n.work(ctx, q); return nil }) }
	group.Go(func() error { return n.follow(ctx, startQueue) })
	group.Go(func() error { n.tend(ctx); return nil })
	return group.Wait()
}

// follow folds ALERTS from its beginning. Nobody is told before all that was there has been read: what an incident has
// come to is known only then.
func (n *notifier) follow(ctx context.Context, start func(*queue)) error {
	caughtUp := false
	catchUp := func() {
		if !caughtUp {
			caughtUp = true
			n.enqueueAll(start)
		}
	}
	return followStream(ctx, n.js, events.StreamAlerts, events.AlertSubjects(), catchUp, func(msg jetstream.Msg) {
		alert, err := events.DecodeAlert(msg)
		if err != nil {
			n.log.Warn("a message on ALERTS is left out", "reason", err)
			return
		}
		if !n.apply(alert) || !caughtUp {
			return
		}
		n.enqueue(alert.Incident, start)
	})
}

func (n *notifier) apply(alert events.Alert) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, changed, err := n.fold.Apply(alert)
	if err != nil {
		n.log.Warn("an alert event is left out", "sequence", alert.Sequence, "reason", err)
	}
	return changed
}

// enqueue gives an incident to the queues of its channels.
func (n *notifier) enqueue(id string, start func(*queue)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	inc, known := n.fold.Get(id)
	if !known {
		return
	}
	for channel := range incident.Routes(&inc, n.records.of(id), n.channelOf) {
		q := n.queues[channel]
		if q == nil {
			q = newQueue(channel)
			n.queues[channel] = q
			start(q)
		}
		q.pending[id] = true
		q.ring()
	}
}

func (n *notifier) enqueueAll(start func(*queue)) {
	n.mu.Lock()
	all := n.fold.All()
	n.mu.Unlock()
	for i := range all {
		n.enqueue(all[i].ID, start)
	}
}

// reached is how far the evaluation of an operation got, once its alert events have been folded. It must be called with mu
// held.
func (n *notifier) reached(operation string) incident.Progress {
	p, alerts := n.progress.of(operation)
	if alerts > n.fold.Last() {
		return incident.Progress{}
	}
	return p
}

// tend wakes the queues when evaluation went on, and forgets what ended long ago.
func (n *notifier) tend(ctx context.Context) {
	hourly := time.NewTicker(time.Hour)
	defer hourly.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.progress.changed:
			n.mu.Lock()
			for _, q := range n.queues {
				if len(q.pending) > 0 {
					q.ring()
				}
			}
			n.mu.Unlock()
		case <-hourly.C:
			n.mu.Lock()
			forgotten := n.fold.Forget(time.Now().Add(-incident.GiveUp - 24*time.Hour))
			n.mu.Unlock()
			n.records.forget(forgotten)
		}
	}
}

// progress is how far evaluation got, per operation. It is safe for concurrent use.
type progress struct {
	mu      sync.Mutex
	reached map[string]incident.Progress // guarded by mu
	alerts  uint64                       // the last sequence of ALERTS that evaluation knows of; guarded by mu
	changed chan struct{}                // capacity 1
}

func newProgress() *progress {
	return &progress{reached: make(map[string]incident.Progress), changed: make(chan struct{}, 1)}
}

// set notes that a live window was evaluated and its alert events, up to the sequence alerts, are stored.
func (p *progress) set(reached incident.Progress, alerts uint64) {
	p.mu.Lock()
	p.reached[reached.Operation] = reached
	p.alerts = max(p.alerts, alerts)
	p.mu.Unlock()
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

func (p *progress) of(operation string) (incident.Progress, uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reached[operation], p.alerts
}

// followStream hands every message of a stream to handle, in order, from the first on, until ctx ends or the stream can't
// be followed any more. It calls caughtUp each time when nothing waits behind what was handled.
func followStream(
	ctx context.Context, js jetstream.JetStream, stream string, subjects []string, caughtUp func(), handle func(jetstream.Msg),
) error {
	consumer, err := js.OrderedConsumer(ctx, stream, jetstream.OrderedConsumerConfig{FilterSubjects: subjects})
	if err != nil {
		return fmt.Errorf("follow %s: %w", stream, err)
	}
	if consumer.CachedInfo().NumPending == 0 {
		caughtUp()
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(1000))
	if err != nil {
		return fmt.Errorf("follow %s: %w", stream, err)
	}
	stop := context.AfterFunc(ctx, messages.Stop)
	defer stop()
	defer messages.Stop()
	for {
		msg, err := messages.Next()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("follow %s: %w", stream, err)
		}
		handle(msg)
		if meta, err := msg.Metadata(); err == nil && meta.NumPending == 0 {
			caughtUp()
		}
	}
}
