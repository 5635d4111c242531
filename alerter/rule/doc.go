// Package rule reads alerting rules from YAML, compiles their expressions and judges windows with them.
//
// A [Set] comes from [Load], [Parse] or [Builtin] and never changes afterwards: all its methods, and those of its rules,
// may be called by several goroutines at once. Everything that can be wrong with a rules file is found while loading it
// and told at once, with file, line and column, as [Problems].
//
//	rules, err := rule.Load("rules.yaml")
//	…
//	w := rule.Observe(event)
//	for _, r := range rules.Rules {
//		if r.AppliesTo(event.Operation) && r.Eval(&w).Expr == rule.True {
//			…
//		}
//	}
//
// # Expressions
//
// The grammar is that of github.com/expr-lang/expr, whose parser is used, cut down to what a condition on one window
// needs: numbers, the series below, + - * /, comparisons, && || ! (and, or, not), ?: and parentheses.
//
//   - total: the unconnected calls of the window
//   - count.<result>: those with this result; 0 when the window is known and nobody reported the result
//   - share.<result>: count.<result> / total; unknown in a window without calls
//
// count["new_result"] and share["new_result"] name results that are not documented. After a dot only documented results
// are accepted, so that share.congestoin is an error and not a rule that never fires.
//
// # Three-valued logic
//
// A window that is missing, or ambiguous because clocks went back, is not a window with zero calls: everything in it is
// unknown, and so is a division by zero. Arithmetic and comparisons pass unknown on; && || ! follow Kleene's strong logic
// (see [Tri]). An unknown condition neither fires nor clears.
//
// The virtual machine of expr has no such logic and no cheap way to add it, and a backtest wants millions of windows and
// rules judged per second. So this package compiles expr's syntax tree itself: to closures over the window in which an
// unknown number is a NaN, which arithmetic passes on for nothing, and an unknown truth lies between false and true.
//
// # Volume
//
// 1 of 2 calls is a share of 50 %. A rule whose expr looks at a share, or divides by calls, is therefore refused unless
// one of the parts of expr joined by && at the top bounds the calls from below: total >= 50, count.busy > 5, or a sum.
// All such parts that look at nothing but calls form the rule's volume bound (see [Verdict]).
package rule
