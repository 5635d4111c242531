package natsio_test

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natsio"
	"unconnected/internal/natstest"
)

func TestOutlook(t *testing.T) {
	const day, gib = 24 * time.Hour, 1 << 30
	for name, c := range map[string]struct {
		bytes, msgs uint64
		limit       int64
		age         time.Duration
		operations  float64 // on windows of five minutes
		lacks, soon bool
		says        string
	}{
		"the default for one operation":       {1 << 20, 1024, 2 * gib, 400 * day, 1, false, false, ""},
		"seventeen fit":                       {1 << 20, 1024, 2 * gib, 400 * day, 17, false, false, ""},
		"nearly full of what is old":          {1900 << 20, 1900 << 10, 2 * gib, 400 * day, 17, false, true, ""},
		"twenty do not":                       {1 << 20, 1024, 2 * gib, 400 * day, 20, true, false, "full in 364 days, and then the oldest windows go, before they are 400 days old: there is room for 364 days"},
		"nor when it is nearly full":          {1 << 30, 1 << 20, 2 * gib, 400 * day, 50, true, true, "full in 73 days"},
		"what to set":                         {1 << 20, 1024, 2 * gib, 400 * day, 50, true, false, "HISTORY_MAX_BYTES=7GiB"},
		"what to set for little":              {1 << 20, 1024, 64 << 20, 400 * day, 1, true, false, "HISTORY_MAX_BYTES=128MiB"},
		"full":                                {2 * gib, 2 << 20, 2 * gib, 400 * day, 20, true, true, "it is full, and the oldest windows go, before they are 400 days old"},
		"smaller windows than usual":          {1 << 20, 2048, 2 * gib, 400 * day, 20, false, false, ""},
		"larger ones":                         {2 << 20, 1024, 2 * gib, 400 * day, 10, true, false, "full in 364 days"},
		"the first windows tell nothing":      {10 << 20, 10, 2 * gib, 400 * day, 17, false, false, ""},
		"nothing is stored yet":               {0, 0, 2 * gib, 400 * day, 20, true, false, "full in 364 days"},
		"nobody polls":                        {1 << 30, 1 << 20, 2 * gib, 400 * day, 0, false, false, ""},
		"nearly full, at a rate unknown":      {1900 << 20, 1900 << 10, 2 * gib, 400 * day, 0, true, true, "when it is full, the oldest windows go → raise HISTORY_MAX_BYTES, if the disk has room, and run"},
		"no limit":                            {1 << 30, 1 << 20, -1, 400 * day, 20, false, false, ""},
		"for ever, which nothing is room for": {1 << 20, 1024, 2 * gib, 0, 1, true, false, "full in 7278 days, and then the oldest windows go → raise HISTORY_MAX_BYTES"},
	} {
		t.Run(name, func(t *testing.T) {
			info := &jetstream.StreamInfo{
				Config: jetstream.StreamConfig{MaxBytes: c.limit, MaxAge: c.age}, State: jetstream.StreamState{Bytes: c.bytes, Msgs: c.msgs},
			}
			o, lacks := natsio.OutlookOf(info, c.operations*288)
			if lacks != c.lacks || o.Soon != c.soon {
				t.Errorf("lacks %t, soon %t: %+v", lacks, o.Soon, o)
			}
			what, next := o.Words(c.age)
			if text := what + " → " + next; !strings.Contains(text, c.says) {
				t.Errorf("it says %q", text)
			}
		})
	}
}

// TestWindowsADay: of those that are being polled, each with its own windows.
func TestWindowsADay(t *testing.T) {
	_, js := natstest.Connect(t, natstest.Server(t))
	natstest.CreateStreams(t, js)
	now := time.Now().UTC().Truncate(time.Hour)
	if n, err := natsio.WindowsADay(t.Context(), js, now); err != nil || n != 0 {
		t.Errorf("of nothing: %v, %v", n, err)
	}
	for operation, newest := range map[string]events.Window{
		"default": {Start: now.Add(-5 * time.Minute), End: now},
		"ventas":  {Start: now.Add(-time.Minute), End: now},
		"gone":    {Start: now.Add(-9 * 24 * time.Hour), End: now.Add(-8 * 24 * time.Hour)},
	} {
		for _, w := range []events.Window{{Start: newest.Start.Add(-time.Hour), End: newest.Start}, newest} {
			publish(t, js, operation, w)
		}
	}
	if _, err := js.Publish(t.Context(), events.Subject("foreign"), []byte("no event")); err != nil {
		t.Fatal(err)
	}
	if n, err := natsio.WindowsADay(t.Context(), js, now); err != nil || math.Abs(n-(288+1440)) > 0.001 {
		t.Errorf("%v, %v, want 288 and 1440", n, err)
	}
}

// busy is a JetStream in which windows are stored between the look for the newest and the reading of them.
type busy struct {
	jetstream.JetStream
	store func()
}

func (b *busy) OrderedConsumer(ctx context.Context, stream string, c jetstream.OrderedConsumerConfig) (jetstream.Consumer, error) {
	consumer, err := b.JetStream.OrderedConsumer(ctx, stream, c)
	b.store()
	return consumer, err
}

// TestWindowsADayWhileTheyAreStored: an operation that is caught up meanwhile counts once.
func TestWindowsADayWhileTheyAreStored(t *testing.T) {
	_, js := natstest.Connect(t, natstest.Server(t))
	natstest.CreateStreams(t, js)
	end := time.Now().UTC().Truncate(time.Hour)
	store := func(n int) {
		for range n {
			w := events.Window{Start: end, End: end.Add(5 * time.Minute)}
			end = w.End
			publish(t, js, "default", w)
		}
	}
	store(1)
	meanwhile := &busy{js, func() { store(20) }}
	if n, err := natsio.WindowsADay(t.Context(), meanwhile, time.Now()); err != nil || math.Abs(n-288) > 0.001 {
		t.Errorf("%v, %v, want 288", n, err)
	}
}

func publish(t *testing.T, js jetstream.JetStream, operation string, w events.Window) {
	t.Helper()
	msg, err := events.Encode(&events.Event{
		Operation: operation, Timezone: "UTC", Source: "//simulated/cdr_6", Window: w, PolledAt: w.End, Checkpoint: w.End,
		Missed: &events.Missed{Reason: "test", Attempts: 1},
	})
	if err == nil {
		_, err = js.PublishMsg(t.Context(), msg)
	}
	if err != nil {
		t.Fatal(err)
	}
}
