package rule

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strings"
	"text/template"

	"unconnected/alerter/numeral"
)

// The languages of texts.
const (
	English = "en"
	Spanish = "es"
)

// Text is something that people read, in one or both languages.
type Text struct {
	English string `json:"en,omitempty"`
	Spanish string `json:"es,omitempty"`
}

// In is the text in a language; in the other one when it was not given in this. Languages but Spanish count as English.
func (t Text) In(language string) string {
	if language == Spanish {
		return cmp.Or(t.Spanish, t.English)
	}
	return cmp.Or(t.English, t.Spanish)
}

// Data is what a summary can show: {{.Operation}}, {{percent .Value}}, {{number .Count.congestion}} of {{.Total}}.
type Data struct {
	Operation string
	Rule      string
	Title     string
	Severity  string
	Value     float64 // of the rule's value in the window; NaN when unknown or the rule has none
	Threshold float64 // NaN when the rule has none
	Known     bool    // whether the window's calls are known

	HasThreshold bool               // whether Threshold is a number
	Usual        float64            // the usual share of the first series that the rule compares with it; NaN when there is none
	HasUsual     bool               // whether Usual is a number
	Learning     bool               // whether what is usual is still being learnt
	Expected     float64            // how many calls the window usually has; NaN when unknown, or the rule does not ask
	Unlisted     string             // the results with calls that nobody listed, separated by commas
	Status       Status             // of the producer, for a rule on missing or status
	Total        int64              // unconnected calls in the window
	Count        map[string]int64   // the same per result; a result that is not there is 0
	Share        map[string]float64 // Count / Total; empty when there were no calls
}

// dataOf is what a summary of r in a language shows of a window.
func dataOf(r *Rule, language, operation string, w *Window) Data {
	d := Data{
		Operation: operation, Rule: r.Name, Title: r.Title(language), Severity: r.Severity,
		Value: r.valueOf(w), Threshold: unknown, Known: w.known, Total: w.total, Count: w.Counts(),
		Usual: unknown, Expected: unknown, Learning: w.past.Learning(),
	}
	if threshold := r.ThresholdIn(w); threshold != nil {
		d.Threshold, d.HasThreshold = *threshold, true
	}
	if share, ok := w.past.Usual(); ok {
		d.Usual, d.HasUsual = share, true
	}
	if r.needs.volume {
		d.Expected = w.expected()
	}
	d.Unlisted = strings.Join(w.unlistedNames(), ", ")
	if w.tick != nil {
		d.Status = w.tick.Status
	}
	d.Share = make(map[string]float64, len(d.Count))
	for result, n := range d.Count {
		if d.Total > 0 {
			d.Share[result] = float64(n) / float64(d.Total)
		}
	}
	return d
}

// parseSummary compiles a summary for a language. Its functions are percent and number.
func parseSummary(name, text, language string) (*template.Template, error) {
	functions := template.FuncMap{
		"percent": func(v float64) (string, error) { return percent(v, language) },
		"number":  func(v any) (string, error) { return readable(v, language) },
	}
	return template.New(name).Option("missingkey=zero").Funcs(functions).Parse(text)
}

// errNoNumber stops a template that shows a value which its rule does not have.
var errNoNumber = errors.New("there is no number to show: the rule needs `value` (or `threshold`)")

// percent writes a share: 0.44 is "44%", 0.045 is "4.5%", in Spanish "44 %" and "4,5 %". Its blank is an ordinary one, because
// tests of rules compare summaries with what somebody typed.
func percent(v float64, language string) (string, error) {
	if math.IsNaN(v) {
		return "", errNoNumber
	}
	return strings.ReplaceAll(numeral.For(language).Percent(v), string(numeral.NoBreak), " "), nil
}

// readable writes a number with separators: 1073 is "1,073", in Spanish "1.073"; at most two decimals.
func readable(v any, language string) (string, error) {
	switch v := v.(type) {
	case int64:
		return numeral.For(language).Decimal(float64(v), 0), nil
	case int:
		return numeral.For(language).Decimal(float64(v), 0), nil
	case float64:
		if math.IsNaN(v) {
			return "", errNoNumber
		}
		return numeral.For(language).Decimal(v, 2), nil
	}
	return "", fmt.Errorf("number needs a number, not %T", v)
}

// absent is what a summary says instead of a value that the window does not have.
func absent(d Data, language string) string {
	switch {
	case language == Spanish && !d.Known:
		return "sin datos de esta ventana"
	case language == Spanish:
		return "ninguna llamada no conectada en esta ventana"
	case !d.Known:
		return "no data for this window"
	}
	return "no unconnected calls in this window"
}
