package incident

import (
	"time"

	"unconnected/events"
)

const (
	// refreshAfter is how much newer what the newest window tells of an incident must be than what its message says to be worth an
	// edit of its own.
	refreshAfter = time.Minute
	// refreshPause is how long such an edit waits for what the windows of other operations tell of the same time.
	refreshPause = 5 * time.Second
)

// Present is how an alert that fires stands in the newest window. ALERTS does not hold that: it is known to whoever judges, and
// what is shown of it is never more than the newest of what could be shown.
type Present struct {
	Alert events.Alert // as its event would be if the window had caused it
	Quiet bool         // the window was quiet: the alert ends when enough of them follow
	At    time.Time    // when that was known
}

// WithPresent is the incident together with how its alerts stand at present; what does not fire in it is left out. It counts for
// messages that are to show the newest state: see [Incident.Now].
func (i *Incident) WithPresent(present []Present) Incident {
	with := *i
	with.present = nil
	for _, p := range present {
		for _, s := range i.Alerts {
			if s.Rule() == p.Alert.Rule && s.Firing() && p.Alert.Window != nil && p.Alert.At().After(s.Latest.At()) {
				with.present = append(with.present, p)
			}
		}
	}
	return with
}

// Now is the incident as it is at present: the alerts that fire with the value, the evidence and the window of the newest one.
func (i *Incident) Now() Incident {
	now := i.clone()
	for _, p := range i.present {
		for at := range now.Alerts {
			if s := &now.Alerts[at]; s.Rule() == p.Alert.Rule {
				s.stand(p)
			}
		}
	}
	return now
}

// stand takes in how the alert stands at present. What began it, and its evidence, stay as they were.
func (s *State) stand(p Present) {
	s.Quiet = p.Quiet
	s.Latest.Window, s.Latest.Value, s.Latest.Observed = p.Alert.Window, p.Alert.Value, p.Alert.Observed
	s.Latest.Threshold, s.Latest.Summary = p.Alert.Threshold, p.Alert.Summary
	if p.Alert.Value != nil {
		s.raise(*p.Alert.Value, p.Alert.Window.Start)
	}
	if o := p.Alert.Observed; o != nil && o.Peak != nil && o.PeakAt != nil {
		s.raise(*o.Peak, *o.PeakAt)
	}
}

// presentAt is the end of the newest window that tells how the incident is, and when that was known last; zero when there is none
// after its transitions.
func (i *Incident) presentAt() (end, known time.Time) {
	for _, p := range i.present {
		end, known = later(end, p.Alert.At()), later(known, p.At)
	}
	return end, known
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// refresh makes an edit of one that shows the incidents as they are at present, where that is much newer than what the message
// says; else it is Nothing.
func refresh(edit Action, rec Record, incidents []Incident, now time.Time) Action {
	var end, known, told time.Time
	for i := range incidents {
		e, k := incidents[i].presentAt()
		end, known = later(end, e), later(known, k)
		told = later(told, incidents[i].LastAlert().At())
	}
	due := known.Add(refreshPause)
	switch {
	case rec.Root.Fixed, end.IsZero(), end.Before(later(told, rec.Root.Present).Add(refreshAfter)):
		return Action{}
	case now.Before(due):
		return Action{Step: Wait, Until: due}
	}
	edit.Step, edit.Refresh = EditRoot, true
	return edit
}
