package alerter

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/alerter/evaluate"
	"unconnected/alerter/rule"
	"unconnected/events"
	"unconnected/internal/natsio"
)

// tickRhythm is how often the rules are judged that look at the state of things between windows.
const tickRhythm = time.Second

// suspended is a time without a tick after which this process, or its machine, must have been held up: nobody was there to see
// whether windows came.
const suspended = 10 * time.Second

// hasTicks tells whether any rule is judged at ticks.
func (e *evaluator) hasTicks() bool { return slices.ContainsFunc(e.rules.Rules, (*rule.Rule).OnTicks) }

// runTicks judges at ticks until ctx ends, while the end of CALLS is followed and this alerter is on duty. One that stands by
// sees that windows come, too, so that it can judge at once when it takes over.
func (e *evaluator) runTicks(ctx context.Context) {
	ticker := time.NewTicker(tickRhythm)
	defer ticker.Stop()
	var since, last time.Time // of following without interruption; of the last tick
	var looked time.Time      // at what the one on duty does
	var swept time.Time       // for drills that were left behind
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := time.Now().UTC().Round(0) // the wall clock's: the monotonic one stands still while the machine sleeps
		if !e.duty.has() && now.Sub(looked) >= rulesRhythm {
			e.followPosition(ctx)
			looked = now
		}
		switch {
		case !e.js.Conn().IsConnected() || !e.calls.isLive():
			since = time.Time{}
			continue
		case since.IsZero() || now.Sub(last) > suspended:
			since = now
		}
		last = now
		if !e.duty.has() {
			continue
		}
		if e.tick(ctx, now, since); now.Sub(swept) >= drillRhythm {
			e.endDrill(ctx, now)
			swept = now
		}
	}
}

// tick judges all operations, and stores what follows. The cause is the last message and the second. While messages wait to be
// judged nobody can say that they do not come.
func (e *evaluator) tick(ctx context.Context, now, connected time.Time) {
	e.work.Lock()
	defer e.work.Unlock()
	defer e.storePosition(ctx, false)
	cause := events.Cause{Sequence: e.position.Sequence, Tick: now.Unix()}
	if !e.hasTicks() || e.calls.isBehind() || e.position.covers(cause) {
		return
	}
	for name, operation := range e.operations {
		operation.Tick(evaluate.Tick{Now: now, Connected: connected, Status: e.statuses.of(name)})
		differs := func(published map[string]events.Alert) []events.Alert {
			return operation.TickTransitions(published, cause, e.language)
		}
		if len(differs(e.published[name])) == 0 {
			continue
		}
		e.publish(ctx, name, differs)
		if ctx.Err() != nil {
			return // not all was stored: the next start does it
		}
		e.position.Tick = cause.Tick
		e.judged(name, operation.Window())
	}
}

// statuses is what the producer says that it is doing: operation → status. It is safe for concurrent use.
type statuses struct {
	mu sync.Mutex
	by map[string]rule.Status // guarded by mu
}

func (s *statuses) of(operation string) rule.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.by[operation]
}

// set takes an entry of the status bucket. What cannot be read says nothing.
func (s *statuses) set(operation string, value []byte) {
	var entry struct {
		State   string    `json:"state"`
		Reason  string    `json:"reason"`
		Since   time.Time `json:"since"`
		NextTry time.Time `json:"next_try"`
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if json.Unmarshal(value, &entry) != nil {
		delete(s.by, operation)
		return
	}
	if s.by == nil {
		s.by = make(map[string]rule.Status)
	}
	s.by[operation] = rule.Status{State: entry.State, Reason: entry.Reason, Since: entry.Since, NextTry: entry.NextTry}
}

// watch follows the status bucket until ctx ends. While it cannot be read, what was read last is kept: it is said with an
// alert, and decides rules on status only.
func (s *statuses) watch(ctx context.Context, bucket jetstream.KeyValue) {
	natsio.FollowBucket(ctx, bucket, s.take)
}

func (s *statuses) take(ctx context.Context, watcher jetstream.KeyWatcher) {
	for {
		select {
		case <-ctx.Done():
			return
		case entry, open := <-watcher.Updates():
			switch {
			case !open:
				return
			case entry == nil: // everything that was there has come
			case entry.Operation() != jetstream.KeyValuePut:
				s.set(entry.Key(), nil)
			default:
				s.set(entry.Key(), entry.Value())
			}
		}
	}
}
