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
	"unconnected/producer/grid"
	"unconnected/producer/journal"
	"unconnected/producer/oplog"
	"unconnected/producer/reconcile"
)

// follow polls window after window, and appends each behind the last. While an append is under way the next window is
// asked for already; the append after it waits, because its fence is the first one's sequence. An append that fails ends
// the following, but not the request under way: the API would go on working at it, and works on one at a time.
func (p *poller) follow(ctx context.Context, head oplog.Head) (err error) {
	waits, fail := context.WithCancel(ctx)
	defer fail()
	under := finished(head)
	defer func() {
		if _, appendErr := p.settled(under); appendErr != nil {
			err = appendErr
		}
		p.journal.Settle(context.WithoutCancel(ctx))
	}()
	for {
		w, err := p.next(ctx, &head)
		if err != nil {
			return err
		}
		pass, _ := grid.Repeated(w, p.Zone)
		early := p.before(p.due(w))
		if early || pass == grid.Second { // its twin may be the window before
			if head, err = p.settled(under); err != nil {
				return err
			}
			under = finished(head)
		}
		if early {
			if head, err = p.quiet(ctx, head, p.due(w)); err != nil {
				return err
			}
			under = finished(head)
			continue
		}
		moved, err := p.turn(ctx, waits, w, under)
		if err != nil {
			return err
		}
		if moved != nil {
			head, under = *moved, finished(*moved)
			continue
		}
		e, err := p.poll(ctx, waits, w)
		if err != nil {
			return err
		}
		behind, err := p.settled(under)
		if err != nil {
			return err
		}
		if e == nil { // what has gone wrong was waited for: look again
			head, under = behind, finished(behind)
			continue
		}
		e.Reconciled = p.reconciled
		head = oplog.HeadOf(e)
		under = p.startAppend(ctx, fail, e, behind.Sequence)
	}
}

// next is the window that follows the log's end.
func (p *poller) next(ctx context.Context, head *oplog.Head) (events.Window, error) {
	if head.Length == 0 && !grid.Align(head.Checkpoint, p.window).Equal(head.Checkpoint) {
		log, _, err := p.journal.Windows(ctx, events.Window{Start: head.Checkpoint.Add(-time.Hour), End: head.Checkpoint}, head.Sequence)
		if err != nil {
			return events.Window{}, err
		}
		if len(log) > 0 {
			head.Length = log[len(log)-1].Window.Length()
		}
	}
	return grid.Next(head.Checkpoint, p.window, head.Length), nil
}

// turn waits until the window may be asked for. Where somebody else could have done so meanwhile it reads the log again,
// and returns its end if that has moved beyond the append that is under way or finished; then w must be decided anew.
func (p *poller) turn(ctx, waits context.Context, w events.Window, under *appending) (moved *oplog.Head, err error) {
	fresh, err := p.enter(waits, budget.Live, 1+grid.Behind(w.End, p.now(), p.window, p.settle))
	var spent *access.NoBudgetError
	switch {
	case errors.As(err, &spent):
		head, err := p.settled(under)
		if err != nil {
			return nil, err
		}
		return &head, p.waitForQuota(waits, spent)
	case errors.Is(err, errTurn):
		return p.passedOver(ctx, under, err)
	case err != nil || !fresh:
		return nil, err
	}
	return p.reread(ctx, under)
}

// reread returns the end of the log if somebody else has moved it beyond the append that is under way or finished.
func (p *poller) reread(ctx context.Context, under *appending) (*oplog.Head, error) {
	ours, err := p.settled(under)
	if err != nil {
		return nil, err
	}
	if err := p.noteCompared(ctx); err != nil {
		return nil, err
	}
	head, err := p.journal.Head(ctx)
	if err != nil || head.Sequence <= ours.Sequence { // less is what a server of a cluster says that lags behind
		return nil, err
	}
	if err := p.passed(ctx, ours.Sequence, head.Sequence); err != nil {
		return nil, err
	}
	if head.Checkpoint.IsZero() { // messages of others, but no history yet
		head.Checkpoint = ours.Checkpoint
	}
	p.seen(ours, head)
	return &head, nil
}

// noteCompared takes what others have compared. Where they found no change the log does not say so before the next append.
func (p *poller) noteCompared(ctx context.Context) error {
	noted, err := p.journal.Reconciled(ctx)
	if err == nil && p.schedule.Period > 0 {
		p.reconciled = reconcile.Latest(p.reconciled, noted)
	}
	return err
}

// seen notes what others have appended.
func (p *poller) seen(before, head oplog.Head) {
	if head.Checkpoint.After(before.Checkpoint) {
		p.relieved = true
		p.storesAgain()
	}
	p.board.setCheckpoint(p.Name, head.Checkpoint)
	p.metrics.reached(p.Name, head.Checkpoint)
	if p.schedule.Period > 0 {
		p.reconciled = reconcile.Latest(p.reconciled, head.Reconciled)
	}
}

