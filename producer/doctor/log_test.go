package doctor_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/diagnosis"
	"unconnected/internal/natsio"
	"unconnected/internal/natstest"
	"unconnected/producer"
	"unconnected/producer/doctor"
	"unconnected/producer/journal"
	"unconnected/producer/oplog"
)

// put writes a key as JSON.
func put(t *testing.T, js jetstream.JetStream, bucket, key string, value any) {
	t.Helper()
	kv, err := natsio.EnsureBucket(t.Context(), js, bucket, 1)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(t.Context(), key, data); err != nil {
		t.Fatal(err)
	}
}

func TestExamineLog(t *testing.T) {
	_, js := natstest.Connect(t, natstest.Server(t))
	o := doctor.LogOptions{Operation: "ventas", Source: "//wv0011.wolkvox.com/cdr_6", Settle: 90 * time.Second, Now: noon}
	examine := func() diagnosis.Findings { return doctor.ExamineLog(t.Context(), js, o) }

	require(t, examine(), "log", diagnosis.Warning, "no window")
	natstest.CreateStreams(t, js)
	require(t, examine(), "log", diagnosis.Warning, "no window")
	require(t, examine(), "producer", diagnosis.Skipped, "none")

	window := events.Window{Start: noon.Add(-10 * time.Minute), End: noon.Add(-5 * time.Minute)}
	event := events.Event{
		Operation: "ventas", Timezone: "America/Bogota", Source: o.Source, Window: window,
		PolledAt: noon, Checkpoint: window.End, Counts: map[string]int64{events.Busy: 1}, Total: 1,
		Reported: []events.Reported{{Result: "BUSY", Count: "1"}},
	}
	msg, err := events.Encode(&event)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.PublishMsg(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
	put(t, js, natsio.BucketStatus, "ventas", producer.Status{Operation: "ventas", State: producer.Refused, Reason: "PLEASE VALIDATE TOKEN", Since: noon})
	require(t, examine(), "log", diagnosis.OK, "2026-11-24T16:55:00Z, 5m ago")
	require(t, examine(), "producer", diagnosis.Failed, "PLEASE VALIDATE TOKEN")

	stream, err := js.Stream(t.Context(), events.StreamCalls)
	if err != nil {
		t.Fatal(err)
	}
	put(t, js, natsio.BucketMarks, "ventas", oplog.Mark{Stream: stream.CachedInfo().Created.UTC(), Sequence: 9, Checkpoint: noon})
	require(t, examine(), "log", diagnosis.Failed, "its end is lost: it had reached 2026-11-24T17:00:00Z")

	if _, err := js.Publish(t.Context(), events.Subject("ventas"), []byte("no event")); err != nil {
		t.Fatal(err)
	}
	require(t, examine(), "log", diagnosis.Failed, "is no event")
}

// TestExamineLogThatGrows: beside a producer that appends all the time, no end is taken for lost.
func TestExamineLogThatGrows(t *testing.T) {
	_, js := natstest.Connect(t, natstest.Server(t))
	natstest.CreateStreams(t, js)
	put(t, js, natsio.BucketStatus, "ventas", producer.Status{Operation: "ventas", State: producer.CatchingUp, Since: noon})
	stop, begun, stopped := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() { stopped <- grow(t.Context(), js, begun, stop) }()
	select {
	case <-begun:
	case err := <-stopped:
		t.Fatal(err)
	}
	o := doctor.LogOptions{Operation: "ventas", Settle: time.Hour, Now: noon}
	for i := 0; i < 100 && !t.Failed(); i++ {
		require(t, doctor.ExamineLog(t.Context(), js, o), "log", diagnosis.OK, "complete up to")
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// grow appends window after window, each with its mark, until stop is closed. It closes begun after the first.
func grow(ctx context.Context, js jetstream.JetStream, begun, stop chan struct{}) error {
	quiet := slog.New(slog.DiscardHandler)
	store, err := journal.Open(ctx, js, events.CallsStream(events.StreamOptions{}), quiet)
	if err != nil {
		return err
	}
	log := store.Log("ventas", func() time.Time { return noon }, quiet)
	head, err := log.Open(ctx)
	if err != nil {
		return err
	}
	begin := sync.OnceFunc(func() { close(begun) })
	for head.Checkpoint = noon.Add(-time.Hour); ; {
		select {
		case <-stop:
			return nil
		default:
		}
		window := events.Window{Start: head.Checkpoint, End: head.Checkpoint.Add(time.Second)}
		head.Checkpoint = window.End
		if head.Sequence, err = log.Append(ctx, &events.Event{
			Operation: "ventas", Timezone: "America/Bogota", Source: "//wv0011.wolkvox.com/cdr_6",
			Window: window, PolledAt: noon, Checkpoint: window.End,
			Counts: map[string]int64{}, Reported: []events.Reported{},
		}, head.Sequence); err != nil {
			return err
		}
		log.Note(head)
		log.Settle(ctx) // at once, as a producer does where it comes to rest
		begin()
	}
}
