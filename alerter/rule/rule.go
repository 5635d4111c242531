package rule

import (
	"cmp"
	"math"
	"path"
	"slices"
	"strings"
	"text/template"
	"time"
)

// For says how often a rule must hold before it fires: in N of the last M windows. N is at least 1, M at least N.
type For struct {
	N int `json:"n"`
	M int `json:"m"`
}

// Rule is one alerting rule, compiled. Rules are made by [Load], [Parse] and [Builtin]; treat their fields as read-only.
// All methods may be called concurrently.
type Rule struct {
	Name       string            `json:"alert"`
	Titles     Text              `json:"title"`     // see Title
	Expr       string            `json:"expr"`      // the condition as it was written
	Clear      string            `json:"clear"`     // empty: the expression no longer holds
	AtOnce     string            `json:"at_once"`   // a condition that needs no second window; empty when there is none
	Value      string            `json:"value"`     // the number that people are shown; empty when there is none
	Threshold  *float64          `json:"threshold"` // what people compare the value with; nil when there is none, or it moves
	Limit      string            `json:"limit"`     // a threshold that moves, as an expression, see ThresholdIn; empty otherwise
	For        For               `json:"for"`
	Keep       int               `json:"keep"` // quiet windows in a row before the alert resolves, at least 1
	Severity   string            `json:"severity"`
	Operations []string          `json:"operations"` // names, with * and ? as wildcards; empty means all
	Channel    string            `json:"channel"`    // of Slack; empty means the default one
	Mention    []string          `json:"mention"`    // nil means the default; empty, but not nil, nobody
	Hours      string            `json:"hours"`      // as they were written; empty means always
	Summaries  Text              `json:"summary"`    // templates; empty means one made from title, value and threshold
	Runbook    string            `json:"runbook"`    // a URL, or empty
	Labels     map[string]string `json:"labels"`     // never nil
	// Constants are the numbers that the expressions of the rule call by name.
	Constants map[string]float64 `json:"constants"`

	File string `json:"-"` // where the rule was defined
	Line int    `json:"-"`

	expr, clear, volume, atOnce func(*Window) Tri // all but expr may be nil
	value, limit                func(*Window) float64
	exprTrace, clearTrace       []tracePart
	atOnceTrace                 []tracePart
	valueIsShare, onTicks       bool
	needs                       needs
	open                        hours
	holidays                    map[int]bool // of the set, shared by its rules
	summaries                   map[string]*template.Template
}

// Verdict is what a rule makes of one window.
type Verdict struct {
	Expr  Tri // whether the condition holds
	Clear Tri // whether the condition for clearing holds
	// AtOnce is whether the condition holds that fires without waiting for another window; False for a rule without one.
	AtOnce Tri
	// Volume is whether the parts of Expr that look only at calls hold: False is a window with too few calls to judge.
	// It is True for a rule without such parts.
	Volume Tri
	Value  float64 // NaN when unknown, or the rule has none; never infinite
}

// Quiet tells whether the window counts towards resolving the alert.
func (v Verdict) Quiet() bool { return v.Clear == True && v.Expr != True && v.AtOnce != True }

// Held tells whether the window counts towards firing.
func (v Verdict) Held() bool { return v.Expr == True || v.AtOnce == True }

// OnTicks tells whether the rule looks at the state of things between windows (missing, status) and not at windows: it is
// judged at ticks only, see [ObserveTick].
func (r *Rule) OnTicks() bool { return r.onTicks }

// ComparesWithUsual tells whether the rule compares a share with what is usual for the operation.
func (r *Rule) ComparesWithUsual() bool { return len(r.needs.shares) > 0 }

// Eval judges a window. What the rule makes of the past needs [Window.Behind].
func (r *Rule) Eval(w *Window) Verdict {
	v := Verdict{Expr: r.expr(w), Volume: True, AtOnce: False, Value: r.valueOf(w)}
	if r.atOnce != nil {
		v.AtOnce = r.atOnce(w)
	}
	if v.Clear = -v.Expr; r.clear != nil {
		v.Clear = r.clear(w)
	}
	if r.volume != nil {
		v.Volume = r.volume(w)
	}
	return v
}

func (r *Rule) valueOf(w *Window) float64 {
	if r.value == nil {
		return unknown
	}
	return r.value(w)
}

// ThresholdIn is what the value of a window is compared with: Threshold, or what Limit is there. It is nil when that is
// unknown, or there is none.
func (r *Rule) ThresholdIn(w *Window) *float64 {
	if r.limit == nil {
		return r.Threshold
	}
	v := r.limit(w)
	if v != v { // NaN
		return nil
	}
	if math.Abs(v) < 1e12 {
		v = math.Round(v*1000) / 1000 // a tenth of a percent: it is for people
	}
	return &v
}

// ValueIsShare tells whether the rule's value is a share, to be shown as a percentage.
func (r *Rule) ValueIsShare() bool { return r.valueIsShare }

// Title is what people call the rule: in a language, "en" or "es", its title or else its name.
func (r *Rule) Title(language string) string { return cmp.Or(r.Titles.In(language), r.Name) }

// AppliesTo tells whether the rule judges an operation.
func (r *Rule) AppliesTo(operation string) bool {
	return len(r.Operations) == 0 || slices.ContainsFunc(r.Operations, func(pattern string) bool {
		match, _ := path.Match(pattern, operation) // loading has refused malformed patterns
		return match
	})
}

// InHours tells whether the rule applies to a window that begins at t: within its hours, and on no holiday, in the zone
// of loc.
func (r *Rule) InHours(t time.Time, loc *time.Location) bool { return r.InLocalHours(LocalOf(t, loc)) }

// InLocalHours is InHours for a time that was converted before.
func (r *Rule) InLocalHours(t Local) bool { return r.open.contains(t.minute) && !r.holidays[t.date] }

// HasHours tells whether InHours is ever false.
func (r *Rule) HasHours() bool { return r.open != nil || len(r.holidays) > 0 }

// Summary says in a language, "en" or "es", what the rule sees in a window of an operation. Where the rule has a value
// that the window does not have, it says why instead. It is text for people, not markup.
func (r *Rule) Summary(language, operation string, w *Window) string {
	if language != Spanish {
		language = English
	}
	d := dataOf(r, language, operation, w)
	if r.value != nil && d.Value != d.Value { // NaN
		return d.Title + ": " + absent(d, language)
	}
	text, err := render(r.summaries[language], d)
	if err != nil {
		// Loading has tried the template, so this takes one that fails on certain numbers only.
		return d.Title
	}
	return text
}

func render(t *template.Template, d Data) (string, error) {
	var b strings.Builder
	if err := t.Execute(&b, d); err != nil {
		return "", err
	}
	return strings.TrimSpace(b.String()), nil
}

// defaultSummary is the template of a rule that has none.
func (r *Rule) defaultSummary() string {
	format := "number"
	if r.valueIsShare {
		format = "percent"
	}
	switch {
	case r.value == nil:
		return "{{.Title}}"
	case r.Threshold == nil && r.limit == nil:
		return "{{.Title}}: {{" + format + " .Value}}"
	case r.Threshold == nil:
		return "{{.Title}}: {{" + format + " .Value}}{{if .HasThreshold}} ({{" + format + " .Threshold}}){{end}}"
	}
	return "{{.Title}}: {{" + format + " .Value}} ({{" + format + " .Threshold}})"
}
