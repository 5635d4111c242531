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
// README.md beside this file is the reference of the language. The grammar is that of github.com/expr-lang/expr, whose parser
// is used, cut down to what a condition on windows needs: numbers, the series below, functions, + - * /, comparisons,
// && || ! (and, or, not), ?: and parentheses.
//
//   - total: the unconnected calls of the window
//   - count.<result>: those with this result; 0 when the window is known and nobody reported the result
//   - share.<result>: count.<result> / total; unknown in a window without calls
//
// count["new_result"] and share["new_result"] name results that are not documented. After a dot only documented results
// are accepted, so that share.congestoin is an error and not a rule that never fires.
//
// # The past
//
// What functions look at beside the window is a [History], one for each operation. It is shown every window before the
// rules judge it, and told afterwards whether the window was part of an alert. [Window.Behind] joins the two:
//
//	history := rule.NewHistory(rules, operation)
//	…
//	history.Observe(&w, rules.LocalOf(event.Window.Start, zone))
//	seen := w.Behind(history.Of(r))
//	verdict := r.Eval(&seen)
//	…
//	history.Settle(false)
//
// A Window without a History, as [Observe] makes it, has no past: the functions are unknown. Package evaluate does all this.
// A correction of an older window is judged by what is usual now, and by what is remembered of the windows before it.
//
// Rules on missing and status do not look at windows; [ObserveTick] makes what they see.
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
