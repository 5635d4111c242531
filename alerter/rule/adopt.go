package rule

import (
	"maps"
	"slices"

	"unconnected/internal/spelling"
)

// adopt takes over from a built-in rule what the entry does not say itself: thresholds can be adjusted, a channel given,
// without copying the rule.
func (d *draft) adopt(base *Rule) {
	for key, take := range map[string]func(r *Rule){
		"title":      func(r *Rule) { r.Titles = base.Titles },
		"expr":       func(r *Rule) { r.Expr = base.Expr },
		"clear":      func(r *Rule) { r.Clear = base.Clear },
		"at_once":    func(r *Rule) { r.AtOnce = base.AtOnce },
		"value":      func(r *Rule) { r.Value = base.Value },
		"threshold":  func(r *Rule) { r.Threshold, r.Limit = base.Threshold, base.Limit },
		"for":        func(r *Rule) { r.For = base.For },
		"keep":       func(r *Rule) { r.Keep = base.Keep },
		"severity":   func(r *Rule) { r.Severity = base.Severity },
		"operations": func(r *Rule) { r.Operations = base.Operations },
		"channel":    func(r *Rule) { r.Channel = base.Channel },
		"mention":    func(r *Rule) { r.Mention = base.Mention },
		"hours":      func(r *Rule) { r.Hours, r.open = base.Hours, base.open },
		"summary":    func(r *Rule) { r.Summaries = base.Summaries },
		"runbook":    func(r *Rule) { r.Runbook = base.Runbook },
		"labels":     func(r *Rule) { r.Labels = base.Labels },
	} {
		if d.nodes[key] == nil {
			take(d.rule)
		}
	}
	d.adoptConstants(base)
}

// adoptConstants completes the constants. Others than the rule knows would change nothing.
func (d *draft) adoptConstants(base *Rule) {
	for _, name := range slices.Sorted(maps.Keys(d.rule.Constants)) {
		if _, known := base.Constants[name]; !known {
			names := slices.Sorted(maps.Keys(base.Constants))
			d.fail(d.nodes["constants"], "rule %s has no constant %s%s; it has %v", base.Name, name, spelling.DidYouMean(name, names), names)
		}
	}
	for name, v := range base.Constants {
		if _, given := d.rule.Constants[name]; !given {
			d.rule.Constants[name] = v
		}
	}
}
