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
	if d.rule.Expr == "" && d.nodes["expr"] == nil {
		d.fail(d.at, "rule %s has no expr (only an entry with the name of a built-in rule can leave it out, next to `extend: builtin`)",
			d.rule.Name)
	}
	d.condition()
	if clear, ok := d.sideCondition("clear", d.rule.Clear); ok {
		d.rule.clear, d.rule.clearTrace = clear.truth, clear.trace
	}
	if atOnce, ok := d.sideCondition("at_once", d.rule.AtOnce); ok {
		d.rule.atOnce, d.rule.atOnceTrace = atOnce.truth, atOnce.trace
	}
	if value, _, ok := d.expression("value", d.rule.Value, number); ok {
		d.rule.value = value.number
		d.rule.valueIsShare = value.isShare()
	}
	if limit, _, ok := d.expression("threshold", d.rule.Limit, number); ok {
		d.rule.limit = limit.number
	}
	if d.rule.onTicks {
		d.ticks()
	}
	if d.unread == 0 && len(d.problems) == d.refused {
		d.summaries()
	}
}

// isShare tells whether the number is a share of calls, to be shown as a percentage.
func (p compiled) isShare() bool { return p.reads&^readsPast == readsShare }

// condition compiles expr and takes the volume bound out of it.
func (d *draft) condition() {
	whole, parts, ok := d.expression("expr", d.rule.Expr, boolean)
	if !ok {
		return
	}
	d.rule.expr, d.rule.exprTrace = whole.truth, whole.trace
	d.rule.onTicks = whole.reads&readsTick != 0
	d.oneKind("expr", whole)
	d.bounded("expr", whole)
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

// sideCondition compiles clear or at_once.
func (d *draft) sideCondition(key, source string) (compiled, bool) {
	part, _, ok := d.expression(key, source, boolean)
	if !ok {
		return part, false
	}
	d.oneKind(key, part)
	if key == "at_once" {
		d.bounded(key, part)
	}
	return part, true
}

// oneKind reports a condition that looks at nothing, or at windows in a rule on ticks, or the other way round.
func (d *draft) oneKind(key string, part compiled) {
	ticks := part.reads&readsTick != 0
	switch {
	case part.reads == 0:
		d.fail(d.node(key), "%s looks at no series: it is always the same", key)
	case ticks && part.reads != readsTick:
		d.fail(d.node(key), "%s mixes missing or status, which are looked at between windows, with what is in a window: "+
			"make two rules of it", key)
	case ticks != d.rule.onTicks:
		d.fail(d.node(key), "%s and expr must both look at windows, or both at missing and status", key)
	}
}

// bounded reports a condition on a share that holds of any number of calls.
func (d *draft) bounded(key string, part compiled) {
	if part.reads&(readsShare|divides) == 0 || part.bounds {
		return
	}
	d.fail(d.node(key), "a rule on a share must bound the volume, or 1 of 2 calls would be 50 %%: "+
		"add a part like `&& total >= 50`")
}

// ticks reports what a rule on ticks cannot have.
func (d *draft) ticks() {
	r := d.rule
	if r.For != (For{1, 1}) || r.Keep != 1 {
		d.fail(d.at, "a rule on missing or status fires and ends at once: leave out for and keep, which count windows")
	}
	if r.Value != "" || r.Limit != "" || r.Threshold != nil {
		d.fail(d.at, "a rule on missing or status has no value and no threshold: there is no window to take them from")
	}
}

// node is the value of a key, or the entry when it has not got the key itself but from the built-in rule.
func (d *draft) node(key string) ast.Node {
	if n := d.nodes[key]; n != nil {
		return n
	}
	return d.at
}

// expression compiles the expression under a key. It is not ok when there is none, or it is wrong.
func (d *draft) expression(key, source string, want kind) (whole compiled, parts []compiled, ok bool) {
	if source == "" {
		return compiled{}, nil, false
	}
	c := &compiler{source: []rune(source), constants: d.rule.Constants, needs: &d.rule.needs}
	whole, parts, faults := c.run(want)
	for _, f := range faults {
		line, column := d.within(d.node(key), source, f.offset)
		d.problem(line, column, "%s: %s%s", key, f.text, hintOf(d.node(key)))
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
			d.fail(d.node("summary"), "summary: %s", strings.TrimPrefix(err.Error(), "template: "))
			return
		}
		d.rule.summaries[language] = t
	}
}

// try executes a summary with and without calls, and with and without knowing what is usual.
func try(t *template.Template, r *Rule, language string) error {
	busy := Window{known: true, total: 1073, counts: [...]int64{100, 3, 10, 476, 0, 484, 0}}
	for _, w := range []*Window{&busy, {known: true}, {}, {tick: &Tick{Missing: True}}} {
		for _, usual := range []bool{false, true} {
			d := dataOf(r, language, "default", w)
			if r.value != nil {
				d.Value = 0.44 // what a summary shows is tried, not what the made-up windows make of the rule
			}
			if usual {
				d.Usual, d.HasUsual, d.Expected = 0.13, true, 2000
				d.Threshold, d.HasThreshold = 0.23, r.Threshold != nil || r.limit != nil
			}
			if !usual && r.needs.volume {
				continue // only what is expected lets such a rule fire
			}
			if _, err := render(t, d); err != nil {
				return err
			}
		}
	}
	return nil
}
