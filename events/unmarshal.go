package events

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/valyala/fastjson"
)

// maxData bounds the JSON of a message. An event has about half a kilobyte; a server takes a megabyte by default.
const maxData = 1 << 20

var (
	errTooLarge = fmt.Errorf("the data is larger than %d bytes", maxData)
	errMissing  = errors.New("is missing")
	errTwice    = errors.New("comes twice")
	errNumber   = errors.New("is not a number of JSON")
)

// The fields of the data and of its parts, in the order in which they are written.
var (
	eventFields = []string{
		"operation", "server", "timezone", "window", "revision", "total", "counts", "reported", "ambiguous", "missed", "polled_at",
	}
	windowFields   = []string{"start", "end"}
	missedFields   = []string{"reason", "attempts"}
	reportedFields = []string{"result", "count"}
)

// UnmarshalData reads the JSON data of a CALLS message without its headers, as `unconnected history --format jsonl --all`
// writes it. It checks types and required fields; [Event.Validate] checks what they say. Unknown fields are ignored: a
// later minor version may add some.
func (d *Decoder) UnmarshalData(data []byte) (Event, error) {
	if len(data) > maxData {
		return Event{}, errTooLarge
	}
	if e, ok := d.canonical(data); ok {
		return e, nil
	}
	return d.unmarshal(data)
}

// unmarshal reads any form.
func (d *Decoder) unmarshal(data []byte) (Event, error) {
	v, err := d.parse(data)
	if err != nil {
		return Event{}, err
	}
	d.err, d.unknown = nil, false
	var f [11]*fastjson.Value
	d.fields(v, "data", eventFields, f[:])
	e := Event{
		Operation: d.text(f[0], "operation"), Timezone: d.text(f[2], "timezone"),
		Window:   d.window(f[3]),
		Revision: int(d.integer(f[4], "revision")),
		PolledAt: d.time(f[10], "polled_at"),
	}
	if f[1] != nil {
		e.Server = d.text(f[1], "server")
	}
	if f[8] != nil {
		e.Ambiguous, err = f[8].Bool()
		d.fail("ambiguous", err)
	}
	if f[9] == nil {
		e.Total, e.Counts, e.Reported = d.integer(f[5], "total"), d.counts(f[6]), d.reported(f[7])
	} else {
		e.Missed = d.missed(f[9])
		if f[5] != nil || f[6] != nil || f[7] != nil {
			d.fail("missed", errors.New("stands beside counts"))
		}
	}
	if d.unknown { // what was not looked at may be no JSON
		d.fail("the data", validJSON(data))
	}
	return e, d.err
}

// parse checks the syntax. The parser alone is lenient with numbers, escapes and control characters, and what it lets
// pass, other readers of the stream would not. So data with the latter two is checked once more, and numbers where they
// are read; the parser comes first, because it bounds the depth.
func (d *Decoder) parse(data []byte) (*fastjson.Value, error) {
	v, err := d.parser.ParseBytes(data)
	if err == nil && !isPlain(data) {
		err = fastjson.ValidateBytes(data)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("the data is not JSON: %.120s", innermost(err))
	case !utf8.Valid(data):
		return nil, errors.New("the data is not UTF-8")
	case v.Type() != fastjson.TypeObject:
		return nil, errors.New("the data is not a JSON object")
	}
	return v, nil
}

// validJSON checks all of data.
func validJSON(data []byte) error {
	if err := fastjson.ValidateBytes(data); err != nil {
		return fmt.Errorf("is not JSON: %.120s", innermost(err))
	}
	return nil
}

// isPlain tells whether data holds neither a backslash nor a control character, eight bytes at a time.
func isPlain(data []byte) bool {
	if bytes.IndexByte(data, '\\') >= 0 {
		return false
	}
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; len(data) >= 8; data = data[8:] {
		x := binary.LittleEndian.Uint64(data)
		if (x-ones*0x20)&^x&tops != 0 { // some byte is below 0x20
			return false
		}
	}
	for _, c := range data {
		if c < 0x20 {
			return false
		}
	}
	return true
}

// innermost is the cause in an error of fastjson, without the path that led to it and the data behind it.
func innermost(err error) string {
	text, _, _ := strings.Cut(err.Error(), "; unparsed tail")
	if i := strings.LastIndex(text, ": "); i >= 0 {
		text = text[i+2:]
	}
	return text
}

