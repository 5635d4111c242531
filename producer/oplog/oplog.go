// Package oplog knows the rules of an operation's log: what its last message says about where to go on, and what a sound
// log looks like as a whole. It is pure: events in, decisions out.
package oplog

import (
	"strings"
	"time"

	"unconnected/events"
)

// Head is what the end of a log says: where to go on, and the fence for the next append. The zero Head is that of an
// empty log.
type Head struct {
	Sequence   uint64        // of the log's last message in the stream: what the next append expects; 0 when empty
	Checkpoint time.Time     // up to where the log is complete
	Length     time.Duration // of the last window; 0 when the last message is not a live one, and does not tell
	Source     string        // where the last message's counts came from
	Reconciled events.Reconciled
}

// IsEmpty tells whether the log has no message at all.
func (h Head) IsEmpty() bool { return h.Sequence == 0 }

// HeadOf is the head that a log has whose last message is e.
func HeadOf(e *events.Event) Head {
	h := Head{Sequence: e.Sequence, Checkpoint: e.Checkpoint, Source: e.Source, Reconciled: e.Reconciled}
	if e.IsLive() {
		h.Length = e.Window.Length()
	}
	return h
}

// Plausible tells whether e, read at now, can be the work of a producer: its checkpoint is a boundary of windows, does not
// contradict its window, and lies in the future by no more than the skew of two clocks; what was compared again lies before
// it. The future begins where both this host's clock and that of the server which stored e say so: one of the two may have
// been set back. What an event says that is not plausible is no place to go on from.
func Plausible(e *events.Event, now time.Time) bool {
	const skew = time.Hour
	if e.Stored.After(now) {
		now = e.Stored
	}
	switch {
	case e.Checkpoint.IsZero(), e.Checkpoint.Nanosecond() != 0, e.Checkpoint.After(now.Add(skew)):
		return false
	case e.Reconciled.Periods.After(e.Checkpoint), e.Reconciled.Days.After(e.Checkpoint):
		return false
	case e.IsLive():
		return e.Checkpoint.Equal(e.Window.End)
	}
	return !e.Window.End.After(e.Checkpoint)
}

// SourceSimulated is the source of counts that the built-in simulator made up.
const SourceSimulated = "//simulated/cdr_6"

// MixesKinds tells whether counts from a source would mix simulated and real calls in one log.
func (h Head) MixesKinds(source string) bool {
	return h.Source != "" && isSimulated(h.Source) != isSimulated(source)
}

func isSimulated(source string) bool { return strings.HasPrefix(source, "//simulated/") }

// Mark is a note, kept outside the stream, that a log reached at least this far. It tells a log that lost its end from a
// new one. The zero Mark says nothing.
type Mark struct {
	Stream     time.Time `json:"stream"` // creation of the stream that the sequence belongs to
	Sequence   uint64    `json:"sequence"`
	Checkpoint time.Time `json:"checkpoint"`
	// How far the log was compared again, as in [events.Reconciled]; later than the log's own word when nothing was appended since.
	Periods time.Time `json:"periods,omitzero"`
	Days    time.Time `json:"days,omitzero"`
}

// MarkOf is the mark of a log with this head, in a stream of this creation.
func MarkOf(stream time.Time, head Head) Mark {
	return Mark{
		Stream: stream, Sequence: head.Sequence, Checkpoint: head.Checkpoint,
		Periods: head.Reconciled.Periods, Days: head.Reconciled.Days,
	}
}

// Reconciled is how far the log was compared again.
func (m Mark) Reconciled() events.Reconciled {
	return events.Reconciled{Periods: m.Periods, Days: m.Days}
}

// Lost tells whether a log whose last message has this sequence (0: it has none), in a stream of this creation, has lost
// messages that the mark has seen. In another stream the mark says nothing. What lies before the stream's first retained
// message (0: it is empty) has gone the way of all history, which is no loss.
func (m Mark) Lost(stream time.Time, first, last uint64) bool {
	return m.Stream.Equal(stream) && last < m.Sequence && first <= m.Sequence
}
