package incident

import (
	"slices"
	"time"

	"unconnected/events"
)

// act takes in what somebody did and tells whether it meant anything for the incident.
func (i *Incident) act(a events.Action) bool {
	if !i.Open || a.Operation != events.AllOperations && a.Operation != i.Operation || a.Incident != "" && a.Incident != i.ID {
		return false
	}
	seen := func(t Transition) bool { return t.Action != nil && t.Action.ID() == a.ID() }
	if slices.ContainsFunc(i.Transitions, seen) {
		return false
	}
	t := Transition{Sequence: a.Sequence, Action: &a}
	switch a.Action {
	case events.Acknowledged:
		if i.Acked != nil {
			return false // somebody was faster
		}
		t.Kind, i.Acked = Acknowledged, &a
	case events.Silenced:
		if !i.firesAny(a.Rules) {
			return false
		}
		t.Kind = Silenced
	case events.Unsilenced:
		if !i.wasSilenced(a.Key) {
			return false
		}
		t.Kind = Unsilenced
	default:
		return false
	}
	i.Transitions = append(i.Transitions, t)
	return true
}

// firesAny tells whether an alert of one of the rules fires; no rule stands for all.
func (i *Incident) firesAny(rules []string) bool {
	return slices.ContainsFunc(i.Alerts, func(s State) bool {
		return s.Firing() && (len(rules) == 0 || slices.Contains(rules, s.Rule()))
	})
}

func (i *Incident) wasSilenced(key string) bool {
	return slices.ContainsFunc(i.Transitions, func(t Transition) bool { return t.Kind == Silenced && t.Action.Key == key })
}

// FiringRules are the rules whose alerts fire, in the order in which they first did: what a silence of the incident covers.
func (i *Incident) FiringRules() []string {
	var rules []string
	for _, s := range i.Alerts {
		if s.Firing() {
			rules = append(rules, s.Rule())
		}
	}
	return rules
}

// Silence says that nobody wants to be told of some alerts for a while. Their events are stored all the same. It lives in a
// bucket under its ID, as JSON; times are in UTC. The zero Silence covers nothing.
type Silence struct {
	ID        string    `json:"id"`
	Operation string    `json:"operation"`       // or [events.AllOperations]
	Rules     []string  `json:"rules,omitempty"` // none means all
	From      time.Time `json:"from"`
	Until     time.Time `json:"until"` // half-open: not any more at this instant
	By        string    `json:"by"`
	Reason    string    `json:"reason,omitempty"`
}

// Active tells whether the silence holds at an instant.
func (s *Silence) Active(now time.Time) bool { return !now.Before(s.From) && now.Before(s.Until) }

// Covers tells whether the silence is about a rule's alert of an operation.
func (s *Silence) Covers(operation, rule string) bool {
	return (s.Operation == events.AllOperations || s.Operation == operation) && (len(s.Rules) == 0 || slices.Contains(s.Rules, rule))
}

// Mute says that all that fires is silenced. The zero Mute says that it is not.
type Mute struct {
	Until  time.Time // when that ends, unless somebody ends it before
	By     string
	Reason string
}

// Active tells whether there is one.
func (m Mute) Active() bool { return !m.Until.IsZero() }

// mark is what a root that shows it remembers.
func (m Mute) mark() string {
	if !m.Active() {
		return ""
	}
	return m.Until.UTC().Format(time.RFC3339) + " " + m.By
}

// MuteOf is whether silences cover every alert of the incident that fires. Once it is closed, it is whether they covered every
// alert that it had when its end became known: what is silenced only later, while Slack is away, is still to be told.
func MuteOf(inc *Incident, silences []Silence, now time.Time) Mute {
	if !inc.Open && len(inc.Transitions) > 0 {
		now = inc.LastAlert().Stored()
	}
	var mute Mute
	for _, s := range inc.Alerts {
		if inc.Open && !s.Firing() {
			continue
		}
		covering := longest(silences, inc.Operation, s.Rule(), now)
		if covering == nil {
			return Mute{}
		}
		if !mute.Active() || covering.Until.Before(mute.Until) {
			mute = Mute{Until: covering.Until, By: covering.By, Reason: covering.Reason}
		}
	}
	return mute
}

// UnmutedAt is when silences that covered all of what fires now ended the last time, themselves or by somebody; zero when none
// has, or the incident is closed. It does not matter while there is a [Mute].
func UnmutedAt(inc *Incident, silences []Silence, now time.Time) time.Time {
	var last time.Time
	for i := range silences {
		end := silences[i].Until
		if !inc.Open || end.After(now) || !end.After(last) {
			continue
		}
		if MuteOf(inc, silences, end.Add(-1)).Active() {
			last = end
		}
	}
	return last
}

// longest is the silence that covers a rule's alert for the longest time, or nil.
func longest(silences []Silence, operation, rule string, now time.Time) *Silence {
	var best *Silence
	for i := range silences {
		s := &silences[i]
		if s.Active(now) && s.Covers(operation, rule) && (best == nil || s.Until.After(best.Until)) {
			best = s
		}
	}
	return best
}
