package slack

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// cardWidth is the width of a card in columns, of which its left border takes two.
const cardWidth = 88

// How a terminal shows text: the parameters of SGR, the escape sequence for it.
const (
	plain  = "0"
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	blue   = "34"
)

// Card is the message as a card for a terminal, ending in a blank line. Control characters in its texts are gone, and what
// is very long is cut.
func (m *Message) Card(colour bool) string {
	c := card{colour: colour, edge: m.edge()}
	c.rule("╭")
	c.line(bold, m.Icon+" "+m.Headline)
	lines := m.lines()
	for i, text := range lines {
		switch {
		case i == 0:
			c.line(bold, text)
		case i >= len(lines)-len(m.Notes):
			c.line(dim, text)
		default:
			c.line(plain, text)
		}
	}
	c.rule("╰")
	return c.text.String() + "\n"
}

// card is a card being drawn.
type card struct {
	text   strings.Builder
	colour bool
	edge   string // how the border is shown
}

// rule draws the upper or the lower edge.
func (c *card) rule(corner string) {
	c.text.WriteString(c.paint(c.edge, corner+strings.Repeat("─", cardWidth-1)) + "\n")
}

// line writes one text, on as many lines as it takes.
func (c *card) line(form, text string) {
	for _, part := range wrap(cutRunes(clean(text), limitLine), cardWidth-2) {
		fmt.Fprintf(&c.text, "%s %s\n", c.paint(c.edge, "│"), c.paint(form, part))
	}
}

func (c *card) paint(form, text string) string {
	if !c.colour || form == plain {
		return text
	}
	return "\x1b[" + form + "m" + text + "\x1b[0m"
}

// edge is the colour of the card's border: that of its icon.
func (m *Message) edge() string {
	switch m.Icon {
	case "🔴":
		return red
	case "🟠":
		return yellow
	case "✅", "🟢":
		return green
	}
	return blue
}

// wrap breaks text at blanks into lines of at most width characters; a longer word is broken anywhere.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.SplitSeq(text, " ") {
		for utf8.RuneCountInString(word) > width {
			r := []rune(word)
			lines = appendLine(lines, line)
			line, lines, word = "", append(lines, string(r[:width])), string(r[width:])
		}
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return appendLine(lines, line)
}

func appendLine(lines []string, line string) []string {
	if line == "" {
		return lines
	}
	return append(lines, line)
}
