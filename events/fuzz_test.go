package events_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
)

// FuzzDecode holds any message against what is promised of decoding: it never panics, an error is an InvalidError, and
// what is decoded is valid and comes back when it is encoded again.
func FuzzDecode(f *testing.F) {
	add := func(msg *nats.Msg) {
		f.Add(msg.Subject, msg.Header.Get("ce-type"), msg.Header.Get("ce-id"), msg.Header.Get("ce-source"),
			msg.Header.Get("Unconnected-Checkpoint"), msg.Header.Get("Unconnected-Reconciled"), msg.Header.Get("Unconnected-Backfill"), msg.Data)
	}
	odd := contract()
	odd.Ambiguous, odd.Server, odd.Source = true, "", "//ñ %/\""
	odd.Reported = append(odd.Reported, events.Reported{Result: "\x00\"\\<\u2028", Count: "-1.5e3"})
	compared := contract()
	compared.Reconciled = events.Reconciled{Periods: compared.Checkpoint, Days: compared.Checkpoint}
	for _, e := range []events.Event{
		contract(), odd, compared, live("ventas", 3), revised("ventas", 3, 2, 5), backfilled("default", 3, 5), missed("ventas", 1),
	} {
		add(encode(f, e))
	}
	f.Add("calls.unconnected", "calls.unconnected", "", "", "", "", "", []byte(`{"window":{"start":"0000-01-01T00:00:00+23:59"}}`))
	f.Add("", "", "", "", "", "", "", []byte{})
	f.Fuzz(func(t *testing.T, subject, typ, id, source, checkpoint, reconciled, backfill string, data []byte) {
		msg := &jetstream.RawStreamMsg{Subject: subject, Sequence: 42, Header: nats.Header{
			"ce-specversion": {"1.0"}, "ce-type": {typ}, "ce-id": {id}, "ce-source": {source},
			"Unconnected-Checkpoint": {checkpoint}, "Unconnected-Reconciled": {reconciled}, "Unconnected-Backfill": {backfill},
		}, Data: data}
		var d events.Decoder
		e, err := d.DecodeRaw(msg)
		if err != nil {
			checkInvalid(t, "fuzzed", err, subject, "")
			return
		}
		if err := e.Validate(); err != nil {
			t.Fatalf("decoded, but not valid: %v", err)
		}
		if !json.Valid(data) {
			t.Fatalf("decoded, but other readers find no JSON in %q", data)
		}
		again, err := d.DecodeRaw(raw(encode(t, e)))
		if err != nil {
			t.Fatalf("encoded again, it is refused: %v", err)
		}
		// Milliseconds are what the data holds, and the place in the stream is not in it.
		e.PolledAt = e.PolledAt.Truncate(time.Millisecond)
		e.Sequence, e.Stored = again.Sequence, again.Stored
		if !reflect.DeepEqual(e, again) {
			t.Fatalf("encoded again, it differs:\n%+v\n%+v", e, again)
		}
	})
}

// FuzzDecodeAlert is FuzzDecode for alerts.
func FuzzDecodeAlert(f *testing.F) {
	peak, at := 0.61, origin
	observed := firing()
	observed.Observed = &events.Observed{Total: 9, Counts: map[string]int64{"busy": 9}, Peak: &peak, PeakAt: &at}
	for _, a := range []events.Alert{firing(), resolved(), observed} {
		msg, err := events.EncodeAlert(&a)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(msg.Subject, msg.Header.Get("ce-id"), msg.Header.Get("Unconnected-Cause"), msg.Data)
	}
	f.Add("alerts.unconnected.a.b", "a/b/1.2/firing", "1.2", []byte(`{"operation":"a","rule":"b"}`))
	f.Add("", "", "", []byte{})
	f.Fuzz(func(t *testing.T, subject, id, cause string, data []byte) {
		a, err := events.DecodeRawAlert(&jetstream.RawStreamMsg{Subject: subject, Sequence: 42, Header: nats.Header{
			"ce-specversion": {"1.0"}, "ce-type": {"alerts.unconnected"}, "ce-id": {id}, "ce-source": {"//fuzz"},
			"Unconnected-Cause": {cause},
		}, Data: data})
		if err != nil {
			checkInvalid(t, "fuzzed", err, subject, "")
			return
		}
		if err := a.Validate(); err != nil {
			t.Fatalf("decoded, but not valid: %v", err)
		}
		msg, err := events.EncodeAlert(&a)
		if err != nil {
			t.Fatalf("decoded, but not encoded again: %v", err)
		}
		again, err := events.DecodeRawAlert(raw(msg))
		if err != nil {
			t.Fatalf("encoded again, it is refused: %v", err)
		}
		third, err := events.EncodeAlert(&again)
		if err != nil || string(third.Data) != string(msg.Data) || !reflect.DeepEqual(third.Header, msg.Header) {
			t.Fatalf("encoded again, it differs (%v):\n%s\n%s", err, msg.Data, third.Data)
		}
	})
}
