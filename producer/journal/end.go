package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natsio"
	"unconnected/producer/oplog"
)

// End is where a log ends, for whoever only looks at it.
type End struct {
	Sequence uint64               // of the last message; 0: there is none
	Last     *events.Event        // nil: there is none, or it is no event
	Invalid  *events.InvalidError // why the last message is no event
	Lost     bool                 // the log had reached the mark, and does not reach it any more
}

// Look finds the end of an operation's log and holds it against a mark, which is zero where none can be seen. The mark must
// have been read before: a producer that is at work has moved both by the time of a later look.
func Look(ctx context.Context, stream jetstream.Stream, mark oplog.Mark, operation string) (end End, err error) {
	end.Lost, err = endLost(ctx, stream, mark, func() (uint64, error) {
		end = End{}
		last, err := events.Last(ctx, stream, operation)
		switch {
		case errors.As(err, &end.Invalid):
			end.Sequence = end.Invalid.Sequence
		case err != nil:
			return 0, err
		case last != nil:
			end.Last, end.Sequence = last, last.Sequence
		}
		return end.Sequence, nil
	})
	return end, err
}

// staleness is how long a follower in a cluster may answer with an old end of the log.
const staleness = 10 * time.Second

// endLost tells whether a log, whose last message has the sequence that look returns, falls short of the mark. It believes that
// only when the end stays short for as long as a replica may be behind, which a single one never is; and when the messages before
// the mark have not gone for their age since the stream was looked at.
func endLost(ctx context.Context, stream jetstream.Stream, mark oplog.Mark, look func() (uint64, error)) (bool, error) {
	info := stream.CachedInfo()
	until := time.Now()
	if info.Config.Replicas > 1 {
		until = until.Add(staleness)
	}
	for {
		sequence, err := look()
		if err != nil || !mark.Lost(info.Created.UTC(), natsio.FirstRetained(info), sequence) {
			return false, err
		}
		if !time.Now().Before(until) {
			now, err := stream.Info(ctx)
			if err != nil {
				return false, fmt.Errorf("where the stream begins: %w", err)
			}
			return mark.Lost(now.Created.UTC(), natsio.FirstRetained(now), sequence), nil
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(staleness / 20):
		}
	}
}
