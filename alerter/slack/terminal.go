package slack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"unconnected/alerter/incident"
)

// Terminal is a [Sink] that prints a card for each opening, getting worse, re-opening and closing. It is safe for
// concurrent use.
type Terminal struct {
	colour bool

	mu  sync.Mutex
	out io.Writer // guarded by mu
}

// NewTerminal returns a Terminal that writes to out, in colour where that can be shown.
func NewTerminal(out io.Writer, colour bool) *Terminal { return &Terminal{out: out, colour: colour} }

// Caps says that cards are posted, and that getting worse is worth one.
func (t *Terminal) Caps() incident.Caps { return incident.Caps{Worse: true} }

// Post prints the message.
func (t *Terminal) Post(_ context.Context, p Post) (incident.Receipt, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := io.WriteString(t.out, p.Message.Card(t.colour)); err != nil {
		return incident.Receipt{}, &Error{Method: "terminal", Class: incident.Undelivered, Code: "write", Err: err}
	}
	return incident.Receipt{}, nil
}

// Update is never asked for.
func (t *Terminal) Update(context.Context, incident.Receipt, Message, bool) error {
	return errors.ErrUnsupported
}

// FindRoot is never asked for.
func (t *Terminal) FindRoot(context.Context, string, string, time.Time) (incident.Receipt, error) {
	return incident.Receipt{}, ErrNoHistory
}

// FindReply is never asked for.
func (t *Terminal) FindReply(context.Context, incident.Receipt, string, time.Time) (incident.Receipt, error) {
	return incident.Receipt{}, ErrNoHistory
}

// cardWidth is the width of a card in columns, of which its left border takes two.
const cardWidth = 88

// Card is the message as a card for a terminal, ending in a blank line. Control characters in its texts are gone.
func (m *Message) Card(colour bool) string {
	paint := func(code, s string) string {
		if !colour {
			return s
		}
		return "\x1b[" + code + "m" + s + "\x1b[0m"
	}
	edge := m.edge()
	var b strings.Builder
	line := func(form, text string) {
		for _, part := range wrap(clean(text), cardWidth-2) {
			fmt.Fprintf(&b, "%s %s\n", paint(edge, "│"), paint(form, part))
		}
	}
	fmt.Fprintf(&b, "%s\n", paint(edge, "╭"+strings.Repeat("─", cardWidth-1)))
	line("1", m.Icon+" "+m.Headline)
	for i, f := range m.Facts {
		form := "0"
		if i == 0 {
			form = "1"
		}
		line(form, f.String())
	}
	if len(m.Others) > 0 {
		line("2", m.OthersTitle+":")
	}
	for _, text := range m.Others {
		line("0", text)
	}
	for _, text := range m.Advice {
		line("0", text)
	}
	if m.Link.URL != "" {
		line("0", m.Link.Text+": "+m.Link.URL)
	}
	for _, text := range m.Notes {
		line("2", text)
	}
	fmt.Fprintf(&b, "%s\n\n", paint(edge, "╰"+strings.Repeat("─", cardWidth-1)))
	return b.String()
}

// edge is the colour of the card's border: that of its icon.
func (m *Message) edge() string {
	switch m.Icon {
	case "🔴":
		return "31"
	case "🟠":
		return "33"
	case "✅", "🟢":
		return "32"
	}
	return "34"
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
