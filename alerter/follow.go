package alerter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/internal/natsio"
)

// follower hands every message of a stream to handle, in order, from the first on. After an outage it goes on where it got.
type follower struct {
	js       jetstream.JetStream
	stream   string
	subjects []string
	log      *slog.Logger

	handle   func(jetstream.Msg)
	caughtUp func() // called whenever nothing waits behind what was handled

	last uint64 // sequence of the last message handled

	mu      sync.Mutex
	trouble string // why the stream can't be read, "" while it can; guarded by mu
	live    bool   // it is being read, and its end was reached; guarded by mu
	behind  bool   // a message is being handled, or some wait behind it; guarded by mu
}

// isLive tells whether messages are handled as they come. It is safe for concurrent use.
func (f *follower) isLive() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.live
}

func (f *follower) setLive(live bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.live = live
}

// isBehind tells whether there are messages that have come and were not handled yet. It is safe for concurrent use.
func (f *follower) isBehind() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.behind
}

func (f *follower) setBehind(behind bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.behind = behind
}

// reachedEnd is called whenever nothing waits.
func (f *follower) reachedEnd() {
	f.caughtUp()
	f.setBehind(false)
	f.setLive(true)
}

// state is why the stream can't be read now, or "". It is safe for concurrent use.
func (f *follower) state() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.trouble
}

func (f *follower) set(trouble string) (changed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	changed = f.trouble != trouble
	f.trouble = trouble
	return changed
}

// How long to wait before an interrupted stream is asked for again.
const (
	followFirst = 100 * time.Millisecond
	followMost  = 2 * time.Second
)

// run follows until ctx ends or the stream is gone.
func (f *follower) run(ctx context.Context) error {
	for wait := followFirst; ; wait = min(2*wait, followMost) {
		before := f.last
		err := f.read(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return fmt.Errorf("follow %s: %w", f.stream, err)
		}
		if f.last != before {
			wait = followFirst
		}
		err = natsio.Explain(f.js, err)
		if f.set(err.Error()) && !errors.Is(err, natsio.ErrAway) { // the connection says itself that it is away
			f.log.Warn("a stream can't be read now; trying again", "stream", f.stream, "error", err)
		}
		waitFor(ctx, nil, time.Now().Add(wait))
	}
}

// read follows until something fails. The library would try again for ever by itself, but deaf to the end of ctx.
func (f *follower) read(ctx context.Context) error {
	consumer, err := f.js.OrderedConsumer(ctx, f.stream, jetstream.OrderedConsumerConfig{
		FilterSubjects: f.subjects, MaxResetAttempts: 1,
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: f.last + 1,
	})
	if err != nil {
		return err
	}
	defer f.setLive(false)
	if consumer.CachedInfo().NumPending == 0 {
		f.reachedEnd()
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(1000))
	if err != nil {
		return err
	}
	f.set("")
	stop := context.AfterFunc(ctx, messages.Stop)
	defer stop()
	defer messages.Stop()
	for {
		msg, err := messages.Next()
		if ctx.Err() != nil || err != nil {
			return errors.Join(err, ctx.Err())
		}
		meta, err := msg.Metadata()
		if err != nil {
			return err
		}
		f.setBehind(true)
		f.handle(msg)
		f.last = meta.Sequence.Stream
		if meta.NumPending == 0 {
			f.reachedEnd()
		}
	}
}
