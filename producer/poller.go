package producer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/daemon"
	"unconnected/internal/natsio"
	"unconnected/producer/access"
	"unconnected/producer/budget"
	"unconnected/producer/grid"
	"unconnected/producer/journal"
	"unconnected/producer/oplog"
	"unconnected/producer/reconcile"
)

// poller polls one operation: its live windows, and between them its corrections. One goroutine runs it; an append may
// overlap the next request.
type poller struct {
	*desk
	window, settle, giveUp, timeout time.Duration
	spread                          time.Duration // added to the settle time, so that many operations do not ask at once
	from                            config.Moment // POLL_START
	begin                           time.Time     // what that is, for a new history; zero until it is needed
	schedule                        reconcile.Schedule

	board   *board
	metrics *metrics

	trouble     trouble           // with the window that is being asked for
	corrections corrections       // what is done between live windows
	reconciled  events.Reconciled // how far the log was compared again; each append says so
	failed      error             // why NATS could not be used, until it is seen that windows are stored; nil otherwise
	complained  bool              // that was said aloud
	relieved    bool              // somebody else stored the newest window; like appended
	last        *appending        // the last append that was begun; nil before the first
	appended    int               // events stored; written while an append is under way, read after it
}

// newPoller is the poller of the i-th of n operations.
func (p *Producer) newPoller(o Operation, i, n int, store *storage) *poller {
	c := p.config
	window := time.Duration(c.Window)
	poller := &poller{
		window: window, settle: time.Duration(c.Settle), giveUp: time.Duration(c.GiveUp), timeout: time.Duration(c.Timeout),
		from:     c.Start,
		spread:   spread(i, n, time.Duration(c.Settle), window),
		schedule: reconcile.Schedule{Period: time.Duration(c.Reconcile), Window: window, Zone: o.Zone},
		board:    p.board, metrics: p.metrics,
	}
	poller.desk = store.newDesk(o, p.options.Simulated, func(outcome string, took time.Duration) {
		p.metrics.requested(o.Name, outcome, took)
	})
	poller.gate.BeforeGiving(poller.finish)
	p.metrics.quota.watch(o.server(), store.quota(&o), poller.now)
	p.metrics.begin(o.Name)
	return poller
}

// slot is what each of many operations gets of the time after a window's end.
const slot = 25 * time.Millisecond

// spread is how much later than its settle time the i-th of n operations asks, so that they do not all ask at once: within
// the settle time, and half a window, at the most.
func spread(i, n int, settle, window time.Duration) time.Duration {
	return min(slot*time.Duration(n), settle, window/2) * time.Duration(i) / time.Duration(n)
}

// due is when a live window is asked for.
func (p *poller) due(w events.Window) time.Time {
	return grid.Due(w, p.settle+p.spread)
}

// run follows the log until ctx ends. Whatever throws it off the log, it opens the log again and decides anew.
func (p *poller) run(ctx context.Context) error {
	p.log.Info("polling", "window_length", p.window.String(), "settle", p.settle.String(), "zone", p.Zone.String(),
		"local_time", p.now().In(p.Zone).Format("2006-01-02 15:04:05 MST"))
	defer p.gate.Leave(ctx)
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
		p.gate.Leave(ctx)
		wait := jittered(doubled(firstWait/4, failures, limit), rand.Float64())
		if err := p.recover(ctx, err, failures, wait); err != nil {
			return err
		}
	}
}

// recover waits before the log is opened again after so many failures in a row. A conflict is no fault: somebody else polls this
// operation, too.
func (p *poller) recover(ctx context.Context, err error, failures int, wait time.Duration) error {
	switch {
	case errors.Is(err, journal.ErrMoved):
		p.log.Info("somebody else appended to the log; reading it again", "reason", err)
	case errors.Is(err, journal.ErrLost):
		p.log.Error("refusing to go on", "error", err)
		p.board.set(p.Name, Refused, err.Error(), p.now(), p.now().Add(wait))
	default:
		level := levelOf(err, failures)
		p.log.Log(ctx, level, "the log can't be used now; trying again", "error", err, "wait", wait.String())
		p.board.set(p.Name, Retrying, natsReason(err), p.now(), p.now().Add(wait))
		p.failed, p.complained = err, p.complained || level > slog.LevelDebug
	}
	return sleep(ctx, wait) // real time: it is NATS that is waited for
}

// natsReason is why NATS can't be used, as a status has it.
func natsReason(err error) string {
	reason := err.Error()
	if !strings.HasPrefix(reason, "NATS ") {
		reason = "NATS: " + reason
	}
	return reason
}

