package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natsio"
	"unconnected/producer/oplog"
)

// lostMessages looks for what the messages themselves cannot show: numbers missing inside the stream, and logs that end
// before a place which they had reached.
func lostMessages(ctx context.Context, js jetstream.JetStream, operations []string) ([]oplog.Fault, error) {
	stream, err := js.Stream(ctx, events.StreamCalls)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", events.StreamCalls, err)
	}
	var faults []oplog.Fault
	state := stream.CachedInfo().State
	if state.Msgs > 0 && state.Msgs != state.LastSeq-state.FirstSeq+1 {
		faults = append(faults, oplog.Fault{Kind: kindLost, Sequence: state.LastSeq, Text: fmt.Sprintf(
			"the stream holds %d messages between the sequences %d and %d", state.Msgs, state.FirstSeq, state.LastSeq)})
	}
	marks, err := js.KeyValue(ctx, natsio.BucketMarks)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return faults, nil
	}
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", natsio.BucketMarks, err)
	}
	keys, err := marks.Keys(ctx)
	if err != nil && !errors.Is(err, jetstream.ErrNoKeysFound) {
		return nil, fmt.Errorf("bucket %s: %w", natsio.BucketMarks, err)
	}
	for _, operation := range keys {
		if len(operations) > 0 && !slices.Contains(operations, operation) {
			continue
		}
		fault, err := shortOfMark(ctx, stream, marks, operation)
		if err != nil {
			return nil, err
		}
		if fault != nil {
			faults = append(faults, *fault)
		}
	}
	return faults, nil
}

// shortOfMark compares the end of a log with the mark of how far it certainly reached. In a cluster it looks again for a while
// before it believes that the end is lost.
func shortOfMark(ctx context.Context, stream jetstream.Stream, marks jetstream.KeyValue, operation string) (*oplog.Fault, error) {
	entry, err := marks.Get(ctx, operation)
	if errors.Is(err, jetstream.ErrKeyNotFound) { // the loss was accepted this moment
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("mark of %s: %w", operation, err)
	}
	var mark oplog.Mark
	if err := json.Unmarshal(entry.Value(), &mark); err != nil {
		return &oplog.Fault{Operation: operation, Kind: kindLost, Text: "the mark of this log is damaged: " + err.Error()}, nil
	}
	info := stream.CachedInfo()
	until := time.Now()
	if info.Config.Replicas > 1 {
		until = until.Add(staleness)
	}
	for {
		head, err := headOf(ctx, stream, operation)
		if err != nil || !mark.Lost(info.Created.UTC(), natsio.FirstRetained(info), head) {
			return nil, err
		}
		if !time.Now().Before(until) {
			return &oplog.Fault{Operation: operation, Kind: kindLost, Sequence: head.Sequence, Text: fmt.Sprintf(
				"the log ends at sequence %d and had reached %d (windows up to %s)",
				head.Sequence, mark.Sequence, mark.Checkpoint.Format(time.RFC3339))}, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(staleness / 20):
		}
	}
}

// staleness is how long a follower in a cluster may answer with an old end of the log.
const staleness = 10 * time.Second

func headOf(ctx context.Context, stream jetstream.Stream, operation string) (oplog.Head, error) {
	last, err := events.Last(ctx, stream, operation)
	var invalid *events.InvalidError
	switch {
	case errors.As(err, &invalid):
		return oplog.Head{Sequence: invalid.Sequence}, nil
	case err != nil || last == nil:
		return oplog.Head{}, err
	}
	return oplog.HeadOf(last), nil
}
