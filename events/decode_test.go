package events_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
)

// hostile is a message that differs from a good one in one thing.
type hostile struct {
	name     string
	old, new string // a replacement in the data …
	header   string // … or a header …
	value    string // … and its value; "" takes the header away
	want     string // part of the reason
}

// spoiled applies the difference to a copy of msg.
func (h *hostile) spoiled(t *testing.T, msg *nats.Msg) *jetstream.RawStreamMsg {
	t.Helper()
	data := string(msg.Data)
	if h.old != "" {
		data = strings.Replace(data, h.old, h.new, 1)
		if data == string(msg.Data) {
			t.Errorf("%s: the test changes nothing", h.name)
		}
	}
	header := nats.Header{}
	for name, v := range msg.Header {
		header[name] = v
	}
	switch {
	case h.header != "" && h.value == "":
		delete(header, h.header)
	case h.header != "":
		header[h.header] = []string{h.value}
	}
	return &jetstream.RawStreamMsg{Subject: msg.Subject, Sequence: 42, Header: header, Data: []byte(data)}
}

// checkInvalid holds an error against what is promised about errors of decoding: its type, the place, a reason of a length
// that fits into a log.
func checkInvalid(t *testing.T, name string, err error, subject, want string) {
	t.Helper()
	var invalid *events.InvalidError
	if !errors.As(err, &invalid) || !errors.Is(err, events.ErrInvalid) {
		t.Errorf("%s: %v, want an InvalidError", name, err)
		return
	}
	if invalid.Sequence != 42 || invalid.Subject != subject || !strings.Contains(err.Error(), invalid.Reason) {
		t.Errorf("%s: %q does not tell the place", name, err)
	}
	if !strings.Contains(invalid.Reason, want) {
		t.Errorf("%s: reason %q, want one about %q", name, invalid.Reason, want)
	}
	if len(invalid.Reason) > 500 {
		t.Errorf("%s: the reason has %d bytes", name, len(invalid.Reason))
	}
}

const (
	digits400 = "9999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999" +
		"9999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999"
	counted = `"counts":{"busy":20,"cancel":3,"chanunavail":1,"congestion":41,"do_not_call":0,"no_answer":120,"tcpa":0}`
	rows    = `[{"result":"CONGESTION","count":"41"}]`
)

