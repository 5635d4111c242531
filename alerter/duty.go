package alerter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/internal/lease"
	"unconnected/internal/natsio"
)

const (
	dutyTTL = 10 * time.Second // how long the others wait for one that does not say that it is alive

	// dutyRhythm is how often it is looked whether the lease must be refreshed, which happens when a quarter of its time
	// has passed.
	dutyRhythm = dutyTTL / 8
	// takeOverWithin bounds what must be read before the first message is judged.
	takeOverWithin = dutyTTL / 2
)

// duty is the lease that all alerters share: the one that has it stores transitions and talks to Slack, the others stand by.
// Should two believe that they have it, because one was held up, nothing happens twice all the same: transitions are fenced by
// the alert's last message, posts by their record.
type duty struct {
	js     jetstream.JetStream
	keeper *lease.Keeper
	lease  *lease.Lease
	name   string
	log    *slog.Logger

	takeOver func(context.Context) error // reads what the one before has done
	begun    func()                      // called when judging and telling may begin

	mu     sync.Mutex
	failed error         // why it could not be taken over last, nil when it could; guarded by mu
	since  time.Time     // the hold of the lease for which everything has been taken over; guarded by mu
	change chan struct{} // closed when a hold begins; guarded by mu
}

// OnDuty names the alerter that judges and tells, for people; empty when there is none. It does no I/O.
func OnDuty(leases *lease.Keeper) string {
	return leases.Lease(natsio.KeyDuty, dutyTTL, lease.Live).Holder()
}

// LookOnDuty is [OnDuty] for whoever has no part in the leases. An error means that it can't be known.
func LookOnDuty(ctx context.Context, js jetstream.JetStream, replicas int) (string, error) {
	keeper, err := lease.New(ctx, js, lease.Options{Bucket: natsio.BucketLeases, Replicas: replicas, Name: "a look at who is on duty"})
	if err != nil {
		return "", err
	}
	defer keeper.Close()
	return OnDuty(keeper), nil
}

// Overdue is for how long the claim of who is on duty should have run out, by the server's clock; 0 while it is kept, or nobody has
// it. A server that can't write lets no claim run out.
func Overdue(ctx context.Context, js jetstream.JetStream) (time.Duration, error) {
	return overdue(ctx, js, dutyTTL)
}

func overdue(ctx context.Context, js jetstream.JetStream, ttl time.Duration) (time.Duration, error) {
	leases, err := js.KeyValue(ctx, natsio.BucketLeases)
	if err != nil {
		return 0, fmt.Errorf("bucket %s: %w", natsio.BucketLeases, err)
	}
	claim, err := leases.Get(ctx, natsio.KeyDuty)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("key %s of %s: %w", natsio.KeyDuty, natsio.BucketLeases, err)
	}
	stream, err := js.Stream(ctx, natsio.StreamOf(natsio.BucketLeases)) // for the time there
	if err != nil {
		return 0, fmt.Errorf("bucket %s: %w", natsio.BucketLeases, err)
	}
	return max(0, stream.CachedInfo().TimeStamp.Sub(claim.Created())-ttl), nil
}

// processName names this process, for people and among others of its kind.
func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown" // people see less of who has it
	}
	return fmt.Sprintf("alerter@%s:%d", host, os.Getpid())
}

// newDuty takes part in the lease. Close it after use.
func (a *Alerter) newDuty(ctx context.Context, js jetstream.JetStream) (*duty, error) {
	var err error
	d := &duty{js: js, name: processName(), log: a.options.Log, change: make(chan struct{})}
	d.keeper, err = lease.New(ctx, js, lease.Options{
		Bucket: natsio.BucketLeases, Replicas: a.config.Replicas, Name: d.name, Log: a.options.Log,
	})
	if err != nil {
		return nil, err
	}
	d.lease = d.keeper.Lease(natsio.KeyDuty, dutyTTL, lease.Live)
	return d, nil
}

// has tells whether this alerter judges and tells now. It does no I/O and is safe for concurrent use.
func (d *duty) has() bool {
	d.mu.Lock()
	since := d.since
	d.mu.Unlock()
	return !since.IsZero() && since.Equal(d.lease.Since()) && time.Now().Before(d.lease.Until())
}

// holds tells whether the lease is this alerter's now, whether all has been taken over or not.
func (d *duty) holds() bool { return time.Now().Before(d.lease.Until()) }

// next is closed when this alerter begins to judge and tell.
func (d *duty) next() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.change
}

// run takes the lease when nobody has it, and keeps it, until ctx ends.
func (d *duty) run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := d.lease.Acquire(ctx); err != nil {
			return err // ctx has ended
		}
		wait := dutyRhythm
		if since := d.lease.Since(); !since.IsZero() && !since.Equal(d.of()) {
			err := d.begin(ctx, since)
			if d.setFailed(err); err != nil && ctx.Err() == nil {
				d.log.Warn("what was done before can't be read now, so nothing is judged; trying again", "error", err)
				wait = time.Second
			}
		}
		waitFor(ctx, nil, time.Now().Add(wait))
	}
	return ctx.Err()
}

// of is the hold that has begun.
func (d *duty) of() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.since
}

// begin takes over.
func (d *duty) begin(ctx context.Context, since time.Time) error {
	reading, cancel := context.WithTimeout(ctx, takeOverWithin)
	defer cancel()
	if err := d.takeOver(reading); err != nil {
		return natsio.Explain(d.js, err)
	}
	d.mu.Lock()
	d.since = since
	close(d.change)
	d.change = make(chan struct{})
	d.mu.Unlock()
	d.begun()
	d.log.Info("on duty: this alerter judges and tells now", "holder", d.name)
	return nil
}

// close gives the lease to whoever stands by.
func (d *duty) close(ctx context.Context) {
	if err := d.lease.Release(ctx); err != nil {
		d.log.Debug("the others take over when the lease has run out", "error", err)
	}
	d.keeper.Close()
}

func (d *duty) setFailed(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failed = err
}

// hindered is why nobody can take the duty, because NATS does not store who has it, or this alerter can't take it over; ""
// otherwise. It is safe for concurrent use.
func (d *duty) hindered() string {
	d.mu.Lock()
	failed := d.failed
	d.mu.Unlock()
	problem := d.lease.Problem()
	switch {
	case d.has():
	case errors.Is(problem, natsio.ErrStuck):
		return problem.Error()
	case failed != nil && d.holds():
		return failed.Error()
	}
	return ""
}

// report says who judges and tells, if this alerter does not. It is safe for concurrent use.
func (d *duty) report(r *reporting) {
	switch holder, hindered := d.lease.Other(), d.hindered(); {
	case d.has():
	case hindered != "": // nor does the claim of one that is gone run out then
		r.fail("retrying", because("nobody judges and tells", "Nadie evalúa ni avisa", hindered))
	case holder == "", !d.lease.Since().IsZero(): // free or ours, and what was done before is being read
		r.fail("starting", said("taking over: nobody judges and tells yet", "Toma el relevo: nadie evalúa ni avisa todavía"))
	default:
		r.standBy = "standing by: " + holder + " judges and tells; when it stops, this alerter takes over"
		r.note(said(r.standBy, "En espera: evalúa y avisa "+holder))
	}
}
