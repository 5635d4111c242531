package slack

import "strings"

// The ids of the actions behind the buttons, as Slack names them when one is used.
const (
	ActionAcknowledge = "unconnected_ack"     // its value is the incident
	ActionSilence     = "unconnected_silence" // a menu; its values are the Silence… constants, the incident is in the block's id
	ActionRunbook     = "unconnected_runbook" // a link; Slack wants it answered all the same
)

// How long to silence, as the values of the menu.
const (
	SilenceHour     = "1h"
	SilenceHours    = "4h"
	SilenceTomorrow = "tomorrow"
)

// buttonsBlock begins the id of the block that the buttons are in; the incident follows.
const buttonsBlock = "unconnected/"

// IncidentOfButtons is the incident whose buttons are in the block of that id. ok is false for any other block.
func IncidentOfButtons(blockID string) (incident string, ok bool) {
	incident, ok = strings.CutPrefix(blockID, buttonsBlock)
	return incident, ok && incident != ""
}
