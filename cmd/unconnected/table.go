package main

import (
	"io"
	"strings"
	"unicode/utf8"
)

// columns is how wide output for people may be.
const columns = 100

// table is text in columns, two blanks apart.
type table struct {
	indent string
	right  []bool // which columns are aligned to the right; the others, to the left
	long   bool   // for programs: nothing is wrapped
	rows   [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// widths are the columns' own, in characters.
func (t *table) widths() []int {
	var widths []int
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	return widths
}

// write writes the rows. What does not fit behind the other columns of the last one is wrapped within it.
func (t *table) write(out io.Writer) error {
	widths := t.widths()
	var b strings.Builder
	for _, row := range t.rows {
		var line strings.Builder
		line.WriteString(t.indent)
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			switch {
			case i < len(t.right) && t.right[i]:
				line.WriteString(pad + cell)
			case i == len(widths)-1 && t.long:
				line.WriteString(cell)
			case i == len(widths)-1:
				at := utf8.RuneCountInString(line.String())
				line.WriteString(strings.Join(wrapped(cell, columns-at), "\n"+strings.Repeat(" ", at)))
			default:
				line.WriteString(cell + pad)
			}
			if i < len(row)-1 {
				line.WriteString("  ")
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// narrowest is what text is wrapped to at the least.
const narrowest = 24

// wrapped breaks a text at blanks into lines of so many characters; a word longer than a line is cut through.
func wrapped(text string, width int) (lines []string) {
	width = max(width, narrowest)
	rest := []rune(strings.Join(strings.Fields(text), " "))
	for len(rest) > width {
		at := width
		for at > 0 && rest[at] != ' ' {
			at--
		}
		if at == 0 {
			lines, rest = append(lines, string(rest[:width])), rest[width:]
			continue
		}
		lines, rest = append(lines, string(rest[:at])), rest[at+1:]
	}
	return append(lines, string(rest))
}

// fitted cuts a text that is longer than width characters.
func fitted(text string, width int) string {
	if runes := []rune(text); len(runes) > width {
		return string(runes[:max(0, width-1)]) + "…"
	}
	return text
}
