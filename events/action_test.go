package events_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
)

func acknowledged() events.Action {
	return events.Action{
		Action: events.Acknowledged, Operation: "ventas", Incident: "ventas/2026-11-22T15:00:00Z",
		Key: "U012AB3CD/1764000000.000100", By: "Ana Gómez", User: "U012AB3CD", At: origin,
	}
}

func silenced() events.Action {
	until := origin.Add(time.Hour)
	return events.Action{
		Action: events.Silenced, Operation: events.AllOperations, Rules: []string{"CongestionSpike"},
		Key: "s1", By: "luis", At: origin, Until: &until, Reason: "the carrier works on it",
	}
}

func silencedLater() events.Action {
	a := silenced()
	from := origin.Add(20 * time.Minute)
	a.From = &from
	return a
}

func unsilenced() events.Action {
	return events.Action{Action: events.Unsilenced, Operation: "ventas", Key: "s1", By: "luis", At: origin}
}

func TestActionRoundTrip(t *testing.T) {
	schema := compile(t, events.ActionsSchema)
	for _, a := range []events.Action{acknowledged(), silenced(), silencedLater(), unsilenced()} {
		local := a
		local.At = a.At.In(time.FixedZone("", -5*3600)).Add(300 * time.Millisecond)
		msg, err := events.EncodeAction(&local)
		if err != nil {
			t.Fatal(err)
		}
		validate(t, schema, msg.Data)
		if msg.Subject != "alerts.actions."+a.Operation || msg.Header.Get(nats.MsgIdHdr) != a.ID() {
			t.Errorf("stored on %s as %s", msg.Subject, msg.Header.Get(nats.MsgIdHdr))
		}
		got, err := events.DecodeRawAction(raw(msg))
		if err != nil {
			t.Fatal(err)
		}
		a.Sequence, a.Stored = 7, origin.Add(time.Hour)
		if !reflect.DeepEqual(got, a) {
			t.Errorf("it comes back as\n%+v, want\n%+v", got, a)
		}
	}
}

func TestActionValidate(t *testing.T) {
	until := origin
	for want, change := range map[string]func(*events.Action){
		"none of":         func(a *events.Action) { a.Action = "liked" },
		"not a name":      func(a *events.Action) { a.Operation = "De Fault" },
		"no incident":     func(a *events.Action) { a.Incident = "" },
		"key is missing":  func(a *events.Action) { a.Key = "" },
		"200 bytes":       func(a *events.Action) { a.Key = strings.Repeat("k", 201) },
		"by is empty":     func(a *events.Action) { a.By = "" },
		"at is missing":   func(a *events.Action) { a.At = time.Time{} },
		"until belongs":   func(a *events.Action) { a.Until = &until },
		"from belongs":    func(a *events.Action) { a.From = &until },
		"rule \"a b\" is": func(a *events.Action) { a.Rules = []string{"a b"} },
	} {
		a := acknowledged()
		change(&a)
		if err := a.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		if _, err := events.EncodeAction(&a); err == nil {
			t.Errorf("%s: it is encoded", want)
		}
	}
	endless := silenced()
	endless.Until = nil
	if endless.Validate() == nil {
		t.Error("a silence without an end is valid")
	}
	backwards := silencedLater()
	backwards.From = backwards.Until
	if backwards.Validate() == nil {
		t.Error("a silence that ends when it begins is valid")
	}
}

// FuzzDecodeAction is FuzzDecode for actions.
func FuzzDecodeAction(f *testing.F) {
	for _, a := range []events.Action{acknowledged(), silenced(), silencedLater(), unsilenced()} {
		msg, err := events.EncodeAction(&a)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(msg.Subject, msg.Header.Get("ce-id"), msg.Data)
	}
	f.Add("", "", []byte{})
	f.Fuzz(func(t *testing.T, subject, id string, data []byte) {
		a, err := events.DecodeRawAction(&jetstream.RawStreamMsg{Subject: subject, Sequence: 42, Header: nats.Header{
			"ce-specversion": {"1.0"}, "ce-type": {events.TypeAction}, "ce-id": {id}, "ce-source": {"//fuzz"},
		}, Data: data})
		if err != nil {
			checkInvalid(t, "fuzzed", err, subject, "")
			return
		}
		msg, err := events.EncodeAction(&a)
		if err != nil {
			t.Fatalf("decoded, but not encoded again: %v", err)
		}
		if _, err := events.DecodeRawAction(raw(msg)); err != nil {
			t.Fatalf("encoded again, it is refused: %v", err)
		}
	})
}
