package alerter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natsio"
)

// position is how far evaluation got, as the alerter's bucket keeps it. What it covers is evaluated again after a restart,
// to have the state, but makes no alert event any more.
type position struct {
	// Stream is the creation of the CALLS that the sequences belong to. Another stream means that evaluation starts anew.
	Stream   time.Time `json:"stream"`
	Sequence uint64    `json:"sequence"`
	Tick     int64     `json:"tick,omitempty"` // Unix seconds
	// QuietUntil is the last sequence there was when evaluation started anew: old windows up to there make no alert event.
	QuietUntil uint64 `json:"quiet_until"`
	// Unfenced is the last sequence of ALERTS when another CALLS than before was found: the causes of alerts up to there
	// belong to the one before.
	Unfenced uint64 `json:"unfenced,omitempty"`
	// Rules is the hash of the rules of the alerter that judges.
	Rules string `json:"rules,omitempty"`
}

func (p position) cause() events.Cause { return events.Cause{Sequence: p.Sequence, Tick: p.Tick} }

// covers tells whether a cause was evaluated before.
func (p position) covers(c events.Cause) bool { return c.Compare(p.cause()) <= 0 }

// fences tells whether the cause of a stored alert belongs to this CALLS. Where the position was lost, the times tell.
func (p position) fences(a *events.Alert) bool {
	return a.Sequence > p.Unfenced && !a.Stored.Before(p.Stream)
}

// isQuiet tells whether a window makes no alert event because it was old already when evaluation first saw this stream.
func (p position) isQuiet(sequence uint64, windowEnd, now time.Time, maxAge time.Duration) bool {
	return sequence <= p.QuietUntil && now.Sub(windowEnd) > maxAge
}

// keyPosition is where the bucket holds the position.
const keyPosition = "position"

// openPosition reads the position, or starts evaluation anew when there is none for this stream.
func openPosition(ctx context.Context, bucket jetstream.KeyValue, calls, alerts *jetstream.StreamInfo) (position, error) {
	before, known, err := readPosition(ctx, bucket)
	if err != nil || known && before.Stream.Equal(calls.Created) {
		return before, err
	}
	p := position{Stream: calls.Created.UTC(), QuietUntil: calls.State.LastSeq}
	if known {
		p.Unfenced = alerts.State.LastSeq
	}
	return p, p.store(ctx, bucket)
}

// readPosition reads the position, of whatever stream. It is not known when there is none, or a damaged one.
func readPosition(ctx context.Context, bucket jetstream.KeyValue) (p position, known bool, err error) {
	entry, err := bucket.Get(ctx, keyPosition)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return position{}, false, nil
	}
	if err != nil {
		return position{}, false, fmt.Errorf("position: %w", err)
	}
	if json.Unmarshal(entry.Value(), &p) != nil {
		return position{}, false, nil
	}
	return p, true, nil
}

func (p position) store(ctx context.Context, bucket jetstream.KeyValue) error {
	value, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if _, err := bucket.Put(ctx, keyPosition, value); err != nil {
		return fmt.Errorf("position: %w", err)
	}
	return nil
}

// Evaluated tells up to which sequence of CALLS windows were judged, as the alerter that judges noted it last, a second ago at
// the most. Calls describes the stream. It is not known when nobody has judged that stream yet.
func Evaluated(ctx context.Context, js jetstream.JetStream, calls *jetstream.StreamInfo) (sequence uint64, known bool, err error) {
	bucket, err := js.KeyValue(ctx, natsio.BucketAlerter)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("bucket %s: %w", natsio.BucketAlerter, err)
	}
	p, known, err := readPosition(ctx, bucket)
	return p.Sequence, known && p.Stream.Equal(calls.Created), err
}
