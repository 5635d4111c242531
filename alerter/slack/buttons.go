package slack

import (
	"strings"

	"github.com/slack-go/slack"
)

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

// limitBlockID is how long Slack lets the id of a block be.
const limitBlockID = 255

// Buttons are what can be done about an incident at a touch. The zero Buttons are none.
type Buttons struct {
	Incident    string // its id: what the buttons are about, never shown
	Acknowledge bool   // nobody takes care of it yet
	Silence     bool   // it is not silenced
	Language    string // of the labels
}

// IncidentOfButtons is the incident whose buttons are in the block of that id. ok is false for any other block.
func IncidentOfButtons(blockID string) (incident string, ok bool) {
	incident, ok = strings.CutPrefix(blockID, buttonsBlock)
	return incident, ok && incident != ""
}

// any tells whether there is a button. An id that Slack would refuse must not cost the message, so it has none.
func (b Buttons) any() bool {
	return b.Incident != "" && len(buttonsBlock+b.Incident) <= limitBlockID && (b.Acknowledge || b.Silence)
}

// block is the row of buttons, with the runbook beside them; nil when there are none.
func (b Buttons) block(runbook Link) slack.Block {
	if !b.any() {
		return nil
	}
	w := wordsFor(b.Language)
	var elements []slack.BlockElement
	if b.Acknowledge {
		button := slack.NewButtonBlockElement(ActionAcknowledge, b.Incident, label(w.acknowledge))
		elements = append(elements, button.WithStyle(slack.StylePrimary))
	}
	if b.Silence {
		elements = append(elements, slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, label(w.silence), ActionSilence,
			slack.NewOptionBlockObject(SilenceHour, label(w.silenceHour), nil),
			slack.NewOptionBlockObject(SilenceHours, label(w.silenceHours), nil),
			slack.NewOptionBlockObject(SilenceTomorrow, label(w.silenceTomorrow), nil)))
	}
	if address := runbook.address(); address != "" {
		elements = append(elements, slack.NewButtonBlockElement(ActionRunbook, "", label(runbook.Text)).WithURL(address))
	}
	return slack.NewActionBlock(buttonsBlock+b.Incident, elements...)
}

// label is the text of a button.
func label(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, text, true, false)
}
