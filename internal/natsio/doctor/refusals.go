package doctor

import (
	"context"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/internal/natsio"
)

// refusals ends the wait for answers that will not come: the server refuses a subject by a message of its own, and the
// request, which it drops, would run into its time limit. Several goroutines may use it.
type refusals struct {
	mu      sync.Mutex
	waiting map[string]map[*wait]bool // subject → who waits for an answer; guarded by mu
}

// wait is a request under way.
type wait struct {
	refused error // guarded by the mutex of refusals
	stop    context.CancelFunc
}

// newRefusals takes the connection's errors from whoever had them before.
func newRefusals(nc *nats.Conn) *refusals {
	r := &refusals{waiting: make(map[string]map[*wait]bool)}
	nc.SetErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		if subject, refused := natsio.RefusalOf(err); refused != nil {
			r.refuse(subject, refused)
		}
	})
	return r
}

func (r *refusals) refuse(subject string, refused error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for w := range r.waiting[subject] {
		w.refused = refused
		w.stop()
	}
}

// await makes a request to a subject, whose context ends when the server refuses it. The error says so then.
func (r *refusals) await(ctx context.Context, subject string, request func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := &wait{stop: cancel}
	r.mu.Lock()
	if r.waiting[subject] == nil {
		r.waiting[subject] = make(map[*wait]bool)
	}
	r.waiting[subject][w] = true
	r.mu.Unlock()
	err := request(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.waiting[subject], w)
	if err != nil && w.refused != nil {
		return w.refused
	}
	return err
}

// JetStream is the stream API of a connection, for checks: a request about streams, buckets or the account that the server
// refuses ends at once, with an error that wraps [natsio.ErrPermission]. Several goroutines may use it.
type JetStream struct {
	jetstream.JetStream
	refusals *refusals
}

// Open is the stream API of a connection of [Connect]. The connection's errors go nowhere else then, so that it is to be
// opened once for each.
func Open(nc *nats.Conn) (*JetStream, error) {
	js, err := natsio.JetStream(nc)
	if err != nil {
		return nil, err
	}
	return &JetStream{js, newRefusals(nc)}, nil
}

const apiPrefix = "$JS.API."

// Stream implements [jetstream.JetStream].
func (j *JetStream) Stream(ctx context.Context, name string) (stream jetstream.Stream, err error) {
	err = j.refusals.await(ctx, apiPrefix+"STREAM.INFO."+name, func(ctx context.Context) (err error) {
		stream, err = j.JetStream.Stream(ctx, name)
		return err
	})
	return stream, err
}

// KeyValue implements [jetstream.JetStream].
func (j *JetStream) KeyValue(ctx context.Context, bucket string) (kv jetstream.KeyValue, err error) {
	err = j.refusals.await(ctx, apiPrefix+"STREAM.INFO."+natsio.StreamOf(bucket), func(ctx context.Context) (err error) {
		kv, err = j.JetStream.KeyValue(ctx, bucket)
		return err
	})
	return kv, err
}

// AccountInfo implements [jetstream.JetStream].
func (j *JetStream) AccountInfo(ctx context.Context) (info *jetstream.AccountInfo, err error) {
	err = j.refusals.await(ctx, apiPrefix+"INFO", func(ctx context.Context) (err error) {
		info, err = j.JetStream.AccountInfo(ctx)
		return err
	})
	return info, err
}

// consumers lists those of a stream to see.
func (j *JetStream) consumers(ctx context.Context, name string, see func(*jetstream.ConsumerInfo)) error {
	stream, err := j.Stream(ctx, name)
	if err != nil {
		return err
	}
	return j.refusals.await(ctx, apiPrefix+"CONSUMER.LIST."+name, func(ctx context.Context) error {
		list := stream.ListConsumers(ctx)
		for info := range list.Info() {
			see(info)
		}
		return list.Err()
	})
}

// request asks for something that is not JetStream's.
func (j *JetStream) request(ctx context.Context, subject string) (answer *nats.Msg, err error) {
	err = j.refusals.await(ctx, subject, func(ctx context.Context) (err error) {
		answer, err = j.Conn().RequestWithContext(ctx, subject, nil)
		return err
	})
	return answer, err
}
