package evaluate

import "unconnected/events"

// Present is how an alert that fires stands in the newest live window: for a message that is kept up to date between its
// transitions.
type Present struct {
	Alert events.Alert // as its event would be if the window had caused it; without an incident
	Quiet bool         // the window was quiet: the alert ends when enough of them follow
}

// Firing is how the alerts that fire stand, in the order of the set; those of which the newest window tells nothing are left out:
// its value is unknown, or the rule is judged at ticks. Summaries are in language. The alerts share Labels and Threshold with the
// rules: treat them as read-only.
func (o *Operation) Firing(language string) []Present {
	if o.window.IsZero() {
		return nil
	}
	var firing []Present
	for i := range o.tracks {
		t := &o.tracks[i]
		if !t.firing || t.rule.OnTicks() || o.value(i) == nil {
			continue
		}
		a := o.alert(i, events.Cause{}, language)
		a.Status, a.StartsAt = events.Firing, instant(t.startsAt)
		quiet, _ := o.memory.quietRun(i, t.startsAt)
		firing = append(firing, Present{Alert: a, Quiet: quiet > 0})
	}
	return firing
}
