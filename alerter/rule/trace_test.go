package rule_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"unconnected/alerter/rule"
)

func TestTrace(t *testing.T) {
	set, err := rule.Parse("rules.yaml", []byte(`
rules:
  - alert: A
    expr: (share.congestion + share.chanunavail >= 0.50 || !(count["new_result"] < 3)) && total >= 20
    clear: share.congestion < 0.10 && total > 2 * 5
`))
	if err != nil {
		t.Fatal(err)
	}
	known, missed := windowOf(100, 44), rule.Window{}
	for _, c := range []struct {
		window *rule.Window
		want   string
	}{
		{&known, `
share.congestion + share.chanunavail >= 0.5 || !(count.new_result < 3) = false
  share.congestion + share.chanunavail >= 0.5 = false
    share.congestion + share.chanunavail = 0.44
      share.congestion = 0.44
      share.chanunavail = 0
  !(count.new_result < 3) = false
    count.new_result < 3 = true
      count.new_result = 0
total >= 20 = true
  total = 100
clear:
share.congestion < 0.1 = false
  share.congestion = 0.44
total > 2 * 5 = true
  total = 100
`},
		{&missed, `
share.congestion + share.chanunavail >= 0.5 || !(count.new_result < 3) = unknown
  share.congestion + share.chanunavail >= 0.5 = unknown
    share.congestion + share.chanunavail = NaN
      share.congestion = NaN
      share.chanunavail = NaN
  !(count.new_result < 3) = unknown
    count.new_result < 3 = unknown
      count.new_result = NaN
total >= 20 = unknown
  total = NaN
clear:
share.congestion < 0.1 = unknown
  share.congestion = NaN
total > 2 * 5 = unknown
  total = NaN
`},
	} {
		trace := set.Rules[0].Trace(c.window)
		got := "\n" + written(trace.Expr) + "clear:\n" + written(trace.Clear)
		if got != c.want {
			t.Errorf("got%s\nwant%s", got, c.want)
		}
	}
}

func written(parts []rule.Part) string {
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&b, "%s%s = ", strings.Repeat("  ", p.Depth), p.Text)
		if p.Truth != nil {
			fmt.Fprintln(&b, *p.Truth)
		} else {
			fmt.Fprintln(&b, p.Value)
		}
	}
	return b.String()
}

// TestTraceAgrees: the parts at the top, joined by &&, are the verdict.
func TestTraceAgrees(t *testing.T) {
	busy, few, missed := busyWindow(), windowOf(3, 3), rule.Window{}
	for _, r := range rule.Builtin().Rules {
		for _, w := range []*rule.Window{&busy, &few, &missed} {
			all := rule.True
			for _, p := range r.Trace(w).Expr {
				if p.Depth == 0 && p.Truth != nil {
					all = min(all, *p.Truth)
				}
			}
			if verdict := r.Eval(w).Expr; all != verdict {
				t.Errorf("%s: the parts make it %v, the rule says %v", r.Name, all, verdict)
			}
		}
	}
}

