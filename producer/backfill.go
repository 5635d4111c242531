package producer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"unconnected/events"
	"unconnected/producer/budget"
	"unconnected/producer/grid"
	"unconnected/producer/oplog"
	"unconnected/producer/reconcile"
)

// BackfillOptions say what to fill.
type BackfillOptions struct {
	Log  *slog.Logger
	Conn *nats.Conn // stays open
	// Clock is the host's when zero.
	Clock Clock
	// From and To bound the windows' starts, half-open; a zero From is the first window of the log, a zero To its checkpoint.
	From, To time.Time
	// Recheck asks for the windows that are there, too, and publishes those that differ as revisions.
	Recheck bool
}

// Backfill stores windows before the checkpoint that are not in the log. It works beside a running producer, which goes
// first; it may be stopped at any time and begun again, since the log itself tells what is left to do.
type Backfill struct {
	config  *Config
	options BackfillOptions
	store   *storage
}

// ErrNoHistory says that an operation has no log to fill.
var ErrNoHistory = errors.New("there is no history before whose end windows could be missing; " +
	"let a producer begin one first: POLL_START says from when on")

// NewBackfill prepares a backfill of operations of a validated configuration. Close it after use.
func NewBackfill(ctx context.Context, c *Config, o BackfillOptions) (*Backfill, error) {
	o.Clock = o.Clock.withDefaults()
	store, err := openStorage(ctx, o.Conn, c, "backfill", o.Clock, o.Log)
	if err != nil {
		return nil, err
	}
	return &Backfill{config: c, options: o, store: store}, nil
}

// Close ends the watching of leases.
func (b *Backfill) Close() { b.store.close() }

// Filling is the part of a backfill that concerns one operation. It must not be used by two goroutines at a time.
type Filling struct {
	*desk
	options  *BackfillOptions
	plan     *reconcile.Plan
	span     events.Window
	head     oplog.Head
	giveUp   time.Duration
	timeout  time.Duration
	today    bool      // not to wait for another day's quota
	toldTurn sync.Once // that the token is in other hands
}

// Plan reads the log of an operation and decides what to ask for, in which span. Nothing is sent to the API.
func (b *Backfill) Plan(ctx context.Context, o Operation) (*Filling, error) {
	f := &Filling{
		desk: b.store.newDesk(o, false, nil), options: &b.options,
		giveUp: time.Duration(b.config.GiveUp), timeout: time.Duration(b.config.Timeout),
	}
	var err error
	if f.head, err = f.open(ctx); err != nil {
		return nil, err
	}
	if f.head.Checkpoint.IsZero() {
		return nil, fmt.Errorf("operation %s: %w", o.Name, ErrNoHistory)
	}
	window := time.Duration(b.config.Window)
	if length := f.head.Length; length > 0 && length != window {
		f.log.Warn("POLL_WINDOW is not the length of the history's windows; gaps are filled with windows of POLL_WINDOW",
			"history_length", length.String(), "window_length", window.String())
	}
	f.span = b.span(window, f.head.Checkpoint)
	// From the beginning on: where the clock of NATS was behind, the time of storing does not tell where the span begins.
	log, err := events.Latest(f.slim(f.journal.History(ctx, f.head.Sequence)))
	if err != nil {
		return nil, err
	}
	f.span.Start = firstFree(f.span, log)
	f.plan = reconcile.Schedule{Window: window, Zone: o.Zone}.Plan(f.span, log, b.options.Recheck)
	return f, nil
}

// span is what the options ask for, widened to the grid, up to the checkpoint. A zero start means the log's own.
func (b *Backfill) span(window time.Duration, checkpoint time.Time) events.Window {
	span := events.Window{End: checkpoint}
	if !b.options.From.IsZero() {
		span.Start = grid.Align(b.options.From, window)
	}
	if to := b.options.To; !to.IsZero() {
		if end := grid.Align(to.Add(window-1), window); end.Before(checkpoint) {
			span.End = end
		}
	}
	return span
}

// firstFree is the start of the span, or the end of a window of the log that lies across it; where the span has no start,
// that of the log's first window.
func firstFree(span events.Window, log []events.Event) time.Time {
	start := span.Start
	for i := range log {
		w := log[i].Window
		switch {
		case start.IsZero():
			return w.Start
		case !w.Start.Before(start):
			return start
		case w.End.After(start):
			start = w.End
		}
	}
	if start.IsZero() {
		return span.End
	}
	return start
}

// slim leaves out what planning does not need of a year of events.
func (f *Filling) slim(history iter.Seq2[events.Event, error]) iter.Seq2[events.Event, error] {
	return func(yield func(events.Event, error) bool) {
		for e, err := range history {
			if err == nil && (!e.Window.End.After(f.span.Start) || !e.Window.Start.Before(f.span.End)) {
				continue
			}
			e.Reported = nil
			if !f.options.Recheck {
				e.Counts = nil
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// Span is what the filling covers: the windows that start in it.
func (f *Filling) Span() events.Window { return f.span }

// Requests is how many windows there are to ask for, a request each; there is how many windows are in the log already and
// not asked for, leftOut how many can't be asked for, because the clocks of the zone run backwards in them or repeat them.
func (f *Filling) Requests() (requests, there, leftOut int) {
	return f.plan.Left(), f.plan.There, f.plan.LeftOut
}

// Estimate says what the requests cost in days of quota. Unless somebody has asked before, it asks the API what is left of
// the day's quota, which costs a request itself.
func (f *Filling) Estimate(ctx context.Context) (e budget.Estimate, err error) {
	look := func() error {
		return f.gate.Quota.Look(ctx, func(b *budget.Budget) { e = b.Estimate(int64(f.plan.Left()), f.now()) })
	}
	if err := look(); err != nil || e.Known {
		return e, err
	}
	defer f.gate.Leave(ctx)
	if _, err := f.gate.Enter(ctx, budget.Backfill, 0); err != nil {
		return e, err
	}
	if err := f.gate.AskQuota(ctx); err != nil {
		return e, err
	}
	return e, look()
}
