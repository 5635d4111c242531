package rule

import (
	"maps"
	"math"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"unconnected/events"
	"unconnected/internal/spelling"
)

// maxSpan bounds for and keep: how many windows of the past must be remembered for a rule.
const maxSpan = 1000

// draft is one entry of a rules file while it is read.
type draft struct {
	*reader
	rule     *Rule
	at       ast.Node            // where to report what the entry lacks
	nodes    map[string]ast.Node // the values by key, for problems that show later
	disabled bool
	unread   int // how many problems reading the entry had
	refused  int // how many problems the file had before the entry was built
}

// keys are the keys of a rule, each with the function that reads its value.
var keys = map[string]func(*draft, ast.Node){
	"alert":      (*draft).alert,
	"title":      func(d *draft, n ast.Node) { d.rule.Titles = d.bilingual(n, "title") },
	"expr":       func(d *draft, n ast.Node) { d.rule.Expr, _ = d.text(n, "expr") },
	"at_once":    func(d *draft, n ast.Node) { d.rule.AtOnce, _ = d.text(n, "at_once") },
	"constants":  (*draft).constants,
	"clear":      func(d *draft, n ast.Node) { d.rule.Clear, _ = d.text(n, "clear") },
	"for":        (*draft).forWindows,
	"keep":       (*draft).keep,
	"severity":   (*draft).severity,
	"value":      func(d *draft, n ast.Node) { d.rule.Value, _ = d.text(n, "value") },
	"threshold":  (*draft).threshold,
	"operations": (*draft).operations,
	"channel":    (*draft).channel,
	"mention":    (*draft).mention,
	"hours":      (*draft).hours,
	"summary":    func(d *draft, n ast.Node) { d.rule.Summaries = d.bilingual(n, "summary") },
	"runbook":    (*draft).runbook,
	"labels":     (*draft).labels,
	"disabled":   (*draft).disable,
}

// entry reads one rule. It is nil when the entry does not even have a name.
func (r *reader) entry(n ast.Node) *draft {
	fields, ok := r.mapping(n, "a rule")
	if !ok {
		return nil
	}
	d := &draft{
		reader: r, at: n, nodes: map[string]ast.Node{},
		rule: &Rule{
			For: For{1, 1}, Keep: 1, Severity: events.Warning, Labels: map[string]string{}, Constants: map[string]float64{},
			File: r.file, Line: position(n).Line,
		},
	}
	before := len(r.problems)
	for _, f := range fields {
		read, known := keys[f.key]
		if !known {
			r.fail(f.at, "unknown key %q%s", f.key, spelling.DidYouMean(f.key, slices.Sorted(maps.Keys(keys))))
			continue
		}
		d.nodes[f.key] = f.value
		read(d, f.value)
	}
	if d.nodes["alert"] == nil {
		r.fail(n, "the rule has no name: give it `alert`")
	}
	d.unread = len(r.problems) - before
	if d.rule.Name == "" {
		return nil
	}
	return d
}

func (d *draft) alert(n ast.Node) {
	name, ok := d.text(n, "alert")
	if ok && !events.ValidRule(name) {
		d.fail(n, "%q cannot name a rule: names are [A-Za-z][A-Za-z0-9_-]*, at most 128 characters", name)
		return
	}
	d.rule.Name = name
}

// bilingual reads a text for both languages, or {en: …, es: …}.
func (d *draft) bilingual(n ast.Node, what string) (t Text) {
	if _, ok := d.resolve(n).(ast.MapNode); !ok {
		t.English, _ = d.text(n, what)
		return t
	}
	fields, _ := d.mapping(n, what)
	for _, f := range fields {
		switch f.key {
		case English:
			t.English, _ = d.text(f.value, what)
		case Spanish:
			t.Spanish, _ = d.text(f.value, what)
		default:
			d.fail(f.at, "unknown language %q; %s can be given in en and es", f.key, what)
		}
	}
	if len(fields) == 0 {
		d.fail(n, "%s is empty", what)
	}
	return t
}

var nOfM = regexp.MustCompile(`^(\d{1,5})\s+of\s+(\d{1,5})$`)

func (d *draft) forWindows(n ast.Node) {
	text, ok := d.text(n, "for")
	if !ok {
		return
	}
	text = strings.TrimSpace(text)
	if m := nOfM.FindStringSubmatch(text); m != nil {
		d.rule.For.N, _ = strconv.Atoi(m[1])
		d.rule.For.M, _ = strconv.Atoi(m[2])
	} else if count, err := strconv.Atoi(text); err == nil {
		d.rule.For = For{count, count}
	} else {
		d.fail(n, `for is a number of windows: 2, or "2 of 3"`)
		return
	}
	switch f := d.rule.For; {
	case f.N < 1:
		d.fail(n, "for must be at least 1")
	case f.N > f.M:
		d.fail(n, "for cannot be %d of %d windows", f.N, f.M)
	case f.M > maxSpan:
		d.fail(n, "for looks at %d windows at most", maxSpan)
	}
}