func TestDecodeRefusesData(t *testing.T) {
	giant := strings.Repeat("x", 1<<20)
	tests := []hostile{
		{name: "not JSON", old: `{"operation"`, new: `operation`, want: "not JSON"},
		{name: "truncated", old: `"polled_at":"2026-11-22T15:06:30.120Z"}`, new: `"poll`, want: "not JSON"},
		{name: "two values", old: `120Z"}`, new: `120Z"}{}`, want: "not JSON"},
		{name: "trailing comma", old: `120Z"}`, new: `120Z",}`, want: "not JSON"},
		{name: "broken escape", old: `CONGESTION`, new: `CON\GESTION`, want: "not JSON"},
		{name: "raw control character", old: `CONGESTION`, new: "CON\x01GESTION", want: "not JSON"},
		{name: "broken UTF-8", old: `CONGESTION`, new: "CON\xff\xfeGESTION", want: "UTF-8"},
		{name: "byte order mark", old: `{"operation"`, new: "\ufeff" + `{"operation"`, want: "not JSON"},
		{name: "deep nesting", old: `"revision":0`, new: `"revision":` + strings.Repeat("[", 100_000), want: "depth"},
		{name: "deep nesting in an unknown field", old: `"revision":0`,
			new: `"revision":0,"x":` + strings.Repeat(`{"x":`, 5000) + "1" + strings.Repeat("}", 5000), want: "depth"},
		{name: "giant", old: `CONGESTION`, new: giant, want: "larger than 1048576 bytes"},
		{name: "giant unknown field", old: `"revision":0`, new: `"revision":0,"x":"` + giant + `"`, want: "larger"},
		{name: "giant name of an operation", old: `"default"`, new: `"` + giant[:1<<19] + `"`, want: "operation"},
		{name: "giant name of a result", old: `"tcpa"`, new: `"` + strings.Repeat("é", 1<<18) + `"`, want: "snake_case"},

		{name: "missing operation", old: `"operation":"default",`, want: "operation: is missing"},
		{name: "operation as a number", old: `"default"`, new: `7`, want: "operation"},
		{name: "operation with a wildcard", old: `"default"`, new: `">"`, want: `of operation ">"`},
		{name: "another operation", old: `"default"`, new: `"ventas"`, want: `"ventas", the subject of "default"`},
		{name: "missing timezone", old: `"timezone":"America/Bogota",`, want: "timezone: is missing"},
		{name: "empty timezone", old: `"America/Bogota"`, new: `""`, want: "timezone is missing"},
		{name: "server as a number", old: `"0011"`, new: `11`, want: "server"},
		{name: "server null", old: `"0011"`, new: `null`, want: "server"},

		{name: "missing window", old: `"window":{"start":"2026-11-22T15:00:00Z","end":"2026-11-22T15:05:00Z"},`, want: "window: is missing"},
		{name: "window null", old: `{"start":"2026-11-22T15:00:00Z","end":"2026-11-22T15:05:00Z"}`, new: `null`, want: "window"},
		{name: "window without a start", old: `"start":"2026-11-22T15:00:00Z",`, want: "start: is missing"},
		{name: "window that is no time", old: `2026-11-22T15:00:00Z`, new: `yesterday`, want: "start"},
		{name: "window on no day", old: `2026-11-22T15:00:00Z`, new: `2026-02-30T15:00:00Z`, want: "start"},
		{name: "window as a number", old: `"2026-11-22T15:00:00Z"`, new: `1795360800`, want: "start"},
		{name: "window backwards", old: `15:05:00Z`, new: `14:05:00Z`, want: "before it begins"},
		{name: "window of no length", old: `15:05:00Z`, new: `15:00:00Z`, want: "before it begins"},
		{name: "fraction of a second", old: `15:05:00Z`, new: `15:05:00.5Z`, want: "whole seconds"},
		{name: "window before the calendar", old: `2026-11-22T15:00:00Z`, new: `0000-01-01T00:00:00+14:00`, want: "start"},
		{name: "window behind the calendar", old: `2026-11-22T15:05:00Z`, new: `9999-12-31T23:59:59-14:00`, want: "end"},

		{name: "missing revision", old: `"revision":0,`, want: "revision: is missing"},
		{name: "negative revision", old: `"revision":0`, new: `"revision":-1`, want: "revision -1"},
		{name: "revision as text", old: `"revision":0`, new: `"revision":"0"`, want: "revision"},
		{name: "another revision than the id's", old: `"revision":0`, new: `"revision":3`, want: "ce-id"},

		{name: "missing total", old: `"total":185,`, want: "total: is missing"},
		{name: "wrong sum", old: `185`, new: `186`, want: "total is 186, the counts add up to 185"},
		{name: "missing counts", old: counted + `,`, want: "counts: is missing"},
		{name: "counts as a list", old: counted, new: `"counts":[]`, want: "counts"},
		{name: "counts null", old: counted, new: `"counts":null`, want: "counts"},
		{name: "negative count", old: `"busy":20,"cancel":3`, new: `"busy":24,"cancel":-1`, want: "cancel is negative"},
		{name: "fractional count", old: `"busy":20`, new: `"busy":20.5`, want: "counts"},
		{name: "fraction of nothing", old: `"busy":20`, new: `"busy":20.0`, want: "counts"},
		{name: "exponent", old: `"busy":20`, new: `"busy":2e1`, want: "counts"},
		{name: "leading zero", old: `"busy":20`, new: `"busy":020`, want: "not a number of JSON"},
		{name: "count as text", old: `"busy":20`, new: `"busy":"20"`, want: "counts"},
		{name: "count null", old: `"busy":20`, new: `"busy":null`, want: "counts"},
		{name: "count that is not a number", old: `"busy":20`, new: `"busy":NaN`, want: "counts"},
		{name: "infinite count", old: `"busy":20`, new: `"busy":Infinity`, want: "not JSON"},
		{name: "count beyond 64 bits", old: `"busy":20`, new: `"busy":9223372036854775808`, want: "counts"},
		{name: "count of 200 digits", old: `"busy":20`, new: `"busy":` + digits400, want: "counts"},
		{name: "overflow of the sum", old: `"busy":20,"cancel":3`,
			new: `"busy":9223372036854775807,"cancel":9223372036854775807`, want: "overflow"},
		{name: "result as reported", old: `"tcpa":0`, new: `"TCPA":0`, want: "snake_case"},
		{name: "result without a name", old: `"tcpa":0`, new: `"":0`, want: "snake_case"},
		{name: "result that mentions everybody", old: `"tcpa":0`, new: `"<!channel>":0`, want: "snake_case"},

		{name: "missing rows", old: `"reported":` + rows + `,`, want: "reported: is missing"},
		{name: "rows null", old: rows, new: `null`, want: "reported"},
		{name: "row as text", old: rows, new: `["CONGESTION"]`, want: "reported"},
		{name: "row without a result", old: `"result":"CONGESTION",`, want: "result: is missing"},
		{name: "reported count as a number", old: `"41"`, new: `41`, want: "count"},

		{name: "ambiguous as text", old: `"revision":0`, new: `"revision":0,"ambiguous":"true"`, want: "ambiguous"},
		{name: "missing polled_at", old: `,"polled_at":"2026-11-22T15:06:30.120Z"`, want: "polled_at: is missing"},
		{name: "polled_at that is no time", old: `2026-11-22T15:06:30.120Z`, new: `15:06`, want: "polled_at"},
		{name: "polled_at never", old: `2026-11-22T15:06:30.120Z`, new: `0001-01-01T00:00:00Z`, want: "polling"},
		{name: "missed beside counts", old: `"polled_at"`, new: `"missed":{"reason":"x","attempts":1},"polled_at"`, want: "missed"},
		{name: "missed null", old: `"polled_at"`, new: `"missed":null,"polled_at"`, want: "missed"},

		{name: "operation twice", old: `"timezone"`, new: `"operation":"default","timezone"`, want: "operation: comes twice"},
		{name: "window twice", old: `"revision"`, new: `"window":{},"revision"`, want: "window: comes twice"},
		{name: "start twice", old: `"start"`, new: `"start":"2026-11-22T15:00:00Z","start"`, want: "start: comes twice"},
		{name: "total twice", old: `"total":185`, new: `"total":185,"total":186`, want: "total: comes twice"},
		{name: "total twice, escaped", old: `"total":185`, new: `"total":185,"t\u006ftal":186`, want: "total: comes twice"},
		{name: "counts twice", old: `"reported"`, new: `"counts":{},"reported"`, want: "counts: comes twice"},
		{name: "a result twice", old: `"busy":20`, new: `"busy":20,"busy":20`, want: "counts: comes twice"},
		{name: "reported count twice", old: `"count":"41"`, new: `"count":"41","count":"42"`, want: "count: comes twice"},
	}
	msg := encode(t, contract())
	var d events.Decoder
	for _, test := range tests {
		_, err := d.DecodeRaw(test.spoiled(t, msg))
		checkInvalid(t, test.name, err, "calls.unconnected", test.want)
	}
	for _, data := range []string{"", " ", "null", "[]", `""`, "0", "true", "{", "\x00", "\xff\xd8\xff\xe0 JFIF"} {
		_, err := d.DecodeRaw(&jetstream.RawStreamMsg{Subject: msg.Subject, Sequence: 42, Header: msg.Header, Data: []byte(data)})
		checkInvalid(t, "data "+data, err, "calls.unconnected", "the data is not")
	}
	decode(t, msg) // the good one still is
}

