package producer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"unconnected/events"
	"unconnected/producer/access"
	"unconnected/producer/budget"
	"unconnected/producer/journal"
	"unconnected/producer/oplog"
	"unconnected/producer/reconcile"
	"unconnected/producer/wolkvox"
)

// Outcome is what became of a window.
type Outcome int

// The outcomes of a window.
const (
	Filled    Outcome = iota // stored, where the log had no counts of it
	Revised                  // stored, because the API's counts differ from the log's
	Unchanged                // the API's counts are those of the log
	Overtaken                // somebody else stored it meanwhile
	Garbage                  // its answer can't be counted; it was left as it is
)

// Progress is told of what a filling does, by the goroutine that runs it.
type Progress interface {
	// Done is called for each window when its outcome is known.
	Done(w events.Window, outcome Outcome)
	// Waiting is called before a pause, with its reason and its end.
	Waiting(reason string, until time.Time)
}

// Run asks for all windows, oldest first, and stores what is to be stored. While the API is away, or the day's quota is
// spent, it waits. It returns an error when it must not or can't go on: the token or the address are refused, the log can't
// be written, or the API was away for as long as POLL_GIVE_UP.
func (f *Filling) Run(ctx context.Context, progress Progress) error {
	defer f.gate.Leave(ctx)
	defer f.journal.Settle(context.WithoutCancel(ctx))
	for w := f.plan.Next(); w != nil; w = f.plan.Next() {
		outcome, err := f.fill(ctx, w, progress)
		if err != nil {
			return fmt.Errorf("operation %s, window %s: %w", f.Name, w.Window, err)
		}
		w.Finish()
		progress.Done(w.Window, outcome)
	}
	return nil
}

// fill asks for a window and stores what is to be stored.
func (f *Filling) fill(ctx context.Context, w *reconcile.Planned, progress Progress) (Outcome, error) {
	answer, outcome, err := f.askPatiently(ctx, w, progress)
	if err != nil || outcome != Filled {
		return outcome, err
	}
	for {
		e, err := f.event(ctx, w.Window, &answer)
		if err != nil {
			return 0, err
		}
		change, changed := w.Change(e.Counts)
		if !changed {
			return Unchanged, nil
		}
		e.Revision, e.Backfill = change.Revision, change.Backfill
		err = f.store(ctx, e)
		switch {
		case err == nil && e.Revision > 0:
			return Revised, nil
		case err == nil:
			return Filled, nil
		case !errors.Is(err, journal.ErrMoved):
			return 0, err
		}
		before := f.head.Sequence
		if readErr := f.catchUp(ctx); readErr != nil {
			return 0, readErr
		}
		if f.head.Sequence == before { // refused, but not for what others have appended: asking again would not help
			return 0, err
		}
		if w.IsDone() {
			return Overtaken, nil
		}
	}
}

// store appends e behind the end of the log that we know.
func (f *Filling) store(ctx context.Context, e *events.Event) error {
	e.Checkpoint, e.Reconciled = f.head.Checkpoint, f.head.Reconciled
	sequence, err := f.journal.Append(context.WithoutCancel(ctx), e, f.head.Sequence)
	if err != nil {
		return err
	}
	e.Sequence = sequence
	f.head = oplog.HeadOf(e)
	f.journal.Note(f.head)
	return nil
}

// catchUp reads what others have appended.
func (f *Filling) catchUp(ctx context.Context) error {
	head, err := f.journal.Head(ctx)
	if err != nil || head.Sequence <= f.head.Sequence { // less is what a server of a cluster says that lags behind
		return err
	}
	appended, err := f.journal.After(ctx, f.head.Sequence, head.Sequence)
	if err != nil {
		return err
	}
	for i := range appended {
		f.plan.Update(&appended[i])
	}
	f.head = head
	return nil
}

// garbageTries is how often a window is asked for that answers garbage: longer than that is for the reconciler to see.
const garbageTries = 3

