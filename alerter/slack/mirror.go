package slack

import (
	"context"

	"unconnected/alerter/incident"
)

// Mirror is a [Sink] that tells a channel and prints on a terminal what the whole channel sees: for a preview of Slack that
// nobody may be looking at. It is safe for concurrent use.
type Mirror struct {
	*Client
	terminal *Terminal
}

// NewMirror returns a Mirror. What the client posts counts; a terminal that can't be written to is no failure.
func NewMirror(client *Client, terminal *Terminal) *Mirror { return &Mirror{client, terminal} }

// Post posts a message, and prints it unless it is only for those who follow its thread.
func (m *Mirror) Post(ctx context.Context, p Post) (incident.Receipt, error) {
	got, err := m.Client.Post(ctx, p)
	if err == nil && (p.ThreadTS == "" || p.Broadcast) {
		_, _ = m.terminal.Post(ctx, p)
	}
	return got, err
}
