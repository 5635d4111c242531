package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/valyala/fastjson"
)

// A Decoder decodes messages one after the other, reusing its working memory. The zero Decoder is ready to use; it must
// not be used by two goroutines at a time. What it returns shares nothing with it.
type Decoder struct {
	parser fastjson.Parser
	texts  map[string]string
	field  firstError
}

// Decode reads a message of CALLS that a consumer delivered. An error is always an [*InvalidError].
func (d *Decoder) Decode(msg jetstream.Msg) (Event, error) {
	e, err := d.decode(msg.Subject(), msg.Headers(), msg.Data())
	meta, metaErr := msg.Metadata()
	if metaErr == nil {
		e.Sequence, e.Stored = meta.Sequence.Stream, meta.Timestamp.UTC()
	}
	if err != nil {
		return Event{}, &InvalidError{msg.Subject(), e.Sequence, err.Error()}
	}
	return e, nil
}

// DecodeRaw reads a message of CALLS that was fetched from the stream by its sequence. An error is always an
// [*InvalidError].
func (d *Decoder) DecodeRaw(msg *jetstream.RawStreamMsg) (Event, error) {
	e, err := d.decode(msg.Subject, msg.Header, msg.Data)
	if err != nil {
		return Event{}, &InvalidError{msg.Subject, msg.Sequence, err.Error()}
	}
	e.Sequence, e.Stored = msg.Sequence, msg.Time.UTC()
	return e, nil
}

func (d *Decoder) decode(subject string, header nats.Header, data []byte) (Event, error) {
	typ := get(header, headerType)
	if typ != TypeCalls && typ != TypeMissed {
		return Event{}, fmt.Errorf("%s is %.60q, neither %s nor %s", headerType, typ, TypeCalls, TypeMissed)
	}
	e, err := d.UnmarshalData(data)
	if err != nil {
		return Event{}, err
	}
	if e.Type() != typ {
		return Event{}, fmt.Errorf("%s is %s, the data is of type %s", headerType, typ, e.Type())
	}
	if err := d.decodeHeader(&e, header); err != nil {
		return Event{}, err
	}
	if operation := OperationOf(subject); operation != e.Operation {
		return Event{}, fmt.Errorf("the data is of operation %q, the subject of %q", e.Operation, operation)
	}
	if err := e.Validate(); err != nil {
		return Event{}, err
	}
	return e, checkEnvelope(header, e.ID(), e.Operation)
}

func (d *Decoder) decodeHeader(e *Event, header nats.Header) (err error) {
	e.Source = d.intern(percentDecode(get(header, headerSource)))
	if e.Checkpoint, err = parseTime(get(header, HeaderCheckpoint)); err != nil {
		return fmt.Errorf("%s: %w", HeaderCheckpoint, err)
	}
	switch backfill := get(header, HeaderBackfill); backfill {
	case "":
	case "1":
		e.Backfill = true
	default:
		return fmt.Errorf("%s is %.20q, not 1", HeaderBackfill, backfill)
	}
	return nil
}

// UnmarshalData reads the JSON data of a CALLS message without its headers, as `unconnected history --format jsonl --all`
// writes it. It checks types and required fields; [Event.Validate] checks what they say. Unknown fields are ignored: a
// later minor version may add some.
func (d *Decoder) UnmarshalData(data []byte) (Event, error) {
	v, err := d.parser.ParseBytes(data)
	if err != nil {
		return Event{}, fmt.Errorf("the data is not JSON: %.120s", err)
	}
	if v.Type() != fastjson.TypeObject {
		return Event{}, errors.New("the data is not a JSON object")
	}
	d.field = firstError{}
	e := Event{
		Operation: d.text(v, "operation", true), Server: d.text(v, "server", false), Timezone: d.text(v, "timezone", true),
		Revision: int(d.integer(v, "revision")),
		Window:   Window{Start: d.time(v.Get("window"), "start"), End: d.time(v.Get("window"), "end")},
		PolledAt: d.time(v, "polled_at"),
	}
	e.Ambiguous = v.GetBool("ambiguous")
	if missed := v.Get("missed"); missed != nil && missed.Type() != fastjson.TypeNull {
		e.Missed = &Missed{Reason: d.text(missed, "reason", true), Attempts: int(d.integer(missed, "attempts"))}
		return e, d.field.err
	}
	e.Total = d.integer(v, "total")
	e.Counts = d.counts(v.Get("counts"))
	e.Reported = d.reported(v.Get("reported"))
	return e, d.field.err
}

// firstError keeps the first of several errors.
type firstError struct{ err error }

func (f *firstError) add(name string, err error) {
	if f.err == nil && err != nil {
		f.err = fmt.Errorf("%s: %.120w", name, err)
	}
}

