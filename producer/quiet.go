package producer

import (
	"context"
	"errors"
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

// corrections is the work between live windows: comparing what is in the log with what the API says now.
type corrections struct {
	job       reconcile.Job
	check     *reconcile.Check // of job; nil when none is under way
	failures  int              // in a row
	notBefore time.Time        // when to go on after a failure, or with another day's requests
	until     time.Time        // when the next live window is due
}

// quiet does what there is to do while no live window is due, and returns the log's end when one is.
func (p *poller) quiet(ctx context.Context, head oplog.Head, due time.Time) (oplog.Head, error) {
	p.journal.Settle(ctx)
	p.failed = nil // whether something can be stored shows with the next window, and is said then
	p.board.set(p.Name, OK, "", p.now(), due)
	p.corrections.until = due
	for checkpoint := head.Checkpoint; ; {
		now := p.now()
		if !p.before(due) || !head.Checkpoint.Equal(checkpoint) { // the latter: somebody else has polled the window
			return head, nil
		}
		next, err := p.chore(ctx, &head, now)
		if err != nil {
			return head, err
		}
		if !next.After(now) {
			continue // more to do
		}
		p.gate.Leave(ctx)
		p.board.set(p.Name, OK, "", p.now(), due)
		if _, err := p.sleepUntil(ctx, earlier(due, next)); err != nil {
			return head, err
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// never is later than anything that is waited for.
var never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// chore does one piece of work, of one request at the most, and returns when there is more to do: the zero time is at once.
// Of several replicas the one that stored the newest window compares, or each would send every request.
func (p *poller) chore(ctx context.Context, head *oplog.Head, now time.Time) (next time.Time, err error) {
	if p.gate.ReportDue() {
		return time.Time{}, p.askQuota(ctx, head)
	}
	if p.relieved {
		return never, nil
	}
	if now.Before(p.corrections.notBefore) {
		return p.corrections.notBefore, nil
	}
	if p.corrections.check == nil {
		job, any := p.schedule.Next(p.reconciled)
		switch {
		case !any:
			return never, nil
		case !job.Ready(head.Checkpoint, now):
			if job.Due.After(now) {
				return job.Due, nil
			}
			return never, nil // its windows are not in the log yet
		}
		return time.Time{}, p.beginCheck(ctx, job, head.Sequence)
	}
	request, more := p.corrections.check.Next()
	if !more {
		p.finishCheck(ctx)
		return time.Time{}, nil
	}
	return time.Time{}, p.correct(ctx, head, request)
}

// askQuota asks what is left of the day's requests. Failing to is no trouble of its own: live windows tell what is wrong.
func (p *poller) askQuota(ctx context.Context, head *oplog.Head) error {
	if ok, err := p.enterQuietly(ctx, head, 0); !ok {
		return err
	}
	return p.gate.AskQuota(ctx)
}

// beginCheck reads what the log, which ends with the message end, holds of a job's span.
func (p *poller) beginCheck(ctx context.Context, job reconcile.Job, end uint64) error {
	log, reaches, err := p.journal.Windows(ctx, job.Span, end)
	if err != nil {
		return err
	}
	if reaches.After(job.Span.Start) { // what retention removed is no gap
		job.Span.Start = reaches
	}
	p.corrections.job, p.corrections.check = job, p.schedule.Begin(job, log)
	return nil
}

// finishCheck notes that a span was compared, where replicas and the next start see it.
func (p *poller) finishCheck(ctx context.Context) {
	p.reconciled = p.corrections.check.Advance(p.reconciled)
	p.log.Debug("compared again with the API", "period", p.corrections.job.Kind.String(), "span", p.corrections.job.Span.String())
	p.corrections.check, p.corrections.failures = nil, 0
	p.journal.NoteReconciled(p.reconciled)
	p.journal.Settle(ctx)
}

// correct sends one request of the check under way, and appends what changed.
func (p *poller) correct(ctx context.Context, head *oplog.Head, request reconcile.Request) error {
	check := p.corrections.check
	if ok, err := p.enterQuietly(ctx, head, 1); !ok || p.corrections.check != check {
		return err
	}
	answer, err := p.ask(ctx, request.Span)
	if err != nil {
		return p.postpone(ctx, err)
	}
	p.corrections.failures = 0
	change, changed := check.Answer(answer.Counts)
	if !changed {
		return nil
	}
	e, err := p.event(ctx, change.Window, &answer)
	if err != nil {
		return err
	}
	e.Revision, e.Backfill = change.Revision, change.Backfill
	return p.amend(ctx, head, e)
}

// enterQuietly waits until a correction may be sent, no longer than until the next live window is due, and tells whether it
// may. Where somebody else could have worked meanwhile it catches up with them.
func (p *poller) enterQuietly(ctx context.Context, head *oplog.Head, want int) (bool, error) {
	fresh, err := p.enter(ctx, budget.Correction, want)
	var spent *access.NoBudgetError
	switch {
	case errors.As(err, &spent):
		p.corrections.notBefore = earlier(spent.Until, p.now().Add(mostPatient))
		return false, nil
	case errors.Is(err, errTurn):
		p.corrections.notBefore = p.now().Add(firstSlow)
		return false, nil
	case err != nil || !fresh:
		return err == nil, err
	}
	err = p.catchUp(ctx, head)
	return err == nil, err
}

// catchUp reads what others have done since head. The check under way is void if that concerns it.
func (p *poller) catchUp(ctx context.Context, head *oplog.Head) error {
	before, progress := *head, p.reconciled
	now, err := p.journal.Head(ctx)
	if err != nil {
		return err
	}
	if now.Sequence > before.Sequence { // less is what a server of a cluster says that lags behind
		if err := p.passed(ctx, before.Sequence, now.Sequence); err != nil {
			return err
		}
		*head = now
		p.seen(before, now)
	}
	if err := p.noteCompared(ctx); err != nil {
		return err
	}
	if p.reconciled != progress {
		p.corrections.check = nil
	}
	return nil
}

// passed voids the check under way if what others have appended after a sequence, up to the log's end, concerns its span.
func (p *poller) passed(ctx context.Context, sequence, end uint64) error {
	if p.corrections.check == nil {
		return nil
	}
	appended, err := p.journal.After(ctx, sequence, end)
	for i := range appended {
		if p.corrections.job.Span.Overlaps(appended[i].Window) {
			p.corrections.check = nil
		}
	}
	return err
}

// postpone decides what a failed request means for the corrections. Live windows are asked for all the same, and tell
// people what is wrong.
func (p *poller) postpone(ctx context.Context, err error) error {
	failure := failureOf(ctx, err)
	if failure == nil {
		return errors.Join(ctx.Err(), err)
	}
	if failure.Kind == wolkvox.KindGarbage {
		p.corrections.check.Unanswerable()
		return nil
	}
	p.corrections.failures++
	v := judge(failure, p.corrections.failures, p.now(), p.Zone, p.timeout, rand.Float64())
	p.corrections.notBefore = p.now().Add(v.wait)
	p.log.Info("a closed period could not be compared; trying again", "kind", failure.Kind.String(), "reason", v.reason,
		"next_try", p.corrections.notBefore.Format(time.RFC3339))
	return nil
}

// amend appends a revision or a backfill of the check under way. When somebody else was faster, the check is void if that
// concerns its span; otherwise the event is appended behind it.
func (p *poller) amend(ctx context.Context, head *oplog.Head, e *events.Event) error {
	check := p.corrections.check
	for {
		e.Checkpoint, e.Reconciled = head.Checkpoint, p.reconciled
		sequence, err := p.journal.Append(context.WithoutCancel(ctx), e, head.Sequence)
		if err == nil {
			e.Sequence = sequence
			length := head.Length
			*head = oplog.HeadOf(e)
			head.Length = length
			p.stored(e)
			return nil
		}
		if !errors.Is(err, journal.ErrMoved) {
			return err
		}
		before := head.Sequence
		if readErr := p.catchUp(ctx, head); readErr != nil || p.corrections.check != check {
			return readErr
		}
		if head.Sequence == before { // refused, but not for what others have appended
			return err
		}
	}
}