func TestDecodeRefusesHeaders(t *testing.T) {
	tests := []hostile{
		{name: "no type", header: "ce-type", want: "ce-type"},
		{name: "foreign type", header: "ce-type", value: "calls.connected", want: `"calls.connected"`},
		{name: "type of a marker", header: "ce-type", value: "calls.unconnected.missed", want: "of type calls.unconnected"},
		{name: "type of an alert", header: "ce-type", value: "alerts.unconnected", want: "ce-type"},
		{name: "no version", header: "ce-specversion", want: "ce-specversion"},
		{name: "version to come", header: "ce-specversion", value: "2.0", want: `"2.0"`},
		{name: "no id", header: "ce-id", want: "ce-id"},
		{name: "id of another window", header: "ce-id", value: "default/20261122T150500Z/PT300S/0", want: "20261122T150500Z"},
		{name: "id of another operation", header: "ce-id", value: "ventas/20261122T150000Z/PT300S/0", want: "ventas"},
		{name: "giant id", header: "ce-id", value: strings.Repeat("x", 1<<18), want: "ce-id"},
		{name: "another subject", header: "ce-subject", value: "ventas", want: "ce-subject"},
		{name: "no source", header: "ce-source", want: "source"},
		{name: "another time", header: "ce-time", value: "2026-11-22T15:00:00Z", want: "ce-time"},
		{name: "time that is none", header: "ce-time", value: "now", want: "ce-time"},
		{name: "no checkpoint", header: "Unconnected-Checkpoint", want: "Unconnected-Checkpoint"},
		{name: "checkpoint that is no time", header: "Unconnected-Checkpoint", value: "tomorrow", want: "Unconnected-Checkpoint"},
		{name: "checkpoint never", header: "Unconnected-Checkpoint", value: "0001-01-01T00:00:00Z", want: "checkpoint"},
		{name: "fractional checkpoint", header: "Unconnected-Checkpoint", value: "2026-11-22T15:05:00.5Z", want: "whole seconds"},
		{name: "backfill that is neither", header: "Unconnected-Backfill", value: "true", want: "Unconnected-Backfill"},
	}
	msg := encode(t, contract())
	var d events.Decoder
	for _, test := range tests {
		_, err := d.DecodeRaw(test.spoiled(t, msg))
		checkInvalid(t, test.name, err, "calls.unconnected", test.want)
	}
	_, err := d.DecodeRaw(&jetstream.RawStreamMsg{Subject: msg.Subject, Sequence: 42, Data: msg.Data})
	checkInvalid(t, "no headers", err, "calls.unconnected", "ce-type")
	for _, subject := range []string{"", "calls.unconnected.ventas", "calls.unconnected.default", "calls.unconnected.a.b", "x"} {
		_, err := d.DecodeRaw(&jetstream.RawStreamMsg{Subject: subject, Sequence: 42, Header: msg.Header, Data: msg.Data})
		checkInvalid(t, "on "+subject, err, subject, "subject")
	}
}

