package rule

import (
	"strings"
	"text/template"

	"github.com/goccy/go-yaml/ast"
)

// build compiles the expressions and templates of an entry that was read. It reports what is wrong with them.
func (d *draft) build() {
	if d.disabled && d.nodes["expr"] == nil {
		return // dropping a rule takes its name only
	}
	if d.nodes["expr"] == nil {
		d.fail(d.at, "rule %s has no expr (an entry replaces a built-in rule of its name as a whole)", d.rule.Name)
	}
	d.condition()
	if clear, _, ok := d.expression("clear", d.rule.Clear, boolean); ok {
		d.rule.clear, d.rule.clearTrace = clear.truth, clear.trace
		if clear.reads == 0 {
			d.fail(d.nodes["clear"], "clear looks at no series: it is always the same")
		}
	}
	if value, _, ok := d.expression("value", d.rule.Value, number); ok {
		d.rule.value = value.number
		d.rule.valueIsShare = value.reads == readsShare
	}
	if len(d.problems) == d.refused {
		d.summaries()
	}
}

// condition compiles expr and takes the volume bound out of it.
func (d *draft) condition() {
	whole, parts, ok := d.expression("expr", d.rule.Expr, boolean)
	if !ok {
		return
	}
	d.rule.expr, d.rule.exprTrace = whole.truth, whole.trace
	if whole.reads == 0 {
		d.fail(d.nodes["expr"], "expr looks at no series: it is always the same")
	}
	if whole.reads&(readsShare|divides) != 0 && !whole.bounds {
		d.fail(d.nodes["expr"], "a rule on a share must bound the volume, or 1 of 2 calls would be 50 %%: "+
			"add a part like `&& total >= 50`")
	}
	var volume *compiled
	for _, part := range parts {
		if part.reads == 0 || part.reads&^(readsTotal|readsCount|divides) != 0 {
			continue
		}
		if volume == nil {
			volume = &part
		} else {
			both := and(*volume, part)
			volume = &both
		}
	}
	if volume != nil {
		d.rule.volume = volume.truth
	}
}

// expression compiles the expression under a key. It is not ok when there is none, or it is wrong.
func (d *draft) expression(key, source string, want kind) (whole compiled, parts []compiled, ok bool) {
	if source == "" {
		return compiled{}, nil, false
	}
	whole, parts, faults := compile(source, want)
	for _, f := range faults {
		line, column := d.within(d.nodes[key], source, f.offset)
		d.problem(line, column, "%s: %s%s", key, f.text, hintOf(d.nodes[key]))
	}
	return whole, parts, len(faults) == 0
}

// hintOf explains why YAML may have eaten a part of an expression.
func hintOf(n ast.Node) string {
	if _, tag := n.(*ast.TagNode); tag {
		return " (an expression that begins with ! needs quotes)"
	}
	return ""
}

// summaries compiles the templates in both languages and tries them on made-up windows.
func (d *draft) summaries() {
	d.rule.summaries = map[string]*template.Template{}
	for _, language := range []string{English, Spanish} {
		text := d.rule.Summaries.In(language)
		if text == "" {
			text = d.rule.defaultSummary()
		}
		t, err := parseSummary(d.rule.Name, text, language)
		if err == nil {
			err = try(t, d.rule, language)
		}
		if err != nil {
			d.fail(d.nodes["summary"], "summary: %s", strings.TrimPrefix(err.Error(), "template: "))
			return
		}
		d.rule.summaries[language] = t
	}
}

// try executes a summary with and without calls.
func try(t *template.Template, r *Rule, language string) error {
	busy := Window{known: true, total: 1073, counts: [...]int64{100, 3, 10, 476, 0, 484, 0}}
	for _, w := range []*Window{&busy, {known: true}, {}} {
		d := dataOf(r, language, "default", w)
		if r.value != nil {
			d.Value = 0.44 // what a summary shows is tried, not what the made-up windows make of the rule
		}
		if _, err := render(t, d); err != nil {
			return err
		}
	}
	return nil
}
