package producer

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"unconnected/events"
	"unconnected/internal/natsio"
	"unconnected/producer/grid"
	"unconnected/producer/wolkvox"
)

// trouble is what went wrong with a window so far.
type trouble struct {
	window  events.Window
	attempt int           // failures in a row
	garbage time.Duration // for how long the window has been answering garbage; an outage in between does not count
	last    time.Time     // garbage; zero when the last answer was none
}

// note counts a failure in, and tells whether the window is to be given up.
func (t *trouble) note(failure *wolkvox.Error, now time.Time, giveUp time.Duration) bool {
	t.attempt++
	if failure.Kind != wolkvox.KindGarbage {
		t.last = time.Time{}
		return false
	}
	if !t.last.IsZero() {
		t.garbage += min(max(0, now.Sub(t.last)), mostPatient) // a host's clock may jump
	}
	t.last = now
	return t.garbage >= giveUp
}

// ask sends one request, and lets people see what the answer says about the clocks.
func (p *poller) ask(ctx context.Context, span events.Window) (wolkvox.Answer, error) {
	answer, err := p.desk.ask(ctx, span)
	p.board.setNote(p.Name, p.skew.text())
	return answer, err
}

// poll asks for a window once. It returns the event to store: the counts, or, when the window kept answering garbage for
// too long, the marker that it was missed. When the answer was of no use it returns nil, after as long as it takes until
// the next attempt. The end of ctx ends a request, that of waits only the waiting.
func (p *poller) poll(ctx, waits context.Context, w events.Window) (*events.Event, error) {
	if !grid.Askable(w, p.Zone) {
		return p.missed(w, reasonBackwards, 0), nil
	}
	if !p.trouble.window.Equal(w) {
		p.trouble = trouble{window: w}
	}
	answer, err := p.ask(ctx, w)
	if err == nil {
		early := p.skew.notOver(w, &answer)
		if early != nil && p.before(p.due(w)) { // now that we know what time it is
			return nil, nil
		}
		if early != nil {
			err = early
		}
	}
	if err == nil {
		p.polled(w)
		e, err := p.event(ctx, w, &answer)
		if err == nil {
			p.reconciled = p.schedule.Polled(p.reconciled, w, e.PolledAt)
		}
		return e, err
	}
	failure := failureOf(ctx, err)
	if failure == nil {
		return nil, errors.Join(ctx.Err(), err)
	}
	if p.trouble.note(failure, p.now(), p.giveUp) {
		return p.missed(w, failure.Error(), p.trouble.attempt), nil
	}
	return nil, p.backOff(waits, failure, p.trouble.attempt, w.String())
}

// reasonBackwards is why a window is missed that nobody can ask for.
const reasonBackwards = "the clocks go back within the window, so that the API can't be asked for it; shorter windows don't have this"

// backOff says what went wrong, and waits as long as that takes. A token from a file is read again when it was refused;
// a new one is tried at once.
func (p *poller) backOff(ctx context.Context, failure *wolkvox.Error, attempt int, what string) error {
	v := judge(failure, attempt, p.now(), p.Zone, p.timeout, rand.Float64())
	if failure.Kind == wolkvox.KindRefused {
		if changed, err := p.Token.Reload(); err != nil {
			v.reason += "; the token's file can't be read: " + err.Error()
		} else if changed {
			p.log.Info("the token's file has a new token; trying it")
			return nil
		}
	}
	next := p.now().Add(v.wait)
	p.board.set(p.Name, v.state, v.reason, p.now(), next)
	p.log.Warn("the API gave no answer to use", "asked", what, "kind", failure.Kind.String(), "reason", v.reason,
		"attempt", attempt, "next_try", next.Format(time.RFC3339))
	if failure.Kind == wolkvox.KindQuota { // then the ledger tells, which a person can make forget
		next = earlier(next, p.now().Add(mostPatient))
	}
	return p.pause(ctx, next, failure.Kind)
}

// tokenLook is how often the token's file is looked at while the token is refused.
const tokenLook = 5 * time.Second

// pause waits until next, and lets others have the token. While a person must act, a token file that changes ends the
// waiting.
func (p *poller) pause(ctx context.Context, next time.Time, kind wolkvox.Kind) error {
	for {
		p.gate.Leave(ctx) // once the server is certainly not at work any more
		wait := next.Sub(p.now())
		if wait <= 0 {
			return nil
		}
		if err := p.Sleep(ctx, min(wait, tokenLook)); err != nil {
			return err
		}
		if kind == wolkvox.KindRefused {
			if changed, err := p.Token.Reload(); err == nil && changed {
				return nil
			}
		}
	}
}

// polled notes that the API answers, and says so where it did not before. Where answers could not be stored, that is no progress
// yet.
func (p *poller) polled(w events.Window) {
	if p.failed != nil && !errors.Is(p.failed, natsio.ErrAway) {
		return
	}
	state := OK
	if grid.Behind(w.End, p.now(), p.window, p.settle+p.spread) > 0 {
		state = CatchingUp
	}
	if was := p.board.state(p.Name); was == Retrying || was == Maintenance || was == Refused || was == Quota {
		p.log.Info("windows come again", "asked", w.String(), "before", string(was))
	}
	p.board.set(p.Name, state, "", p.now(), time.Time{})
}
