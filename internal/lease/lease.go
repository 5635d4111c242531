// Package lease lets one holder at a time use a thing that all share: a token of the API, or the role of the alerter. A
// lease is a key in a NATS key-value bucket that the server deletes when it is not refreshed in time.
//
//	keeper, err := lease.New(ctx, js, lease.Options{Bucket: "unconnected_leases", Name: "producer@host"})
//	token := keeper.Lease(lease.Key(host, token), 2*timeout, lease.Live)
//	for work() {
//		if token.Wanted() {
//			err = token.Release(ctx) // somebody goes first
//		}
//		if err = token.Acquire(ctx); err != nil {
//			return err // ctx ended
//		}
//		request() // within the timeout
//	}
//	err = token.Release(ctx) // nothing to do for a while
//
// Every write is fenced by the revision it relies on, and every doubtful answer is settled by reading what is there, so
// that two can never be told by the server that they hold it. A holder that dies is followed when its time to live has
// passed, a holder that releases at once.
//
// Those who wait announce themselves beside the lease with their priority, and are served by priority, then in the order
// in which they came. Only the first of them goes for a lease that gets free; the next waits a second longer in case the
// first is dead, and so on. Everybody knows who waits from a watcher, without asking.
//
// A lease does not stop a holder that goes on after [Lease.Until]. What must not happen twice needs a fence of its own.
// Time is measured by the server that deletes the key and by the holder's monotonic clock; no two clocks are compared.
package lease

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"

	"unconnected/internal/natsio"
)

// Priority orders those who wait for a lease; the higher goes first.
type Priority int

// What the API is asked for, the least urgent first.
const (
	Backfill Priority = iota
	Correction
	Live
)

// Key makes a lease's key of what identifies the thing, such as host and token. Nothing of the parts can be read from it.
func Key(parts ...string) string {
	hash := sha256.New()
	for _, part := range parts {
		hash.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return hex.EncodeToString(hash.Sum(nil)[:16])
}

// Lease is one holder's hold of a key. Two Leases of one key exclude each other, even in one process. Acquire and Release
// are for one goroutine at a time; the other methods are for all.
type Lease struct {
	keeper *Keeper
	key    string
	ttl    time.Duration
	claim  claim
	value  []byte // claim, encoded

	wrote   uint64    // revision of our last write to the key; used by Acquire and Release only
	wroteAt time.Time // when that was; used by Acquire and Release only

	mu       sync.Mutex
	problem  error     // see Problem; guarded by mu
	revision uint64    // of the key while it is ours, 0 when it is not; guarded by mu
	began    time.Time // since when it is ours; guarded by mu
	until    time.Time // see Until; guarded by mu
}

// Lease makes a new holder, which holds nothing yet. The key is one of [Key], or a word. The server counts in whole seconds: ttl is cut to them, and is a
// second at least.
func (k *Keeper) Lease(key string, ttl time.Duration, priority Priority) *Lease {
	l := &Lease{
		keeper: k, key: key, ttl: max(ttl.Truncate(time.Second), time.Second),
		claim: claim{ID: newID(), Name: k.options.Name, Priority: priority},
	}
	l.value, _ = json.Marshal(l.claim) // strings and numbers always encode
	return l
}

// Acquire returns when the lease is ours for three quarters of its time to live at least. When it is, it does no I/O;
// when less is left, it refreshes; otherwise it waits for its turn. While NATS is away it keeps trying. Its only error is
// the end of ctx, with what went wrong last.
func (l *Lease) Acquire(ctx context.Context) error {
	if time.Until(l.Until()) >= l.ttl*3/4 {
		return nil
	}
	if err := l.acquire(ctx); err != nil {
		return fmt.Errorf("lease %s: %w", l.key, err)
	}
	return nil
}

// Release gives the lease to the next who waits. When that fails, it is not ours any more all the same, and ends by itself
// when its time to live has passed. Releasing what is not held does nothing. A ctx that has ended leaves it half a second,
// so that it can be deferred.
func (l *Lease) Release(ctx context.Context) error {
	ctx, cancel := settling(ctx)
	defer cancel()
	l.mu.Lock()
	revision := l.revision
	l.revision, l.until = 0, time.Time{}
	l.mu.Unlock()
	for revision != 0 {
		began := time.Now()
		deleted, err := l.keeper.publish(ctx, l.key, message{op: opDelete}, revision, l.patience())
		if err == nil {
			l.wrote, l.wroteAt = deleted, began
			return nil
		}
		if !natsio.IsConflict(err) {
			return fmt.Errorf("release lease %s: %w", l.key, err)
		}
		// Lost, or refreshed by a write whose answer we did not get.
		holder, last, err := l.keeper.read(ctx, l.key, l.patience())
		if err != nil {
			return fmt.Errorf("release lease %s: %w", l.key, err)
		}
		if holder.ID != l.claim.ID || last == revision { // the latter: a replica that lags behind the fence
			return nil
		}
		revision = last
	}
	return nil
}

// Until is the time until which the lease is certainly ours, by the monotonic clock; zero when it is not. It counts from
// before the request that set it, less one per cent for clocks that run at different speeds.
func (l *Lease) Until() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.revision == 0 || l.keeper.view.isLost(l.key, l.claim.ID, l.revision) {
		return time.Time{}
	}
	return l.until
}

