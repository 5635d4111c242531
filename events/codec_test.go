package events_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
)

// raw is a message as the stream returns it.
func raw(msg *nats.Msg) *jetstream.RawStreamMsg {
	return &jetstream.RawStreamMsg{
		Subject: msg.Subject, Sequence: 7, Header: msg.Header, Data: msg.Data, Time: origin.Add(time.Hour).Local(),
	}
}

func encode(t testing.TB, e events.Event) *nats.Msg {
	t.Helper()
	msg, err := events.Encode(&e)
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func decode(t testing.TB, msg *nats.Msg) events.Event {
	t.Helper()
	var d events.Decoder
	e, err := d.DecodeRaw(raw(msg))
	if err != nil {
		t.Fatalf("%v\n%s", err, msg.Data)
	}
	return e
}

// contract is the sample of the contract.
func contract() events.Event {
	e := live("default", 0)
	e.Total = 185
	e.Counts = map[string]int64{
		"busy": 20, "cancel": 3, "chanunavail": 1, "congestion": 41, "do_not_call": 0, "no_answer": 120, "tcpa": 0,
	}
	e.Reported = []events.Reported{{Result: "CONGESTION", Count: "41"}}
	e.PolledAt = time.Date(2026, 11, 22, 15, 6, 30, 120_456_789, time.UTC)
	return e
}

func TestEventData(t *testing.T) {
	ambiguous := live("cob", 0)
	ambiguous.Server, ambiguous.Ambiguous = "", true
	ambiguous.Counts = map[string]int64{} // Encode adds the documented results
	ambiguous.PolledAt = ambiguous.PolledAt.In(time.FixedZone("", -5*60*60))
	tests := []struct {
		name  string
		event events.Event
		want  string
	}{
		{"the contract's sample", contract(), `{"operation":"default","server":"0011","timezone":"America/Bogota",` +
			`"window":{"start":"2026-11-22T15:00:00Z","end":"2026-11-22T15:05:00Z"},"revision":0,"total":185,` +
			`"counts":{"busy":20,"cancel":3,"chanunavail":1,"congestion":41,"do_not_call":0,"no_answer":120,"tcpa":0},` +
			`"reported":[{"result":"CONGESTION","count":"41"}],"polled_at":"2026-11-22T15:06:30.120Z"}`},
		{"an empty ambiguous window without a server", ambiguous, `{"operation":"cob","timezone":"America/Bogota",` +
			`"window":{"start":"2026-11-22T15:00:00Z","end":"2026-11-22T15:05:00Z"},"revision":0,"total":0,` +
			`"counts":{"busy":0,"cancel":0,"chanunavail":0,"congestion":0,"do_not_call":0,"no_answer":0,"tcpa":0},` +
			`"reported":[],"ambiguous":true,"polled_at":"2026-11-22T15:06:30.000Z"}`},
		{"a missed marker", missed("default", 0), `{"operation":"default","server":"0011","timezone":"America/Bogota",` +
			`"window":{"start":"2026-11-22T15:00:00Z","end":"2026-11-22T15:05:00Z"},"revision":0,` +
			`"missed":{"reason":"negative count","attempts":7},"polled_at":"2026-11-22T15:06:30.000Z"}`},
	}
	for _, test := range tests {
		if got := string(encode(t, test.event).Data); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
		data, err := events.MarshalData(&test.event)
		if err != nil || string(data) != test.want {
			t.Errorf("%s, data alone: %s, %v", test.name, data, err)
		}
	}
}

func TestEventHeaders(t *testing.T) {
	common := func(id, typ string) nats.Header {
		return nats.Header{
			"ce-specversion": {"1.0"}, "ce-type": {typ}, "ce-source": {"//wv0011.wolkvox.com/cdr_6"}, "ce-subject": {"ventas"},
			"ce-id": {id}, "Nats-Msg-Id": {id}, "ce-time": {"2026-11-22T15:05:00Z"},
			"ce-dataschema":      {"urn:unconnected:schema:calls.unconnected:v1"},
			"ce-datacontenttype": {"application/json"}, "Unconnected-Checkpoint": {"2026-11-22T15:05:00Z"},
		}
	}
	backfill := common("ventas/20261122T150000Z/PT300S/0", "calls.unconnected")
	backfill["Unconnected-Backfill"], backfill["Unconnected-Checkpoint"] = []string{"1"}, []string{"2026-11-22T15:20:00Z"}
	revision := common("ventas/20261122T150000Z/PT300S/2", "calls.unconnected")
	revision["Unconnected-Checkpoint"] = []string{"2026-11-22T15:20:00Z"}
	foreign, foreignHeader := live("ventas", 0), common("ventas/20261122T150000Z/PT300S/0", "calls.unconnected")
	foreign.Source = "//café \"10%\"\n/cdr_6~"
	foreignHeader["ce-source"] = []string{"//caf%C3%A9%20%2210%25%22%0A/cdr_6~"}
	compared, comparedHeader := live("ventas", 0), common("ventas/20261122T150000Z/PT300S/0", "calls.unconnected")
	compared.Reconciled = events.Reconciled{Periods: compared.Checkpoint.Add(-2 * time.Hour), Days: compared.Checkpoint.Add(-24 * time.Hour)}
	comparedHeader["Unconnected-Reconciled"] = []string{"2026-11-22T13:05:00Z 2026-11-21T15:05:00Z"}
	tests := []struct {
		name  string
		event events.Event
		want  nats.Header
	}{
		{"compared again", compared, comparedHeader},
		{"live", live("ventas", 0), common("ventas/20261122T150000Z/PT300S/0", "calls.unconnected")},
		{"missed", missed("ventas", 0), common("ventas/20261122T150000Z/PT300S/missed", "calls.unconnected.missed")},
		{"backfill", backfilled("ventas", 0, 3), backfill},
		{"revision", revised("ventas", 0, 2, 3), revision},
		{"percent-encoded", foreign, foreignHeader},
	}
	for _, test := range tests {
		msg := encode(t, test.event)
		if !reflect.DeepEqual(msg.Header, test.want) {
			t.Errorf("%s:\n got %v\nwant %v", test.name, msg.Header, test.want)
		}
		if msg.Subject != "calls.unconnected.ventas" {
			t.Errorf("%s: subject %s", test.name, msg.Subject)
		}
		if got := decode(t, msg); got.Reconciled != test.event.Reconciled {
			t.Errorf("%s: reconciled %v, want %v", test.name, got.Reconciled, test.event.Reconciled)
		}
		if got := decode(t, msg); got.Source != test.event.Source {
			t.Errorf("%s: source %q, want %q", test.name, got.Source, test.event.Source)
		}
	}
}

func TestPercentDecodingIsLenient(t *testing.T) {
	for header, source := range map[string]string{
		"//h/%63dr_6": "//h/cdr_6", "//h/%c3%A9": "//h/é", "//h/100%": "//h/100%", "//h/%4": "//h/%4", "//h/%zz": "//h/%zz",
		"//h/%%41": "//h/%A", "//h/é": "//h/é",
	} {
		msg := encode(t, live("default", 0))
		msg.Header["ce-source"] = []string{header}
		e := decode(t, msg)
		if e.Source != source {
			t.Errorf("%s is read as %s, want %s", header, e.Source, source)
		}
		if again := decode(t, encode(t, e)); again.Source != source {
			t.Errorf("%s comes back as %s", source, again.Source)
		}
	}
}

func TestOptionalHeadersMayBeAbsent(t *testing.T) {
	for _, name := range []string{"ce-subject", "ce-time", "ce-dataschema", "ce-datacontenttype", "Nats-Msg-Id"} {
		msg := encode(t, live("default", 1))
		delete(msg.Header, name)
		decode(t, msg)
	}
}

// random is any event of the contract.
func random(r *rand.Rand) events.Event {
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	e := live(pick("default", "ventas", "a-b_c", "0"), r.IntN(1_000_000)-500_000)
	e.Window.End = e.Window.Start.Add(time.Duration(1+r.IntN(3600)) * time.Second)
	e.Server = pick("", "0011", "9999")
	e.Timezone = pick("America/Bogota", "UTC", "Europe/Madrid")
	e.Source = pick("//simulated/cdr_6", "//wv0011.wolkvox.com/cdr_6", "//ñandú/% \"x\"")
	e.PolledAt = e.Window.End.Add(time.Duration(r.IntN(1e9)) * time.Millisecond)
	e.Checkpoint = e.Window.End.Add(time.Duration(r.IntN(2)*r.IntN(100_000)) * time.Second)
	if r.IntN(2) == 0 {
		e.Reconciled = events.Reconciled{Periods: e.Checkpoint.Add(-time.Hour), Days: e.Checkpoint.Add(-24 * time.Hour)}
	}
	e.Ambiguous = r.IntN(10) == 0
	if r.IntN(10) == 0 {
		e.Total, e.Counts = 0, nil
		e.Missed = &events.Missed{Reason: text(r), Attempts: r.IntN(100)}
		return e
	}
	e.Revision, e.Backfill = r.IntN(3), r.IntN(3) == 0
	e.Total, e.Counts = 0, counts("r_"+fmt.Sprint(r.IntN(600)), 0)
	for result := range e.Counts {
		n := r.Int64N(1 << (1 + r.IntN(55)))
		e.Counts[result] = n
		e.Total += n
	}
	for range r.IntN(9) {
		e.Reported = append(e.Reported, events.Reported{Result: text(r), Count: text(r)})
	}
	return e
}

// text is any text, with what is special in JSON, HTML, headers and Unicode.
func text(r *rand.Rand) string {
	alphabet := []rune("abcXYZ 0189_-.<>&\"\\/\n\t\x00%ñé€😀\u2028\ufeff\ufffd")
	b := make([]rune, r.IntN(90))
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

// TestEventRoundTrip encodes and decodes any event, and holds each message against the JSON Schema. One Decoder reads all
// of them: what it returned must not change when it goes on.
func TestEventRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	schema := compile(t, events.CallsSchema)
	var d events.Decoder
	var want, got []events.Event
	for range 2000 {
		e := random(r)
		msg := encode(t, e)
		validate(t, schema, msg.Data)
		decoded, err := d.DecodeRaw(raw(msg))
		if err != nil {
			t.Fatalf("%v\n%s", err, msg.Data)
		}
		e.Sequence, e.Stored = 7, origin.Add(time.Hour)
		want, got = append(want, e), append(got, decoded)
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("event %d:\n got %+v\nwant %+v", i, got[i], want[i])
		}
	}
}

