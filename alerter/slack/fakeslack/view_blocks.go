package fakeslack

import (
	"encoding/json"
	"html/template"
	"strings"

	"unconnected/alerter/slack/fakeslack/mrkdwn"
)

// blockView is a block as people see it.
type blockView struct {
	Type      string
	Text      template.HTML
	Fields    []template.HTML
	Notes     []template.HTML // of a context
	Elements  []elementView   // of actions
	Accessory []elementView   // of a section: one or none
	AltText   string          // of an image, which is not loaded: the page loads nothing from elsewhere
}

// elementView is a button or a menu as people see it.
type elementView struct {
	Type        string // "button", "static_select", "overflow"; others are named only
	TS, Action  string
	Label       string
	Style       string
	URL         string
	Question    string // asked first; "" for none
	Placeholder string
	Options     []optionView
	Usable      bool
	Words       *words
}

type optionView struct{ Label, Description, Value, URL string }

// blocks are the blocks of a message.
func (m *Message) blocks() []block {
	var blocks []block
	if json.Unmarshal(m.Blocks, &blocks) != nil {
		return nil
	}
	return blocks
}

// blockViews are the blocks of a message.
func (sc *scene) blockViews(m *Message) []blockView {
	var shown []blockView
	for _, b := range m.blocks() {
		v := blockView{Type: b.Type}
		if b.Text != nil {
			v.Text = sc.text(b.Text)
		}
		for _, f := range b.Fields {
			v.Fields = append(v.Fields, sc.text(&f))
		}
		for _, raw := range b.Elements {
			if b.Type == "actions" {
				v.Elements = append(v.Elements, sc.elementView(m, raw))
			} else if b.Type == "context" {
				v.Notes = append(v.Notes, sc.note(raw))
			}
		}
		if len(b.Accessory) > 0 {
			v.Accessory = append(v.Accessory, sc.elementView(m, b.Accessory))
		}
		v.AltText = b.AltText
		shown = append(shown, v)
	}
	return shown
}

func (sc *scene) text(t *textObject) template.HTML {
	if t.Type == "mrkdwn" {
		return mrkdwn.HTML(t.Text, sc.names)
	}
	return mrkdwn.Plain(t.Text)
}

// note is an element of a context: a text, or an image by its words.
func (sc *scene) note(raw json.RawMessage) template.HTML {
	var t struct {
		textObject
		AltText string `json:"alt_text"`
	}
	if json.Unmarshal(raw, &t) != nil {
		return ""
	}
	if t.Type == "image" {
		return mrkdwn.Plain(t.AltText)
	}
	return sc.text(&t.textObject)
}

// elementView is a button or a menu.
func (sc *scene) elementView(m *Message, raw json.RawMessage) elementView {
	var e element
	if json.Unmarshal(raw, &e) != nil {
		return elementView{}
	}
	v := elementView{
		Type: e.Type, TS: m.TS, Action: e.ActionID, Style: e.Style, URL: webAddress(e.URL), Placeholder: sc.words().Choose, Words: sc.words(),
		Usable: sc.connected && e.ActionID != "", Label: strings.ReplaceAll(e.Type, "_", " "),
	}
	if e.Text != nil {
		v.Label = e.Text.Text
	}
	if e.Placeholder != nil {
		v.Placeholder = e.Placeholder.Text
	}
	if e.Confirm != nil && e.Confirm.Title != nil && e.Confirm.Text != nil {
		v.Question = e.Confirm.Title.Text + "\n\n" + e.Confirm.Text.Text
	}
	for _, o := range e.offered() {
		if o.Text == nil {
			continue // in an element whose options were not checked
		}
		ov := optionView{Label: o.Text.Text, Value: o.Value, URL: webAddress(o.URL)}
		if o.Description != nil {
			ov.Description = o.Description.Text
		}
		v.Options = append(v.Options, ov)
	}
	return v
}

// webAddress is an address that may be followed, or "".
func webAddress(address string) string {
	if strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://") {
		return address
	}
	return ""
}
