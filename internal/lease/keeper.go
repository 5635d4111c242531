package lease

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/internal/natsio"
)

// Options are what a Keeper needs beside its connection.
type Options struct {
	// Bucket holds the leases. It is created when it is missing. Keys of more than one part that are no announcements are left
	// to others.
	Bucket string
	// Replicas of the bucket when it has to be created; 0 means 1.
	Replicas int
	// Name says to people who holds or waits, such as "backfill@host". It is stored; it must not hold a secret.
	Name string
	// Log receives what goes wrong; nil means nowhere.
	Log *slog.Logger
}

// Keeper knows a bucket of leases and watches it. A process needs one. It is safe for concurrent use.
type Keeper struct {
	options Options
	js      jetstream.JetStream
	stream  jetstream.Stream // behind the bucket
	view    *view
	again   chan struct{} // asks for a new watcher
	ready   chan struct{} // closed when the first watcher has seen what is there
	stop    context.CancelFunc
	done    sync.WaitGroup
}

// ErrNoTTL says that a bucket can't hold leases.
var ErrNoTTL = errors.New("the bucket was made without per-key TTLs (limit markers), so that a lease would outlive its holder; " +
	"delete the bucket, and it is created anew")

// firstLook is how long the first look at the bucket may take.
const firstLook = 10 * time.Second

// New makes sure that the bucket exists, and returns when it knows the leases in it. Close the Keeper after use.
func New(ctx context.Context, js jetstream.JetStream, o Options) (*Keeper, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	ctx, cancel := context.WithTimeout(ctx, firstLook)
	defer cancel()
	k := &Keeper{
		options: o, js: js, view: newView(), stop: stop,
		again: make(chan struct{}, 1), ready: make(chan struct{}),
	}
	_, err := k.ensure(ctx)
	if err == nil {
		if k.stream, err = js.Stream(ctx, natsio.StreamOf(o.Bucket)); err != nil {
			err = fmt.Errorf("bucket %s: %w", o.Bucket, natsio.Explain(js, err))
		}
	}
	if err != nil {
		stop()
		return nil, err
	}
	k.done.Go(func() { k.watch(watching) })
	select {
	case <-k.ready:
		return k, nil
	case <-ctx.Done():
		k.Close()
		return nil, fmt.Errorf("watch bucket %s: %w", o.Bucket, natsio.Explain(js, ctx.Err()))
	}
}

// Close stops watching. It does not release what is held.
func (k *Keeper) Close() {
	k.stop()
	k.done.Wait()
}

// ensure returns the bucket, and creates it if it is missing.
func (k *Keeper) ensure(ctx context.Context) (jetstream.KeyValue, error) {
	kv, err := natsio.EnsureBucket(ctx, k.js, k.options.Bucket, k.options.Replicas)
	if err != nil {
		return nil, err
	}
	status, err := kv.Status(ctx)
	if err == nil && status.LimitMarkerTTL() == 0 {
		err = ErrNoTTL
	}
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", k.options.Bucket, natsio.Explain(k.js, err))
	}
	return kv, nil
}

// watch keeps the view up to date until ctx ends. A new connection gets a new watcher at once: the old one would find out
// only by missing heartbeats.
func (k *Keeper) watch(ctx context.Context) {
	connected := k.js.Conn().StatusChanged(nats.CONNECTED)
	defer k.js.Conn().RemoveStatusListener(connected)
	k.done.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case _, open := <-connected:
				if !open {
					return
				}
				k.rewatch()
			}
		}
	})
	for ctx.Err() == nil {
		// It says itself what goes wrong, and its only error is the end of ctx.
		_ = natsio.Retry(ctx, k.options.Log, "watching the leases", false, k.follow)
	}
}

// Doubt tells the Keeper of an error that somebody met in its bucket: one that says that the bucket is gone has it made anew. It
// does no I/O and is safe for concurrent use.
func (k *Keeper) Doubt(err error) {
	if errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoStreamResponse) {
		k.rewatch()
	}
}

// rewatch asks for a new watcher, because the one that we have seems to have missed something.
func (k *Keeper) rewatch() {
	select {
	case k.again <- struct{}{}:
	default: // asked for already
	}
}

