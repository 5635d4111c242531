package incident

import (
	"slices"
	"time"

	"unconnected/events"
)

// GiveUp is for how long a message that never made it to Slack is still wanted after its incident has closed.
const GiveUp = 7 * 24 * time.Hour

// Progress is how far the evaluation of one operation got. The zero Progress says nothing.
//
// Hand in only a Progress whose alert events have all been folded: otherwise an incident that has long ended, but whose
// end was not read yet, looks as if it were still firing.
type Progress struct {
	Operation string
	WindowEnd time.Time // end of the newest live window evaluated
	At        time.Time // when that was done
}

// Worth tells whether the channel should be told of the incident at all (ALERT_MAX_AGE). What is already in Slack, or may
// be, is always brought up to date. Else:
//   - an incident with a young transition is told, where a transition is young when its event was stored at most maxAge
//     after it happened: the time of posting does not count, so that an absence of Slack's loses nothing;
//   - one with old transitions only is told when evaluation reaches a young window and it is still open;
//   - one that closed more than [GiveUp] ago is not told any more;
//   - a drill is told while somebody conducts it, and not afterwards: whoever tested has been told that nothing came.
func Worth(inc *Incident, rec Record, p Progress, maxAge time.Duration, now time.Time) bool {
	switch {
	case len(inc.Transitions) == 0:
		return false
	case rec.Begun():
		return true
	case !inc.Open && now.Sub(inc.ClosedAt) > GiveUp:
		return false
	case inc.IsDrill() && (!inc.Open || now.Sub(inc.Start) > events.DrillMost):
		return false
	case inc.young(maxAge):
		return true
	}
	return inc.Open && p.Operation == inc.Operation && !p.WindowEnd.IsZero() && p.At.Sub(p.WindowEnd) <= maxAge
}

// IsDrill tells whether the incident is a test, and nothing else.
func (i *Incident) IsDrill() bool {
	return !slices.ContainsFunc(i.Alerts, func(s State) bool { return !s.Latest.IsDrill() })
}

// young tells whether any transition is young. What a tick of the clock ended does not count: that says nothing of the age
// of what ended. An incident whose beginning ALERTS no longer holds has only an end to tell of, and that alone is no news.
func (i *Incident) young(maxAge time.Duration) bool {
	began := false
	for _, t := range i.Transitions {
		if t.Action != nil {
			continue
		}
		began = began || t.Kind != Closed && t.Kind != Better
		endedByTick := t.Alert.Window == nil && t.Alert.Status == events.Resolved
		if began && !endedByTick && t.Alert.Stored.Sub(t.Alert.At()) <= maxAge {
			return true
		}
	}
	return false
}
