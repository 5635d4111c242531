package fakeslack

import (
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf16"
)

// Slack's limits, in characters unless said otherwise. The bound on all blocks together is not documented; people find
// it at about 13,000.
const (
	maxPost      = 40000
	maxUpdate    = 4000
	maxBlocks    = 50 // blocks
	maxAllBlocks = 13000
	maxHeader    = 150
	maxSection   = 3000
	maxField     = 2000
	maxElements  = 10 // of a context
	maxActions   = 25 // elements
	maxBlockID   = 255

	maxActionID     = 255
	maxButton       = 75 // text
	maxButtonValue  = 2000
	maxURL          = 3000
	maxPlaceholder  = 150
	maxOptions      = 100 // of a select
	maxOverflow     = 5   // options of an overflow menu
	maxGroups       = 100 // of options
	maxOption       = 75  // text, description, label of a group
	maxOptionValue  = 150
	maxConfirmTitle = 100
	maxConfirmText  = 300
	maxConfirmLabel = 30
)

// length counts as Slack may: in UTF-16 units.
func length(s string) int { return len(utf16.Encode([]rune(s))) }

type textObject struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

func (t *textObject) fits(limit int, types ...string) bool {
	return t != nil && slices.Contains(types, t.Type) && t.Text != "" && length(t.Text) <= limit
}

type block struct {
	Type     string            `json:"type"`
	BlockID  string            `json:"block_id"`
	Text     *textObject       `json:"text"`
	Fields   []textObject      `json:"fields"`
	Elements []json.RawMessage `json:"elements"`
	// Accessory stands beside the text of a section.
	Accessory json.RawMessage `json:"accessory"`
	AltText   string          `json:"alt_text"` // of an image
}

// checkBlocks counts the blocks, or says which of Slack's errors they deserve.
func checkBlocks(raw json.RawMessage) (count int, code string) {
	if len(raw) == 0 {
		return 0, ""
	}
	var blocks []block
	if json.Unmarshal(raw, &blocks) != nil {
		return 0, "invalid_blocks_format"
	}
	if len(blocks) > maxBlocks {
		return 0, "invalid_blocks"
	}
	for _, b := range blocks {
		if len(b.BlockID) > maxBlockID || !b.fits() {
			return 0, "invalid_blocks"
		}
	}
	if repeats(blocks) {
		return 0, "invalid_blocks"
	}
	if length(string(raw)) > maxAllBlocks && length(texts(blocks)) > maxAllBlocks {
		return 0, "msg_blocks_too_long"
	}
	return len(blocks), ""
}

// fits tells whether Slack would take the block.
func (b *block) fits() bool {
	switch b.Type {
	case "header":
		return b.Text.fits(maxHeader, "plain_text")
	case "section":
		return b.sectionFits()
	case "context":
		return len(b.Elements) > 0 && len(b.Elements) <= maxElements && !slices.ContainsFunc(b.Elements, contextUnfit)
	case "actions":
		return len(b.Elements) > 0 && len(b.Elements) <= maxActions && !slices.ContainsFunc(b.Elements, elementUnfit)
	case "divider", "image", "file":
		return true
	}
	return false
}

func (b *block) sectionFits() bool {
	if b.Text == nil && len(b.Fields) == 0 || len(b.Fields) > 10 {
		return false
	}
	for _, f := range b.Fields {
		if !f.fits(maxField, "plain_text", "mrkdwn") {
			return false
		}
	}
	if len(b.Accessory) > 0 && elementUnfit(b.Accessory) {
		return false
	}
	return b.Text == nil || b.Text.fits(maxSection, "plain_text", "mrkdwn")
}

func contextUnfit(raw json.RawMessage) bool {
	var t textObject
	if json.Unmarshal(raw, &t) != nil {
		return true
	}
	return t.Type != "image" && !t.fits(maxSection, "plain_text", "mrkdwn")
}

// texts are all texts of the blocks, one after the other.
func texts(blocks []block) string {
	var all string
	for _, b := range blocks {
		if b.Text != nil {
			all += b.Text.Text
		}
		for _, f := range b.Fields {
			all += f.Text
		}
		for _, e := range b.Elements {
			all += string(e)
		}
	}
	return all
}

// id is how the block is called in payloads: Slack gives a name to those without.
func (b *block) id(i int) string {
	if b.BlockID != "" {
		return b.BlockID
	}
	return "block" + strconv.Itoa(i)
}