// storesAgain notes that windows are stored, and says so where they were not.
func (p *poller) storesAgain() {
	if p.complained {
		p.log.Info("the log can be used again")
	}
	p.failed, p.complained = nil, false
}

// passedOver is what happens when the token is in other hands for long: either somebody else does our work, or nobody does.
func (p *poller) passedOver(ctx context.Context, under *appending, reason error) (*oplog.Head, error) {
	moved, err := p.reread(ctx, under)
	if err == nil && moved == nil {
		p.log.Warn("can't ask: another program has the token", "reason", reason)
		p.board.set(p.Name, Retrying, "waits for its turn: "+reason.Error()+"; stop that program, or give it a token of its own",
			p.now(), time.Time{})
		var ours oplog.Head
		ours, err = p.settled(under)
		moved = &ours
	}
	return moved, err
}

// waitForQuota waits while the day's requests are spent. Others may give some back, so it looks again now and then.
func (p *poller) waitForQuota(ctx context.Context, spent *access.NoBudgetError) error {
	v := exhausted(spent.Until, p.now(), p.Zone, rand.Float64())
	if !spent.Said { // live windows are held up by nothing else
		v.reason += ", by POLL_DAILY_BUDGET"
	}
	if p.board.set(p.Name, Quota, v.reason, p.now(), spent.Until) {
		p.log.Warn("the day's requests are spent; nothing is sent", "until", spent.Until.Format(time.RFC3339), "reason", v.reason)
	}
	until := p.now().Add(min(v.wait, mostPatient))
	for {
		if there, err := p.sleepUntil(ctx, until); err != nil || there {
			return err
		}
	}
}

// appending is an append under way.
type appending struct {
	done chan struct{}
	sent bool // to be stored; false for one that succeeded before
	// What follows is valid once done is closed.
	head   oplog.Head
	behind bool // it was appended behind messages of others, which we have not read
	err    error
}

// finished is an append that succeeded before.
func finished(head oplog.Head) *appending {
	a := &appending{done: make(chan struct{}), head: head}
	close(a.done)
	return a
}

// settled waits for an append. Where others have appended before it, the check under way may be out of date, and is void, and
// they may have compared more than we have.
func (p *poller) settled(a *appending) (oplog.Head, error) {
	<-a.done
	if a.sent && a.err == nil {
		p.storesAgain()
	}
	if a.behind {
		p.corrections.check = nil
		p.reconciled = reconcile.Latest(p.reconciled, a.head.Reconciled)
	}
	return a.head, a.err
}

// startAppend stores a live event in the background, and calls fail if it can't. It is not cut short when ctx ends: what
// was begun is finished, within the append's own time limit.
func (p *poller) startAppend(ctx context.Context, fail func(), e *events.Event, after uint64) *appending {
	a := &appending{done: make(chan struct{}), sent: true}
	p.last = a
	go func() {
		defer close(a.done)
		if a.behind, a.err = p.appendLive(context.WithoutCancel(ctx), e, after); a.err != nil {
			fail()
			return
		}
		a.head = oplog.HeadOf(e)
		p.stored(e)
	}()
	return a
}

// finish waits until what was asked for is stored, or is not going to be.
func (p *poller) finish() {
	if p.last != nil {
		<-p.last.done
	}
}

// appendLive stores the window that follows the checkpoint. When others have appended in between without moving the
// checkpoint, such as a backfill, what was decided is decided again, and is the same: the window is still the next one.
func (p *poller) appendLive(ctx context.Context, e *events.Event, after uint64) (behind bool, err error) {
	const attempts = 10
	for i := 1; ; i++ {
		sequence, err := p.journal.Append(ctx, e, after)
		if err == nil {
			e.Sequence = sequence
			return behind, nil
		}
		if !errors.Is(err, journal.ErrMoved) || i == attempts {
			return behind, err
		}
		head, headErr := p.journal.Head(ctx)
		if headErr != nil {
			return behind, headErr
		}
		if !head.Checkpoint.Equal(e.Window.Start) {
			return behind, fmt.Errorf("%w, up to %s", err, head.Checkpoint.Format(time.RFC3339))
		}
		after, behind = head.Sequence, true
		if !e.Reconciled.IsZero() {
			e.Reconciled = reconcile.Latest(e.Reconciled, head.Reconciled)
		}
	}
}

// stored tells everybody who wants to know that e is in the log.
func (p *poller) stored(e *events.Event) {
	p.appended++
	if e.IsLive() {
		p.relieved = false
	}
	p.metrics.stored(e)
	p.board.setCheckpoint(p.Name, e.Checkpoint)
	p.journal.Note(oplog.HeadOf(e))
	switch {
	case e.Missed != nil:
		p.log.Error("window missed: its answers could not be counted", "window", e.Window.String(), "reason", e.Missed.Reason)
	case e.IsLive():
		p.log.Debug("window stored", "window", e.Window.String(), "total", e.Total, "sequence", e.Sequence)
	default:
		p.log.Info("window corrected", "window", e.Window.String(), "revision", e.Revision, "backfill", e.Backfill,
			"total", e.Total, "sequence", e.Sequence)
	}
}
