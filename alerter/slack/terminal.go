package slack

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"unconnected/alerter/incident"
)

// Terminal is a [Sink] that prints a card for each opening, getting worse, re-opening and closing. It is safe for
// concurrent use.
type Terminal struct {
	colour bool

	mu  sync.Mutex
	out io.Writer // guarded by mu
}

// NewTerminal returns a Terminal that writes to out, in colour where that can be shown.
func NewTerminal(out io.Writer, colour bool) *Terminal { return &Terminal{out: out, colour: colour} }

// Caps says that cards are posted, and that getting worse is worth one.
func (t *Terminal) Caps() incident.Caps { return incident.Caps{Worse: true} }

// Post prints the message.
func (t *Terminal) Post(_ context.Context, p Post) (incident.Receipt, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := io.WriteString(t.out, p.Message.Card(t.colour)); err != nil {
		return incident.Receipt{}, &Error{Method: "terminal", Class: incident.Undelivered, Code: "write", Err: err}
	}
	return incident.Receipt{}, nil
}

// Update is never asked for.
func (t *Terminal) Update(context.Context, incident.Receipt, Message, bool) error {
	return errors.ErrUnsupported
}

// FindRoots is never asked for.
func (t *Terminal) FindRoots(context.Context, string, []string, time.Time) (map[string]incident.Receipt, error) {
	return nil, ErrNoHistory
}

// FindReply is never asked for.
func (t *Terminal) FindReply(context.Context, incident.Receipt, string, time.Time) (incident.Receipt, error) {
	return incident.Receipt{}, ErrNoHistory
}