func TestDecodeRefusesMarkers(t *testing.T) {
	tests := []hostile{
		{name: "type of counts", header: "ce-type", value: "calls.unconnected", want: "of type calls.unconnected.missed"},
		{name: "with a total", old: `"missed"`, new: `"total":0,"missed"`, want: "missed: stands beside counts"},
		{name: "with counts", old: `"missed"`, new: `"counts":{},"missed"`, want: "missed: stands beside counts"},
		{name: "with rows", old: `"missed"`, new: `"reported":[],"missed"`, want: "missed: stands beside counts"},
		{name: "without a reason", old: `"reason":"negative count",`, want: "reason: is missing"},
		{name: "without attempts", old: `,"attempts":7`, want: "attempts: is missing"},
		{name: "negative attempts", old: `:7`, new: `:-7`, want: "attempts"},
		{name: "as text", old: `{"reason":"negative count","attempts":7}`, new: `"negative"`, want: "missed"},
		{name: "as a revision", old: `"revision":0`, new: `"revision":1`, want: "revision"},
		{name: "as a backfill", header: "Unconnected-Backfill", value: "1", want: "backfill"},
		{name: "twice", old: `"missed"`, new: `"missed":{"reason":"x","attempts":1},"missed"`, want: "missed: comes twice"},
	}
	msg := encode(t, missed("default", 0))
	var d events.Decoder
	for _, test := range tests {
		_, err := d.DecodeRaw(test.spoiled(t, msg))
		checkInvalid(t, test.name, err, "calls.unconnected", test.want)
	}
}

func TestDecodeIgnoresWhatItDoesNotKnow(t *testing.T) {
	msg := encode(t, contract())
	want := decode(t, msg)
	for _, test := range []hostile{
		{name: "field", old: `"revision":0`, new: `"revision":0,"campaign":{"id":[1,2,null]}`},
		{name: "field twice", old: `"revision":0`, new: `"x":1,"revision":0,"x":2`},
		{name: "field of the window", old: `"start"`, new: `"length":300,"start"`},
		{name: "case of a name", old: `"revision":0`, new: `"Revision":7,"revision":0`},
		{name: "another order", old: `{"operation":"default"`, new: `{"z":0,"operation":"default"`},
		{name: "blanks", old: `{"operation":"default"`, new: "\n\t { \"operation\" : \"default\"\r\n"},
		{name: "another zone", old: `"2026-11-22T15:00:00Z"`, new: `"2026-11-22T10:00:00-05:00"`},
		{name: "a documented result left out", old: `,"tcpa":0`, new: ``},
		{name: "header", header: "Unconnected-Campaign", value: "x"},
		{name: "reconciled no time", header: "Unconnected-Reconciled", value: "x"},
		{name: "reconciled one time", header: "Unconnected-Reconciled", value: "2026-11-22T15:00:00Z"},
		{name: "reconciled three times", header: "Unconnected-Reconciled", value: "2026-11-22T15:00:00Z 2026-11-22T15:00:00Z 2026-11-22T15:00:00Z"},
		{name: "reconciled in fractions", header: "Unconnected-Reconciled", value: "2026-11-22T15:00:00.5Z 2026-11-22T15:00:00Z"},
		{name: "reconciled in part", header: "Unconnected-Reconciled", value: "2026-11-22T15:00:00Z 0001-01-01T00:00:00Z"},
	} {
		var d events.Decoder
		got, err := d.DecodeRaw(test.spoiled(t, msg))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if string(encode(t, got).Data) != string(encode(t, want).Data) {
			t.Errorf("%s changes the event: %+v", test.name, got)
		}
	}
}

