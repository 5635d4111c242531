package fakeslack

import (
	"encoding/json"
	"net/url"
	"slices"
)

// element is something in a message that people can use.
type element struct {
	Type          string        `json:"type"`
	ActionID      string        `json:"action_id"`
	Text          *textObject   `json:"text"`        // of a button
	Value         string        `json:"value"`       // of a button
	URL           string        `json:"url"`         // of a button
	Style         string        `json:"style"`       // of a button
	Placeholder   *textObject   `json:"placeholder"` // of a select
	Options       []option      `json:"options"`
	OptionGroups  []optionGroup `json:"option_groups"`
	InitialOption *option       `json:"initial_option"`
	Confirm       *confirm      `json:"confirm"`
}

type option struct {
	Text        *textObject `json:"text"`
	Value       string      `json:"value"`
	Description *textObject `json:"description,omitempty"`
	URL         string      `json:"url,omitempty"` // in an overflow menu
}

type optionGroup struct {
	Label   *textObject `json:"label"`
	Options []option    `json:"options"`
}

// confirm is a question asked before an element does its work.
type confirm struct {
	Title   *textObject `json:"title"`
	Text    *textObject `json:"text"`
	Confirm *textObject `json:"confirm"`
	Deny    *textObject `json:"deny"`
}

// unchecked are elements that messages may have and that are shown here as a word only.
var unchecked = []string{
	"channels_select", "checkboxes", "conversations_select", "datepicker", "datetimepicker", "external_select", "image",
	"multi_channels_select", "multi_conversations_select", "multi_external_select", "multi_static_select",
	"multi_users_select", "radio_buttons", "timepicker", "users_select", "workflow_button",
}

// elementUnfit tells whether Slack would refuse the element.
func elementUnfit(raw json.RawMessage) bool {
	var e element
	if json.Unmarshal(raw, &e) != nil || length(e.ActionID) > maxActionID || !e.Confirm.fits() {
		return true
	}
	switch e.Type {
	case "button":
		return !e.buttonFits()
	case "static_select":
		return e.Placeholder != nil && !e.Placeholder.fits(maxPlaceholder, "plain_text") || !e.optionsFit()
	case "overflow":
		return len(e.OptionGroups) > 0 || len(e.Options) > maxOverflow || !optionsFit(e.Options, true)
	}
	return !slices.Contains(unchecked, e.Type)
}

func (e *element) buttonFits() bool {
	return e.Text.fits(maxButton, "plain_text") && length(e.Value) <= maxButtonValue && addressFits(e.URL) &&
		slices.Contains([]string{"", "primary", "danger"}, e.Style)
}

// addressFits tells whether a person can be sent there.
func addressFits(address string) bool {
	if address == "" {
		return true
	}
	u, err := url.Parse(address)
	return err == nil && u.Scheme != "" && length(address) <= maxURL
}

// optionsFit tells whether a select has options or groups of them, within the limits.
func (e *element) optionsFit() bool {
	if len(e.OptionGroups) == 0 {
		return optionsFit(e.Options, false)
	}
	if len(e.Options) > 0 || len(e.OptionGroups) > maxGroups {
		return false
	}
	for _, g := range e.OptionGroups {
		if !g.Label.fits(maxOption, "plain_text") || !optionsFit(g.Options, false) {
			return false
		}
	}
	return true
}

func optionsFit(options []option, addresses bool) bool {
	if len(options) == 0 || len(options) > maxOptions {
		return false
	}
	for _, o := range options {
		switch {
		case !o.Text.fits(maxOption, "plain_text"), o.Value == "", length(o.Value) > maxOptionValue:
			return false
		case o.Description != nil && !o.Description.fits(maxOption, "plain_text"):
			return false
		case o.URL != "" && !addresses, !addressFits(o.URL):
			return false
		}
	}
	return true
}

func (c *confirm) fits() bool {
	return c == nil || c.Title.fits(maxConfirmTitle, "plain_text") && c.Text.fits(maxConfirmText, "plain_text", "mrkdwn") &&
		(c.Confirm == nil || c.Confirm.fits(maxConfirmLabel, "plain_text")) &&
		(c.Deny == nil || c.Deny.fits(maxConfirmLabel, "plain_text"))
}

// offered are all options of a menu, in order.
func (e *element) offered() []option {
	all := slices.Clone(e.Options)
	for _, g := range e.OptionGroups {
		all = append(all, g.Options...)
	}
	return all
}

// usable are the raw elements of a block that people can use.
func (b *block) usable() []json.RawMessage {
	switch {
	case b.Type == "actions":
		return b.Elements
	case b.Type == "section" && len(b.Accessory) > 0:
		return []json.RawMessage{b.Accessory}
	}
	return nil
}

// repeats tells whether a message names a block or an action twice, so that a click would not be clear.
func repeats(blocks []block) bool {
	ids, actions := make(map[string]bool), make(map[string]bool)
	again := func(seen map[string]bool, id string) bool {
		was := seen[id]
		seen[id] = true
		return id != "" && was
	}
	for _, b := range blocks {
		if again(ids, b.BlockID) {
			return true
		}
		for _, raw := range b.usable() {
			var e element
			if json.Unmarshal(raw, &e) == nil && again(actions, e.ActionID) {
				return true
			}
		}
	}
	return false
}

// found is an element of a message by its action_id.
type found struct {
	raw     json.RawMessage
	element element
	blockID string
}

// find looks for an element in a message.
func (m *Message) find(actionID string) (found, bool) {
	var blocks []block
	if json.Unmarshal(m.Blocks, &blocks) != nil {
		return found{}, false
	}
	for i, b := range blocks {
		for _, raw := range b.usable() {
			f := found{raw: raw, blockID: b.id(i)}
			if json.Unmarshal(raw, &f.element) == nil && f.element.ActionID == actionID && actionID != "" {
				return f, true
			}
		}
	}
	return found{}, false
}