var errWatcher = errors.New("the watcher has ended")

// follow notes what one watcher sees, until another is asked for. The bucket may have been deleted meanwhile.
func (k *Keeper) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	select {
	case <-k.again:
	default:
	}
	slow := time.AfterFunc(firstLook, cancel) // the context must outlive the call, so that it can't have a deadline
	kv, err := k.ensure(ctx)
	if err != nil {
		return err
	}
	watcher, err := kv.WatchFiltered(ctx, []string{"*", "*" + waiting + "*"})
	if err != nil {
		return fmt.Errorf("watch bucket %s: %w", k.options.Bucket, natsio.Explain(k.js, err))
	}
	defer end(cancel, watcher)
	slow.Stop()
	target := newView() // until the watcher has told what is there
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-k.again:
			return nil
		case entry, open := <-watcher.Updates():
			switch {
			case !open:
				return errWatcher
			case entry != nil:
				target.apply(entry)
			default:
				k.view.replace(target)
				target = k.view
				k.isReady()
			}
		}
	}
}

// isReady closes ready once; only the watching goroutine calls it.
func (k *Keeper) isReady() {
	select {
	case <-k.ready:
	default:
		close(k.ready)
	}
}

// end stops a watcher by its context, since its Stop waits for the server, and takes what it still has to say, without
// which it would hang.
func end(cancel context.CancelFunc, watcher jetstream.KeyWatcher) {
	cancel()
	for range watcher.Updates() {
	}
}

// Operations in the header of a message, as the key-value clients of NATS know them.
const (
	headerOp = "KV-Operation"
	opDelete = "DEL"
	opPurge  = "PURGE"
)

// message is one write to a key.
type message struct {
	op    string // empty puts the value
	value []byte
	ttl   time.Duration // 0: for ever
}

func (k *Keeper) subject(key string) string { return "$KV." + k.options.Bucket + "." + key }

// publish writes to a key and returns the revision. The key's last revision must be the expected one. Unlike the client's
// Update it sets the time to live.
func (k *Keeper) publish(ctx context.Context, key string, m message, expected uint64, patience time.Duration) (uint64, error) {
	return k.send(ctx, key, m, patience, jetstream.WithExpectLastSequencePerSubject(expected))
}

func (k *Keeper) send(ctx context.Context, key string, m message, patience time.Duration, options ...jetstream.PublishOpt) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	msg := nats.NewMsg(k.subject(key))
	msg.Data = m.value
	if m.op != "" {
		msg.Header.Set(headerOp, m.op)
	}
	if m.ttl > 0 {
		options = append(options, jetstream.WithMsgTTL(m.ttl))
	}
	ack, err := k.js.PublishMsg(ctx, msg, options...)
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}

// read asks the server who holds a key. No message at all is revision 0.
func (k *Keeper) read(ctx context.Context, key string, patience time.Duration) (claim, uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	m, err := k.stream.GetLastMsgForSubject(ctx, k.subject(key))
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return claim{}, 0, nil
	case err != nil:
		return claim{}, 0, err
	case m.Header.Get(headerOp) != "" || m.Header.Get(jetstream.MarkerReasonHeader) != "":
		return claim{}, m.Sequence, nil
	}
	return decode(m.Data), m.Sequence, nil
}

// announce says that a claim waits for a key.
func (k *Keeper) announce(ctx context.Context, key string, c claim, patience time.Duration) (uint64, error) {
	value, err := json.Marshal(c)
	if err != nil {
		return 0, err
	}
	return k.send(ctx, WaitingKey(key, c.ID), message{value: value, ttl: waitTTL}, patience)
}

// withdraw takes an announcement back. The marker of that goes away by itself.
func (k *Keeper) withdraw(key, id string) {
	msg := nats.NewMsg(k.subject(WaitingKey(key, id)))
	msg.Header.Set(headerOp, opPurge)
	msg.Header.Set(jetstream.MsgRollup, jetstream.MsgRollupSubject)
	msg.Header.Set(jetstream.MsgTTLHeader, waitTTL.String())
	_ = k.js.Conn().PublishMsg(msg) // the announcement ends by itself
}

// newID makes the name of a holder that nobody else has.
func newID() string { return rand.Text() }
