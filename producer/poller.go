package producer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"unconnected/events"
	"unconnected/internal/daemon"
	"unconnected/producer/grid"
	"unconnected/producer/oplog"
	"unconnected/producer/wolkvox"
)

// poller polls one operation. One goroutine runs it; an append may overlap the next request.
type poller struct {
	Operation
	window, settle, giveUp, timeout time.Duration
	begin                           time.Time // where a new history begins
	source                          string
	simulated                       bool

	client  *wolkvox.Client
	log     *slog.Logger
	journal *operationLog
	board   *board
	metrics *metrics

	appended int // events stored; written while an append is under way, read after it
}

func (p *Producer) newPoller(o Operation, store *storage) *poller {
	c, log := p.config, p.options.Log.With("operation", o.Name)
	window := time.Duration(c.Window)
	poller := &poller{
		Operation: o,
		window:    window, settle: time.Duration(c.Settle), giveUp: time.Duration(c.GiveUp), timeout: time.Duration(c.Timeout),
		begin:     grid.Align(c.Start.At(time.Now()), window),
		source:    o.Source(),
		simulated: p.options.Simulated,
		client: wolkvox.New(wolkvox.Options{
			BaseURL: o.BaseURL, Server: o.Server, Token: o.Token.Value, Location: o.Zone, Timeout: time.Duration(c.Timeout),
		}),
		log: log, journal: &operationLog{storage: *store, operation: o.Name}, board: p.board, metrics: p.metrics,
	}
	poller.journal.log = log
	if p.options.Simulated {
		poller.source = oplog.SourceSimulated
	}
	p.metrics.begin(o.Name)
	return poller
}

func now() time.Time { return time.Now().UTC() }

