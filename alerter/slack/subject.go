package slack

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"unconnected/events"
)

// Rule is how a rule presents itself to people. The zero Rule is fine: what it does not say is guessed from the event.
type Rule struct {
	Title   map[string]string // :: language → what people read
	Results []string          // the results whose counts make up the value: congestion; nil for a value of another kind
	Share   bool              // value and threshold are shares of the unconnected calls, between 0 and 1
	NoData  bool              // the rule watches that data arrives
	Mention []string          // who is called when the rule's alert opens or gets worse; nil for the Composer's, when critical
	Runbook string            // an address; "" for none
}

// subject is what an alert is about.
type subject struct {
	words   *words
	title   string   // "Congestion"
	results []string // the results counted; nil when unknown
	share   bool
	noData  bool
	runbook string
}

func (d *draft) subject(a *events.Alert) subject {
	rule := d.Rules[a.Rule]
	s := subject{words: d.words, results: rule.Results, share: rule.Share, noData: rule.NoData, runbook: rule.Runbook}
	if len(s.results) == 0 && !s.noData {
		s.results = d.guess(a.Rule)
		s.share = s.share || s.results != nil
	}
	s.title = rule.titleIn(d.Language, a.Rule, s.results, d.words)
	return s
}

// titleIn is what people call the rule of that name: its own title, that of its only result, or its name in words.
func (r Rule) titleIn(language, name string, results []string, w *words) string {
	for _, language := range []string{language, "en", "es"} {
		if title := r.Title[language]; title != "" {
			return title
		}
	}
	if len(results) == 1 {
		return w.result(results[0])
	}
	return inWords(name)
}

// guess finds the results that a rule is about from what it has said in this incident.
func (d *draft) guess(rule string) []string {
	for _, t := range d.inc.Transitions {
		if t.Alert.Rule != rule {
			continue
		}
		if results := guessResults(&t.Alert); results != nil {
			return results
		}
	}
	return nil
}

// guessResults finds the results whose share the value is: one alone, or the two of the network side together. Where
// several fit, the rule's name has to tell.
func guessResults(a *events.Alert) []string {
	o := a.Observed
	if o == nil || o.Total == 0 || a.Value == nil || *a.Value == 0 {
		return nil
	}
	fits := func(n int64) bool { return math.Abs(float64(n)/float64(o.Total)-*a.Value) < 1e-6 }
	var found []string
	for _, result := range slices.Sorted(maps.Keys(o.Counts)) {
		if fits(o.Counts[result]) {
			found = append(found, result)
		}
	}
	switch {
	case len(found) == 1:
		return found
	case len(found) == 0 && fits(o.Counts[events.Congestion]+o.Counts[events.ChanUnavail]):
		return []string{events.Congestion, events.ChanUnavail}
	}
	name := strings.ToLower(a.Rule)
	for _, result := range found {
		if strings.Contains(name, strings.ReplaceAll(result, "_", "")) {
			return []string{result}
		}
	}
	return nil
}

// series matches the results that an expression reads: share.congestion, count["new_result"].
var series = regexp.MustCompile(`\b(?:share|count)(?:\.([a-z0-9_]+)|\[\s*["']([a-z0-9_]+)["']\s*\])`)

// ResultsOf are the results that the value of a rule is made of, in the order of its expression: for [Rule.Results].
func ResultsOf(expression string) []string {
	var results []string
	for _, m := range series.FindAllStringSubmatch(expression, -1) {
		if result := m[1] + m[2]; !slices.Contains(results, result) {
			results = append(results, result)
		}
	}
	return results
}

// evidence is the value and what it was counted from: 44% | congestion (476 of 1,073 unconnected calls).
func (s subject) evidence(a *events.Alert) Fact {
	if a.Value == nil {
		return Fact{}
	}
	if !s.share {
		return Fact{Strong: s.value(*a.Value), Text: " " + lowerFirst(s.title)}
	}
	label := fmt.Sprintf(s.words.part, s.label())
	if n, ok := s.counted(a); ok {
		label += " " + s.count(n, a.Observed.Total)
	}
	return Fact{Strong: s.value(*a.Value), Text: " " + label}
}

// label names what the share is of: congestion; congestion + channel unavailable.
func (s subject) label() string {
	if len(s.results) == 0 {
		return lowerFirst(s.title)
	}
	labels := make([]string, len(s.results))
	for i, result := range s.results {
		labels[i] = lowerFirst(s.words.result(result))
	}
	return strings.Join(labels, " + ")
}

// count is (476 of 1,073 unconnected calls).
func (s subject) count(n, total int64) string {
	return "(" + fmt.Sprintf(s.words.of, s.words.Decimal(float64(n), 0), s.words.Decimal(float64(total), 0)) + ")"
}