func (d *draft) keep(n ast.Node) {
	text, ok := d.text(n, "keep")
	if !ok {
		return
	}
	count, err := strconv.Atoi(text)
	if err != nil || count < 1 || count > maxSpan {
		d.fail(n, "keep is a number of windows from 1 to %d", maxSpan)
		return
	}
	d.rule.Keep = count
}

func (d *draft) severity(n ast.Node) {
	text, ok := d.text(n, "severity")
	if ok && events.SeverityRank(text) < 0 {
		d.fail(n, "severity %q is none of info, warning, critical", text)
		return
	}
	d.rule.Severity = text
}

func (d *draft) threshold(n ast.Node) {
	text, ok := d.text(n, "threshold")
	if !ok {
		return
	}
	v, err := parseNumber(text)
	switch {
	case err == nil:
		d.rule.Threshold = &v
	case strings.ContainsAny(text, "(+-*/") || constantName.MatchString(text):
		d.rule.Limit = text
	default:
		d.fail(n, `threshold must be a number, 0.20, or an expression, baseline("share.congestion") + 0.10`)
	}
}

func parseNumber(text string) (float64, error) {
	v, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
	if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
		err = strconv.ErrRange
	}
	return v, err
}

var constantName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// constants reads the numbers that the rule's expressions call by name.
func (d *draft) constants(n ast.Node) {
	fields, _ := d.mapping(n, "constants")
	for _, f := range fields {
		text, ok := d.text(f.value, "constant "+f.key)
		v, err := parseNumber(text)
		switch {
		case !ok:
		case !constantName.MatchString(f.key) || isFunction(f.key) || slices.Contains(reserved, f.key):
			d.fail(f.at, "%q cannot name a constant: names are [a-z][a-z0-9_]*, but not the words of the language", f.key)
		case err != nil:
			d.fail(f.value, "constant %s must be a number", f.key)
		default:
			d.rule.Constants[f.key] = v
		}
	}
}

// reserved are the words of the language that are no functions.
var reserved = []string{"total", "count", "share", "and", "or", "not", "in", "let", "true", "false", "nil", "matches", "contains", "if", "else"}

func (d *draft) operations(n ast.Node) {
	patterns, ok := d.texts(n, "operations")
	if !ok {
		return
	}
	if len(patterns) == 0 {
		d.fail(n, "operations is empty: the rule would never apply; leave it out for all, or use `disabled: true`")
	}
	for _, pattern := range patterns {
		example := strings.NewReplacer("*", "x", "?", "x").Replace(pattern)
		if _, err := path.Match(pattern, ""); err != nil || !events.ValidOperation(example) {
			d.fail(n, "%q cannot match an operation: names are [a-z0-9][a-z0-9_-]{0,62}, * and ? are wildcards", pattern)
		}
	}
	d.rule.Operations = patterns
}

func (d *draft) channel(n ast.Node) {
	text, ok := d.text(n, "channel")
	if ok && strings.ContainsAny(text, " \t\r\n<>,") {
		d.fail(n, `%q is not a channel; write "#noc" or its id`, text)
	}
	d.rule.Channel = text
}

func (d *draft) mention(n ast.Node) {
	whom, _ := d.texts(n, "mention")
	for _, who := range whom {
		if strings.ContainsAny(who, " \t\r\n<>,") {
			d.fail(n, `%q cannot be mentioned; write "@here", or the id of a user or group`, who)
		}
	}
	d.rule.Mention = whom
}

func (d *draft) hours(n ast.Node) {
	text, ok := d.text(n, "hours")
	if !ok {
		return
	}
	open, err := parseHours(text)
	if err != nil {
		d.fail(n, "hours: %v", err)
	}
	d.rule.Hours, d.rule.open = text, open
}

func (d *draft) runbook(n ast.Node) {
	text, ok := d.text(n, "runbook")
	if !ok {
		return
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		d.fail(n, "runbook must be a URL that begins with http:// or https://")
	}
	d.rule.Runbook = text
}

var labelName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,127}$`)

func (d *draft) labels(n ast.Node) {
	fields, _ := d.mapping(n, "labels")
	for _, f := range fields {
		if !labelName.MatchString(f.key) {
			d.fail(f.at, "%q cannot name a label: names are [A-Za-z_][A-Za-z0-9_.-]*", f.key)
		}
		d.rule.Labels[f.key], _ = d.text(f.value, "label "+f.key)
	}
}

func (d *draft) disable(n ast.Node) {
	b, ok := d.resolve(n).(*ast.BoolNode)
	if !ok {
		d.fail(n, "disabled must be true or false")
		return
	}
	d.disabled = b.Value
}
