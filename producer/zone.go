package producer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"unconnected/events"
	"unconnected/producer/access"
	"unconnected/producer/budget"
	"unconnected/producer/oplog"
	"unconnected/producer/wolkvox"
)

// errZone says that the API has calls in what should be the future.
var errZone = errors.New("the API has calls in the coming hour")

// zoneMargin is how much later than now the coming hour begins: two clocks may differ a little, and that is no wrong zone.
const zoneMargin = 2 * time.Minute

// checkZone asks, before a new history begins, for the coming hour in local time. Rows there mean that the operation's
// clock is ahead of the configured zone's, and that every window would be taken from the wrong hour; nothing is published
// until the zone is mended. The other direction does not show this way. It returns the log's end, which somebody else may
// have begun meanwhile.
func (p *poller) checkZone(ctx context.Context, head oplog.Head) (oplog.Head, error) {
	if p.simulated {
		return head, nil
	}
	for attempt := 1; ; attempt++ {
		head, err := p.enterNew(ctx)
		if err != nil || !head.Checkpoint.IsZero() {
			return head, err
		}
		from := p.apiNow().Add(zoneMargin).Truncate(time.Second)
		answer, err := p.ask(ctx, events.Window{Start: from, End: from.Add(time.Hour)})
		failure := failureOf(ctx, err)
		switch {
		case err == nil && p.apiNow().Sub(from).Abs() > 2*zoneMargin && attempt < 3:
			continue // the answer has told what time it is: that was not the coming hour
		case err == nil && answer.Total == 0:
			return head, nil
		case err == nil:
			failure = p.wrongZone(answer.Total)
		}
		if failure == nil {
			return head, errors.Join(ctx.Err(), err)
		}
		if err := p.backOff(ctx, failure, attempt, "the coming hour, to check the zone"); err != nil {
			return head, err
		}
	}
}

// enterNew waits until a request may be sent for a history that has not begun, and reads the log's end again.
func (p *poller) enterNew(ctx context.Context) (oplog.Head, error) {
	for {
		_, err := p.enter(ctx, budget.Live, 1)
		var spent *access.NoBudgetError
		switch {
		case errors.As(err, &spent):
			if err := p.waitForQuota(ctx, spent); err != nil {
				return oplog.Head{}, err
			}
		case err != nil:
			return oplog.Head{}, err
		default:
			return p.journal.Head(ctx)
		}
	}
}

// apiNow is what time it is by the API's clock, as far as its answers tell.
func (p *poller) apiNow() time.Time {
	if p.skew.warned {
		return p.Clock.now().Add(-p.skew.ahead)
	}
	return p.now()
}

func (p *poller) wrongZone(calls int64) *wolkvox.Error {
	hint := fmt.Sprintf("WOLKVOX_TIMEZONE=%s can't be the zone of this operation: there it is %s now; set the right zone",
		p.Zone, p.apiNow().In(p.Zone).Format("15:04"))
	if clocks := p.skew.text(); clocks != "" {
		hint += ", unless the clock is to blame: " + clocks
	}
	return &wolkvox.Error{Kind: wolkvox.KindRefused, Op: "cdr_6", Err: fmt.Errorf("%w (%d)", errZone, calls), Hint: hint}
}