// saidBy tells whether the event's summary says no more than the evidence does: it is empty, it is the one of a rule that
// has none of its own, or it gives the same count.
func (s subject) saidBy(a *events.Alert) bool {
	switch {
	case a.Summary == "":
		return true
	case a.Value == nil:
		return false
	case strings.HasPrefix(a.Summary, s.title+": "):
		return true
	}
	n, ok := s.counted(a)
	return ok && (s.counts(a, n) || len(s.results) > 1 && !slices.ContainsFunc(s.results, func(result string) bool {
		return !strings.Contains(a.Summary, s.words.Decimal(float64(a.Observed.Counts[result]), 0))
	}))
}

// counts tells whether the summary gives the count, in whichever language it is.
func (s subject) counts(a *events.Alert, n int64) bool {
	return slices.ContainsFunc([]*words{&english, &spanish}, func(w *words) bool {
		return strings.Contains(a.Summary, subject{words: w}.count(n, a.Observed.Total))
	})
}

// parts are the counts behind a value of several results: congestion 300 · channel unavailable 260.
func (s subject) parts(a *events.Alert) string {
	if _, ok := s.counted(a); !ok || len(s.results) < 2 {
		return ""
	}
	parts := make([]string, len(s.results))
	for i, result := range s.results {
		parts[i] = s.words.result(result) + " " + s.words.Decimal(float64(a.Observed.Counts[result]), 0)
	}
	return joined(parts...)
}

// counted is how many calls make up the value; ok is false when the value comes from more than this window.
func (s subject) counted(a *events.Alert) (n int64, ok bool) {
	if a.Observed == nil || a.Observed.Total == 0 || len(s.results) == 0 {
		return 0, false
	}
	for _, result := range s.results {
		n += a.Observed.Counts[result]
	}
	return n, math.Abs(float64(n)/float64(a.Observed.Total)-*a.Value) < 0.005
}

func (s subject) value(v float64) string {
	if s.share {
		return s.words.Percent(v)
	}
	return s.words.Decimal(v, 2)
}

// compared is what the value is held against: what is usual, if the rule looks at that, and the threshold.
func (s subject) compared(a *events.Alert) string {
	usual, learning, decimals := "", "", 2
	switch {
	case !s.share || a.Observed == nil:
	case a.Observed.Usual != nil:
		usual = fmt.Sprintf(s.words.usual, s.words.Percent(*a.Observed.Usual))
		decimals = 1 // the threshold was computed from it
	case a.Observed.Learning:
		learning = s.words.learning
	}
	switch {
	case a.Threshold == nil:
		return usual + learning
	case s.share:
		return usual + fmt.Sprintf(s.words.threshold, s.words.PercentTo(*a.Threshold, decimals)) + learning
	}
	return fmt.Sprintf(s.words.threshold, s.words.Decimal(*a.Threshold, 4))
}

// named is the title with the value: Congestion 44%.
func (s subject) named(a *events.Alert) string {
	if a.Value == nil {
		return s.title
	}
	return s.title + " " + s.value(*a.Value)
}

// advice says which side it is on and what to check first.
func (s subject) advice() []string {
	w := s.words
	switch {
	case s.noData:
		return []string{fmt.Sprintf(w.checkFirst, w.noData)}
	case len(s.results) == 0:
		return nil
	}
	var lines []string
	hint, documented := w.hints[s.results[0]]
	switch {
	case !documented:
		hint = w.otherHint
	case networkSide(s.results):
		lines = append(lines, w.networkSide)
	default:
		lines = append(lines, w.customerSide)
	}
	return append(lines, fmt.Sprintf(w.checkFirst, hint), w.where)
}

// networkSide tells whether the calls failed before they reached a customer.
func networkSide(results []string) bool {
	return !slices.ContainsFunc(results, func(r string) bool { return r != events.Congestion && r != events.ChanUnavail })
}

// result is what people call a result; one that nobody listed keeps its own name.
func (w *words) result(name string) string {
	if title := w.results[name]; title != "" {
		return title
	}
	if rest, ok := strings.CutPrefix(name, "r_"); ok && rest != "" && rest[0] >= '0' && rest[0] <= '9' {
		name = rest // the letter only keeps names from beginning with a digit
	}
	return upperFirst(strings.ReplaceAll(name, "_", " "))
}

// inWords makes a name readable: CongestionSpike is "Congestion spike".
func inWords(name string) string {
	var b strings.Builder
	for i, r := range name {
		switch {
		case r == '_' || r == '-':
			r = ' '
		case i > 0 && unicode.IsUpper(r):
			b.WriteByte(' ')
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// lowerFirst begins s with a small letter, unless it begins with an abbreviation.
func lowerFirst(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if second, _ := utf8.DecodeRuneInString(s[size:]); unicode.IsUpper(second) {
		return s
	}
	return string(unicode.ToLower(first)) + s[size:]
}

func upperFirst(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(first)) + s[size:]
}