// askPatiently asks for a window until there is an answer, or nothing to wait for. Filled means that there is one.
func (f *Filling) askPatiently(ctx context.Context, w *reconcile.Planned, progress Progress) (answer wolkvox.Answer, outcome Outcome, err error) {
	var away time.Duration // for how long the API gave no answer; waiting for the quota or the token does not count
	for attempt := 1; ; attempt++ {
		if err := f.enter(ctx, progress); err != nil {
			return answer, 0, err
		}
		if w.IsDone() {
			return answer, Overtaken, nil
		}
		asked := f.now()
		answer, err = f.ask(ctx, w.Window)
		if err == nil {
			return answer, Filled, nil
		}
		failure := failureOf(ctx, err)
		switch {
		case failure == nil:
			return answer, 0, errors.Join(ctx.Err(), err)
		case failure.Kind == wolkvox.KindRefused:
			return answer, 0, errors.New(reason(failure))
		case failure.Kind == wolkvox.KindGarbage && attempt >= garbageTries:
			f.log.Warn("the answer can't be counted; the window is left as it is", "window", w.Window.String(), "reason", failure.Error())
			return answer, Garbage, nil
		case failure.Kind == wolkvox.KindQuota:
			continue // the gate knows until when, now
		case away > f.giveUp:
			return answer, 0, fmt.Errorf("no answer for %v: %w", f.giveUp, failure)
		}
		v := judge(failure, attempt, f.now(), f.Zone, f.timeout, rand.Float64())
		if err := f.pause(ctx, v.reason, f.now().Add(v.wait), progress); err != nil {
			return answer, 0, err
		}
		away += max(0, f.now().Sub(asked))
	}
}

// enter waits until a request may be sent. Where others could have worked meanwhile, it reads what they did.
func (f *Filling) enter(ctx context.Context, progress Progress) error {
	for told := (time.Time{}); ; {
		patience := time.AfterFunc(longTurn, f.sayTurn)
		fresh, err := f.gate.Enter(ctx, budget.Backfill, f.plan.Left())
		patience.Stop()
		var spent *access.NoBudgetError
		switch {
		case errors.As(err, &spent) && f.today:
			return fmt.Errorf("%s: %w", reasonSpent(spent), spent)
		case errors.As(err, &spent):
			if !spent.Until.Equal(told) {
				told = spent.Until
				progress.Waiting(reasonSpent(spent), told)
			}
			// Others may give some back, or a person may have bought more.
			if err := f.rest(ctx, earlier(told, f.now().Add(mostPatient))); err != nil {
				return err
			}
		case err != nil || !fresh:
			return err
		default:
			if err := f.catchUp(ctx); err != nil || !f.gate.ReportDue() {
				return err
			}
			if err := f.gate.AskQuota(ctx); err != nil {
				return err
			}
			// Whether, and when, another request may follow is to be asked again.
		}
	}
}

// longTurn is how long to wait for the token before a word about it: longer than most requests take.
const longTurn = 5 * time.Second

// sayTurn tells, once, that others have the token. It is called by a timer.
func (f *Filling) sayTurn() {
	if holder := f.gate.Holder(); holder != "" {
		f.toldTurn.Do(func() {
			f.log.Warn("waits for its turn: live polling goes first, and a process that died keeps the token for a while", "holder", holder,
				"dead_keeps", access.TTL(f.timeout).String())
		})
	}
}

// reasonSpent is why the quota leaves nothing for a backfill.
func reasonSpent(spent *access.NoBudgetError) string {
	if spent.Said {
		return "the API says that the day's requests are spent"
	}
	return "the rest of the day's quota is kept for live windows and corrections"
}

// pause says why nothing is asked, and rests.
func (f *Filling) pause(ctx context.Context, reason string, until time.Time, progress Progress) error {
	progress.Waiting(reason, until)
	return f.rest(ctx, until)
}

// rest waits, and lets others ask meanwhile.
func (f *Filling) rest(ctx context.Context, until time.Time) error {
	for {
		f.gate.Leave(ctx) // once the server is certainly not at work any more
		if there, err := f.sleepUntil(ctx, until); err != nil || there {
			return err
		}
	}
}