func TestDecodedEventsShareNothingWithTheMessage(t *testing.T) {
	msg := encode(t, contract())
	var d events.Decoder
	e, err := d.DecodeRaw(raw(msg))
	if err != nil {
		t.Fatal(err)
	}
	want := encode(t, e).Data
	for i := range msg.Data {
		msg.Data[i] = 'x'
	}
	other := live("ventas", 9)
	other.Reported = []events.Reported{{Result: "OCUPADO", Count: "77"}}
	if _, err := d.DecodeRaw(raw(encode(t, other))); err != nil {
		t.Fatal(err)
	}
	if got := encode(t, e).Data; !slices.Equal(got, want) {
		t.Errorf("the event became %s", got)
	}
}

func TestAlertRoundTrip(t *testing.T) {
	schema := compile(t, events.AlertsSchema)
	peak, at := 0.61, origin.In(time.FixedZone("", 2*60*60))
	observed := firing()
	observed.Timezone = "America/Bogota"
	observed.Observed = &events.Observed{
		Total: 1073, Counts: map[string]int64{"congestion": 476, "busy": 597}, Peak: &peak, PeakAt: &at,
	}
	observed.StartsAt, observed.Window.End = at, observed.Window.End.In(at.Location())
	bare := firing()
	bare.Value, bare.Threshold, bare.Summary, bare.Labels = nil, nil, "<!channel> & \"50 %\"", nil
	for name, a := range map[string]events.Alert{"firing": firing(), "resolved": resolved(), "observed": observed, "bare": bare} {
		msg, err := events.EncodeAlert(&a)
		if err != nil {
			t.Fatal(err)
		}
		validate(t, schema, msg.Data)
		got, err := events.DecodeRawAlert(raw(msg))
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, msg.Data)
		}
		if got.Sequence != 7 || got.Stored != origin.Add(time.Hour) || got.Cause != a.Cause {
			t.Errorf("%s: sequence %d, stored %v, cause %v", name, got.Sequence, got.Stored, got.Cause)
		}
		if got.StartsAt.Location() != time.UTC || got.Window != nil && got.Window.End.Location() != time.UTC {
			t.Errorf("%s: times are not in UTC: %v, %v", name, got.StartsAt, got.Window)
		}
		again, err := events.EncodeAlert(&got)
		if err != nil || string(again.Data) != string(msg.Data) || !reflect.DeepEqual(again.Header, msg.Header) {
			t.Errorf("%s: encoded again (%v)\n got %s\nwant %s", name, err, again.Data, msg.Data)
		}
	}
	if observed.StartsAt.Location() == time.UTC || bare.Labels != nil {
		t.Error("encoding changed the alert")
	}
}

