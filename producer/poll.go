package producer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"unconnected/events"
	"unconnected/producer/grid"
	"unconnected/producer/wolkvox"
)

// poll asks for a window until there is an event for it: the counts, or, when it kept answering garbage for too long, the
// marker that it was missed. The end of ctx ends a request, that of waits only the waiting between requests.
func (p *poller) poll(ctx, waits context.Context, w events.Window) (*events.Event, error) {
	if !grid.Askable(w, p.Zone) {
		return p.missed(w, reasonBackwards, 0), nil
	}
	var garbage time.Duration // for how long the window has been answering garbage; an outage in between does not count
	var last time.Time        // garbage; zero when the last answer was none
	for attempt := 1; ; attempt++ {
		answer, err := p.ask(ctx, w.Start, w.End)
		if err == nil {
			return p.event(ctx, w, &answer)
		}
		var failure *wolkvox.Error
		if ctx.Err() != nil || !errors.As(err, &failure) {
			return nil, errors.Join(ctx.Err(), err)
		}
		if failure.Kind == wolkvox.KindGarbage {
			if !last.IsZero() {
				garbage += now().Sub(last)
			}
			if garbage >= p.giveUp {
				return p.missed(w, failure.Error(), attempt), nil
			}
			last = now()
		} else {
			last = time.Time{}
		}
		if err := p.backOff(waits, failure, attempt, w.String()); err != nil {
			return nil, err
		}
	}
}

// reasonBackwards is why a window is missed that nobody can ask for.
const reasonBackwards = "the clocks go back within the window, so that the API can't be asked for it; shorter windows don't have this"

// ask sends one request. It is the only place that does, so that one token has one request under way.
func (p *poller) ask(ctx context.Context, from, to time.Time) (wolkvox.Answer, error) {
	began := time.Now()
	answer, err := p.client.Report(ctx, from, to)
	if err == nil {
		err = storable(&answer)
	}
	outcome := outcomeFine
	var failure *wolkvox.Error
	if errors.As(err, &failure) {
		outcome = failure.Kind.String()
	}
	if ctx.Err() == nil {
		p.metrics.requested(p.Name, outcome, time.Since(began))
	}
	return answer, err
}

// Bounds of an answer that fits into a message of NATS, which holds a megabyte by default, with every character escaped;
// cdr_6 has a row per result, some hundred bytes in all.
const (
	maxRows     = 4096
	maxReported = 64 << 10 // bytes of text in all rows
)

// storable refuses an answer that no message can hold, as garbage of its window.
func storable(answer *wolkvox.Answer) error {
	size := 0
	for _, row := range answer.Rows {
		size += len(row.Result) + len(row.Count)
	}
	if size <= maxReported && len(answer.Rows) <= maxRows {
		return nil
	}
	return &wolkvox.Error{
		Kind: wolkvox.KindGarbage, Op: "cdr_6", Err: fmt.Errorf("%d rows with %d bytes of text are no report by result", len(answer.Rows), size),
	}
}

// backOff says what went wrong, and waits as long as that takes. A token from a file is read again when it was refused;
// a new one is tried at once.
func (p *poller) backOff(ctx context.Context, failure *wolkvox.Error, attempt int, what string) error {
	v := judge(failure, attempt, now(), p.Zone, p.timeout, rand.Float64())
	if failure.Kind == wolkvox.KindRefused {
		if changed, err := p.Token.Reload(); err != nil {
			v.reason += "; the token's file can't be read: " + err.Error()
		} else if changed {
			p.log.Info("the token's file has a new token; trying it")
			return nil
		}
	}
	next := now().Add(v.wait).Round(0) // by the wall clock, which may be set
	p.board.set(p.Name, v.state, v.reason, now(), next)
	p.log.Warn("the API gave no answer to use", "asked", what, "kind", failure.Kind.String(), "reason", v.reason,
		"attempt", attempt, "next_try", next.Format(time.RFC3339))
	return p.pause(ctx, next, failure.Kind)
}

