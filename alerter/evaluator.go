package alerter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"unconnected/alerter/evaluate"
	"unconnected/alerter/incident"
	"unconnected/alerter/rule"
	"unconnected/events"
	"unconnected/internal/natsio"
)

// evaluator is the first half of the alerter: it folds CALLS, and stores in ALERTS where the states of the alerts and what
// is stored there differ.
type evaluator struct {
	js       jetstream.JetStream
	alerts   jetstream.Stream
	bucket   jetstream.KeyValue
	status   jetstream.KeyValue // the producer's
	rules    *rule.Set
	options  evaluate.Options
	language string
	log      *slog.Logger
	metrics  *metrics
	progress *progress
	duty     *duty
	calls    follower

	snapshots *snapshots
	statuses  statuses

	// work is held while a message or a tick is dealt with. What follows is guarded by it.
	work       sync.Mutex
	decoder    events.Decoder
	position   position
	stored     position // as the bucket has it
	storedAt   time.Time
	operations map[string]*evaluate.Operation
	published  map[string]map[string]events.Alert // operation → rule → the last message of its subject
	lastAlert  uint64                             // the last sequence of ALERTS in published
	folded     uint64                             // the last sequence of CALLS that was dealt with
	unfinished bool                               // a message was folded, and the program stopped before all it caused was stored
	untidy     bool                               // taken over, and alerts of rules that are gone were not resolved yet

	mu       sync.Mutex
	caughtUp bool                 // guarded by mu
	trouble  string               // why alert events can't be stored, "" while they can; guarded by mu
	reached  map[string]time.Time // operation → end of the newest window judged; guarded by mu
	zones    map[string]string    // operation → name of its zone; guarded by mu
	learning map[string]bool      // operations whose usual level is not known yet; guarded by mu
	judgedBy string               // hash of the rules of whoever is on duty, as far as known; guarded by mu
}

// newEvaluator reads how far evaluation got and the present state of every alert.
func (a *Alerter) newEvaluator(
	ctx context.Context, js jetstream.JetStream, bucket jetstream.KeyValue, calls, alerts jetstream.Stream,
) (*evaluator, error) {
	e := &evaluator{
		js: js, alerts: alerts, bucket: bucket, rules: a.config.rules,
		options:  evaluate.Options{MaxAge: a.config.maxAge(), Zone: a.config.Alerts.Timezone.Zone()},
		language: a.config.Alerts.Language, log: a.options.Log, metrics: a.metrics,
		progress:   newProgress(),
		calls:      follower{js: js, stream: events.StreamCalls, subjects: events.Subjects(), log: a.options.Log},
		operations: make(map[string]*evaluate.Operation), published: make(map[string]map[string]events.Alert),
		reached: make(map[string]time.Time), learning: make(map[string]bool), zones: make(map[string]string),
	}
	var err error
	e.position, err = openPosition(ctx, bucket, calls.CachedInfo(), alerts.CachedInfo())
	if err != nil {
		return nil, err
	}
	e.stored, e.judgedBy = e.position, e.position.Rules
	if e.hasTicks() {
		if e.status, err = natsio.EnsureBucket(ctx, js, natsio.BucketStatus, a.config.Replicas); err != nil {
			return nil, err
		}
	}
	if err := e.readPublished(ctx); err != nil {
		return nil, err
	}
	e.snapshots = a.openSnapshots(ctx, js)
	return e, e.loadSnapshots(ctx, calls)
}

// readPublished reads the last message of every alert subject.
func (e *evaluator) readPublished(ctx context.Context) error {
	consumer, err := e.alerts.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		FilterSubjects: events.AlertSubjects(), DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy,
	})
	if err != nil {
		return fmt.Errorf("read the alerts' states: %w", err)
	}
	pending := consumer.CachedInfo().NumPending
	if pending == 0 {
		return nil
	}
	messages, err := consumer.Messages()
	if err != nil {
		return fmt.Errorf("read the alerts' states: %w", err)
	}
	defer messages.Stop()
	for pending > 0 {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("read the alerts' states: %w", err)
		}
		meta, err := msg.Metadata()
		if err != nil {
			return fmt.Errorf("read the alerts' states: %w", err)
		}
		pending = meta.NumPending
		alert, err := events.DecodeAlert(msg)
		if err != nil {
			e.log.Warn("a message on ALERTS is left out", "reason", err)
			if err := e.noteForeign(ctx, msg.Subject(), meta.Sequence.Stream); err != nil {
				return err
			}
			continue
		}
		if !isUnderWay(&alert, time.Now()) {
			e.noteRead(alert)
		}
	}
	return nil
}

