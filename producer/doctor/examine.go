package doctor

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/diagnosis"
	"unconnected/internal/lease"
	"unconnected/producer"
	"unconnected/producer/access"
	"unconnected/producer/budget"
	"unconnected/producer/grid"
	"unconnected/producer/wolkvox"
)

// Access is what all programs share about tokens and quotas.
type Access struct {
	JS      jetstream.JetStream
	Leases  *lease.Keeper
	Ledgers jetstream.KeyValue
	Daily   int64 // POLL_DAILY_BUDGET
}

// Options say what to examine. Access and Transport may be nil.
type Options struct {
	Operation producer.Operation
	Window    time.Duration // POLL_WINDOW
	Settle    time.Duration // POLL_SETTLE
	Reconcile time.Duration // POLL_RECONCILE; 0: off
	Timeout   time.Duration // WOLKVOX_TIMEOUT
	// Access is nil where it is certain that nobody else uses the token.
	Access    *Access
	Transport http.RoundTripper // nil: one of its own
	Now       func() time.Time  // nil: the host's clock
}

// examination is one look at the API of an operation.
type examination struct {
	Options
	asker
	found diagnosis.Findings
}

// Examine checks the API of an operation, and says how many requests that took. It begins none after three quarters of a
// minute; the last may take its time limit.
func Examine(ctx context.Context, o Options) (diagnosis.Findings, int) {
	if o.Now == nil {
		o.Now = time.Now
	}
	x := &examination{Options: o}
	x.client = wolkvox.New(wolkvox.Options{
		BaseURL: o.Operation.BaseURL, Server: o.Operation.Server, Token: o.Operation.Token.Value, Timeout: o.Timeout, Transport: o.Transport,
	})
	x.now, x.until = o.Now, time.Now().Add(begins)
	if o.Access != nil {
		x.gate = x.newGate()
		defer x.leave(ctx)
	}
	x.run(ctx)
	return x.found, x.sent
}

func (x *examination) newGate() *access.Gate {
	log := slog.New(slog.DiscardHandler) // what goes wrong is found
	api, o := x.Operation.API(), &x.Operation
	x.tell(judgeHolder(x.Access.Leases.Lease(lease.Key(api, o.Token.Value()), access.TTL(x.Timeout), lease.Backfill).Holder()))
	return access.New(access.Options{
		Client: x.client, API: api, Token: o.Token.Value, Timeout: x.Timeout, Leases: x.Access.Leases,
		Quota: access.NewQuota(x.Access.JS, x.Access.Ledgers, api, budget.Settings{Daily: x.Access.Daily, Zone: o.Zone}, log),
		Now:   x.Now, Log: log,
	})
}

func judgeHolder(holder string) diagnosis.Finding {
	if holder == "" {
		return diagnosis.Ok("lease", "nobody has the token at the moment")
	}
	return diagnosis.Ok("lease", "%s has the token; it is asked for in turn", holder)
}

func (x *examination) tell(f diagnosis.Finding) { x.found = append(x.found, f) }

func (x *examination) run(ctx context.Context) {
	info, err := x.tokenInfo(ctx)
	switch {
	case err == nil:
		x.reached()
		x.tell(judgeQuota(info, x.needs(24*time.Hour), x.needs(x.restOfDay())))
	case hopeless(err):
		x.tell(judgeFailure("api", err))
		x.tell(diagnosis.Skip("zone", "", "not checked, like clock and windows: see above"))
		return
	default:
		x.tell(diagnosis.Warn("quota", "set POLL_DAILY_BUDGET, or nothing bounds what corrections and backfills use", "the API does not tell what is left: %v", err))
	}
	now, err := x.zone(ctx, err != nil)
	if err != nil {
		x.tell(judgeFailure("zone", err))
		return
	}
	windows, err := x.windows(ctx, now)
	if err != nil {
		windows = judgeFailure("windows", err)
	}
	x.tell(windows)
}

// reached tells of the first request that was answered.
func (x *examination) reached() {
	host := x.Operation.BaseURL
	if u, err := url.Parse(host); err == nil {
		host = u.Host
	}
	x.tell(judgeReached(host, x.took))
	x.tell(diagnosis.Ok("token", "accepted"))
}

// needs is how many requests live windows and corrections take in some time.
func (x *examination) needs(in time.Duration) int64 {
	need := int64(in / x.Window)
	if x.Reconcile > 0 {
		need += int64(in/x.Reconcile) + 1
	}
	return need
}

func (x *examination) restOfDay() time.Duration {
	now := x.Now()
	return grid.NextMidnight(now, x.Operation.Zone).Sub(now)
}