// pause waits until next. While a person must act, a token file that changes ends the waiting.
func (p *poller) pause(ctx context.Context, next time.Time, kind wolkvox.Kind) error {
	const look = 5 * time.Second
	for {
		wait := time.Until(next)
		if wait <= 0 {
			return nil
		}
		if err := sleep(ctx, min(wait, look)); err != nil {
			return err
		}
		if kind == wolkvox.KindRefused {
			if changed, err := p.Token.Reload(); err == nil && changed {
				return nil
			}
		}
	}
}

// polled notes that the API answers and NATS stores.
func (p *poller) polled(w events.Window) {
	state := OK
	if grid.Behind(w.End, now(), p.window, p.settle) > 0 {
		state = CatchingUp
	}
	p.board.set(p.Name, state, "", now(), time.Time{})
}

// event makes the live event of an answer.
func (p *poller) event(ctx context.Context, w events.Window, answer *wolkvox.Answer) (*events.Event, error) {
	counts, ambiguous, err := p.share(ctx, w, answer)
	if err != nil {
		return nil, err
	}
	e := p.blank(w, answer.ReceivedAt)
	e.Counts, e.Ambiguous = counts, ambiguous
	for _, n := range counts {
		e.Total += n
	}
	for _, row := range answer.Rows {
		e.Reported = append(e.Reported, events.Reported(row))
	}
	return e, nil
}

// missed makes the marker of a window that could not be had.
func (p *poller) missed(w events.Window, reason string, attempts int) *events.Event {
	e := p.blank(w, now())
	e.Missed = &events.Missed{Reason: reason, Attempts: attempts}
	return e
}

func (p *poller) blank(w events.Window, polled time.Time) *events.Event {
	return &events.Event{
		Operation: p.Name, Server: p.Server, Timezone: p.Zone.String(), Source: p.source,
		Window: w, PolledAt: polled.UTC(), Checkpoint: w.End,
	}
}

// share gives a window of a repeated local hour its part of the answer; any other window gets all of it.
func (p *poller) share(ctx context.Context, w events.Window, answer *wolkvox.Answer) (map[string]int64, bool, error) {
	pass, twinWindow := grid.Repeated(w, p.Zone)
	var twin *events.Event
	if pass == grid.Second {
		query := events.Query{Operations: []string{p.Name}, From: twinWindow.Start, To: twinWindow.End}
		twins, err := events.Latest(events.History(ctx, p.journal.js, query))
		if err != nil {
			return nil, false, err
		}
		for i := range twins {
			if twins[i].Window.Equal(twinWindow) {
				twin = &twins[i]
			}
		}
	}
	counts, ambiguous := grid.Share(pass, w, twinWindow, answer.RequestedAt, answer.Counts, twin)
	return counts, ambiguous, nil
}

// errZone says that the API has calls in what should be the future.
var errZone = errors.New("the API has calls in the coming hour")

// checkZone asks, before a new history begins, for the coming hour in local time. Rows there mean that the operation's
// clock is ahead of the configured zone's, and that every window would be taken from the wrong hour; nothing is published
// until the zone is mended. The other direction does not show this way.
func (p *poller) checkZone(ctx context.Context) error {
	if p.simulated {
		return nil
	}
	for attempt := 1; ; attempt++ {
		// Two minutes of margin: the two clocks may differ a little, and that is no wrong zone.
		from := time.Now().Add(2 * time.Minute).Truncate(time.Second)
		answer, err := p.ask(ctx, from, from.Add(time.Hour))
		if err == nil && answer.Total == 0 {
			return nil
		}
		var failure *wolkvox.Error
		if ctx.Err() != nil || err != nil && !errors.As(err, &failure) {
			return errors.Join(ctx.Err(), err)
		}
		if err == nil {
			failure = p.wrongZone(answer.Total)
		}
		if err := p.backOff(ctx, failure, attempt, "the coming hour, to check the zone"); err != nil {
			return err
		}
	}
}

func (p *poller) wrongZone(calls int64) *wolkvox.Error {
	return &wolkvox.Error{
		Kind: wolkvox.KindRefused, Op: "cdr_6", Err: fmt.Errorf("%w (%d)", errZone, calls),
		Hint: fmt.Sprintf("WOLKVOX_TIMEZONE=%s can't be the zone of this operation: there it is %s now; set the right zone",
			p.Zone, time.Now().In(p.Zone).Format("15:04")),
	}
}