// noteRead takes a stored alert that was read for the state of its subject.
func (e *evaluator) noteRead(alert events.Alert) {
	if !e.position.fences(&alert) {
		alert.Cause = events.Cause{} // of another CALLS: it comes before everything in this one
	}
	e.notePublished(alert)
}

func (e *evaluator) notePublished(alert events.Alert) {
	if e.published[alert.Operation] == nil {
		e.published[alert.Operation] = make(map[string]events.Alert)
	}
	e.published[alert.Operation][alert.Rule] = alert
	e.lastAlert = max(e.lastAlert, alert.Sequence)
}

// noteForeign deals with a subject whose last message, at sequence, is no alert event: its state is that of the last one
// that is, and the next is stored behind the foreign message.
func (e *evaluator) noteForeign(ctx context.Context, subject string, sequence uint64) error {
	var alert events.Alert
	for next := uint64(1); next < sequence; {
		raw, err := e.alerts.GetMsg(ctx, next, jetstream.WithGetMsgSubject(subject))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			break
		}
		if err != nil {
			return fmt.Errorf("read the alert's state: %w", err)
		}
		if valid, err := events.DecodeRawAlert(raw); err == nil {
			alert = valid
		}
		next = raw.Sequence + 1
	}
	if alert.Rule == "" { // there never was one
		tokens := strings.Split(subject, ".")
		operation, rule := tokens[len(tokens)-2], tokens[len(tokens)-1]
		if !events.ValidOperation(operation) || !events.ValidRule(rule) {
			return nil // nor will there be one
		}
		alert = events.Alert{Operation: operation, Rule: rule, Status: events.Resolved}
	}
	if !e.position.fences(&alert) {
		alert.Cause = events.Cause{}
	}
	alert.Sequence = sequence
	e.notePublished(alert)
	return nil
}

// run evaluates until ctx ends. It returns an error when CALLS can't be followed any more.
func (e *evaluator) run(ctx context.Context) error {
	e.calls.handle = func(msg jetstream.Msg) { e.handle(ctx, msg) }
	e.calls.caughtUp = func() { e.catchUp(ctx) }
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return e.calls.run(ctx) })
	group.Go(func() error { e.runTicks(ctx); return nil })
	group.Go(func() error { e.keepSnapshots(ctx); return nil })
	if e.status != nil {
		group.Go(func() error { e.statuses.watch(ctx, e.status); return nil })
	}
	err := group.Wait()
	e.work.Lock()
	defer e.work.Unlock()
	e.storePosition(context.WithoutCancel(ctx), true)
	return err
}

// handle folds one message of CALLS and stores what follows from it, when it is this alerter's turn.
func (e *evaluator) handle(ctx context.Context, msg jetstream.Msg) {
	meta, err := msg.Metadata()
	if err != nil {
		return // the follower has read it before
	}
	if e.await(ctx, meta.Sequence.Stream); ctx.Err() != nil {
		return // the next start does it
	}
	e.work.Lock()
	defer e.work.Unlock()
	event, err := e.decoder.Decode(msg)
	if err != nil {
		e.leaveOut(ctx, err)
		return
	}
	operation := e.operations[event.Operation]
	if operation == nil {
		operation = evaluate.New(event.Operation, e.rules, e.options)
		e.operations[event.Operation] = operation
	}
	isNew := event.Sequence > e.snapshots.loaded[event.Operation]
	if isNew {
		operation.Apply(&event)
	}
	e.judge(ctx, operation, &event, isNew)
}

// judge stores what follows from a message that was folded. What is not new was judged before the snapshot was taken.
func (e *evaluator) judge(ctx context.Context, operation *evaluate.Operation, event *events.Event, isNew bool) {
	cause := events.Cause{Sequence: event.Sequence}
	window := operation.Window()
	if e.position.covers(cause) {
		e.folded = event.Sequence
		if e.isCaughtUp() { // standing by
			e.judged(event.Operation, window)
		}
		return
	}
	if isNew && !e.position.isQuiet(event.Sequence, window.End, time.Now(), e.options.MaxAge) {
		e.publish(ctx, event.Operation, func(published map[string]events.Alert) []events.Alert {
			return operation.Transitions(published, cause, e.language)
		})
	}
	if ctx.Err() != nil {
		e.unfinished = true
		return // not all was stored: the next start does it
	}
	e.folded = event.Sequence
	e.position.Sequence, e.position.Tick = cause.Sequence, cause.Tick
	e.judged(event.Operation, window)
	e.storePosition(ctx, false)
}

