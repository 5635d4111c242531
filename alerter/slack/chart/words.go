package chart

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Words are the texts of a picture in the reader's language. A field that is not set is English. The functions must be
// pure; those of one Chart may be called by several goroutines at once.
type Words struct {
	Result  func(name string) string        // what people call a result; "No answer"
	Percent func(share float64) string      // of a share between 0 and 1: "20%"
	Number  func(calls float64) string      // "1,073"
	Date    func(midnight time.Time) string // a day, in the Chart's zone: "22 Nov"

	Share     string // over the stack of shares: "Share of unconnected calls"
	Volume    string // over the calls: "Unconnected calls in 5 min", for a window as long as the framed one
	Threshold string // before its value: "threshold"
	Usual     string // before its value: "usual"
	Other     string // the results that have no colour of their own: "other"
	NoData    string // "no data"
	NoCalls   string // "no calls"
	Incident  string // "incident"
}

// english says what w leaves unsaid.
func (w Words) english() Words {
	if w.Result == nil {
		w.Result = func(name string) string { return strings.ReplaceAll(name, "_", " ") }
	}
	if w.Percent == nil {
		w.Percent = func(share float64) string {
			return strconv.FormatFloat(math.Round(share*10_000)/100, 'f', -1, 64) + "%"
		}
	}
	if w.Number == nil {
		w.Number = func(calls float64) string { return strconv.FormatFloat(calls, 'f', -1, 64) }
	}
	if w.Date == nil {
		w.Date = func(midnight time.Time) string { return midnight.Format("2 Jan") }
	}
	for text, missing := range map[*string]string{
		&w.Share: "Share of unconnected calls", &w.Volume: "Unconnected calls", &w.Threshold: "threshold", &w.Usual: "usual",
		&w.Other: "other", &w.NoData: "no data", &w.NoCalls: "no calls", &w.Incident: "incident",
	} {
		if *text == "" {
			*text = missing
		}
	}
	return w
}

// longestText is more runes than any line can show.
const longestText = 200

// clean makes one line of any text: composed, without control characters, marks on their own and runs of spaces. A text
// of which nothing is left is a question mark.
func clean(text string) string {
	if cut := []rune(text[:min(len(text), 4*longestText)]); len(cut) > longestText {
		text = string(cut[:longestText])
	} else {
		text = string(cut)
	}
	var b strings.Builder
	for _, r := range norm.NFC.String(text) {
		switch {
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case unicode.IsGraphic(r) && !unicode.Is(unicode.M, r):
			b.WriteRune(r)
		}
	}
	if line := strings.Join(strings.Fields(b.String()), " "); line != "" {
		return line
	}
	return "?"
}
