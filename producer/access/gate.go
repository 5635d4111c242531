package access

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"unconnected/internal/lease"
	"unconnected/producer/budget"
	"unconnected/producer/wolkvox"
)

// Options are what a Gate needs. All fields but Requested are required.
type Options struct {
	Client  *wolkvox.Client
	API     string        // what the token and the quota belong to: the same token on another server is another token
	Token   func() string // the one that the client sends
	Timeout time.Duration // of one request, as the client has it
	Leases  *lease.Keeper
	Quota   *Quota // of the API
	Now     func() time.Time
	Log     *slog.Logger
	// Requested is told of every request that was answered or failed: what became of it ("ok" or the kind of error) and how
	// long it took.
	Requested func(outcome string, took time.Duration)
}

// Fine is the outcome of a request that was answered; the others are named like the kinds of error.
const Fine = "ok"

// Gate is one operation's way to the API. One goroutine at a time may use it, but for Holder and Problem.
type Gate struct {
	Options
	turn    turn
	need    budget.Need
	noted   string // the operation that need is of; empty: nobody's
	granted grant
}

// grant is what was taken from the ledger and not sent yet.
type grant struct {
	class budget.Class
	n     int64
	at    time.Time
}

// New makes a Gate that holds nothing yet.
func New(o Options) *Gate {
	if o.Requested == nil {
		o.Requested = func(string, time.Duration) {}
	}
	return &Gate{Options: o, turn: turn{keeper: o.Leases, api: o.API, ttl: TTL(o.Timeout)}}
}

// Note says what the operation needs in a day. It is written to the ledger with the next requests that are taken.
func (g *Gate) Note(operation string, n budget.Need) { g.noted, g.need = operation, n }

// handful is how many requests are taken at a time at the most.
const handful = 32

// grantLasts bounds how long what was taken may wait to be sent: the next day has a quota of its own.
const grantLasts = time.Minute

// Enter returns when a request of a class may be sent, and goes on to be ours until Leave, or until somebody more urgent
// is let in at the next Enter. Want is how many requests will follow one another, this one included. Fresh tells that the
// token was not ours all the time since the last Enter.
//
// Want 0 is for [Gate.AskQuota], whose request is not one of the class.
//
// The error is the end of ctx, a [*NoBudgetError], or what keeps the ledger from being read or written.
func (g *Gate) Enter(ctx context.Context, class budget.Class, want int) (fresh bool, err error) {
	if want == 0 {
		return g.turn.take(ctx, g.Token(), class)
	}
	if err := g.take(ctx, class, want); err != nil {
		g.Leases.Doubt(err) // the ledger is in their bucket
		g.turn.give(ctx)
		return false, err
	}
	fresh, err = g.turn.take(ctx, g.Token(), class)
	if err == nil && fresh {
		err = g.recheck(ctx, class)
	}
	return fresh, err
}

// recheck asks, when the token was in other hands, whether its holder was told meanwhile that the quota is spent.
func (g *Gate) recheck(ctx context.Context, class budget.Class) error {
	var until time.Time
	if err := g.Quota.Look(ctx, func(b *budget.Budget) { until = b.Ledger.SpentUntil }); err != nil {
		return err
	}
	if !g.Now().Before(until) {
		return nil
	}
	g.Leave(ctx)
	return &NoBudgetError{class, until, true}
}

// take makes sure that a request of the class was taken from the ledger.
func (g *Gate) take(ctx context.Context, class budget.Class, want int) error {
	now := g.Now()
	if g.granted.n > 0 && (g.granted.class != class || now.Sub(g.granted.at).Abs() > grantLasts) {
		g.giveBack(ctx)
	}
	if g.granted.n > 0 {
		return nil
	}
	n, err := g.Quota.take(ctx, class, int64(min(want, handful)), now, g.noted, g.need)
	if err != nil {
		return err
	}
	g.granted = grant{class, n, now}
	return nil
}

// giveBack returns what was not sent. Should that fail, the next report of the API puts it right.
func (g *Gate) giveBack(ctx context.Context) {
	if n := g.granted.n; n > 0 {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
		defer cancel()
		if err := g.Quota.giveBack(ctx, n, g.granted.at, g.Now()); err != nil {
			g.Log.Debug("requests that were not sent could not be given back", "requests", n, "error", err)
		}
	}
	g.granted = grant{}
}

// spent tells all that the quota is spent, in a program that is stopped, too, and returns the rest of the handful, which would
// be sent otherwise.
func (g *Gate) spent(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := g.Quota.spent(ctx, g.Now()); err != nil {
		g.Log.Debug("that the quota is spent could not be noted for others", "error", err)
	}
	g.giveBack(ctx)
}

// Leave gives the token to whoever waits for it. While the server may still be at work on a request it does nothing: the
// lease runs out by itself, or call it again.
func (g *Gate) Leave(ctx context.Context) {
	g.giveBack(ctx)
	g.turn.give(ctx)
}

// BeforeGiving sets what is done each time before the token is given to others. It should return once they can see what they
// would ask for again if they couldn't.
func (g *Gate) BeforeGiving(f func()) { g.turn.before = f }

// Holder names who has the token now, for people; empty when nobody has. It is safe for concurrent use.
func (g *Gate) Holder() string { return g.turn.holder() }

// Problem is why it can't be found out whose turn it is; nil while it can. It is safe for concurrent use.
func (g *Gate) Problem() error { return g.turn.problem() }

// Report asks how many calls did not connect in [from, to), by result. It must follow an Enter; when that was so long ago
// that the token may be in other hands, it waits for it again. The end of ctx gives it two seconds more, since an answer
// that comes frees the token at once.
func (g *Gate) Report(ctx context.Context, from, to time.Time) (answer wolkvox.Answer, err error) {
	err = g.send(ctx, func(ctx context.Context) (err error) {
		g.granted.n--
		answer, err = g.Client.Report(ctx, from, to)
		return err
	})
	return answer, err
}

// lastGrace is how long a request may go on after the program was told to stop.
const lastGrace = 2 * time.Second

// send keeps the books around a request, and returns its error.
func (g *Gate) send(ctx context.Context, request func(context.Context) error) error {
	if err := g.turn.keep(ctx); err != nil {
		return err
	}
	asking, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(lastGrace, cut) })()
	began := time.Now()
	err := request(asking)
	took := time.Since(began)
	var failure *wolkvox.Error
	failed := errors.As(err, &failure)
	switch {
	case asking.Err() != nil:
		g.turn.busy(began.Add(g.turn.ttl))
		return err
	case !failed:
		g.Requested(Fine, took)
		return err
	case failure.Timeout:
		g.turn.busy(time.Now().Add(g.Timeout / 2))
	case failure.Kind == wolkvox.KindQuota:
		g.spent(ctx)
	}
	g.Requested(failure.Kind.String(), took)
	return err
}
