package events_test

import (
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natsio"
	"unconnected/internal/natstest"
)

func TestStreamsComeBackAsDefined(t *testing.T) {
	t.Parallel()
	for _, o := range []events.StreamOptions{{}, {Replicas: 1, MaxAge: 400 * 24 * time.Hour, MaxBytes: 2 << 20}} {
		_, js := natstest.Connect(t, natstest.Server(t))
		for _, want := range []jetstream.StreamConfig{events.CallsStream(o), events.AlertsStream(o)} {
			stream, err := js.CreateStream(deadline(t), want)
			if err != nil {
				t.Fatal(err)
			}
			is := stream.CachedInfo().Config
			if drift := natsio.Drift(is, want); len(drift) > 0 {
				t.Errorf("%s: %v", want.Name, drift)
			}
			if is.Duplicates != want.Duplicates || is.MaxConsumers != want.MaxConsumers || is.MaxMsgSize != want.MaxMsgSize {
				t.Errorf("%s: the server has its own defaults: %+v", want.Name, is)
			}
			if _, err := js.CreateStream(deadline(t), want); err != nil {
				t.Errorf("%s: creating it again: %v", want.Name, err)
			}
		}
	}
}

func TestStreamOptions(t *testing.T) {
	c := events.CallsStream(events.StreamOptions{Replicas: 3, MaxAge: time.Hour, MaxBytes: 1 << 30})
	if c.Replicas != 3 || c.MaxAge != time.Hour || c.MaxBytes != 1<<30 {
		t.Errorf("options are not in %+v", c)
	}
	c = events.CallsStream(events.StreamOptions{})
	if c.Replicas != 1 || c.MaxAge != 0 || c.MaxBytes != -1 {
		t.Errorf("without options: %+v", c)
	}
}

func TestNobodyDeletesHistory(t *testing.T) {
	t.Parallel()
	js := natstest.Streams(t)
	store(t, js, live("default", 1))
	ctx := deadline(t)
	for _, name := range []string{events.StreamCalls, events.StreamAlerts} {
		stream, err := js.Stream(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.DeleteMsg(ctx, 1); err == nil {
			t.Errorf("%s: a message can be deleted", name)
		}
		if err := stream.SecureDeleteMsg(ctx, 1); err == nil {
			t.Errorf("%s: a message can be erased", name)
		}
		if err := stream.Purge(ctx); err == nil {
			t.Errorf("%s: it can be purged", name)
		}
		softer := stream.CachedInfo().Config
		softer.DenyDelete, softer.DenyPurge = false, false
		if _, err := js.UpdateStream(ctx, softer); err == nil {
			t.Errorf("%s: the protection can be taken away", name)
		}
	}
	if got := read(t, events.History(ctx, js, events.Query{})); len(got) != 1 {
		t.Errorf("history is %v", ids(got))
	}
}

// TestSubjectsSelect reads with the filters of each kind: both subjects of CALLS, and transitions without actions.
func TestSubjectsSelect(t *testing.T) {
	t.Parallel()
	js := natstest.Streams(t)
	ctx := deadline(t)
	store(t, js, live("default", 1), live("ventas", 1), live("cob", 1))
	a := firing()
	alert, err := events.EncodeAlert(&a)
	if err != nil {
		t.Fatal(err)
	}
	for _, msg := range []*nats.Msg{alert, {Subject: events.ActionSubject("default"), Data: []byte("{}")}} {
		if _, err := js.PublishMsg(ctx, msg); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		stream  string
		filters []string
		want    []string
	}{
		{events.StreamCalls, events.Subjects(), []string{"calls.unconnected", "calls.unconnected.ventas", "calls.unconnected.cob"}},
		{events.StreamCalls, events.Subjects("default", "cob"), []string{"calls.unconnected", "calls.unconnected.cob"}},
		{events.StreamCalls, events.Subjects("ventas"), []string{"calls.unconnected.ventas"}},
		{events.StreamAlerts, events.AlertSubjects(), []string{"alerts.unconnected.default.CongestionSpike"}},
		{events.StreamAlerts, nil, []string{"alerts.unconnected.default.CongestionSpike", "alerts.actions.default"}},
	}
	for _, test := range tests {
		consumer, err := js.OrderedConsumer(ctx, test.stream, jetstream.OrderedConsumerConfig{FilterSubjects: test.filters})
		if err != nil {
			t.Fatal(err)
		}
		batch, err := consumer.FetchNoWait(10)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for msg := range batch.Messages() {
			got = append(got, msg.Subject())
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s with %v gives %v, want %v", test.stream, test.filters, got, test.want)
		}
	}
}

// TestStreamStoresAnEventOnce sends the same event again: its id is the key of the server's deduplication.
func TestStreamStoresAnEventOnce(t *testing.T) {
	t.Parallel()
	js := natstest.Streams(t)
	for i, e := range []events.Event{live("default", 1), live("default", 1), live("ventas", 1), missed("default", 1)} {
		ack, err := js.PublishMsg(deadline(t), encode(t, e))
		if err != nil {
			t.Fatal(err)
		}
		if ack.Duplicate != (i == 1) {
			t.Errorf("%s, message %d: duplicate %t", e.ID(), i, ack.Duplicate)
		}
	}
}
