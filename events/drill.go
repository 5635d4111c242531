package events

import "time"

// A drill is a test of the way from ALERTS to people: an alert of no rule, on an operation that has no calls. Consumers that
// do more than show alerts should leave out what bears [LabelDrill].
const (
	DrillOperation = "drill"
	DrillRule      = "Drill"
	LabelDrill     = "drill"   // its value is "true"
	LabelChannel   = "channel" // of a drill: where it is to be told, instead of the default channel
)

// DrillMost is the longest that a drill lasts. One that fires for longer was left behind by whoever began it.
const DrillMost = time.Hour

// IsDrill tells whether an alert is a test.
func (a *Alert) IsDrill() bool { return a.Labels[LabelDrill] == "true" }
