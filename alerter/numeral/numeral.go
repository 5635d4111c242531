// Package numeral writes numbers as the people of a language do: 1,073 and 4.5% in English, 1.073 and 4,5 % in Spanish.
package numeral

import (
	"math"
	"strconv"
	"strings"
)

// NoBreak is the blank that keeps a number and its sign or unit on one line.
const NoBreak = '\u00A0'

// none stands for what is not a number.
const none = "–"

// Format is how a language writes numbers. Use [For]; the zero Format runs all digits together.
type Format struct {
	group   string // between groups of three digits
	point   string // before the decimals
	percent string // after a share
}

// For is the Format of a language: "es" is Spanish, anything else English.
func For(language string) Format {
	if language == "es" {
		return Format{group: ".", point: ",", percent: string(NoBreak) + "%"}
	}
	return Format{group: ",", point: ".", percent: "%"}
}

// Decimal writes v rounded to at most so many decimals, without zeros at the end; -1 decimals are as many as v has.
func (f Format) Decimal(v float64, decimals int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return none
	}
	text := strconv.FormatFloat(math.Abs(v), 'f', decimals, 64)
	whole, fraction, _ := strings.Cut(text, ".")
	fraction = strings.TrimRight(fraction, "0")
	var b strings.Builder
	if v < 0 && strings.Trim(text, "0.") != "" {
		b.WriteString("−")
	}
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(f.group)
		}
		b.WriteRune(digit)
	}
	if fraction != "" {
		b.WriteString(f.point + fraction)
	}
	return b.String()
}

// Percent writes a share, where 1 is all, as people read it: whole, and with one decimal below ten.
func (f Format) Percent(share float64) string {
	decimals := 0
	if math.Abs(share) < 0.0995 {
		decimals = 1
	}
	return f.Decimal(share*100, decimals) + f.percent
}

// ExactPercent writes a share that somebody chose: to two decimals.
func (f Format) ExactPercent(share float64) string { return f.PercentTo(share, 2) }

// PercentTo writes a share to at most so many decimals, for one of which nothing should be rounded away that matters.
func (f Format) PercentTo(share float64, decimals int) string {
	return f.Decimal(share*100, decimals) + f.percent
}
