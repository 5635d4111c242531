package incident

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"unconnected/events"
)

// Kind is what a transition means for its incident.
type Kind int

// The kinds of transition. The zero Kind is none of them.
const (
	Opened   Kind = iota + 1 // the first alert fires
	Joined                   // an alert fires beside others, and that is no worse: the same cause, or it was here before
	Worse                    // a severity above all that fires, or a rule that is new here and fires from a later cause
	Better                   // one of several alerts was resolved
	Closed                   // the last firing alert was resolved
	Reopened                 // an alert fires after the incident had closed

	Acknowledged // somebody takes care of it
	Silenced     // somebody wants to hear nothing of it for a while
	Unsilenced   // that was taken back
)

// String is the kind for logs and tests.
func (k Kind) String() string {
	names := [...]string{"none", "opened", "joined", "worse", "better", "closed", "reopened",
		"acknowledged", "silenced", "unsilenced"}
	if k < 0 || int(k) >= len(names) {
		return "none"
	}
	return names[k]
}

// Transition is one event of an incident: an alert's, or what somebody did about it.
type Transition struct {
	Sequence uint64 // in ALERTS
	Kind     Kind
	Alert    events.Alert   // zero when somebody did something
	Action   *events.Action // what somebody did; nil for an alert's event
}

// ID is the transition's identity, the ce-id of its event.
func (t Transition) ID() string {
	if t.Action != nil {
		return t.Action.ID()
	}
	return t.Alert.ID()
}

// At is when it happened: the end of the causing window, the tick, or when somebody did it.
func (t Transition) At() time.Time {
	if t.Action != nil {
		return t.Action.At
	}
	return t.Alert.At()
}

// Stored is when its event was stored.
func (t Transition) Stored() time.Time {
	if t.Action != nil {
		return t.Action.Stored
	}
	return t.Alert.Stored
}

// Broadcast tells whether the whole channel should see the transition, not only those who follow the thread.
func (t Transition) Broadcast() bool {
	return t.Kind == Worse || t.Kind == Closed || t.Kind == Reopened
}

// State is one rule's alert within an incident.
type State struct {
	Latest events.Alert // the last event: what is true now
	// Fired is the last firing event: the evidence, kept when the alert is resolved. Nil when ALERTS no longer holds one.
	Fired  *events.Alert
	Peak   *float64  // the highest value seen; nil when no value is known
	PeakAt time.Time // start of the window of Peak; zero when unknown
	// Quiet says that Latest is of a quiet window, after which the alert may end; see [Incident.Now].
	Quiet bool
}

// Rule is the rule's name.
func (s State) Rule() string { return s.Latest.Rule }

// Firing tells whether the alert fires now.
func (s State) Firing() bool { return s.Latest.Status == events.Firing }

// resolvedAt is when the alert was resolved; zero while it fires.
func (s State) resolvedAt() time.Time {
	if s.Firing() {
		return time.Time{}
	}
	return s.Latest.At()
}

// Incident is what one operation suffers at a time, as far as ALERTS has told. It is a value to be read: the slices may
// be shared with other copies. The zero Incident has no transition, and nothing is to be done about it.
type Incident struct {
	ID          string // <operation>/<start>: for machines, never for people
	Operation   string
	Transitions []Transition // in the order of the stream
	Alerts      []State      // one for each rule, in the order in which they first fired
	Open        bool         // some alert fires
	Start       time.Time    // the earliest start of an alert
	End         time.Time    // start of the first quiet window, or what stands for it; zero while open
	ClosedAt    time.Time    // when the closing transition happened, a little after End; zero while open
	Worst       string       // the worst severity there ever was
	// Acked is how somebody took care of it, since it opened the last time; nil when nobody did.
	Acked *events.Action

	present []Present // see WithPresent
}

// add takes in one event and tells whether it meant anything.
func (i *Incident) add(a events.Alert) bool {
	at := slices.IndexFunc(i.Alerts, func(s State) bool { return s.Rule() == a.Rule })
	if at >= 0 && (a.Status == events.Resolved && !i.Alerts[at].Firing() || i.has(&a)) {
		return false // the end of something that does not fire, or the same event stored again
	}
	kind := i.kind(a, at >= 0)
	if kind == Reopened {
		i.Acked = nil // an acknowledgement ends with the incident
	}
	if at < 0 {
		i.Alerts = append(i.Alerts, State{})
		at = len(i.Alerts) - 1
	}
	i.Alerts[at].update(a)
	i.Transitions = append(i.Transitions, Transition{Sequence: a.Sequence, Kind: kind, Alert: a})
	i.summarise(a)
	return true
}

// has tells whether an event with the id of a was taken in before.
func (i *Incident) has(a *events.Alert) bool {
	return slices.ContainsFunc(i.Transitions, func(t Transition) bool {
		return t.Alert.Cause == a.Cause && t.Alert.Status == a.Status && t.Alert.Rule == a.Rule
	})
}

// kind is what a means for the incident as it was before a.
func (i *Incident) kind(a events.Alert, seen bool) Kind {
	if a.Status == events.Resolved {
		if i.firing(a.Rule) == 0 {
			return Closed
		}
		return Better
	}
	switch {
	case len(i.Transitions) == 0:
		return Opened
	case !i.Open:
		return Reopened
	case events.SeverityRank(a.Severity) > events.SeverityRank(i.Severity()):
		return Worse
	case !seen && a.Cause.Compare(i.openedBy()) > 0:
		return Worse
	}
	return Joined
}

// firing counts the alerts that fire, without that of one rule.
func (i *Incident) firing(except string) int {
	n := 0
	for _, s := range i.Alerts {
		if s.Firing() && s.Rule() != except {
			n++
		}
	}
	return n
}

