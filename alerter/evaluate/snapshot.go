package evaluate

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"unconnected/alerter/rule"
	"unconnected/events"
)

// snapshotVersion changes with whatever changes what an Operation knows after a log, or how that is written: a test tells
// when. A snapshot of another version is not read.
const snapshotVersion = 1

// ErrSnapshot says that bytes are not the state of an operation by these rules and options in this version. Whoever kept them
// folds the log instead.
var ErrSnapshot = errors.New("not a state by these rules in this version")

// Fingerprint identifies everything that the states of operations depend on beside their logs: version, rules and options.
func Fingerprint(rules *rule.Set, options Options) string {
	hash := sha256.New()
	zone := ""
	if options.Zone != nil {
		zone = options.Zone.String()
	}
	fmt.Fprintf(hash, "%d\n%s\n%s\n%d\n", snapshotVersion, rules.Hash(), zone, options.MaxAge)
	for _, r := range rules.Rules { // the hash does not know their order
		fmt.Fprintln(hash, r.Name)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// snapshot is an Operation between two messages, as gob writes it. What ticks have found is left out: after a restart it is
// found again. Times are Unix seconds, but for those that end in Nanos.
type snapshot struct {
	Fingerprint string
	Operation   string

	Start, End  time.Time // of the newest window
	Timezone    string
	StoredNanos int64 // of the newest live message; 0 when that is not known
	Settle      time.Duration
	Settled     bool // settle has been learnt

	Slots   []slotSnapshot
	Marks   []byte    // :: window * rules + rule → verdict
	Values  []float64 // alike
	Tracks  []trackSnapshot
	History []byte
}

type slotSnapshot struct {
	Start, End int64
	Revision   int
}

type trackSnapshot struct {
	Firing           bool
	StartsAt, EndsAt int64
	Reason           string
	CountFrom        int64
	BusyUntil        int64
	Outside          bool
	Peak             float64
	PeakAt           int64
}

// AppendBinary appends the state to buf, between two messages: what [Operation.UnmarshalBinary] makes the same state of.
func (o *Operation) AppendBinary(buf []byte) ([]byte, error) {
	s := snapshot{
		Fingerprint: Fingerprint(o.rules, o.options), Operation: o.name,
		Start: o.window.Start, End: o.window.End, Timezone: o.timezone, Settle: o.tick.settle, Settled: o.tick.known,
	}
	if !o.tick.stored.IsZero() {
		s.StoredNanos = o.tick.stored.UnixNano()
	}
	for i := range o.memory.n {
		at := o.memory.at(i)
		s.Slots = append(s.Slots, slotSnapshot{at.start, at.end, at.revision})
		for r := range o.tracks {
			s.Marks = append(s.Marks, byte(o.memory.mark(i, r)))
			s.Values = append(s.Values, o.memory.value(i, r))
		}
	}
	for i := range o.tracks {
		s.Tracks = append(s.Tracks, o.tracks[i].snapshot())
	}
	var err error
	if s.History, err = o.history.AppendBinary(nil); err != nil {
		return nil, fmt.Errorf("snapshot of %s: %w", o.name, err)
	}
	out := bytes.NewBuffer(buf)
	if err := gob.NewEncoder(out).Encode(&s); err != nil {
		return nil, fmt.Errorf("snapshot of %s: %w", o.name, err)
	}
	return out.Bytes(), nil
}

// MarshalBinary is the state as [Operation.AppendBinary] writes it.
func (o *Operation) MarshalBinary() ([]byte, error) { return o.AppendBinary(nil) }

// UnmarshalBinary gives an operation that [New] has made the state that was written. The error wraps [ErrSnapshot] when the
// state is of another operation, of other rules, options or version, or damaged; the operation must not be used then.
func (o *Operation) UnmarshalBinary(data []byte) error {
	var s snapshot
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&s); err != nil {
		return fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	if s.Fingerprint != Fingerprint(o.rules, o.options) || s.Operation != o.name {
		return fmt.Errorf("%w: it is of something else", ErrSnapshot)
	}
	if err := s.check(len(o.tracks)); err != nil {
		return err
	}
	if err := o.history.UnmarshalBinary(s.History); err != nil {
		return fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	s.restore(o)
	return nil
}

// check tells whether the parts fit each other.
func (s *snapshot) check(rules int) error {
	window := events.Window{Start: s.Start, End: s.End}
	if len(s.Tracks) != rules || len(s.Marks) != len(s.Slots)*rules || len(s.Values) != len(s.Marks) ||
		(len(s.Slots) == 0) != window.IsZero() || window.Length() < 0 {
		return fmt.Errorf("%w: parts are missing", ErrSnapshot)
	}
	before := int64(0)
	for i, slot := range s.Slots {
		if slot.End <= slot.Start || i > 0 && slot.Start < before {
			return fmt.Errorf("%w: windows overlap", ErrSnapshot)
		}
		before = slot.End
	}
	return nil
}

// restore gives o, which is new, the state. Its history has been restored before.
func (s *snapshot) restore(o *Operation) {
	if s.Timezone != "" {
		o.locate(s.Timezone)
	}
	o.window, o.newest = events.Window{Start: s.Start, End: s.End}, o.history.Newest()
	o.tick.settle, o.tick.known = s.Settle, s.Settled
	if s.StoredNanos != 0 {
		o.tick.stored = time.Unix(0, s.StoredNanos).UTC()
	}
	for i, slot := range s.Slots {
		o.memory.restore(slotOf(slot))
		for r := range o.tracks {
			at := i*len(o.tracks) + r
			o.memory.set(i, r, mark(s.Marks[at]), s.Values[at])
		}
	}
	for i := range s.Tracks {
		o.tracks[i].restore(&s.Tracks[i])
	}
}

func slotOf(s slotSnapshot) slot { return slot{start: s.Start, end: s.End, revision: s.Revision} }

// restore adds the next window without forgetting any.
func (m *memory) restore(s slot) {
	if m.n == len(m.slots) {
		m.grow()
	}
	m.n++
	*m.newest() = s
}

func (t *track) snapshot() trackSnapshot {
	if t.rule.OnTicks() {
		return trackSnapshot{}
	}
	return trackSnapshot{
		Firing: t.firing, StartsAt: t.startsAt, EndsAt: t.endsAt, Reason: t.reason,
		CountFrom: t.countFrom, BusyUntil: t.busyUntil, Outside: t.outside, Peak: t.peak, PeakAt: t.peakAt,
	}
}

func (t *track) restore(s *trackSnapshot) {
	if t.rule.OnTicks() {
		return
	}
	t.firing, t.startsAt, t.endsAt, t.reason = s.Firing, s.StartsAt, s.EndsAt, s.Reason
	t.countFrom, t.busyUntil, t.outside, t.peak, t.peakAt = s.CountFrom, s.BusyUntil, s.Outside, s.Peak, s.PeakAt
}
