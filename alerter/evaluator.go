package alerter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/alerter/evaluate"
	"unconnected/alerter/incident"
	"unconnected/alerter/rule"
	"unconnected/events"
	"unconnected/internal/daemon"
	"unconnected/internal/natsio"
)

// evaluator is the first half of the alerter: it folds CALLS, and stores in ALERTS where the states of the alerts and what
// is stored there differ.
type evaluator struct {
	js       jetstream.JetStream
	alerts   jetstream.Stream
	bucket   jetstream.KeyValue
	rules    *rule.Set
	options  evaluate.Options
	language string
	log      *slog.Logger
	metrics  *metrics
	conn     *nats.Conn
	progress *progress

	// What follows belongs to the goroutine of run.
	decoder    events.Decoder
	position   position
	stored     position // as the bucket has it
	storedAt   time.Time
	operations map[string]*evaluate.Operation
	published  map[string]map[string]events.Alert // operation → rule → the last message of its subject
	lastAlert  uint64                             // the last sequence of ALERTS in published

	mu       sync.Mutex
	caughtUp bool                 // guarded by mu
	reached  map[string]time.Time // operation → end of the newest window judged; guarded by mu
}

// newEvaluator reads how far evaluation got and the present state of every alert.
func (a *Alerter) newEvaluator(
	ctx context.Context, js jetstream.JetStream, bucket jetstream.KeyValue, calls, alerts jetstream.Stream,
) (*evaluator, error) {
	e := &evaluator{
		js: js, alerts: alerts, bucket: bucket, rules: a.config.rules,
		options:  evaluate.Options{MaxAge: a.config.maxAge(), Zone: a.config.Alerts.Timezone.Zone()},
		language: a.config.Alerts.Language, log: a.options.Log, metrics: a.metrics, conn: a.options.Conn,
		progress:   newProgress(),
		operations: make(map[string]*evaluate.Operation), published: make(map[string]map[string]events.Alert),
		reached: make(map[string]time.Time),
	}
	var err error
	e.position, err = openPosition(ctx, bucket, calls.CachedInfo(), alerts.CachedInfo())
	if err != nil {
		return nil, err
	}
	e.stored = e.position
	return e, e.readPublished(ctx)
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
			continue
		}
		e.notePublished(alert)
	}
	return nil
}

func (e *evaluator) notePublished(alert events.Alert) {
	if alert.Sequence <= e.position.Unfenced {
		alert.Cause = events.Cause{} // of another CALLS: it comes before everything in this one
	}
	if e.published[alert.Operation] == nil {
		e.published[alert.Operation] = make(map[string]events.Alert)
	}
	e.published[alert.Operation][alert.Rule] = alert
	e.lastAlert = max(e.lastAlert, alert.Sequence)
}

// run evaluates until ctx ends. It returns an error when CALLS can't be followed any more.
func (e *evaluator) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go e.guardStream(ctx, cancel)
	err := followStream(ctx, e.js, events.StreamCalls, events.Subjects(),
		func() { e.catchUp(ctx) },
		func(msg jetstream.Msg) { e.handle(ctx, msg) })
	e.storePosition(context.WithoutCancel(ctx), true)
	return errors.Join(context.Cause(ctx), err)
}

// errStreamChanged says that CALLS is not the stream any more that was folded.
var errStreamChanged = errors.New("the stream CALLS was deleted or created anew")

// guardStream looks from time to time whether CALLS is still the same stream: an ordered consumer would wait for ever for
// the next sequence of one that is gone.
func (e *evaluator) guardStream(ctx context.Context, fail context.CancelCauseFunc) {
	ticker := time.NewTicker(30 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		stream, err := e.js.Stream(ctx, events.StreamCalls)
		gone := errors.Is(err, jetstream.ErrStreamNotFound)
		if gone || err == nil && !stream.CachedInfo().Created.Equal(e.stored.Stream) {
			fail(errStreamChanged)
			return
		}
	}
}

// handle folds one message of CALLS and stores what follows from it.
func (e *evaluator) handle(ctx context.Context, msg jetstream.Msg) {
	event, err := e.decoder.Decode(msg)
	if err != nil {
		e.log.Warn("a message on CALLS is left out", "reason", err)
		return
	}
	operation := e.operations[event.Operation]
	if operation == nil {
		operation = evaluate.New(event.Operation, e.rules, e.options)
		e.operations[event.Operation] = operation
	}
	operation.Apply(&event)
	cause := events.Cause{Sequence: event.Sequence}
	if e.position.covers(cause) {
		return
	}
	window := operation.Window()
	if !e.position.isQuiet(event.Sequence, window.End, time.Now(), e.options.MaxAge) {
		e.publish(ctx, event.Operation, func(published map[string]events.Alert) []events.Alert {
			return operation.Transitions(published, cause, e.language)
		})
	}
	if ctx.Err() != nil {
		return // not all was stored: the next start does it
	}
	e.position.Sequence, e.position.Tick = cause.Sequence, cause.Tick
	e.judged(event.Operation, window)
	e.storePosition(ctx, false)
}

