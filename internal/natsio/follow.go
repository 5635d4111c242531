package natsio

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// FollowBucket hands a watcher of all keys of a bucket to take, and another one whenever take has returned, until ctx ends. When
// the bucket can't be watched it waits, ever longer up to a minute; take is to keep what it knows meanwhile.
func FollowBucket(ctx context.Context, bucket jetstream.KeyValue, take func(context.Context, jetstream.KeyWatcher)) {
	for wait := time.Second; ctx.Err() == nil; wait = min(2*wait, time.Minute) {
		watcher, err := bucket.WatchAll(ctx)
		if err == nil {
			take(ctx, watcher)
			_ = watcher.Stop() // its consumer is ephemeral
			wait = time.Second
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}
