package alerter

import (
	"context"
	"time"

	"unconnected/alerter/evaluate"
	"unconnected/alerter/slack"
	"unconnected/events"
)

// drillRule is how a drill presents itself: as congestion does, for it to look like what it tests.
func drillRule() slack.Rule {
	return slack.Rule{
		Title:   map[string]string{"en": "Drill", "es": "Simulacro"},
		Results: slack.ResultsOf("share." + events.Congestion), Share: true,
	}
}

// drillRhythm is how often it is looked for a drill that was left behind.
const drillRhythm = 15 * time.Second

// isUnderWay tells whether an alert is a drill that somebody conducts: no rule made it, and whoever did ends it. One that was
// left behind is ended like the alert of any rule that is gone.
func isUnderWay(a *events.Alert, now time.Time) bool {
	return a.IsDrill() && (a.Status == events.Resolved || now.Sub(a.StartsAt) < events.DrillMost)
}

// endDrill resolves a drill that was left behind. What cannot be read is looked at the next time.
func (e *evaluator) endDrill(ctx context.Context, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	raw, err := e.alerts.GetLastMsgForSubject(ctx, events.AlertSubject(events.DrillOperation, events.DrillRule))
	if err != nil {
		return
	}
	last, err := events.DecodeRawAlert(raw)
	if err != nil || last.Status != events.Firing || isUnderWay(&last, now) {
		return
	}
	e.work.Lock()
	defer e.work.Unlock()
	e.noteRead(last)
	cause := events.Cause{Sequence: e.position.Sequence, Tick: now.Unix()}
	e.publish(ctx, events.DrillOperation, func(published map[string]events.Alert) []events.Alert {
		return evaluate.Removed(published, e.rules, cause)
	})
}
