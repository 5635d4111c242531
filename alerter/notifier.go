package alerter

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
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
	alerts    follower
	progress  *progress
	duty      *duty
	channelOf func(rule string) string
	maxAge    time.Duration
	remind    time.Duration // ALERT_REMIND; 0 for never
	attempt   time.Duration // time limit of one request to Slack
	now       func() time.Time
	silences  func() []incident.Silence
	picture   func(id, channel string) // draws the picture below a root that was posted
	digest    *digests                 // nil without
	pictures  *pictures                // nil without
	log       *slog.Logger
	metrics   *metrics
	changed   chan struct{} // has a value when all incidents must be looked at again; capacity 1

	mu       sync.Mutex
	fold     *incident.Fold    // guarded by mu
	read     uint64            // sequence of the last message of ALERTS that was read; guarded by mu
	caughtUp bool              // all that was there has been read; guarded by mu
	queues   map[string]*queue // by channel; guarded by mu
	hushes   hushes            // guarded by mu
	trouble  string            // why records can't be stored, "" while they can; guarded by mu
	// notices are the messages that are about no incident :: id → how to word it; guarded by mu
	notices map[string]func(*slack.Composer) slack.Message
}

// run tells people until ctx ends. It returns an error when the stream can't be followed any more.
func (n *notifier) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	startQueue := func(q *queue) { group.Go(func() error { n.work(ctx, q); return nil }) }
	group.Go(func() error { return n.follow(ctx, startQueue) })
	group.Go(func() error { n.tend(ctx, startQueue); return nil })
	if n.pictures != nil {
		group.Go(func() error { n.pictures.run(ctx); return nil })
	}
	if n.digest != nil {
		n.digest.start = startQueue
		group.Go(func() error { n.digest.run(ctx); return nil })
	}
	return group.Wait()
}

// showPictures makes it show pictures, too.
func (n *notifier) showPictures(sink slack.Uploader) {
	n.pictures = &pictures{
		js: n.js, sink: sink, composer: &n.composer, records: n.records, log: n.log, attempt: n.attempt,
		wanted: make(chan pictureOf, pictureQueue),
		incident: func(id, channel string) (incident.Incident, bool) {
			n.mu.Lock()
			defer n.mu.Unlock()
			return n.part(id, channel)
		},
	}
	n.picture = n.pictures.want
}

// follow folds ALERTS from its beginning. Nobody is told before all that was there has been read: what an incident has
// come to is known only then.
func (n *notifier) follow(ctx context.Context, start func(*queue)) error {
	caughtUp := false
	n.alerts.caughtUp = func() {
		if caughtUp {
			n.ringAll() // what evaluation has reached may count from now on
			return
		}
		caughtUp = true
		n.forget(ctx)
		n.enqueueAll(start)
	}
	n.alerts.handle = func(msg jetstream.Msg) {
		changed := n.take(msg)
		if !caughtUp {
			return
		}
		for _, id := range changed {
			n.enqueue(id, start)
		}
	}
	return n.alerts.run(ctx)
}

// take folds one message of ALERTS and tells which incidents changed.
func (n *notifier) take(msg jetstream.Msg) (changed []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if meta, err := msg.Metadata(); err == nil {
		n.read = meta.Sequence.Stream
	}
	changed, err := n.apply(msg)
	if err != nil {
		n.log.Warn("a message on ALERTS is left out", "reason", err)
	}
	return changed
}

// apply takes one message of ALERTS in: an alert's event, or what somebody did. It must be called with mu held.
func (n *notifier) apply(msg jetstream.Msg) ([]string, error) {
	if strings.HasPrefix(msg.Subject(), events.ActionSubject("")) {
		action, err := events.DecodeAction(msg)
		if err != nil {
			return nil, err
		}
		n.hushes.note(&action, n.now())
		return n.fold.Act(action), nil
	}
	alert, err := events.DecodeAlert(msg)
	if err != nil {
		return nil, err
	}
	if _, changed, err := n.fold.Apply(alert); err != nil || !changed {
		return nil, err
	}
	return []string{alert.Incident}, nil
}

// enqueue gives an incident to the queues of its channels.
func (n *notifier) enqueue(id string, start func(*queue)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	inc, known := n.fold.Get(id)
	if !known {
		return
	}
	for channel := range n.routes(&inc) {
		q := n.queue(channel, start)
		q.pending[id] = true
		if group := n.records.get(id, channel).Root.Group; group != "" {
			q.pending[group] = true
		}
		q.ring()
	}
}

func (n *notifier) enqueueAll(start func(*queue)) {
	n.mu.Lock()
	n.caughtUp = true
	all := n.fold.All()
	n.mu.Unlock()
	for i := range all {
		n.enqueue(all[i].ID, start)
	}
	if n.pictures != nil && n.duty.has() {
		n.catchUpPictures(all)
	}
}