// judged tells everybody who wants to know how far evaluation got.
func (e *evaluator) judged(operation string, window events.Window) {
	e.metrics.judged(operation, window.End, e.published[operation])
	e.mu.Lock()
	e.reached[operation] = window.End
	e.mu.Unlock()
	e.progress.set(incident.Progress{Operation: operation, WindowEnd: window.End, At: time.Now().UTC()}, e.lastAlert)
}

// publish stores what differs, one alert after the other. When an append is refused, or nobody knows whether it was
// stored, the subject's last message is read and what differs is decided anew. While NATS is away it keeps trying.
func (e *evaluator) publish(ctx context.Context, operation string, differs func(published map[string]events.Alert) []events.Alert) {
	for wait := 50 * time.Millisecond; ctx.Err() == nil; {
		todo := differs(e.published[operation])
		if len(todo) == 0 {
			return
		}
		if err := e.append(ctx, &todo[0]); err != nil {
			e.log.Warn("an alert event can't be stored now; trying again", "alert", todo[0].ID(), "error", err)
			waitFor(ctx, nil, time.Now().Add(wait))
			wait = min(2*wait, 5*time.Second)
			continue
		}
		wait = 50 * time.Millisecond
	}
}

const appendTimeout = 5 * time.Second

// append stores a behind the message that it was decided upon. Afterwards published holds what the subject's last message
// is, whether that is a or not. An error means that this is not known.
func (e *evaluator) append(ctx context.Context, a *events.Alert) error {
	msg, err := events.EncodeAlert(a)
	if err != nil {
		return err
	}
	appending, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	behind := e.published[a.Operation][a.Rule].Sequence
	ack, err := e.js.PublishMsg(appending, msg,
		jetstream.WithExpectStream(events.StreamAlerts), jetstream.WithExpectLastSequencePerSubject(behind))
	if err == nil && !ack.Duplicate {
		stored := *a
		stored.Sequence, stored.Stored = ack.Sequence, time.Now().UTC()
		e.notePublished(stored)
		e.log.Info("alert "+a.Status, "operation", a.Operation, "rule", a.Rule, "incident", a.Incident, "reason", a.Reason, "summary", a.Summary)
		return nil
	}
	rereadErr := e.reread(ctx, a.Operation, a.Rule)
	if err != nil && !natsio.IsConflict(err) {
		return errors.Join(err, rereadErr)
	}
	return rereadErr
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
		// Foreign bytes: append behind them, as if nothing had been stored.
		alert = events.Alert{Operation: operation, Rule: rule, Status: events.Resolved, Sequence: raw.Sequence}
	}
	e.notePublished(alert)
	return nil
}

// catchUp is called when nothing waits to be judged. The first time, alerts of rules that are gone are resolved.
func (e *evaluator) catchUp(ctx context.Context) {
	e.mu.Lock()
	first := !e.caughtUp
	e.caughtUp = true
	e.mu.Unlock()
	if first {
		e.removeGone(ctx)
		for name, operation := range e.operations {
			if e.position.covers(events.Cause{Sequence: 1}) {
				e.judged(name, operation.Window())
			}
		}
	}
	e.storePosition(ctx, first)
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

func (e *evaluator) storePosition(ctx context.Context, now bool) {
	if e.position == e.stored || !now && time.Since(e.storedAt) < positionRhythm {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, positionRhythm)
	defer cancel()
	if err := e.position.store(ctx, e.bucket); err != nil {
		e.log.Debug("the position was not stored; the next window tries again", "error", err)
		return
	}
	e.stored, e.storedAt = e.position, time.Now()
}

// report is the readiness of evaluation. It is safe for concurrent use.
func (e *evaluator) report() daemon.Report {
	e.mu.Lock()
	defer e.mu.Unlock()
	report := daemon.Report{Ready: true, State: "ok"}
	switch {
	case !e.conn.IsConnected():
		report.Ready, report.State, report.Reason = false, "retrying", "NATS is away: nothing can be judged"
	case !e.caughtUp:
		report.Ready, report.State, report.Reason = false, "catching up", "reading the history"
	}
	for operation, end := range e.reached {
		report.Operations = append(report.Operations, daemon.Operation{Operation: operation, State: report.State, Checkpoint: end})
	}
	slices.SortFunc(report.Operations, func(a, b daemon.Operation) int {
		if a.Operation < b.Operation {
			return -1
		}
		return 1
	})
	return report
}
