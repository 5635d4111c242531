package events

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// TypeAlert is the ce-type of an [Alert].
const TypeAlert = "alerts.unconnected"

// The states of an alert.
const (
	Firing   = "firing"
	Resolved = "resolved"
)

// The severities of an alert, from least to worst.
const (
	Info     = "info"
	Warning  = "warning"
	Critical = "critical"
)

// Why an alert was resolved.
const (
	ReasonCleared     = "cleared"      // the rule's clear condition held long enough
	ReasonNoTraffic   = "no_traffic"   // an hour without calls, or without enough of them to judge
	ReasonOutOfHours  = "out_of_hours" // the rule does not apply at this hour or day
	ReasonRuleRemoved = "rule_removed" // the rule is gone, or no longer names the operation
	ReasonRebased     = "rebased"      // the unusual has become the usual
)

// Cause is what made an alert change: a message of CALLS, or a tick of the clock after it. Causes are ordered by
// sequence, then tick. The zero Cause comes before all others.
type Cause struct {
	Sequence uint64 // in CALLS
	Tick     int64  // Unix seconds; 0 when the message itself is the cause
}

// Compare is -1, 0 or +1 as c comes before, is, or comes after o.
func (c Cause) Compare(o Cause) int {
	return cmp.Or(cmp.Compare(c.Sequence, o.Sequence), cmp.Compare(c.Tick, o.Tick))
}

// String is the cause as the header Unconnected-Cause writes it: "1234", or "1234.1764000000" for a tick.
func (c Cause) String() string {
	s := strconv.FormatUint(c.Sequence, 10)
	if c.Tick != 0 {
		s += "." + strconv.FormatInt(c.Tick, 10)
	}
	return s
}

// ParseCause reads what [Cause.String] wrote.
func ParseCause(s string) (Cause, error) {
	head, tail, ticked := strings.Cut(s, ".")
	seq, err := strconv.ParseUint(head, 10, 64)
	if err != nil {
		return Cause{}, fmt.Errorf("cause %.60q: the sequence is not a number", s)
	}
	c := Cause{Sequence: seq}
	if ticked {
		if c.Tick, err = strconv.ParseInt(tail, 10, 64); err != nil || c.Tick <= 0 {
			return Cause{}, fmt.Errorf("cause %.60q: the tick is not a time", s)
		}
	}
	if c.String() != s { // one cause, one spelling: it is part of an id
		return Cause{}, fmt.Errorf("cause %.60q: it should be written %s", s, c)
	}
	return c, nil
}

// Observed is what the causing window held, and the worst window since the alert began: the evidence behind Value.
type Observed struct {
	Total  int64            `json:"total"`
	Counts map[string]int64 `json:"counts,omitempty"`
	Peak   *float64         `json:"peak,omitempty"`    // the highest Value since starts_at
	PeakAt *time.Time       `json:"peak_at,omitempty"` // start of the window of Peak
	// Usual is what a rule that compares with the usual level compared Value with; nil when it does not, or when that is
	// still being learnt, which Learning says.
	Usual    *float64 `json:"usual,omitempty"`
	Learning bool     `json:"learning,omitempty"`
}

// Alert is one message of the stream ALERTS: a rule began to fire on an operation, or was resolved. The last message on
// its subject is the alert's present state. All times are in UTC. The zero Alert is not valid.
type Alert struct {
	Operation string            `json:"operation"`
	Rule      string            `json:"rule"`
	Severity  string            `json:"severity"`
	Status    string            `json:"status"`
	StartsAt  time.Time         `json:"starts_at"` // start of the earliest window that counted
	EndsAt    *time.Time        `json:"ends_at"`   // resolved: start of the first quiet window; nil while firing
	Window    *Window           `json:"window"`    // the window that caused the transition; nil for a tick
	Value     *float64          `json:"value"`     // nil when unknown
	Threshold *float64          `json:"threshold"`
	Summary   string            `json:"summary"`
	Labels    map[string]string `json:"labels"`
	Reason    string            `json:"reason"`
	Incident  string            `json:"incident"`
	Timezone  string            `json:"timezone,omitempty"` // IANA name, from the causing event
	Observed  *Observed         `json:"observed,omitempty"`

	Cause Cause `json:"-"` // header Unconnected-Cause

	// Sequence and Stored are the message's place and time in ALERTS; zero on an alert that was not read from it.
	Sequence uint64    `json:"-"`
	Stored   time.Time `json:"-"`
}

// ID is the transition's identity, <operation>/<rule>/<cause>/<status>: the ce-id and the Nats-Msg-Id.
func (a *Alert) ID() string {
	return a.Operation + "/" + a.Rule + "/" + a.Cause.String() + "/" + a.Status
}

// At is the instant at which the transition happened: the end of the causing window, or the tick.
func (a *Alert) At() time.Time {
	if a.Window != nil {
		return a.Window.End
	}
	return time.Unix(a.Cause.Tick, 0).UTC()
}

// SeverityRank orders severities: 0 info, 1 warning, 2 critical, -1 anything else.
func SeverityRank(severity string) int {
	switch severity {
	case Info:
		return 0
	case Warning:
		return 1
	case Critical:
		return 2
	}
	return -1
}

// Validate tells the first rule of the contract that a breaks, or nil.
func (a *Alert) Validate() error {
	switch {
	case !ValidOperation(a.Operation):
		return fmt.Errorf("operation %.80q is not a name", a.Operation)
	case !ValidRule(a.Rule):
		return fmt.Errorf("rule %.160q is not a name", a.Rule)
	case SeverityRank(a.Severity) < 0:
		return fmt.Errorf("severity %.40q is none of info, warning, critical", a.Severity)
	case a.Status != Firing && a.Status != Resolved:
		return fmt.Errorf("status %.40q is neither firing nor resolved", a.Status)
	case a.StartsAt.IsZero():
		return errors.New("starts_at is missing")
	case a.Status == Resolved && a.EndsAt == nil:
		return errors.New("a resolved alert has no ends_at")
	case a.Status == Firing && a.EndsAt != nil:
		return errors.New("a firing alert has an ends_at")
	case a.Incident == "":
		return errors.New("the incident is missing")
	case a.Window == nil && a.Cause.Tick == 0:
		return errors.New("the window is missing, and no tick caused the transition")
	case a.Cause.Tick < 0:
		return fmt.Errorf("the tick %d is negative", a.Cause.Tick)
	case a.Window != nil:
		return a.Window.check()
	}
	return nil
}

// toUTC moves all times to UTC, without changing what a shares with its copies.
func (a *Alert) toUTC() {
	a.StartsAt = a.StartsAt.UTC()
	a.EndsAt = inUTC(a.EndsAt)
	if a.Window != nil {
		a.Window = &Window{a.Window.Start.UTC(), a.Window.End.UTC()}
	}
	if a.Observed != nil {
		observed := *a.Observed
		observed.PeakAt = inUTC(observed.PeakAt)
		a.Observed = &observed
	}
}

func inUTC(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	utc := t.UTC()
	return &utc
}

// ValidRule tells whether name may name a rule: [A-Za-z][A-Za-z0-9_-]*.
func ValidRule(name string) bool {
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || !(r >= '0' && r <= '9' || r == '_' || r == '-')) {
			return false
		}
	}
	return name != "" && len(name) <= 128
}