// announce gives a message that is about no incident to a channel's queue. It is sent once, whoever announces it how often.
func (n *notifier) announce(id, channel string, word func(*slack.Composer) slack.Message, start func(*queue)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.notices[id] = word
	q := n.queue(channel, start)
	q.pending[id] = true
	q.ring()
}

// queue is the queue of a channel, started if it is new. It must be called with mu held.
func (n *notifier) queue(channel string, start func(*queue)) *queue {
	q := n.queues[channel]
	if q == nil {
		q = newQueue(channel)
		n.queues[channel] = q
		start(q)
	}
	return q
}

// isSent tells whether a message that is about no incident was sent, or is on its way.
func (n *notifier) isSent(id, channel string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.notices[id] != nil || n.records.get(id, channel).Root.Posted
}

// ready tells whether this notifier is the one that tells, and knows of all alerts.
func (n *notifier) ready() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.caughtUp && n.duty.has()
}

// incidentsOf are the incidents of an operation that were open at some time between two instants.
func (n *notifier) incidentsOf(operation string, from, to time.Time) []slack.DayIncident {
	n.mu.Lock()
	defer n.mu.Unlock()
	return dayIncidents(n.fold.All(), operation, from, to)
}

// ringAll wakes the queues that have something to consider.
func (n *notifier) ringAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, q := range n.queues {
		if len(q.pending) > 0 {
			q.ring()
		}
	}
}

// reached is how far the evaluation of an operation got, once its alert events have been folded. It must be called with mu
// held.
func (n *notifier) reached(operation string) incident.Progress {
	p, alerts := n.progress.of(operation)
	if alerts > n.read {
		return incident.Progress{}
	}
	return p
}

// begin makes this notifier tell what the one before did not: what that one has done is in the records by now. It is safe for
// concurrent use.
func (n *notifier) begin() {
	n.ringAll()
	n.again()
}

// again makes all incidents be looked at again. It is safe for concurrent use.
func (n *notifier) again() {
	select {
	case n.changed <- struct{}{}:
	default:
	}
}

// tend wakes the queues when evaluation went on, looks at everything again when it is told to, and forgets what ended long ago.
func (n *notifier) tend(ctx context.Context, start func(*queue)) {
	hourly := time.NewTicker(time.Hour)
	defer hourly.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.progress.changed:
			n.ringAll()
			if n.hasCaughtUp() {
				for _, id := range n.progress.takeFresh() {
					n.enqueue(id, start)
				}
			}
		case <-n.changed:
			if n.hasCaughtUp() { // otherwise all of it is still to come
				n.enqueueAll(start)
			}
		case <-hourly.C:
			n.forget(ctx)
		}
	}
}

// forget drops what ended so long ago that nobody will be told of it any more.
func (n *notifier) forget(ctx context.Context) {
	n.mu.Lock()
	forgotten := n.fold.Forget(time.Now().Add(-incident.GiveUp - 24*time.Hour))
	for _, q := range n.queues { // those of one that stands by empty themselves only when it is on duty
		maps.DeleteFunc(q.pending, func(id string, _ bool) bool { return slices.Contains(forgotten, id) })
	}
	n.mu.Unlock()
	known := func(id string) bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		_, ok := n.fold.Get(id)
		return ok
	}
	if err := n.records.forget(ctx, append(forgotten, n.records.stale(known, time.Now())...)); err != nil {
		n.log.Debug("old records stay in the bucket", "error", err)
	}
}

// progress is how far evaluation got, per operation. It is safe for concurrent use.
type progress struct {
	mu      sync.Mutex
	reached map[string]incident.Progress // guarded by mu
	alerts  uint64                       // the last sequence of ALERTS that evaluation knows of; guarded by mu
	whole   bool                         // all that was in CALLS at the start has been evaluated; guarded by mu
	changed chan struct{}                // capacity 1

	present map[string][]incident.Present // :: operation → its alerts that fire, as they are now; guarded by mu
	fresh   map[string]bool               // incidents of which present tells something new; guarded by mu
}

func newProgress() *progress {
	return &progress{
		reached: make(map[string]incident.Progress), changed: make(chan struct{}, 1),
		present: make(map[string][]incident.Present), fresh: make(map[string]bool),
	}
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

// complete notes that all operations are known by now.
func (p *progress) complete() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.whole = true
}

// isComplete tells whether all operations are known.
func (p *progress) isComplete() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.whole
}

// operations are those that were evaluated.
func (p *progress) operations() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.reached))
}

// ends are the ends of the newest live windows that were evaluated :: operation → end.
func (p *progress) ends() map[string]time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	ends := make(map[string]time.Time, len(p.reached))
	for operation, reached := range p.reached {
		ends[operation] = reached.WindowEnd
	}
	return ends
}

func (p *progress) of(operation string) (incident.Progress, uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reached[operation], p.alerts
}
