package alerter

import (
	"context"
	"fmt"
	"time"

	"unconnected/events"
)

// An alerter that stands by folds what the one on duty has judged, and no more: what is behind the stored position waits. So
// whenever it takes over it is where a restart would be that had just read all of the history, and judges the rest.
const (
	// followRhythm is how often the position is read while a message waits.
	followRhythm = 250 * time.Millisecond
	// rulesRhythm is how often it is read in any case, to know by which rules is judged.
	rulesRhythm = 10 * time.Second
)

// await returns when a message may be folded: it was judged before, or this alerter has to judge it.
func (e *evaluator) await(ctx context.Context, sequence uint64) {
	for ctx.Err() == nil && !e.hasJudged(sequence) && !e.duty.has() {
		next := e.duty.next()
		if e.followPosition(ctx); !e.hasJudged(sequence) && !e.duty.has() {
			waitFor(ctx, next, time.Now().Add(followRhythm))
		}
	}
}

func (e *evaluator) hasJudged(sequence uint64) bool {
	e.work.Lock()
	defer e.work.Unlock()
	return e.position.covers(events.Cause{Sequence: sequence})
}

// followPosition notes how far the alerter on duty got, and by which rules it judges. While that can't be read, things stay
// as they are.
func (e *evaluator) followPosition(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, positionRhythm)
	defer cancel()
	p, known, err := readPosition(ctx, e.bucket)
	if err != nil || !known {
		return
	}
	e.work.Lock()
	e.adopt(p)
	e.work.Unlock()
	e.setJudgedBy(p.Rules)
}

// adopt takes a position over that is beyond ours. It must be called with work held.
func (e *evaluator) adopt(p position) {
	if p.Stream.Equal(e.position.Stream) && !e.position.covers(p.cause()) {
		e.position, e.stored = p, p
	}
}

func (e *evaluator) setJudgedBy(rules string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.judgedBy = rules
}

// takeOver reads how far evaluation got and what was said about it, before this alerter goes on from there.
func (e *evaluator) takeOver(ctx context.Context) error {
	p, known, err := readPosition(ctx, e.bucket)
	if err != nil {
		return fmt.Errorf("take over: %w", err)
	}
	e.work.Lock()
	defer e.work.Unlock()
	if known {
		e.adopt(p)
	}
	clear(e.published)
	if err := e.readPublished(ctx); err != nil {
		return fmt.Errorf("take over: %w", err)
	}
	e.untidy = true
	if e.isCaughtUp() {
		e.tidy(ctx)
		if ctx.Err() != nil {
			return fmt.Errorf("take over: %w", ctx.Err())
		}
	}
	e.position.Rules = e.rules.Hash()
	if err := e.writePosition(ctx); err != nil {
		return fmt.Errorf("take over: %w", err)
	}
	e.setJudgedBy(e.position.Rules)
	return nil
}
