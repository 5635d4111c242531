package rule_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"unconnected/alerter/rule"
)

// FuzzParse: no bytes make loading panic, and every problem says where it is.
func FuzzParse(f *testing.F) {
	f.Add([]byte(complete))
	f.Add([]byte(rule.BuiltinYAML()))
	f.Add([]byte("rules:\n  - &a {alert: A, expr: !x |\n total > 5}\n  - *a\n"))
	f.Add([]byte("extend: builtin\n---\n<<: *x\n? [a]\n: b"))
	f.Add([]byte("\r\r}\x00"))
	f.Add([]byte("rules: [{alert: A, expr: total > 5, for: 2 of 3, labels: {? : 1}, title: {en: *b}}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := rule.Parse("rules.yaml", data)
		var problems rule.Problems
		switch {
		case err == nil:
			evaluate(t, set)
		case !errors.As(err, &problems):
			t.Fatalf("the error is a %T", err)
		}
		lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + 1
		for _, p := range problems {
			if whole := strings.HasPrefix(p.Text, "there are no rules"); !whole && (p.Line < 1 || p.Line > lines+1 || p.Column < 1) {
				t.Errorf("a problem at no place in %d lines: %v", lines, p)
			}
		}
	})
}

// FuzzExpression: whatever compiles can be judged, its numbers are finite or unknown, and what holds of an unknown window
// holds of every window (an unknown may turn out either way, nothing else may change).
func FuzzExpression(f *testing.F) {
	for _, seed := range []string{
		"share.congestion >= 0.20 && total >= 50", `share["x"] + count['y'] / total > -1e3 || not (total != 3) && total > 1`,
		"total > 5 ? total / 0 > 1 : count.busy * 1e308 * 1e308 < 3", "1 < total < 3", "(((total)))>0x1F",
		"true ? total > 1 : false", "!!(total == total)", `mean("total", 3) > 1`, "a.b?.c[1:2] |> map(#)",
		`lift("share.busy + share.tcpa") / ratio('share["x"]') > rarity("share.congestion", 3) && total > 1`,
		`same_time("count.unlisted", "7d") > baseline("share.busy", 0.5) * expected_total() - age()`,
		`learning("share.busy") ? raised("share.busy", 0.1, 2) > 1 && total > 1 : median("count.busy", "1h") < max("total", 2)`,
		`missing && !status("quota", "ok")`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		if strings.ContainsAny(expression, "\r\n\t\x00\u0085\u2028\u2029\ufeff") {
			return // YAML has its own idea of these
		}
		for _, keys := range []string{"expr: ", "expr: total > 0\n    value: "} {
			set, err := rule.Parse("rules.yaml", []byte(oneText(keys+quoted(expression))))
			if err == nil {
				evaluate(t, set)
			}
		}
	})
}

func evaluate(t *testing.T, set *rule.Set) {
	t.Helper()
	busy, few, empty, missed := busyWindow(), windowOf(3, 3), windowOf(0, 0), rule.Window{}
	history := rule.NewHistory(set, "default")
	next, at := past(t, history, monday, "20/200*20 ? 1/30*20 0/0 90/100")
	history.Observe(&next, at)
	for _, r := range set.Rules {
		blind := r.Eval(&missed)
		for _, w := range []*rule.Window{&busy, &few, &empty, &missed} {
			v := r.Eval(w)
			judged(t, r, w)
			if blind.Expr != rule.Unknown && blind.Expr != v.Expr {
				t.Errorf("%s: %v of an unknown window, %v of a known one", r.Expr, blind.Expr, v.Expr)
			}
		}
		seen := next.Behind(history.Of(r))
		judged(t, r, &seen)
		r.Sentence(rule.Spanish)
	}
}

// judged holds of every verdict.
func judged(t *testing.T, r *rule.Rule, w *rule.Window) {
	t.Helper()
	if v := r.Eval(w); math.IsInf(v.Value, 0) {
		t.Errorf("%s: the value is infinite", r.Value)
	}
	if threshold := r.ThresholdIn(w); threshold != nil && (math.IsInf(*threshold, 0) || math.IsNaN(*threshold)) {
		t.Errorf("%s: the threshold is %v", r.Limit, *threshold)
	}
	r.Summary(rule.English, "default", w)
	r.Summary(rule.Spanish, "default", w)
}