// openedBy is the cause that opened the incident the last time.
func (i *Incident) openedBy() events.Cause {
	for _, t := range slices.Backward(i.Transitions) {
		if t.Kind == Opened || t.Kind == Reopened {
			return t.Alert.Cause
		}
	}
	return events.Cause{}
}

func (i *Incident) summarise(a events.Alert) {
	i.Open = i.firing("") > 0
	if i.Start.IsZero() || a.StartsAt.Before(i.Start) {
		i.Start = a.StartsAt
	}
	if i.Worst == "" || events.SeverityRank(a.Severity) > events.SeverityRank(i.Worst) {
		i.Worst = a.Severity
	}
	i.End, i.ClosedAt = time.Time{}, time.Time{}
	if i.Open {
		return
	}
	i.ClosedAt = a.At()
	for _, s := range i.Alerts {
		if end := s.Latest.EndsAt; end != nil && end.After(i.End) {
			i.End = *end
		}
	}
}

func (s *State) update(a events.Alert) {
	s.Latest = a
	if a.Status == events.Firing {
		s.Fired = &a
	}
	if a.Value != nil && a.Window != nil && a.Status == events.Firing {
		s.raise(*a.Value, a.Window.Start)
	}
	if o := a.Observed; o != nil && o.Peak != nil {
		at := time.Time{}
		if o.PeakAt != nil {
			at = *o.PeakAt
		}
		s.raise(*o.Peak, at)
	}
}

func (s *State) raise(value float64, at time.Time) {
	if s.Peak == nil || value > *s.Peak || value == *s.Peak && s.PeakAt.IsZero() {
		s.Peak, s.PeakAt = &value, at
	}
}

// Severity is the worst severity that fires now; once closed, the worst there ever was.
func (i *Incident) Severity() string {
	if !i.Open {
		return i.Worst
	}
	worst := ""
	for _, s := range i.Alerts {
		if s.Firing() && (worst == "" || events.SeverityRank(s.Latest.Severity) > events.SeverityRank(worst)) {
			worst = s.Latest.Severity
		}
	}
	return worst
}

// Last is the newest transition. The incident must have one.
func (i *Incident) Last() Transition { return i.Transitions[len(i.Transitions)-1] }

// LastAlert is the newest alert event. The incident must have a transition.
func (i *Incident) LastAlert() Transition {
	for _, t := range slices.Backward(i.Transitions) {
		if t.Action == nil {
			return t
		}
	}
	return i.Transitions[0]
}

// Timezone is the operation's zone as the newest event that names one tells, or "".
func (i *Incident) Timezone() string {
	for _, t := range slices.Backward(i.Transitions) {
		if t.Alert.Timezone != "" {
			return t.Alert.Timezone
		}
	}
	return ""
}

// Lead is the alert that the headline speaks of: what fires before what does not, the worst severity first, what was
// resolved last, then what began first. The incident must have a transition.
func (i *Incident) Lead() State {
	return slices.MinFunc(i.Alerts, func(a, b State) int {
		return cmp.Or(
			boolRank(a.Firing())-boolRank(b.Firing()),
			events.SeverityRank(b.Latest.Severity)-events.SeverityRank(a.Latest.Severity),
			b.resolvedAt().Compare(a.resolvedAt()),
			a.Latest.StartsAt.Compare(b.Latest.StartsAt),
			strings.Compare(a.Rule(), b.Rule()))
	})
}

// Compare orders incidents by urgency: what is open first, then the worst severity, then what began first, then the id.
// It is the order in which a queue should leave.
func (i *Incident) Compare(o *Incident) int {
	return cmp.Or(
		boolRank(i.Open)-boolRank(o.Open),
		events.SeverityRank(o.Severity())-events.SeverityRank(i.Severity()),
		i.Start.Compare(o.Start),
		strings.Compare(i.ID, o.ID))
}

// boolRank puts true first.
func boolRank(b bool) int {
	if b {
		return 0
	}
	return 1
}

func sortByUrgency(all []Incident) {
	slices.SortFunc(all, func(a, b Incident) int { return a.Compare(&b) })
}

// AsOf is the incident as it was right after the transition with that sequence: what a message that is to show this
// state says, whatever has happened since. How it is at present belongs to the last state.
func (i *Incident) AsOf(sequence uint64) Incident {
	as := i.rebuild(func(t Transition) bool { return t.Sequence <= sequence })
	if len(i.Transitions) > 0 && sequence >= i.Last().Sequence {
		as.present = i.present
	}
	return as
}

// Only is the incident as if it had none but the alerts of the rules that keep names: what one channel is told of.
func (i *Incident) Only(keep func(rule string) bool) Incident {
	return i.rebuild(func(t Transition) bool { return t.Action != nil || keep(t.Alert.Rule) })
}

func (i *Incident) rebuild(keep func(Transition) bool) Incident {
	part := Incident{ID: i.ID, Operation: i.Operation}
	for _, t := range i.Transitions {
		switch {
		case !keep(t):
		case t.Action != nil:
			part.act(*t.Action)
		default:
			part.add(t.Alert)
		}
	}
	return part
}

// Find returns the transition with that sequence.
func (i *Incident) Find(sequence uint64) (Transition, bool) {
	at, ok := slices.BinarySearchFunc(i.Transitions, sequence, func(t Transition, s uint64) int { return cmp.Compare(t.Sequence, s) })
	if !ok {
		return Transition{}, false
	}
	return i.Transitions[at], true
}

// clone copies what add changes.
func (i *Incident) clone() Incident {
	c := *i
	c.Transitions = slices.Clip(i.Transitions) // only appended to, never changed: the copy can share it
	c.Alerts = slices.Clone(i.Alerts)
	return c
}