func TestDecodeAlertRefuses(t *testing.T) {
	a := firing()
	msg, err := events.EncodeAlert(&a)
	if err != nil {
		t.Fatal(err)
	}
	tests := []hostile{
		{name: "not JSON", old: `{"operation"`, new: `operation`, want: "JSON"},
		{name: "deep nesting", old: `"reason":""`, new: `"x":` + strings.Repeat("[", 100_000), want: "JSON"},
		{name: "giant", old: `"reason":""`, new: `"reason":"` + strings.Repeat("x", 1<<20) + `"`, want: "larger"},
		{name: "broken UTF-8", old: `noc`, new: "n\xff", want: "UTF-8"},
		{name: "twice", old: `"status"`, new: `"status":"resolved","status"`, want: "duplicate"},
		{name: "label twice", old: `"team"`, new: `"team":"x","team"`, want: "duplicate"},
		{name: "other case", old: `"status"`, new: `"Status"`, want: "status"},
		{name: "operation of another subject", old: `"operation":"default"`, new: `"operation":"ventas"`, want: "alerts.unconnected.ventas.CongestionSpike"},
		{name: "rule of another subject", old: `CongestionSpike`, new: `BusyShift`, want: "BusyShift"},
		{name: "giant rule", old: `CongestionSpike`, new: strings.Repeat("x", 1<<19), want: "rule"},
		{name: "severity", old: `critical`, new: `page`, want: "severity"},
		{name: "status", old: `firing`, new: `pending`, want: "status"},
		{name: "resolved without an end", old: `"firing"`, new: `"resolved"`, want: "ends_at"},
		{name: "start that is no time", old: `"2026-11-22T14:55:00Z","ends`, new: `"noon","ends`, want: "JSON"},
		{name: "no start", old: `"starts_at"`, new: `"x"`, want: "starts_at"},
		{name: "empty window", old: `{"start":"2026-11-22T15:00:00Z","end":"2026-11-22T15:05:00Z"}`, new: `{}`, want: "window"},
		{name: "no window", old: `"window"`, new: `"x"`, want: "window"},
		{name: "value as text", old: `0.44`, new: `"0.44"`, want: "JSON"},
		{name: "no incident", old: `"incident"`, new: `"x"`, want: "incident"},
		{name: "no type", header: "ce-type", want: "ce-type"},
		{name: "type of an event", header: "ce-type", value: "calls.unconnected", want: "ce-type"},
		{name: "no cause", header: "Unconnected-Cause", want: "cause"},
		{name: "cause that is none", header: "Unconnected-Cause", value: "1.0", want: "cause"},
		{name: "another cause", header: "Unconnected-Cause", value: "1235", want: "ce-id"},
		{name: "no id", header: "ce-id", want: "ce-id"},
		{name: "id of the end", header: "ce-id", value: "default/CongestionSpike/1234/resolved", want: "ce-id"},
		{name: "no source", header: "ce-source", want: "ce-source"},
		{name: "version", header: "ce-specversion", value: "0.3", want: "ce-specversion"},
		{name: "time", header: "ce-time", value: "2026-11-22T15:00:00Z", want: "ce-time"},
	}
	for _, test := range tests {
		_, err := events.DecodeRawAlert(test.spoiled(t, msg))
		checkInvalid(t, test.name, err, msg.Subject, test.want)
	}
	for _, data := range []string{"", "null", "[]", "{}", "0"} {
		_, err := events.DecodeRawAlert(&jetstream.RawStreamMsg{Subject: msg.Subject, Sequence: 42, Header: msg.Header, Data: []byte(data)})
		checkInvalid(t, "data "+data, err, msg.Subject, "")
	}
}
