package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"unconnected/internal/natsio"
	"unconnected/producer/access"
	"unconnected/producer/budget"
	"unconnected/producer/wolkvox"
)

const (
	// turnPatience is how long another holder of the token is waited for.
	turnPatience = 20 * time.Second
	// begins is for how long requests may begin. None is cut short, since the server would go on with it and the token would
	// be of no use to anybody meanwhile: the last one may take its time limit more.
	begins = 45 * time.Second
)

// errLate says that a request was not sent, because those before it have taken too long.
var errLate = errors.New("the requests before it took too long")

// turnError says that somebody else has the token.
type turnError struct{ holder string }

func (e *turnError) Error() string {
	if e.holder == "" {
		return fmt.Sprintf("the token was not free within %s", turnPatience)
	}
	return fmt.Sprintf("%s has the token and did not let go of it within %s", e.holder, turnPatience)
}

// asker asks the API, and keeps the books. One goroutine at a time may use it.
type asker struct {
	client *wolkvox.Client
	gate   *access.Gate // nil: nobody else uses the token
	now    func() time.Time
	until  time.Time     // no request begins later
	sent   int           // requests
	took   time.Duration // the last request
}

// report asks for a span of local times, which are written as if they were UTC.
func (a *asker) report(ctx context.Context, from, to time.Time) (answer wolkvox.Answer, err error) {
	err = a.send(ctx, func() (err error) {
		requested := a.now()
		if a.gate != nil {
			answer, err = a.gate.Report(ctx, from, to)
		} else {
			answer, err = a.client.Report(ctx, from, to)
		}
		answer.RequestedAt, answer.ReceivedAt = requested, a.now()
		return err
	})
	return answer, err
}

func (a *asker) tokenInfo(ctx context.Context) (info wolkvox.TokenInfo, err error) {
	err = a.send(ctx, func() (err error) {
		if a.gate != nil {
			info, err = a.gate.TokenInfo(ctx)
		} else {
			info, err = a.client.TokenInfo(ctx)
		}
		return err
	})
	return info, err
}

func (a *asker) send(ctx context.Context, request func() error) error {
	if err := a.enter(ctx); err != nil {
		return err
	}
	a.sent++
	began := time.Now()
	err := request()
	a.took = time.Since(began)
	return err
}

// enter waits until a request may be sent. It takes the class that leaves live windows what they need of the day's quota.
func (a *asker) enter(ctx context.Context) error {
	left := time.Until(a.until)
	switch {
	case left <= 0:
		return errLate
	case a.gate == nil:
		return ctx.Err()
	}
	patient, cancel := context.WithTimeout(ctx, min(left, turnPatience))
	defer cancel()
	_, err := a.gate.Enter(patient, budget.Backfill, 1)
	if err != nil && patient.Err() != nil && ctx.Err() == nil && !errors.Is(err, natsio.ErrStuck) {
		return &turnError{a.gate.Holder()}
	}
	return err
}

// leave gives the token to others.
func (a *asker) leave(ctx context.Context) {
	if a.gate != nil {
		a.gate.Leave(ctx)
	}
}