func TestAlertMessage(t *testing.T) {
	a := firing()
	msg, err := events.EncodeAlert(&a)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"operation":"default","rule":"CongestionSpike","severity":"critical","status":"firing",` +
		`"starts_at":"2026-11-22T14:55:00Z","ends_at":null,` +
		`"window":{"start":"2026-11-22T15:00:00Z","end":"2026-11-22T15:05:00Z"},"value":0.44,"threshold":0.2,` +
		`"summary":"congestion is 44 % of unconnected calls","labels":{"team":"noc"},"reason":"",` +
		`"incident":"default/2026-11-22T14:55:00Z"}`
	if string(msg.Data) != want {
		t.Errorf("data\n got %s\nwant %s", msg.Data, want)
	}
	header := nats.Header{
		"ce-specversion": {"1.0"}, "ce-type": {"alerts.unconnected"}, "ce-source": {"//unconnected/alerter"},
		"ce-subject": {"default"}, "ce-id": {"default/CongestionSpike/1234/firing"},
		"Nats-Msg-Id": {"default/CongestionSpike/1234/firing"}, "ce-time": {"2026-11-22T15:05:00Z"},
		"ce-dataschema":      {"urn:unconnected:schema:alerts.unconnected:v1"},
		"ce-datacontenttype": {"application/json"}, "Unconnected-Cause": {"1234"},
	}
	if !reflect.DeepEqual(msg.Header, header) {
		t.Errorf("header\n got %v\nwant %v", msg.Header, header)
	}
	if msg.Subject != "alerts.unconnected.default.CongestionSpike" {
		t.Errorf("subject %s", msg.Subject)
	}
}
