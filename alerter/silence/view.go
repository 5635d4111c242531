package silence

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/alerter/incident"
	"unconnected/internal/natsio"
)

// View is always the present content of the bucket. While that cannot be read, it is what was read last. It is safe for
// concurrent use. Use [Store.View].
type View struct {
	store   *Store
	changed chan struct{} // capacity 1

	mu   sync.Mutex
	byID map[string]incident.Silence // guarded by mu
}

// View reads the bucket, so that nobody is rung for what is silent, and returns a View that [View.Run] keeps up to date.
func (s *Store) View(ctx context.Context) (*View, error) {
	list, err := s.List(ctx)
	if err != nil {
		return nil, err
	}
	v := &View{store: s, changed: make(chan struct{}, 1), byID: make(map[string]incident.Silence)}
	for _, silence := range list {
		v.byID[silence.ID] = silence
	}
	return v, nil
}

// All are the silences that are kept; ask each whether it is active. What ends first comes first.
func (v *View) All() []incident.Silence {
	v.mu.Lock()
	defer v.mu.Unlock()
	return sorted(v.byID)
}

// Changed has a value after something was added or ended. It does not tell that time has passed: see [View.Next].
func (v *View) Changed() <-chan struct{} { return v.changed }

// Next is when a silence begins or ends by itself, the next time after now; zero when none does.
func (v *View) Next(now time.Time) time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	var next time.Time
	for _, s := range v.byID {
		for _, at := range []time.Time{s.From, s.Until} {
			if at.After(now) && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
	}
	return next
}

// Run keeps the View up to date until ctx ends.
func (v *View) Run(ctx context.Context) {
	natsio.FollowBucket(ctx, v.store.bucket, v.follow)
}

// follow takes what a watcher brings: first all that is there, in place of what was known, then every change.
func (v *View) follow(ctx context.Context, watcher jetstream.KeyWatcher) {
	all := make(map[string]incident.Silence)
	initial := true
	for {
		select {
		case <-ctx.Done():
			return
		case entry, open := <-watcher.Updates():
			switch {
			case !open:
				return
			case entry == nil: // everything that was there has come
				initial = false
			case entry.Operation() != jetstream.KeyValuePut:
				delete(all, entry.Key())
			default:
				if silence, err := decode(entry); err == nil {
					all[entry.Key()] = silence
				}
			}
			if !initial {
				v.replace(all)
			}
		}
	}
}

func (v *View) replace(all map[string]incident.Silence) {
	v.mu.Lock()
	v.byID = maps.Clone(all)
	v.mu.Unlock()
	select {
	case v.changed <- struct{}{}:
	default:
	}
}