// levelOf is how loud it is said that the log can't be used, after so many failures in a row. That NATS is away the connection says
// itself, once for all operations; and a server that stops or starts does not store for a moment.
func levelOf(err error, failures int) slog.Level {
	if errors.Is(err, natsio.ErrAway) || errors.Is(err, natsio.ErrStuck) && failures == 1 {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

// start opens the log and finds where to go on: behind its end, or, for a new history, at the configured begin.
func (p *poller) start(ctx context.Context, said *bool) (oplog.Head, error) {
	head, err := p.open(ctx)
	if err != nil {
		return head, err
	}
	p.corrections = corrections{}
	if head.Checkpoint.IsZero() {
		if head, err = p.checkZone(ctx, head); err != nil {
			return head, err
		}
	}
	if !head.Checkpoint.IsZero() {
		p.goOn(head, !*said)
		*said = true
		return head, nil
	}
	if p.begin.IsZero() { // only now: the answer about the zone has told what time it is
		p.begin = grid.Align(p.from.At(p.now()), p.window)
	}
	head.Checkpoint = p.begin
	p.reconciled = p.beginning(p.begin)
	if !*said {
		p.log.Info("a new history begins", "start", head.Checkpoint)
		if head.Checkpoint.After(p.now()) {
			p.log.Warn("POLL_START lies in the future; nothing is polled before", "start", head.Checkpoint)
		}
	}
	*said = true
	return head, nil
}

// goOn takes up a log that exists. One that was never compared is compared from here on.
func (p *poller) goOn(head oplog.Head, say bool) {
	p.notBefore(head.Checkpoint) // its last window was over when it was stored, whatever this host's clock says now
	p.metrics.reached(p.Name, head.Checkpoint)
	p.board.setCheckpoint(p.Name, head.Checkpoint)
	p.reconciled = head.Reconciled
	if p.reconciled.IsZero() || p.schedule.Period <= 0 {
		p.reconciled = p.beginning(head.Checkpoint)
	}
	if say {
		p.log.Info("history goes on where it ended; POLL_START is ignored", "checkpoint", head.Checkpoint)
	}
}

// beginning is the progress of comparing from an instant on; none when nothing is compared.
func (p *poller) beginning(at time.Time) events.Reconciled {
	if p.schedule.Period <= 0 {
		return events.Reconciled{}
	}
	return reconcile.Start(at)
}

// enter waits until a request of a class may be sent, and says so when that takes long. A token that is in other hands for
// longer than a dead holder could keep it is an [errTurn]: meanwhile somebody else may do our work.
func (p *poller) enter(ctx context.Context, class budget.Class, want int) (fresh bool, err error) {
	p.gate.Note(p.Name, budget.Need{
		Window: seconds(p.window), Period: seconds(max(p.schedule.Period, 0)), Checkpoint: p.board.checkpoint(p.Name), Seen: p.now(),
	})
	longest := access.TTL(p.timeout) + longestSleep
	if class != budget.Live {
		longest = min(longest, p.corrections.until.Sub(p.now()))
	}
	limited, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	if class == budget.Live {
		failed := p.failed
		defer every(waitingRhythm, func() { p.sayWaiting(failed) })()
	}
	fresh, err = p.gate.Enter(limited, class, want)
	if err != nil && limited.Err() != nil && ctx.Err() == nil && !errors.Is(err, natsio.ErrStuck) {
		err = fmt.Errorf("%w: %s has it for more than %v", errTurn, p.gate.Holder(), longest)
	}
	return fresh, err
}

// waitingRhythm is how often it is told why a request waits to be sent, first after as long.
const waitingRhythm = 2 * time.Second

// every calls f at a rhythm, until it is stopped; then f is not under way any more. There is a goroutine only while f is called: most
// waits are over long before.
func every(rhythm time.Duration, f func()) (stop func()) {
	var mu sync.Mutex // held while f is called
	var stopped bool  // guarded by mu, like timer
	var timer *time.Timer
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(rhythm, func() {
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			f()
			timer.Reset(rhythm)
		}
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		stopped = true
		timer.Stop()
	}
}

// sayWaiting tells why no request is sent. It is called from another goroutine than the poller's. A server that does not store lets
// no claim run out either, so that its own trouble goes before whoever seems to have the token. Failed is what made the poller
// begin anew, and was told.
func (p *poller) sayWaiting(failed error) {
	problem, holder := p.gate.Problem(), p.gate.Holder()
	switch {
	case problem != nil:
		p.board.set(p.Name, Retrying, natsReason(problem), p.now(), time.Time{})
	case errors.Is(failed, natsio.ErrStuck):
	case holder != "":
		p.board.set(p.Name, CatchingUp, "waits for its turn: "+holder+" asks with this token", p.now(), time.Time{})
	default:
		p.board.set(p.Name, Retrying, "NATS does not say whose turn it is to ask the API; waiting for it", p.now(), time.Time{})
	}
}

// errTurn says that the token was not to be had.
var errTurn = errors.New("the token is in other hands")

func seconds(d time.Duration) budget.Seconds { return budget.Seconds(d / time.Second) }
