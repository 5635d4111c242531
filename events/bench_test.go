package events_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natstest"
)

// sample is the event of the contract's page, for the i-th window of a history.
func sample(i int) *events.Event {
	start := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC).Add(time.Duration(i) * 5 * time.Minute)
	return &events.Event{
		Operation: "default", Server: "0011", Timezone: "America/Bogota", Source: "//wv0011.wolkvox.com/cdr_6",
		Window: events.Window{Start: start, End: start.Add(5 * time.Minute)},
		Total:  185,
		Counts: map[string]int64{
			"busy": 20, "cancel": 3, "chanunavail": 1, "congestion": 41, "do_not_call": 0, "no_answer": 120, "tcpa": 0,
		},
		Reported: []events.Reported{
			{Result: "CONGESTION", Count: "41"}, {Result: "NO ANSWER", Count: "120"}, {Result: "BUSY", Count: "20"},
			{Result: "CANCEL", Count: "3"}, {Result: "CHANUNAVAIL", Count: "1"},
		},
		PolledAt:   start.Add(6*time.Minute + 30120*time.Millisecond),
		Checkpoint: start.Add(5 * time.Minute),
		Reconciled: events.Reconciled{Periods: start.Truncate(time.Hour).Add(-time.Hour), Days: start.Truncate(24 * time.Hour)},
	}
}

// fill stores n sample windows.
func fill(tb testing.TB, js jetstream.JetStream, n int) {
	tb.Helper()
	for i := range n {
		msg, err := events.Encode(sample(i))
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := js.PublishMsgAsync(msg, jetstream.WithStallWait(time.Minute)); err != nil {
			tb.Fatal(err)
		}
	}
	<-js.PublishAsyncComplete()
}

// BenchmarkHistory compares reading decoded events with the bare ordered read of the same messages in the same run.
func BenchmarkHistory(b *testing.B) {
	const n = 100_000
	js := natstest.Streams(b)
	fill(b, js, n)
	rate := func(b *testing.B) { b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "events/s") }
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			readBare(b, js, n)
		}
		rate(b)
	})
	b.Run("decoded", func(b *testing.B) {
		for b.Loop() {
			read := 0
			for _, err := range events.History(context.Background(), js, events.Query{}) {
				if err != nil {
					b.Fatal(err)
				}
				read++
			}
			if read != n {
				b.Fatal(fmt.Errorf("read %d of %d", read, n))
			}
		}
		rate(b)
	})
}

func readBare(b *testing.B, js jetstream.JetStream, n int) {
	consumer, err := js.OrderedConsumer(context.Background(), events.StreamCalls, jetstream.OrderedConsumerConfig{})
	if err != nil {
		b.Fatal(err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(5000))
	if err != nil {
		b.Fatal(err)
	}
	defer messages.Stop()
	for range n {
		if _, err := messages.Next(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	b.ReportAllocs()
	e := sample(0)
	for b.Loop() {
		if _, err := events.Encode(e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	b.ReportAllocs()
	msg, err := events.Encode(sample(0))
	if err != nil {
		b.Fatal(err)
	}
	raw := &jetstream.RawStreamMsg{Subject: msg.Subject, Sequence: 1, Header: msg.Header, Data: msg.Data}
	var d events.Decoder
	for b.Loop() {
		if _, err := d.DecodeRaw(raw); err != nil {
			b.Fatal(err)
		}
	}
}