const (
	recently                 = 15 * time.Minute                // ago calls may have been for the zone to be right: offsets are multiples of it
	margin                   = 2 * time.Minute                 // two clocks may differ a little, and that is no wrong zone
	easternmost, westernmost = 14 * time.Hour, -12 * time.Hour // of all zones' offsets
	week                     = 7 * 24 * time.Hour
	historyPatience          = 5 * time.Second // for the history of a week
)

// zone finds out what time it is for the operation, and judges clock and zone by it. It returns its present, as the API's
// clock and the configured zone have it. First tells that no request was answered before.
func (x *examination) zone(ctx context.Context, first bool) (now time.Time, err error) {
	f := zoneFacts{zone: x.Operation.Zone, now: x.Now()}
	here := localNow(f.now, f.zone)
	answer, err := x.report(ctx, here.Add(-recently), here)
	if err != nil {
		return f.now, err
	}
	if first {
		x.reached()
	}
	f.recent = answer.Total
	ahead, known := answer.ClockAhead()
	x.tell(judgeClock(ahead, known, producer.Tolerance(x.Settle)))
	present := func() time.Time { return x.Now().Add(-ahead) } // anew for each question: an answer, or the token, may be waited for
	if f.now = present(); ahead.Abs() > margin {
		here = localNow(f.now, f.zone)
		if f.recent, err = x.calls(ctx, span{here.Add(-recently), here}); err != nil {
			return f.now, err
		}
	}
	f.now = present()
	if err := x.locate(ctx, &f); err != nil {
		return f.now, err
	}
	x.tell(judgeZone(f))
	return f.now, nil
}

// locate looks where the operation's calls end, unless it is where they should.
func (x *examination) locate(ctx context.Context, f *zoneFacts) error {
	here := localNow(f.now, f.zone)
	where := span{here.Add(margin), localNow(f.now, time.UTC).Add(easternmost + recently)}
	var err error
	if where.length() > 0 { // the easternmost zone has no future elsewhere
		if f.future, err = x.calls(ctx, where); err != nil {
			return err
		}
	}
	if f.future == 0 {
		where = span{localNow(f.now, time.UTC).Add(westernmost - time.Hour), here}
		f.searched = where.length()
		if f.recent > 0 {
			return nil
		}
		if n, err := x.calls(ctx, where); err != nil || n == 0 {
			return err
		}
	}
	f.last, err = latest(where, func(s span) (bool, error) { n, err := x.calls(ctx, s); return n > 0, err })
	if err != nil || f.future > 0 {
		return err
	}
	after := span{f.last.to, f.last.to.Add(2 * recently)}
	if after.to.After(here) {
		after.to = here
	}
	if after.length() > 0 {
		f.earlier, err = x.calls(ctx, span{after.from.Add(-week), after.to.Add(-week)})
	}
	if f.earlier >= likely {
		f.proof = x.proof(ctx, f)
	}
	return err
}

// proof looks in the history of the last week for a window that [proves] the zone. What can't be read proves nothing.
func (x *examination) proof(ctx context.Context, f *zoneFacts) (proof *events.Event) {
	if x.Access == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, historyPatience)
	defer cancel()
	query := events.Query{Operations: []string{x.Operation.Name}, From: f.now.Add(-week)}
	for e, err := range events.History(ctx, x.Access.JS, query) {
		if err == nil && proves(&e, f.zone) {
			proof = &e
		}
	}
	return proof
}

func (x *examination) calls(ctx context.Context, s span) (int64, error) {
	answer, err := x.report(ctx, s.from, s.to)
	return answer.Total, err
}

// windows asks for an hour of a week ago and for its halves. Calls may be recorded between the requests even then, so that
// a difference is believed when it shows twice.
func (x *examination) windows(ctx context.Context, now time.Time) (diagnosis.Finding, error) {
	end := localNow(now, x.Operation.Zone).Truncate(time.Hour).Add(-week)
	hour := span{end.Add(-time.Hour), end}
	var s sums
	for range 2 {
		var err error
		if s.whole, err = x.report(ctx, hour.from, hour.to); err != nil || s.whole.Total == 0 {
			return judgeWindows(&s, hour), err
		}
		middle := hour.from.Add(30 * time.Minute)
		if s.first, err = x.report(ctx, hour.from, middle); err != nil {
			return diagnosis.Finding{}, err
		}
		if s.second, err = x.report(ctx, middle, hour.to); err != nil {
			return diagnosis.Finding{}, err
		}
		if s.addUp() {
			break
		}
	}
	return judgeWindows(&s, hour), nil
}
