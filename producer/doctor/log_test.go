package doctor_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/diagnosis"
	"unconnected/internal/natsio"
	"unconnected/internal/natstest"
	"unconnected/producer"
	"unconnected/producer/doctor"
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
