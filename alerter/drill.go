package alerter

import (
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
