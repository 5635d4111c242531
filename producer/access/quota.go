package access

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/internal/lease"
	"unconnected/internal/natsio"
	"unconnected/producer/budget"
)

// Quota is the ledger of one server's requests, which all processes share. A process needs one a server. It is safe for
// concurrent use.
type Quota struct {
	settings budget.Settings
	js       jetstream.JetStream
	bucket   jetstream.KeyValue
	key      string
	log      *slog.Logger

	asking   chan struct{} // holds one element while the bucket is asked
	revision uint64        // of data, 0 when there is no ledger; for who asks
	foretold time.Time     // end of the day for which exhaustion was foretold; for who asks

	mu   sync.Mutex
	data []byte // the ledger as it was last read or written, never modified; guarded by mu, and changed by who asks
}

// NewQuota is the ledger of a server, named by its API, in a bucket of js, which is that of the leases.
func NewQuota(js jetstream.JetStream, bucket jetstream.KeyValue, api string, s budget.Settings, log *slog.Logger) *Quota {
	return &Quota{settings: s, js: js, bucket: bucket, key: KeyPrefix + lease.Key(api), log: log, asking: make(chan struct{}, 1)}
}

// KeyPrefix begins the keys of ledgers.
const KeyPrefix = "quota."

// NoBudgetError says that the day's quota leaves no request of a class.
type NoBudgetError struct {
	Class budget.Class
	Until time.Time // from when on it is worth asking again, UTC
	Said  bool      // the API said that the quota is spent; otherwise what is left is not for this class
}

func (e *NoBudgetError) Error() string {
	return fmt.Sprintf("the day's requests are spent as far as %s requests may use them, until %s", e.Class, e.Until.Format(time.RFC3339))
}

// tries bounds how often the ledger is read anew because somebody else has changed it.
const tries = 20

// update changes the ledger by compare-and-set. What change does must depend on the budget alone: it is done again when
// somebody else was faster. When it returns false nothing is written.
func (q *Quota) update(ctx context.Context, now time.Time, change func(*budget.Budget) bool) error {
	if err := q.begin(ctx); err != nil {
		return err
	}
	defer q.end()
	for range tries {
		b, err := budget.Open(q.settings, q.known())
		if err != nil {
			q.log.Warn("the ledger of the day's requests is damaged and is begun anew", "error", err)
		}
		if !change(b) {
			return nil
		}
		data := b.Encode()
		revision, err := q.put(ctx, data)
		if err == nil {
			q.learn(data, revision)
			q.foresee(b, now)
			return nil
		}
		if !natsio.IsConflict(err) && !errors.Is(err, jetstream.ErrKeyExists) {
			return q.failed(ctx, err)
		}
		if err := q.read(ctx); err != nil {
			return q.failed(ctx, err)
		}
	}
	return fmt.Errorf("ledger of requests: changed by others %d times in a row", tries)
}

// failed is the error of a request about the ledger, with what it means unless it was cut short.
func (q *Quota) failed(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		err = natsio.Explain(q.js, err)
	}
	return fmt.Errorf("ledger of requests: %w", err)
}

// begin waits until nobody else in this process asks the bucket, so that they need not try again and again; no longer than
// ctx, since each may take as long as NATS is away.
func (q *Quota) begin(ctx context.Context) error {
	select {
	case q.asking <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("ledger of requests: %w", ctx.Err())
	}
}

func (q *Quota) end() { <-q.asking }

func (q *Quota) known() []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.data
}

func (q *Quota) learn(data []byte, revision uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.data, q.revision = data, revision
}

// foresee warns once a day when the quota will not last for it.
func (q *Quota) foresee(b *budget.Budget, now time.Time) {
	at, foreseen := b.Forecast(now)
	if !foreseen || q.foretold.Equal(b.Ledger.DayEnds) || now.Before(b.Ledger.SpentUntil) {
		return
	}
	q.foretold = b.Ledger.DayEnds
	left, _ := b.Left(now)
	q.log.Warn("the day's quota will not last: then nothing is polled before the next local day; "+
		"a longer POLL_WINDOW or fewer other users of the quota prevent it",
		"spent_at", at.UTC().Format(time.RFC3339), "left", left, "day_ends", b.Ledger.DayEnds.UTC().Format(time.RFC3339))
}

// patience is how long one request to NATS may take, whatever the context allows.
const patience = 5 * time.Second

func (q *Quota) put(ctx context.Context, data []byte) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if q.revision == 0 {
		return q.bucket.Create(ctx, q.key, data)
	}
	return q.bucket.Update(ctx, q.key, data, q.revision)
}

func (q *Quota) read(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	entry, err := q.bucket.Get(ctx, q.key)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound): // deleted, or the bucket is new
		q.learn(nil, 0)
	case err != nil:
		return err
	default:
		q.learn(entry.Value(), entry.Revision())
	}
	return nil
}

// Look shows the ledger to see as the server has it now.
func (q *Quota) Look(ctx context.Context, see func(*budget.Budget)) error {
	if err := q.begin(ctx); err != nil {
		return err
	}
	defer q.end()
	if err := q.read(ctx); err != nil {
		return q.failed(ctx, err)
	}
	b, _ := budget.Open(q.settings, q.known()) // a damaged one is that of a server about which nothing is known
	see(b)
	return nil
}

// Seen shows the ledger to see as this process knows it, without I/O, and without waiting for anybody's.
func (q *Quota) Seen(see func(*budget.Budget)) {
	b, _ := budget.Open(q.settings, q.known())
	see(b)
}

// take takes up to n requests of a class, and writes down what the operation needs, unless it has no name. If there is no
// request left it returns a [NoBudgetError].
func (q *Quota) take(ctx context.Context, class budget.Class, n int64, now time.Time, operation string, need budget.Need) (taken int64, err error) {
	var until time.Time
	var said bool
	change := func(b *budget.Budget) bool {
		if operation != "" {
			b.Note(operation, need)
		}
		taken, until = b.Take(class, n, now)
		said = now.Before(b.Ledger.SpentUntil)
		return taken > 0
	}
	if err = q.update(ctx, now, change); err == nil && taken == 0 { // unless others have given some back, which we don't know
		if err = q.Look(ctx, func(*budget.Budget) {}); err == nil {
			err = q.update(ctx, now, change)
		}
	}
	if err == nil && taken == 0 {
		err = &NoBudgetError{class, until, said}
	}
	return taken, err
}

func (q *Quota) giveBack(ctx context.Context, n int64, taken, now time.Time) error {
	return q.update(ctx, now, func(b *budget.Budget) bool { b.GiveBack(n, taken, now); return true })
}

// spent notes that the API said that the quota is spent.
func (q *Quota) spent(ctx context.Context, now time.Time) error {
	return q.update(ctx, now, func(b *budget.Budget) bool { b.Spent(now); return true })
}