// leaveOut says once that a message of CALLS is no event.
func (e *evaluator) leaveOut(ctx context.Context, err error) {
	var invalid *events.InvalidError
	if !errors.As(err, &invalid) || e.position.covers(events.Cause{Sequence: invalid.Sequence}) {
		e.log.Debug("a message on CALLS is left out", "reason", err)
		return
	}
	e.log.Warn("a message on CALLS is left out", "reason", err)
	e.position.Sequence, e.position.Tick = invalid.Sequence, 0
	e.storePosition(ctx, false)
}

// judged tells everybody who wants to know how far evaluation got.
func (e *evaluator) judged(operation string, window events.Window) {
	e.metrics.judged(operation, window.End)
	if e.duty.has() {
		e.metrics.fires(operation, e.published[operation])
	} else {
		e.metrics.firing.Reset() // whoever is on duty tells it
	}
	e.mu.Lock()
	e.reached[operation], e.zones[operation] = window.End, e.operations[operation].Timezone()
	if e.operations[operation].Learning() {
		e.learning[operation] = true
	} else {
		delete(e.learning, operation)
	}
	e.mu.Unlock()
	e.stand(e.operations[operation])
	e.progress.set(incident.Progress{Operation: operation, WindowEnd: window.End, At: time.Now().UTC()}, e.lastAlert)
}

// catchUp is called when nothing waits to be judged.
func (e *evaluator) catchUp(ctx context.Context) {
	e.work.Lock()
	defer e.work.Unlock()
	e.mu.Lock()
	first := !e.caughtUp
	e.caughtUp = true
	e.mu.Unlock()
	switch {
	case e.untidy && e.duty.holds(): // taken over while the history was read
		e.tidy(ctx)
		e.storePosition(ctx, first)
	case e.duty.has():
		e.storePosition(ctx, first)
	case first:
		e.tellAll()
	}
	e.progress.complete()
}

func (e *evaluator) isCaughtUp() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.caughtUp
}

// tidy resolves the alerts of rules that are gone, and tells how far everything was judged before, and what fires.
func (e *evaluator) tidy(ctx context.Context) {
	e.removeGone(ctx)
	e.untidy = ctx.Err() != nil
	e.tellAll()
	for operation, published := range e.published {
		e.metrics.fires(operation, published)
	}
}

func (e *evaluator) tellAll() {
	for name, operation := range e.operations {
		if e.position.covers(events.Cause{Sequence: 1}) {
			e.judged(name, operation.Window())
		}
	}
}

// removeGone resolves what fires although its rule is gone. Its cause is a tick of the clock behind what was evaluated.
func (e *evaluator) removeGone(ctx context.Context) {
	for operation := range e.published {
		cause := events.Cause{Sequence: e.position.Sequence, Tick: time.Now().Unix()}
		e.publish(ctx, operation, func(published map[string]events.Alert) []events.Alert {
			return evaluate.Removed(published, e.rules, cause)
		})
	}
}

// positionRhythm bounds how often the position is written while much is evaluated. What is evaluated again after a crash
// makes no second event.
const positionRhythm = time.Second

// storePosition writes the position, at the rhythm or at once. One that stands by leaves that to the one on duty.
func (e *evaluator) storePosition(ctx context.Context, now bool) {
	if e.position == e.stored || !now && time.Since(e.storedAt) < positionRhythm || !e.duty.has() {
		return
	}
	if err := e.writePosition(ctx); err != nil {
		e.log.Debug("the position was not stored; the next window tries again", "error", err)
	}
}

func (e *evaluator) writePosition(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, positionRhythm)
	defer cancel()
	if err := e.position.store(ctx, e.bucket); err != nil {
		return err
	}
	e.stored, e.storedAt = e.position, time.Now()
	return nil
}

// zone is that of all operations; nil when they have none in common. It is safe for concurrent use.
func (e *evaluator) zone() *time.Location {
	e.mu.Lock()
	defer e.mu.Unlock()
	names := slices.Compact(slices.Sorted(maps.Values(e.zones)))
	if len(names) != 1 {
		return nil
	}
	zone, err := time.LoadLocation(names[0])
	if err != nil {
		return nil
	}
	return zone
}