func TestVariants(t *testing.T) {
	const head = "holidays: [2026-12-08]\nrules:\n  - alert: A\n    title: {en: Ä, es: \"x: y\"}\n    for: 2 of 3\n    keep: 4\n" +
		"    labels: {a: b}\n    hours: Mon 07:00-09:00\n    mention: [\"@here\"]\n    operations: [\"v*\"]\n"
	for _, c := range []struct {
		name, keys  string
		number      string
		rising      bool
		expr, clear string
	}{
		{
			"on the left", "expr: share.congestion >= 0.20 && total >= 50\n    clear: share.congestion < 0.10 && total > 5\n    threshold: 0.2",
			"share.congestion", true, "share.congestion >= 0.3 && total >= 50", "share.congestion < 0.15 && total > 5",
		},
		{
			"on the right, falling", "expr: 0.2 > share.congestion && total >= 50\n    threshold: 0.2",
			"share.congestion", false, "0.3 > share.congestion && total >= 50", "",
		},
		{
			"a share by its quoted name", "expr: share[\"año\"] >= 0.20 && total >= 50\n    threshold: 0.2",
			"share.año", true, "share[\"año\"] >= 0.3 && total >= 50", "",
		},
		{
			"twice", "expr: share.busy >= 0.200 && total > 9 && 0.2 <= share.busy\n    clear: share.busy < 0.100 || total < 5\n    threshold: 0.20",
			"share.busy", true, "share.busy >= 0.3 && total > 9 && 0.3 <= share.busy", "share.busy < 0.15 || total < 5",
		},
		{"calls", "expr: count.busy > 0.2\n    threshold: 0.20", "count.busy", true, "count.busy > 0.3", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, err := rule.Parse("rules.yaml", []byte(head+"    "+c.keys))
			if err != nil {
				t.Fatal(err)
			}
			bound, err := set.Rules[0].Bound()
			if err != nil || bound.Number != c.number || bound.Rising != c.rising {
				t.Errorf("bound %+v, %v", bound, err)
			}
			variants, err := set.Variants(set.Rules[0], []float64{0.2, 0.3})
			if err != nil {
				t.Fatal(err)
			}
			r := variants.Rules[1]
			if r.Name != "V1" || r.Expr != c.expr || r.Clear != c.clear || *r.Threshold != 0.3 {
				t.Errorf("variant %s: expr %s, clear %s, threshold %v", r.Name, r.Expr, r.Clear, *r.Threshold)
			}
			if r.For.N != 2 || r.For.M != 3 || r.Keep != 4 || !r.AppliesTo("ventas") || r.AppliesTo("x") || r.Hours == "" ||
				len(variants.Holidays) != 1 || r.Title("es") != "x: y" || r.Title("en") != "Ä" {
				t.Errorf("the variant lost something: %+v", r)
			}
		})
	}
}

func TestNoThreshold(t *testing.T) {
	for _, keys := range []string{
		"expr: total > 5", "expr: total > 5\n    threshold: 6", "expr: total == 6\n    threshold: 6",
		"expr: total > 6 || count.busy > 6\n    threshold: 6", "expr: total > 3 && count.busy < total\n    threshold: 6",
	} {
		set, err := rule.Parse("rules.yaml", []byte("rules:\n  - alert: A\n    "+keys))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := set.Variants(set.Rules[0], []float64{1}); !errors.Is(err, rule.ErrNoThreshold) {
			t.Errorf("%s: %v", keys, err)
		}
	}
}

// TestVariantsOfConstants: where the threshold is a constant, or is made of one, the constant moves, and with it those that
// clear the same number.
func TestVariantsOfConstants(t *testing.T) {
	for _, c := range []struct{ name, constant, clears string }{{"CongestionSpike", "points", "over"}, {"NetworkSideHalf", "half", "end"}} {
		set := rule.Builtin()
		r := set.Find(c.name)
		bound, err := r.Bound()
		if err != nil || bound.Constant != c.constant || !bound.Rising || bound.Present != r.Constants[c.constant] {
			t.Fatalf("%s: %+v, %v", c.name, bound, err)
		}
		variants, err := set.Variants(r, []float64{bound.Present, 2 * bound.Present})
		if err != nil {
			t.Fatal(err)
		}
		same, twice := variants.Rules[0], variants.Rules[1]
		for name, v := range r.Constants {
			want := v
			if name == c.constant || name == c.clears {
				want = 2 * v
			}
			if got := twice.Constants[name]; math.Abs(got-want) > 1e-12 {
				t.Errorf("%s: %s is %v, want %v", c.name, name, got, want)
			}
		}
		if same.Expr != r.Expr || same.Clear != r.Clear || same.AtOnce != r.AtOnce || same.Limit != r.Limit || same.Keep != r.Keep ||
			fmt.Sprint(same.Constants) != fmt.Sprint(r.Constants) {
			t.Errorf("%s: the variant is another rule: %+v", c.name, same)
		}
	}
}

// TestTraceAtOnce: the condition that fires at once is taken apart as well.
func TestTraceAtOnce(t *testing.T) {
	w := windowOf(100, 44)
	trace := rule.Builtin().Find("CongestionSpike").Trace(&w)
	if got := written(trace.AtOnce); !strings.Contains(got, "count.congestion >= calls = true\n  count.congestion = 44\n") || !strings.Contains(got, "raised(") {
		t.Errorf("%s", got)
	}
}
