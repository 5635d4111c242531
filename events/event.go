package events

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// The results that the API documents. Counts of an [Event] holds all of them, and others under their own snake_case name.
const (
	Busy        = "busy"
	Cancel      = "cancel"
	ChanUnavail = "chanunavail"
	Congestion  = "congestion"
	DoNotCall   = "do_not_call"
	NoAnswer    = "no_answer"
	TCPA        = "tcpa"
)

// documented are the results of [DocumentedResults].
var documented = [...]string{Busy, Cancel, ChanUnavail, Congestion, DoNotCall, NoAnswer, TCPA}

// DocumentedResults returns the seven results that every event counts, in alphabetical order.
func DocumentedResults() []string { return slices.Clone(documented[:]) }

// The values of the ce-type header on the subjects of CALLS.
const (
	TypeCalls  = "calls.unconnected"        // a window's counts
	TypeMissed = "calls.unconnected.missed" // the window could not be had
)

// Reported is one row of the API's answer, as it came; Count is always text.
type Reported struct {
	Result string `json:"result"`
	Count  string `json:"count"`
}

// Missed says why a window could not be had. Its marker stands in the window's place until a backfill fills it.
type Missed struct {
	Reason   string `json:"reason"`
	Attempts int    `json:"attempts"`
}

// Reconciled is how far an operation's log was compared again with the API, which corrects its counts after the fact. Every
// message of the log repeats it, like the checkpoint. Times are in UTC and whole seconds. The zero Reconciled says nothing.
type Reconciled struct {
	Periods time.Time // every closed period that ends at or before it was compared
	Days    time.Time // every local day that ends at or before it was compared as a whole
}

// IsZero tells whether r says nothing.
func (r Reconciled) IsZero() bool { return r.Periods.IsZero() || r.Days.IsZero() }

// Event is one message of the stream CALLS: the unconnected calls of one operation in one window, or, when Missed is not
// nil, the marker that the window could not be had; then Total, Counts and Reported are empty.
//
// All times are in UTC. An Event is a value: copying it is cheap, but copies share Counts and Reported, so treat these as
// read-only. The zero Event is not valid.
type Event struct {
	Operation string
	Server    string // the operation's server, four digits; empty when only a base URL is configured
	Timezone  string // IANA name of the zone in which the API was asked
	Window    Window
	Revision  int // 0 for the first answer; 1, 2, … when the API's counts were corrected later
	Total     int64
	Counts    map[string]int64 // calls per result; the seven documented results are always there
	Reported  []Reported       // the rows of the answer; nil for an empty window
	Ambiguous bool             // the window lies in a local hour that the clocks repeat: its counts are a best guess
	Missed    *Missed
	PolledAt  time.Time // when the answer arrived

	// Source is where the counts come from: //<host>/cdr_6.
	Source string
	// Checkpoint is up to where the operation's log is complete with this message.
	Checkpoint time.Time
	// Reconciled is how far the operation's log was compared again with the API.
	Reconciled Reconciled
	// Backfill marks a window before the checkpoint that was not in the log.
	Backfill bool

	// Sequence and Stored are the message's place and time in the stream; zero on an event that was not read from one.
	Sequence uint64
	Stored   time.Time
}

// IsLive tells whether the message moves the checkpoint: it is neither a revision nor a backfill.
func (e *Event) IsLive() bool { return e.Revision == 0 && !e.Backfill }

// Type is the value of the ce-type header.
func (e *Event) Type() string {
	if e.Missed != nil {
		return TypeMissed
	}
	return TypeCalls
}

// ID is the message's identity: <operation>/<window start>/<window length>/<revision>, or …/missed for a marker. It is
// the ce-id and the Nats-Msg-Id.
func (e *Event) ID() string { return string(e.appendID(nil)) }

func (e *Event) appendID(b []byte) []byte {
	b = append(b, e.Operation...)
	b = append(b, '/')
	b = e.Window.appendKey(b)
	b = append(b, '/')
	if e.Missed != nil {
		return append(b, "missed"...)
	}
	return strconv.AppendInt(b, int64(e.Revision), 10)
}

// Validate tells the first rule of the contract that e breaks, or nil. It looks at e alone; whether the log around it is
// sound is the business of `unconnected verify`.
func (e *Event) Validate() error {
	if !ValidOperation(e.Operation) {
		return fmt.Errorf("operation %.80q is not a name ([a-z0-9][a-z0-9_-]{0,62})", e.Operation)
	}
	if err := e.Window.check(); err != nil {
		return err
	}
	if e.Revision < 0 {
		return fmt.Errorf("revision %d is negative", e.Revision)
	}
	if e.Missed != nil {
		return e.checkMissed()
	}
	return e.checkSum()
}

// checkMessage is Validate for an event with all that its message needs besides the data.
func (e *Event) checkMessage() error {
	if err := e.Validate(); err != nil {
		return err
	}
	switch {
	case e.Timezone == "":
		return errors.New("the timezone is missing")
	case e.Source == "":
		return errors.New("the source is missing")
	case e.PolledAt.IsZero():
		return errors.New("the time of polling is missing")
	case e.Checkpoint.IsZero():
		return errors.New("the checkpoint is missing")
	case e.Checkpoint.Nanosecond() != 0:
		return fmt.Errorf("the checkpoint %v is not in whole seconds", e.Checkpoint)
	case e.Reconciled.Periods.IsZero() != e.Reconciled.Days.IsZero():
		return errors.New("only one of the two times of reconciliation is there")
	case e.Reconciled.Periods.Nanosecond() != 0 || e.Reconciled.Days.Nanosecond() != 0:
		return errors.New("the times of reconciliation are not in whole seconds")
	}
	return nil
}

func (e *Event) checkMissed() error {
	switch {
	case e.Total != 0 || len(e.Counts) > 0 || len(e.Reported) > 0:
		return errors.New("a missed marker carries counts")
	case e.Revision != 0 || e.Backfill:
		return errors.New("a missed marker is a revision or a backfill")
	case e.Missed.Attempts < 0:
		return fmt.Errorf("%d attempts are less than none", e.Missed.Attempts)
	}
	return nil
}

func (e *Event) checkSum() error {
	if e.Counts == nil {
		return errors.New("the counts are missing")
	}
	var sum int64
	for result, n := range e.Counts {
		if !validResult(result) {
			return fmt.Errorf("result %.80q is not a name in snake_case", result)
		}
		if n < 0 {
			return fmt.Errorf("count of %.80s is negative: %d", result, n)
		}
		if sum += n; sum < 0 {
			return errors.New("the counts overflow")
		}
	}
	if sum != e.Total {
		return fmt.Errorf("total is %d, the counts add up to %d", e.Total, sum)
	}
	return nil
}

// SameCounts tells whether two events count the same calls. A result that is absent counts as zero.
func (e *Event) SameCounts(o *Event) bool {
	return covers(e.Counts, o.Counts) && covers(o.Counts, e.Counts)
}

func covers(a, b map[string]int64) bool {
	for result, n := range b {
		if a[result] != n {
			return false
		}
	}
	return true
}

// ValidOperation tells whether name may name an operation: [a-z0-9][a-z0-9_-]{0,62}.
func ValidOperation(name string) bool {
	for i := range len(name) {
		c := name[i]
		alphanumeric := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !alphanumeric && (i == 0 || c != '_' && c != '-') {
			return false
		}
	}
	return name != "" && len(name) <= 63
}

// validResult tells whether name may name a result: [a-z][a-z0-9_]*.
func validResult(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c && c <= 'z'
		if !letter && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return name != ""
}
