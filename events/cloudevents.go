package events

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// Headers of a message, in the form of CloudEvents' NATS binding (binary mode), and our own.
const (
	headerSpecVersion = "ce-specversion"
	headerType        = "ce-type"
	headerSource      = "ce-source"
	headerSubject     = "ce-subject"
	headerID          = "ce-id"
	headerTime        = "ce-time"
	headerSchema      = "ce-dataschema"
	headerContentType = "ce-datacontenttype"

	HeaderCheckpoint = "Unconnected-Checkpoint"
	HeaderReconciled = "Unconnected-Reconciled"
	HeaderBackfill   = "Unconnected-Backfill"
	HeaderCause      = "Unconnected-Cause"
)

// ErrInvalid is wrapped by every error about a message that is not an event of this contract: foreign or damaged bytes
// on our subjects. Such a message will never become valid: skip it.
var ErrInvalid = errors.New("not a valid event")

// InvalidError is a message of a stream that is no event. It wraps [ErrInvalid].
type InvalidError struct {
	Subject  string
	Sequence uint64 // 0 when the message was not read from a stream
	Reason   string
}

func (e *InvalidError) Error() string {
	return fmt.Sprintf("message %d on %s is %v: %s", e.Sequence, e.Subject, ErrInvalid, e.Reason)
}

func (e *InvalidError) Unwrap() error { return ErrInvalid }

// envelope is what the CloudEvents headers of both event types have in common.
type envelope struct {
	typ, source, subject, id, schema string
	time                             time.Time
}

// header writes the envelope as message headers; the id is also the key of JetStream's deduplication.
func (v envelope) header() nats.Header {
	return nats.Header{
		headerSpecVersion: {"1.0"},
		headerType:        {percentEncode(v.typ)},
		headerSource:      {percentEncode(v.source)},
		headerSubject:     {percentEncode(v.subject)},
		headerID:          {percentEncode(v.id)},
		headerTime:        {v.time.UTC().Format(time.RFC3339)},
		headerSchema:      {v.schema},
		headerContentType: {"application/json"},
		nats.MsgIdHdr:     {v.id},
	}
}

// checkEnvelope refuses headers that contradict what the data says. Optional attributes may be absent.
func checkEnvelope(h nats.Header, id []byte, subject string, at time.Time) error {
	if v := get(h, headerSpecVersion); v != "1.0" {
		return fmt.Errorf("%s is %.20q, not 1.0", headerSpecVersion, v)
	}
	if got := percentDecode(get(h, headerID)); got != string(id) {
		return fmt.Errorf("%s is %.120q, the data says %q", headerID, got, id)
	}
	if got := percentDecode(get(h, headerSubject)); got != "" && got != subject {
		return fmt.Errorf("%s is %.80q, the data says %q", headerSubject, got, subject)
	}
	if get(h, headerSource) == "" {
		return fmt.Errorf("%s is missing", headerSource)
	}
	if v := get(h, headerTime); v != "" {
		if got, err := parseTime(v); err != nil || !got.Equal(at) {
			return fmt.Errorf("%s is %.40q, the data says %s", headerTime, v, at.Format(time.RFC3339))
		}
	}
	return nil
}

// get reads a header without canonicalising its name. nats.Header.Get is as exact, but allocates nothing only this way.
func get(h nats.Header, name string) string {
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

const upperHex = "0123456789ABCDEF"

// percentEncode encodes what CloudEvents' HTTP and NATS bindings ask for: everything outside U+0021–U+007E, the double
// quote and the percent sign, as UTF-8 bytes.
func percentEncode(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return mustEncode(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c >= 0x80 || mustEncode(rune(c)) {
			b.WriteByte('%')
			b.WriteByte(upperHex[c>>4])
			b.WriteByte(upperHex[c&15])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func mustEncode(r rune) bool { return r <= 0x20 || r >= 0x7f || r == '"' || r == '%' }

// percentDecode undoes percentEncode. A percent sign that begins no escape stands for itself.
func percentDecode(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0 {
			b = append(b, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
			i += 2
			continue
		}
		b = append(b, s[i])
	}
	return string(b)
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