// Since is since when the lease is ours without anybody else having had it; zero when it is not ours. It tells one hold from
// the next, also where a refresh came too late and found nobody in between.
func (l *Lease) Since() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.revision == 0 || l.keeper.view.isLost(l.key, l.claim.ID, l.revision) {
		return time.Time{}
	}
	return l.began
}

// turn is how long a lease is kept from an equal: short, but long compared with what changing hands costs.
const turn = 250 * time.Millisecond

// Wanted tells a holder that somebody waits who should go first: somebody more important, or an equal, when it has been
// ours for a quarter of a second: equals take turns. It does no I/O. Who does not want to give way does not ask.
func (l *Lease) Wanted() bool {
	l.mu.Lock()
	revision, began := l.revision, l.began
	l.mu.Unlock()
	if revision == 0 {
		return false
	}
	least := l.claim.Priority
	if time.Since(began) < turn {
		least++
	}
	return l.keeper.view.isWanted(l.key, l.claim.ID, least)
}

// Holder names who has the lease now, for people; empty when nobody has. It does no I/O.
func (l *Lease) Holder() string {
	seen, _ := l.keeper.view.look(l.key)
	return seen.holder.Name
}

// Other names who has the lease now, like Holder, but for ourselves: our own claim is seen before we know that it was stored.
func (l *Lease) Other() string {
	seen, _ := l.keeper.view.look(l.key)
	if seen.holder.ID == l.claim.ID {
		return ""
	}
	return seen.holder.Name
}

// Ahead is how many go before: 0 for who has the lease, or is the first to have a free one; -1 for who neither has it nor waits,
// as far as is known. It does no I/O, and what was known last stays known while NATS is away.
func (l *Lease) Ahead() int { return l.keeper.view.ahead(l.key, l.claim.ID) }

// Problem is what keeps an Acquire under way from asking for the lease, as [natsio.Explain] says it; nil while all goes well: the
// lease is ours, or in other hands. Where nobody can write, nobody's claim runs out either, so that Holder may name one that is
// gone.
func (l *Lease) Problem() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.problem
}

func (l *Lease) setProblem(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.problem = err
}

// patience is how long one request may take, so that several fit into the time to live.
func (l *Lease) patience() time.Duration {
	return min(max(l.ttl/4, 500*time.Millisecond), 3*time.Second)
}

// settling outlives ctx by half a second: what the server stored while nobody listened would keep others out.
func settling(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(500*time.Millisecond, cancel) })
	return longer, func() { stop(); cancel() }
}

// write makes the lease ours if the key's last revision is still expected.
func (l *Lease) write(ctx context.Context, expected uint64) error {
	ctx, cancel := settling(ctx)
	defer cancel()
	began := time.Now()
	revision, err := l.keeper.publish(ctx, l.key, message{value: l.value, ttl: l.ttl}, expected, l.patience())
	if err != nil {
		return err
	}
	l.wrote, l.wroteAt = revision, began
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.revision != expected || expected == 0 {
		l.began = began
	}
	l.revision, l.until = revision, began.Add(l.ttl-l.ttl/100)
	return nil
}