// run follows the log until ctx ends. Whatever throws it off the log, it opens the log again and decides anew.
func (p *poller) run(ctx context.Context) error {
	p.log.Info("polling", "window", p.window.String(), "settle", p.settle.String(), "zone", p.Zone.String(),
		"local_time", time.Now().In(p.Zone).Format("2006-01-02 15:04:05 MST"))
	said := false
	for failures := 1; ; failures++ { // in a row: an append in between is a new beginning
		limit, before := mostWait/4, p.appended
		head, err := p.start(ctx, &said)
		if err == nil {
			err = p.follow(ctx, head)
			limit = mostWait // each try costs a request to the API
		}
		if p.appended > before {
			failures = 1
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var fatal *daemon.ExitError
		if errors.As(err, &fatal) {
			return err
		}
		wait := jittered(doubled(firstWait/4, failures, limit), rand.Float64())
		if err := p.recover(ctx, err, wait); err != nil {
			return err
		}
	}
}

// recover waits before the log is opened again. A conflict is no fault: somebody else polls this operation, too.
func (p *poller) recover(ctx context.Context, err error, wait time.Duration) error {
	switch {
	case errors.Is(err, errMoved):
		p.log.Info("somebody else appended to the log; reading it again", "reason", err)
		return sleep(ctx, wait)
	case errors.Is(err, errLost):
		p.log.Error("refusing to go on", "error", err)
		p.board.set(p.Name, Refused, err.Error(), now(), now().Add(wait))
	default:
		p.log.Warn("the log can't be used now; trying again", "error", err, "wait", wait.String())
		p.board.set(p.Name, Retrying, "NATS: "+err.Error(), now(), now().Add(wait))
	}
	return sleep(ctx, wait)
}

// start opens the log and finds where to go on: behind its end, or, for a new history, at the configured begin.
func (p *poller) start(ctx context.Context, said *bool) (oplog.Head, error) {
	head, err := p.journal.open(ctx)
	if err != nil {
		return head, err
	}
	if head.MixesKinds(p.source) {
		return head, daemon.Usage(fmt.Errorf("operation %s: the log holds events from %s, and this producer polls %s: "+
			"simulated and real calls must not mix; use another NATS_URL, --data directory or operation name", p.Name, head.Source, p.source))
	}
	if head.Checkpoint.IsZero() {
		if err := p.checkZone(ctx); err != nil {
			return head, err
		}
		head.Checkpoint = p.begin
		if !*said {
			p.log.Info("a new history begins", "start", head.Checkpoint)
			if head.Checkpoint.After(now()) {
				p.log.Warn("POLL_START lies in the future; nothing is polled before", "start", head.Checkpoint)
			}
		}
	} else {
		p.metrics.reached(p.Name, head.Checkpoint)
		p.board.setCheckpoint(p.Name, head.Checkpoint)
		if !*said {
			p.log.Info("history goes on where it ended; POLL_START is ignored", "checkpoint", head.Checkpoint)
		}
	}
	*said = true
	return head, nil
}

// follow polls window after window, and appends each behind the last. While an append is under way the next window is
// asked for already; the append after it waits, because its fence is the first one's sequence. An append that fails ends
// the following, but not the request under way: the API would go on working at it, and works on one at a time.
func (p *poller) follow(ctx context.Context, head oplog.Head) (err error) {
	waits, fail := context.WithCancel(ctx)
	defer fail()
	under, before := finished(head), p.appended
	defer func() {
		if _, appendErr := under.wait(); appendErr != nil {
			err = appendErr
		}
		p.journal.settleMark(context.WithoutCancel(ctx))
	}()
	for {
		w := grid.Next(head.Checkpoint, p.window, head.Length)
		pass, _ := grid.Repeated(w, p.Zone)
		wait := time.Until(grid.Due(w, p.settle))
		if wait > 0 || pass == grid.Second { // its twin may be the window before
			if head, err = under.wait(); err != nil {
				return err
			}
		}
		if wait > 0 {
			if err := p.idle(ctx, w); err != nil {
				return err
			}
		}
		e, err := p.poll(ctx, waits, w)
		if err != nil {
			return err
		}
		behind, err := under.wait()
		if err != nil {
			return err
		}
		if p.appended > before {
			p.polled(w)
		}
		head = oplog.HeadOf(e)
		under = p.startAppend(ctx, fail, e, behind.Sequence)
	}
}

// idle waits until w is due. It looks at the clock at least twice a minute, since a host's clock may jump.
func (p *poller) idle(ctx context.Context, w events.Window) error {
	p.journal.settleMark(ctx)
	due := grid.Due(w, p.settle)
	p.board.set(p.Name, OK, "", now(), due)
	for {
		wait := time.Until(due.Round(0)) // Round drops the monotonic reading: the wall clock counts
		if wait <= 0 {
			return nil
		}
		if err := sleep(ctx, min(wait, 30*time.Second)); err != nil {
			return err
		}
	}
}

// appending is an append under way.
type appending struct {
	done chan struct{}
	head oplog.Head // valid once done is closed
	err  error      // valid once done is closed
}

// finished is an append that succeeded before.
func finished(head oplog.Head) *appending {
	a := &appending{done: make(chan struct{}), head: head}
	close(a.done)
	return a
}

func (a *appending) wait() (oplog.Head, error) {
	<-a.done
	return a.head, a.err
}

// startAppend stores e in the background, and calls fail if it can't. It is not cut short when ctx ends: what was begun is
// finished, within the append's own time limit.
func (p *poller) startAppend(ctx context.Context, fail func(), e *events.Event, after uint64) *appending {
	a := &appending{done: make(chan struct{})}
	go func() {
		defer close(a.done)
		sequence, err := p.journal.append(context.WithoutCancel(ctx), e, after)
		if err != nil {
			a.err = err
			fail()
			return
		}
		e.Sequence = sequence
		a.head = oplog.HeadOf(e)
		p.stored(e)
	}()
	return a
}

// stored tells everybody who wants to know that e is in the log.
func (p *poller) stored(e *events.Event) {
	p.appended++
	p.metrics.stored(e)
	p.board.setCheckpoint(p.Name, e.Checkpoint)
	p.journal.noteMark(oplog.HeadOf(e))
	if e.Missed != nil {
		p.log.Error("window missed: its answers could not be counted", "window", e.Window.String(), "reason", e.Missed.Reason)
		return
	}
	p.log.Debug("window stored", "window", e.Window.String(), "total", e.Total, "sequence", e.Sequence)
}
