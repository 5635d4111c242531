package lease

import (
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// claim is the value of a lease and of an announcement beside it.
type claim struct {
	ID       string   `json:"id"`             // of the Lease
	Name     string   `json:"name,omitempty"` // for people
	Priority Priority `json:"priority"`
	// Since is the revision at which the claim was first announced: the place in the queue. In the first announcement
	// itself it is 0, since nobody knows it yet.
	Since uint64 `json:"since,omitempty"`
}

// seen is what is known of a key at a moment.
type seen struct {
	holder   claim   // zero when the lease is free
	revision uint64  // of the key's last message, 0 when there is none
	queue    []claim // those who wait, in no order
}

// action is what to do next in order to get a lease.
type action int

const (
	take  action = iota // write our claim
	queue               // announce it
	wait
)

// decide says what a claim does about what it sees when the lease has been free for some time, and how long it waits at
// the most before it looks again.
func decide(s seen, c claim, free time.Duration) (action, time.Duration) {
	if s.holder.ID == c.ID {
		return take, 0
	}
	longest := poll
	if s.holder.ID == "" {
		left := time.Duration(s.before(c))*grace - free
		if left <= 0 {
			return take, 0
		}
		longest = min(left, poll)
	}
	if c.Since == 0 {
		return queue, 0
	}
	return wait, longest
}

// before counts those in the queue who go before c.
func (s *seen) before(c claim) int {
	n := 0
	for _, w := range s.queue {
		if w.goesBefore(c) {
			n++
		}
	}
	return n
}

// goesBefore tells who is served first: the higher priority, then who came first.
func (c claim) goesBefore(other claim) bool {
	switch {
	case c.ID == other.ID:
		return false
	case c.Priority != other.Priority:
		return c.Priority > other.Priority
	}
	return other.Since == 0 || c.Since < other.Since
}

// view is what the watcher knows of the bucket. It is safe for concurrent use.
type view struct {
	mu     sync.Mutex
	places map[string]*place // lease's key → what is known of it; guarded by mu
}

// place is what the watcher knows of one lease.
type place struct {
	holder   claim
	revision uint64
	waiters  map[string]waiter // by ID
	changed  chan struct{}     // closed at the next change
}

// waiter is a claim that waits.
type waiter struct {
	claim
	heard  time.Time // an announcement ends by itself, even if nobody tells us
	passed bool      // did not take its turn since it was last heard of
}

func (w *waiter) alive() bool { return !w.passed && time.Since(w.heard) < waitTTL }

func newView() *view { return &view{places: make(map[string]*place)} }

// at returns the place of a key; v.mu is held.
func (v *view) at(key string) *place {
	p := v.places[key]
	if p == nil {
		p = &place{waiters: make(map[string]waiter), changed: make(chan struct{})}
		v.places[key] = p
	}
	return p
}

// look returns what is known of a key, and a channel that is closed when that changes.
func (v *view) look(key string) (seen, <-chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	p := v.at(key)
	s := seen{holder: p.holder, revision: p.revision}
	for _, w := range p.waiters {
		if w.alive() && w.ID != p.holder.ID {
			s.queue = append(s.queue, w.claim)
		}
	}
	return s, p.changed
}

// isLost tells whether the key was written after a revision by anybody but id.
func (v *view) isLost(key, id string, revision uint64) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	p := v.places[key]
	return p != nil && p.revision > revision && p.holder.ID != id
}

// isWanted tells whether anybody but id waits with at least some priority.
func (v *view) isWanted(key, id string, least Priority) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if p := v.places[key]; p != nil {
		for _, w := range p.waiters {
			if w.ID != id && w.Priority >= least && w.alive() {
				return true
			}
		}
	}
	return false
}

// ahead counts those that go before id, whoever has the key included; -1 when id neither has it nor waits.
func (v *view) ahead(key, id string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	p := v.at(key)
	if p.holder.ID == id {
		return 0
	}
	own, waits := p.waiters[id]
	if !waits {
		return -1
	}
	n := 0
	if p.holder.ID != "" {
		n++
	}
	for _, w := range p.waiters {
		if w.ID != p.holder.ID && w.goesBefore(own.claim) {
			n++
		}
	}
	return n
}

// passOver notes that those before a claim have not taken their turn. Until they are heard of again nobody waits for them.
func (v *view) passOver(key string, c claim) {
	v.mu.Lock()
	defer v.mu.Unlock()
	p := v.at(key)
	for id, w := range p.waiters {
		if w.goesBefore(c) {
			w.passed = true
			p.waiters[id] = w
		}
	}
}

// waiting stands between a lease's key and the ID of one who waits for it.
const waiting = ".wait."

// WaitingKey is where who waits for a lease says so, in the bucket of the lease.
func WaitingKey(key, id string) string { return key + waiting + id }

// apply notes an entry that the watcher saw.
func (v *view) apply(e jetstream.KeyValueEntry) {
	v.mu.Lock()
	defer v.mu.Unlock()
	key, id, isWaiter := strings.Cut(e.Key(), waiting)
	p := v.at(key)
	var c claim
	if e.Operation() == jetstream.KeyValuePut {
		c = decode(e.Value())
	}
	switch {
	case !isWaiter:
		p.holder, p.revision = c, e.Revision()
	case c.ID == "":
		delete(p.waiters, id)
	default:
		if c.Since == 0 {
			c.Since = e.Revision()
		}
		_, known := p.waiters[id]
		p.waiters[id] = waiter{claim: c, heard: time.Now()}
		if known {
			return // said again
		}
	}
	close(p.changed)
	p.changed = make(chan struct{})
}

// replace takes over what a new watcher found.
func (v *view) replace(by *view) {
	v.mu.Lock()
	defer v.mu.Unlock()
	old := v.places
	v.places = by.places
	for _, p := range old {
		close(p.changed)
	}
}

// decode returns the claim that a key holds. What is no claim is somebody's all the same: a person may put anything there
// to keep everybody out.
func decode(value []byte) claim {
	var c claim
	if json.Unmarshal(value, &c) != nil || c.ID == "" {
		return claim{ID: "unknown", Name: "unknown"}
	}
	return c
}