var errMissing = errors.New("is missing")

func (d *Decoder) text(v *fastjson.Value, name string, required bool) string {
	field := v.Get(name)
	if field == nil {
		if required {
			d.field.add(name, errMissing)
		}
		return ""
	}
	b, err := field.StringBytes()
	d.field.add(name, err)
	return d.internBytes(b)
}

func (d *Decoder) integer(v *fastjson.Value, name string) int64 {
	field := v.Get(name)
	if field == nil {
		d.field.add(name, errMissing)
		return 0
	}
	n, err := field.Int64()
	d.field.add(name, err)
	return n
}

func (d *Decoder) time(v *fastjson.Value, name string) time.Time {
	field := v.Get(name)
	if field == nil {
		d.field.add(name, errMissing)
		return time.Time{}
	}
	b, err := field.StringBytes()
	if err != nil {
		d.field.add(name, err)
		return time.Time{}
	}
	t, err := parseTime(string(b))
	d.field.add(name, err)
	return t
}

func (d *Decoder) counts(v *fastjson.Value) map[string]int64 {
	if v == nil {
		d.field.add("counts", errMissing)
		return nil
	}
	object, err := v.Object()
	if err != nil {
		d.field.add("counts", err)
		return nil
	}
	counts := make(map[string]int64, object.Len())
	object.Visit(func(key []byte, v *fastjson.Value) {
		n, err := v.Int64()
		d.field.add("counts", err)
		counts[d.internBytes(key)] = n
	})
	return counts
}

func (d *Decoder) reported(v *fastjson.Value) []Reported {
	if v == nil {
		d.field.add("reported", errMissing)
		return nil
	}
	rows, err := v.Array()
	d.field.add("reported", err)
	if len(rows) == 0 {
		return nil
	}
	reported := make([]Reported, len(rows))
	for i, row := range rows {
		reported[i] = Reported{d.text(row, "result", true), d.text(row, "count", true)}
	}
	return reported
}

// maxTexts bounds the interned texts, so that hostile messages cannot grow a long-lived Decoder.
const maxTexts = 4096

// internBytes returns b as a string, the same one for the same bytes: operations, zones, results and small counts repeat
// in every message of a history.
func (d *Decoder) internBytes(b []byte) string {
	if s, ok := d.texts[string(b)]; ok {
		return s
	}
	return d.intern(string(b))
}

func (d *Decoder) intern(s string) string {
	if known, ok := d.texts[s]; ok {
		return known
	}
	if len(d.texts) >= maxTexts || len(s) > 64 {
		return s
	}
	if d.texts == nil {
		d.texts = make(map[string]string)
	}
	d.texts[s] = s
	return s
}

// parseTime reads RFC 3339 in any zone into UTC.
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%.40q is not a time (RFC 3339)", s)
	}
	return t.UTC(), nil
}

// DecodeAlert reads a message of ALERTS that a consumer delivered. An error is always an [*InvalidError].
func DecodeAlert(msg jetstream.Msg) (Alert, error) {
	raw := jetstream.RawStreamMsg{Subject: msg.Subject(), Header: msg.Headers(), Data: msg.Data()}
	if meta, err := msg.Metadata(); err == nil {
		raw.Sequence, raw.Time = meta.Sequence.Stream, meta.Timestamp
	}
	return DecodeRawAlert(&raw)
}

// DecodeRawAlert reads a message of ALERTS that was fetched from the stream. An error is always an [*InvalidError].
func DecodeRawAlert(msg *jetstream.RawStreamMsg) (Alert, error) {
	a, err := decodeAlert(msg)
	if err != nil {
		return Alert{}, &InvalidError{msg.Subject, msg.Sequence, err.Error()}
	}
	a.Sequence, a.Stored = msg.Sequence, msg.Time.UTC()
	return a, nil
}

func decodeAlert(msg *jetstream.RawStreamMsg) (a Alert, err error) {
	if typ := get(msg.Header, headerType); typ != TypeAlert {
		return a, fmt.Errorf("%s is %.60q, not %s", headerType, typ, TypeAlert)
	}
	if err := json.Unmarshal(msg.Data, &a); err != nil {
		return a, fmt.Errorf("the data is not JSON of an alert: %.120w", err)
	}
	if a.Cause, err = ParseCause(get(msg.Header, HeaderCause)); err != nil {
		return a, err
	}
	if err := a.Validate(); err != nil {
		return a, err
	}
	if subject := AlertSubject(a.Operation, a.Rule); subject != msg.Subject {
		return a, fmt.Errorf("the data belongs on %s", subject)
	}
	return a, checkEnvelope(msg.Header, a.ID(), a.Operation)
}
