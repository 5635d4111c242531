package events

import (
	"context"
	"sync"
)

// handover passes messages from one goroutine to another, many at a time when the other is behind: a channel would wake it
// for each. Use newHandover.
type handover struct {
	ready chan struct{} // capacity 1: something waits
	space chan struct{} // capacity 1: something was taken

	mu      sync.Mutex
	waiting []received // guarded by mu
}

func newHandover() handover {
	return handover{ready: make(chan struct{}, 1), space: make(chan struct{}, 1)}
}

// put adds r, and waits while too many wait already. It is false when ctx ended before.
func (h *handover) put(ctx context.Context, r received) bool {
	for !h.add(r) {
		select {
		case <-h.space:
		case <-ctx.Done():
			return false
		}
	}
	notify(h.ready)
	return ctx.Err() == nil
}

func (h *handover) add(r received) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.waiting) >= handedOver {
		return false
	}
	h.waiting = append(h.waiting, r)
	return true
}

// take returns all that waits, and keeps empty for what comes next.
func (h *handover) take(empty []received) []received {
	h.mu.Lock()
	taken := h.waiting
	h.waiting = empty[:0]
	h.mu.Unlock()
	if len(taken) > 0 {
		notify(h.space)
	}
	return taken
}

// notify leaves a note unless there is one.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
