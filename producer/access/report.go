package access

import (
	"context"
	"errors"
	"time"

	"unconnected/producer/budget"
	"unconnected/producer/wolkvox"
)

// ReportDue tells whether it is time to ask the API what is left of the quota. It does no I/O.
func (g *Gate) ReportDue() (due bool) {
	now := g.Now()
	g.Quota.Seen(func(b *budget.Budget) { due = b.ReportDue(now) })
	return due
}

// AskQuota asks the API what is left of the day's requests, and notes it for all. It must follow an Enter, and costs a
// request of its own. When another process is asking already, it does nothing. An API that gives no report is no error: it
// is asked again later, and without any report there is no budget.
func (g *Gate) AskQuota(ctx context.Context) error {
	ours := false
	now := g.Now()
	err := g.Quota.update(ctx, now, func(b *budget.Budget) bool {
		if ours = b.ReportDue(now); ours {
			b.Asking(now)
		}
		return ours
	})
	if err != nil || !ours {
		return err
	}
	info, err := g.tokenInfo(ctx, func() {}) // Asking has counted it
	var failure *wolkvox.Error
	switch {
	case err == nil:
		return g.Quota.reported(ctx, info, g.Now())
	case ctx.Err() != nil || !errors.As(err, &failure):
		return errors.Join(ctx.Err(), err)
	}
	g.Log.Debug("the API does not say what is left of the quota", "reason", err)
	return g.Quota.unreported(ctx, err, g.Now())
}

// TokenInfo asks the API what is left of the day's requests, whether that is due or not, for somebody who wants to know it
// now; what it says is noted for all. It is a request like that of Report, and must follow an Enter as that does. An API
// that gives no report is an error here.
func (g *Gate) TokenInfo(ctx context.Context) (wolkvox.TokenInfo, error) {
	info, err := g.tokenInfo(ctx, func() { g.granted.n-- })
	if err != nil {
		return wolkvox.TokenInfo{}, err
	}
	return info, g.Quota.reported(ctx, info, g.Now())
}

// tokenInfo sends the request. Sending is called when it is sent.
func (g *Gate) tokenInfo(ctx context.Context, sending func()) (info wolkvox.TokenInfo, err error) {
	err = g.send(ctx, func(ctx context.Context) (err error) {
		sending()
		info, err = g.Client.TokenInfo(ctx)
		return err
	})
	return info, err
}

func (q *Quota) reported(ctx context.Context, info wolkvox.TokenInfo, now time.Time) error {
	return q.update(ctx, now, func(b *budget.Budget) bool {
		b.Reported(info.Available, info.AllToday, now)
		return true
	})
}

// unreported warns once that there is no budget.
func (q *Quota) unreported(ctx context.Context, reason error, now time.Time) error {
	warn := false
	err := q.update(ctx, now, func(b *budget.Budget) bool {
		warn = b.Unreported(now)
		return warn
	})
	if err == nil && warn {
		q.log.Warn("nothing is known of the day's quota: corrections and backfills may use up what live windows need; "+
			"POLL_DAILY_BUDGET sets a limit", "reason", reason)
	}
	return err
}
