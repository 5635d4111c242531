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
	"unconnected/producer/journal"
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

// shortOfMark compares the end of a log with the mark of how far it certainly reached.
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
	end, err := journal.Look(ctx, stream, mark, operation)
	if err != nil || !end.Lost {
		return nil, err
	}
	return &oplog.Fault{Operation: operation, Kind: kindLost, Sequence: end.Sequence, Text: fmt.Sprintf(
		"the log ends at sequence %d and had reached %d (windows up to %s)",
		end.Sequence, mark.Sequence, mark.Checkpoint.Format(time.RFC3339))}, nil
}