// fail keeps the first error of a message.
func (d *Decoder) fail(name string, err error) {
	if d.err == nil && err != nil {
		d.err = fmt.Errorf("%s: %.120w", name, err)
	}
}

// fields puts the values of an object's fields into the places that their names have in names; nil stands for an absent
// one. A field that comes twice is an error, since readers differ in which of the two they take.
func (d *Decoder) fields(v *fastjson.Value, what string, names []string, into []*fastjson.Value) {
	if v == nil {
		d.fail(what, errMissing)
		return
	}
	object, err := v.Object()
	if err != nil {
		d.fail(what, err)
		return
	}
	next := 0 // fields mostly come in the order in which we write them
	object.Visit(func(key []byte, v *fastjson.Value) {
		i := slices.Index(names[next:], string(key))
		if i >= 0 {
			i += next
		} else if i = slices.Index(names[:next], string(key)); i < 0 {
			d.unknown = true
			return
		}
		if into[i] != nil {
			d.fail(names[i], errTwice)
		}
		into[i], next = v, i+1
	})
}

func (d *Decoder) window(v *fastjson.Value) Window {
	var f [2]*fastjson.Value
	d.fields(v, "window", windowFields, f[:])
	return Window{Start: d.time(f[0], "start"), End: d.time(f[1], "end")}
}

func (d *Decoder) missed(v *fastjson.Value) *Missed {
	var f [2]*fastjson.Value
	d.fields(v, "missed", missedFields, f[:])
	return &Missed{Reason: d.text(f[0], "reason"), Attempts: int(d.integer(f[1], "attempts"))}
}

func (d *Decoder) counts(v *fastjson.Value) map[string]int64 {
	if v == nil {
		d.fail("counts", errMissing)
		return nil
	}
	object, err := v.Object()
	if err != nil {
		d.fail("counts", err)
		return nil
	}
	counts := make(map[string]int64, object.Len())
	next := 0 // the documented results mostly come all, and in their order
	object.Visit(func(key []byte, v *fastjson.Value) {
		if next < len(documented) && string(key) == documented[next] {
			counts[documented[next]] = d.integer(v, "counts")
			next++
			return
		}
		counts[d.internBytes(key)] = d.integer(v, "counts")
	})
	if len(counts) < object.Len() {
		d.fail("counts", errTwice)
	}
	if next == len(documented) {
		return counts
	}
	return withDocumented(counts)
}

func (d *Decoder) reported(v *fastjson.Value) []Reported {
	if v == nil {
		d.fail("reported", errMissing)
		return nil
	}
	rows, err := v.Array()
	d.fail("reported", err)
	if len(rows) == 0 {
		return nil
	}
	reported := make([]Reported, len(rows))
	for i, row := range rows {
		var f [2]*fastjson.Value
		d.fields(row, "reported", reportedFields, f[:])
		reported[i] = Reported{d.text(f[0], "result"), d.text(f[1], "count")}
	}
	return reported
}

func (d *Decoder) text(v *fastjson.Value, name string) string {
	if v == nil {
		d.fail(name, errMissing)
		return ""
	}
	b, err := v.StringBytes()
	d.fail(name, err)
	return d.internBytes(b)
}

func (d *Decoder) integer(v *fastjson.Value, name string) int64 {
	if v == nil {
		d.fail(name, errMissing)
		return 0
	}
	n, err := v.Int64()
	if err == nil && !isInteger(v.MarshalTo(d.number[:0])) {
		err = errNumber
	}
	d.fail(name, err)
	return n
}

// isInteger tells whether raw is an integer as JSON writes it: without a plus or leading zeros.
func isInteger(raw []byte) bool {
	if len(raw) > 1 && raw[0] == '-' {
		raw = raw[1:]
	}
	for _, c := range raw {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(raw) == 1 || len(raw) > 1 && raw[0] != '0'
}

func (d *Decoder) time(v *fastjson.Value, name string) time.Time {
	if v == nil {
		d.fail(name, errMissing)
		return time.Time{}
	}
	b, err := v.StringBytes()
	if err != nil {
		d.fail(name, err)
		return time.Time{}
	}
	t, err := parseTime(string(b))
	d.fail(name, err)
	return t
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
	// A zone can push the first or the last day of the calendar out of what RFC 3339 can write.
	if t = t.UTC(); err != nil || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, fmt.Errorf("%.40q is not a time (RFC 3339)", s)
	}
	return t, nil
}
