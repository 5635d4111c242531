package events

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/valyala/fastjson"
)

// A Decoder decodes messages one after the other, reusing its working memory. The zero Decoder is ready to use; it must
// not be used by two goroutines at a time. What it returns shares nothing with it.
//
// It is strict: what it returns is valid, and encoding it again gives the same event. Only fields that it does not know
// are ignored, since a later minor version may add some.
type Decoder struct {
	parser fastjson.Parser
	texts  map[string]string
	places []string // texts of the message before, by their place in it
	id     []byte
	number [32]byte

	reconciledText string // of the message before, and what it means
	reconciled     Reconciled

	err     error // the first that UnmarshalData met
	unknown bool  // UnmarshalData met a field that it does not know
}

// Decode reads a message of CALLS that a consumer delivered. An error is always an [*InvalidError].
func (d *Decoder) Decode(msg jetstream.Msg) (Event, error) {
	meta, err := msg.Metadata()
	if err != nil {
		meta = &jetstream.MsgMetadata{} // it was not read from a stream
	}
	return d.decodeMsg(msg, meta)
}

func (d *Decoder) decodeMsg(msg jetstream.Msg, meta *jetstream.MsgMetadata) (Event, error) {
	e, err := d.decode(msg.Subject(), msg.Headers(), msg.Data())
	if err != nil {
		return Event{}, &InvalidError{msg.Subject(), meta.Sequence.Stream, err.Error()}
	}
	e.Sequence, e.Stored = meta.Sequence.Stream, meta.Timestamp.UTC()
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
		return Event{}, fmt.Errorf("the data is of operation %.80q, the subject of %q", e.Operation, operation)
	}
	if err := e.checkMessage(); err != nil {
		return Event{}, err
	}
	d.id = e.appendID(d.id[:0])
	return e, checkEnvelope(header, d.id, e.Operation, e.Window.End)
}

func (d *Decoder) decodeHeader(e *Event, header nats.Header) (err error) {
	e.Source = d.intern(percentDecode(get(header, headerSource)))
	if e.Checkpoint, err = parseTime(get(header, HeaderCheckpoint)); err != nil {
		return fmt.Errorf("%s: %w", HeaderCheckpoint, err)
	}
	e.Reconciled = d.decodeReconciled(get(header, HeaderReconciled))
	switch backfill := get(header, HeaderBackfill); backfill {
	case "":
	case "1":
		e.Backfill = true
	default:
		return fmt.Errorf("%s is %.20q, not 1", HeaderBackfill, backfill)
	}
	return nil
}

// header writes r as the value of its header: both times, with a blank between.
func (r Reconciled) header() string {
	return r.Periods.UTC().Format(time.RFC3339) + " " + r.Days.UTC().Format(time.RFC3339)
}

// decodeReconciled reads what header wrote; anything else says nothing, since the counts are none the worse for it. In a
// history most messages repeat the value of the one before.
func (d *Decoder) decodeReconciled(value string) Reconciled {
	if value == d.reconciledText {
		return d.reconciled
	}
	var r Reconciled
	periods, days, _ := strings.Cut(value, " ")
	r.Periods, _ = parseTime(periods)
	r.Days, _ = parseTime(days)
	if r.IsZero() || r.header() != value {
		return Reconciled{}
	}
	d.reconciledText, d.reconciled = strings.Clone(value), r
	return r
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
	if len(msg.Data) > maxData {
		return a, errTooLarge
	}
	// Not encoding/json: it lets a key come twice, or in capitals, and mends broken text.
	if err := json.Unmarshal(msg.Data, &a); err != nil {
		return a, fmt.Errorf("the data is not the JSON of an alert: %.200w", err)
	}
	a.toUTC()
	if a.Cause, err = ParseCause(get(msg.Header, HeaderCause)); err != nil {
		return a, err
	}
	if err := a.Validate(); err != nil {
		return a, err
	}
	if subject := AlertSubject(a.Operation, a.Rule); subject != msg.Subject {
		return a, fmt.Errorf("the data belongs on %s", subject)
	}
	return a, checkEnvelope(msg.Header, []byte(a.ID()), a.Operation, a.At())
}
