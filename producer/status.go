package producer

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/internal/daemon"
)

// Status is what an operation is doing, as the status bucket holds it under the operation's name. Times are in UTC.
type Status struct {
	Operation  string    `json:"operation"`
	State      State     `json:"state"`
	Reason     string    `json:"reason,omitempty"`
	Since      time.Time `json:"since,omitzero"`
	NextTry    time.Time `json:"next_try,omitzero"`
	Checkpoint time.Time `json:"checkpoint,omitzero"`
}

// working tells whether the operation does its job.
func (s *Status) working() bool { return s.State == OK || s.State == CatchingUp }

// board holds the statuses of all operations. It is safe for concurrent use.
type board struct {
	mu       sync.Mutex
	statuses map[string]*Status // guarded by mu
	changed  map[string]bool    // not yet in the bucket; guarded by mu
	notes    map[string]string  // operation → what is worth knowing about it; guarded by mu
	history  string             // what is worth knowing about the room of all; guarded by mu
}

func newBoard(operations []Operation, now time.Time) *board {
	b := &board{statuses: make(map[string]*Status), changed: make(map[string]bool), notes: make(map[string]string)}
	for _, o := range operations {
		b.statuses[o.Name] = &Status{Operation: o.Name, State: Starting, Since: now}
	}
	return b
}

// set notes a state, and tells whether it or its reason is news; Since stays while only reason and next try change.
func (b *board) set(operation string, state State, reason string, now, next time.Time) (news bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.statuses[operation]
	news = s.State != state || s.Reason != reason
	if s.State != state {
		s.State, s.Since = state, now
	}
	if s.Reason != reason || !s.NextTry.Equal(next) || s.Since.Equal(now) {
		b.changed[operation] = true
	}
	s.Reason, s.NextTry = reason, next
	return news
}

func (b *board) state(operation string) State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.statuses[operation].State
}

func (b *board) note(operation string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.notes[operation]
}

// setNote notes what is not wrong with an operation but worth knowing; an empty note takes it back.
func (b *board) setNote(operation, note string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notes[operation] = note
}

// setHistory notes what is worth knowing about the room that the history of all operations has; an empty note takes it back.
func (b *board) setHistory(note string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.history = note
}

func (b *board) room() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.history
}

func (b *board) checkpoint(operation string) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.statuses[operation].Checkpoint
}

func (b *board) setCheckpoint(operation string, checkpoint time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.statuses[operation].Checkpoint = checkpoint
	b.changed[operation] = true
}

// list copies all statuses, in the order of the operations' names.
func (b *board) list() []Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]Status, 0, len(b.statuses))
	for _, s := range b.statuses {
		list = append(list, *s)
	}
	slices.SortFunc(list, func(x, y Status) int { return cmp.Compare(x.Operation, y.Operation) })
	return list
}

// takeChanged returns the statuses that changed since the last call.
func (b *board) takeChanged() []Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []Status
	for operation := range b.changed {
		list = append(list, *b.statuses[operation])
	}
	clear(b.changed)
	return list
}

// putBack undoes takeChanged.
func (b *board) putBack(list []Status) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range list {
		b.changed[s.Operation] = true
	}
}

// report is what /readyz says. Away is why there is no connection to NATS, which the pollers notice when they next append; nil
// while there is one.
func (b *board) report(away error) daemon.Report {
	report := daemon.Report{Ready: true, State: string(OK)}
	for _, s := range b.list() {
		if away != nil && s.working() {
			s.State, s.Reason, s.Since, s.NextTry = Retrying, natsReason(away), time.Time{}, time.Time{}
		}
		report.Operations = append(report.Operations, daemon.Operation{
			Operation: s.Operation, State: string(s.State), Reason: s.Reason,
			Since: s.Since, NextTry: s.NextTry, Checkpoint: s.Checkpoint,
		})
		if !s.working() && report.Ready {
			report.Ready, report.State, report.Reason = false, string(s.State), s.Reason
		}
		if note := b.note(s.Operation); note != "" {
			report.Notes = append(report.Notes, s.Operation+": "+note)
		}
	}
	if note := b.room(); note != "" {
		report.Notes = append(report.Notes, note)
	}
	return report
}

// statusRhythm bounds how often the bucket is written while windows are caught up by the thousand.
const statusRhythm = time.Second

// publish keeps the status bucket up to date until ctx ends. What could not be written is tried again, after ensure, which
// creates a bucket that is gone.
func (b *board) publish(ctx context.Context, bucket jetstream.KeyValue, ensure func(context.Context) error) {
	ticker := time.NewTicker(statusRhythm)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		list := b.takeChanged()
		for i, s := range list {
			if err := s.put(ctx, bucket); err != nil {
				b.putBack(list[i:])
				_ = ensure(ctx) // if that fails, so does the next attempt
				break
			}
		}
	}
}

func (s *Status) put(ctx context.Context, bucket jetstream.KeyValue) error {
	value, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = bucket.Put(ctx, s.Operation, value)
	return err
}
