package rule_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"unconnected/alerter/rule"
	"unconnected/events"
)

func TestNumbers(t *testing.T) {
	unknown := math.NaN()
	for _, c := range []struct {
		expression string
		want       float64
	}{
		{`total`, 200},
		{`count.congestion`, 50},
		{`count["congestion"]`, 50},
		{`count.chanunavail`, 0},
		{`count["new_result"]`, 10},
		{`count["nobody_reported_it"]`, 0},
		{`share.congestion`, 0.25},
		{`share["new_result"]`, 0.05},
		{`share['new_result']`, 0.05},
		{`1 + 2 * 3 - 4 / 8`, 6.5},
		{`(1 + 2) * 3`, 9},
		{`-total + +1`, -199},
		{`1_000 + 0x10 + 1e1`, 1026},
		{`total > 100 ? 1 : 2`, 1},
		{`total > 300 ? 1 : 2`, 2},
		{`count.tcpa / count.tcpa`, unknown},
		{`total / count.tcpa`, unknown},
		{`total / 0 + 5`, unknown},
		{`(total / 0 > 1) ? 1 : 1`, unknown},
		{`total * 1e308 * 1e308`, unknown},
		{`total /* of calls */`, 200},
	} {
		t.Run(c.expression, func(t *testing.T) {
			w := busyWindow()
			got := one(t, "expr: total > 0", "value: "+quoted(c.expression)).Eval(&w).Value
			if got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestConditions(t *testing.T) {
	for _, c := range []struct {
		expression string
		want       rule.Tri
	}{
		{`total >= 200 && total <= 200 && total == 200`, rule.True},
		{`total > 200 || total < 200 || total != 200`, rule.False},
		{`total > 1 and not (total > 300)`, rule.True},
		{`total < 1 or !(total > 300)`, rule.True},
		{`100 < total < 300`, rule.True},
		{`100 < total < 200`, rule.False},
		{`total > 300 ? true : count.busy == 40`, rule.True},
		{`total / 0 > 1 ? true : true`, rule.Unknown},
	} {
		t.Run(c.expression, func(t *testing.T) {
			w := busyWindow()
			if got := one(t, "expr: "+quoted(c.expression)).Eval(&w).Expr; got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestThreeValuedLogic(t *testing.T) {
	const T, F, U = `total > 0`, `total < 0`, `total / 0 > 0`
	for _, c := range []struct {
		expression string
		want       rule.Tri
	}{
		{T + ` && ` + T, rule.True},
		{T + ` && ` + F, rule.False},
		{F + ` && ` + F, rule.False},
		{F + ` && ` + U, rule.False},
		{U + ` && ` + F, rule.False},
		{T + ` && ` + U, rule.Unknown},
		{U + ` && ` + T, rule.Unknown},
		{U + ` && ` + U, rule.Unknown},
		{T + ` || ` + F, rule.True},
		{F + ` || ` + F, rule.False},
		{T + ` || ` + U, rule.True},
		{U + ` || ` + T, rule.True},
		{F + ` || ` + U, rule.Unknown},
		{U + ` || ` + U, rule.Unknown},
		{`!(` + T + `)`, rule.False},
		{`!(` + F + `)`, rule.True},
		{`!(` + U + `)`, rule.Unknown},
	} {
		t.Run(c.expression, func(t *testing.T) {
			w := busyWindow()
			if got := one(t, "expr: "+quoted(c.expression)).Eval(&w).Expr; got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestWhatIsKnownOfAWindow(t *testing.T) {
	counts := map[string]int64{"congestion": 5}
	for _, c := range []struct {
		name         string
		event        events.Event
		total, share rule.Tri // of total >= 0, share.congestion >= 0
	}{
		{"with calls", events.Event{Total: 5, Counts: counts}, rule.True, rule.True},
		{"without calls", events.Event{Counts: map[string]int64{"congestion": 0}}, rule.True, rule.Unknown},
		{"missed", events.Event{Missed: &events.Missed{Reason: "garbage"}}, rule.Unknown, rule.Unknown},
		{"ambiguous", events.Event{Total: 5, Counts: counts, Ambiguous: true}, rule.Unknown, rule.Unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := rule.Observe(&c.event)
			if got := one(t, "expr: total >= 0").Eval(&w).Expr; got != c.total {
				t.Errorf("total is %v, want %v", got, c.total)
			}
			if got := one(t, "expr: total > 0", "clear: share.congestion >= 0").Eval(&w).Clear; got != c.share {
				t.Errorf("share is %v, want %v", got, c.share)
			}
		})
	}
}

func TestClearIsTheOppositeUnlessGiven(t *testing.T) {
	plain := one(t, "expr: total > 100")
	given := one(t, "expr: total > 100", "clear: total < 50")
	for _, c := range []struct {
		total        int64
		plain, given bool
	}{{200, false, false}, {70, true, false}, {40, true, true}} {
		w := windowOf(c.total, 0)
		if got := plain.Eval(&w).Quiet(); got != c.plain {
			t.Errorf("%d calls, no clear: quiet is %v", c.total, got)
		}
		if got := given.Eval(&w).Quiet(); got != c.given {
			t.Errorf("%d calls, clear below 50: quiet is %v", c.total, got)
		}
	}
	var missed rule.Window
	if plain.Eval(&missed).Quiet() {
		t.Error("a missed window is quiet")
	}
	both := one(t, "expr: total > 100", "clear: total > 0")
	if w := windowOf(200, 0); both.Eval(&w).Quiet() {
		t.Error("a window is quiet in which the rule holds")
	}
}

func TestRefusedExpressions(t *testing.T) {
	for _, c := range []struct {
		expression string
		offset     int // of the fault, in characters; -1 is the quote before the expression
		message    string
	}{
		{`total`, 0, "this is a number, but a condition (true or false) is needed here"},
		{`total >`, 6, "unexpected token EOF"},
		{`totl > 5`, 0, "unknown name totl; did you mean total?"},
		{`total > 5 && count.congestoin > 3`, 19, "did you mean congestion?"},
		{`count.new_result > 3`, 6, `count["new_result"]`},
		{`count["New Result"] > 3`, 6, "snake_case"},
		{`count[total] > 3`, 6, "in quotes"},
		{`congestion > 3`, 0, "did you mean count.congestion or share.congestion?"},
		{`share > 3`, 0, "share needs a result"},
		{`total.congestion > 3`, 0, "total is a number"},
		{`foo.congestion > 3`, 0, "unknown name foo"},
		{`count?.busy > 3`, 7, "?. cannot be used here"},
		{`total > 5 && total`, 13, "&& joins a condition (true or false), but this is a number"},
		{`total > "5"`, 8, "text cannot be used here"},
		{`total % 2 == 1`, 6, "there is no operator %"},
		{`total in [1, 2]`, 6, "there is no operator in"},
		{`!total`, 1, "! needs a condition"},
		{`total > 1 ? total : 2`, 20, "this is a number"},
		{`(total > 1) == true`, 7, "== needs a number"},
		{`true`, -1, "always the same"},
		{`mean(total, 3) > 5`, 5, "needs the name of a series in quotes"},
		{`mean("totl", 3) > 5`, 6, "a series is total, count.<result>"},
		{`mean("share.congestoin", 3) > 5 && total > 5`, 12, "did you mean congestion?"},
		{`mean("share.busy + count.busy", 3) > 5`, 25, "a series is total"},
		{`mean("total", 0) > 5`, 14, "1 to 4096 windows"},
		{`mean("total", 1.5) > 5`, 14, "1 to 4096 windows"},
		{`mean("total", total) > 5`, 14, "1 to 4096 windows"},
		{`mean("total", "1y") > 5`, 14, `not "1y"`},
		{`mean("total", "99d") > 5`, 14, `not "99d"`},
		{`mean("total") > 5`, 0, "wrong number of arguments"},
		{`same_time("total", "12h") > 5`, 19, "whole days"},
		{`lift("total") > 5`, 5, "lift is about shares"},
		{`baseline("share.busy", 2) > 0.5`, 23, "between 0 and 1"},
		{`rarity("share.busy", 4) > 0.5 && total > 5`, 21, "1 to 3 windows"},
		{`raised("share.busy", total, 3) > 0.5 && total > 5`, 21, "a constant number"},
		{`status("quotum")`, 7, "did you mean quota?"},
		{`lift > 5`, 0, `lift is a function: lift("share.congestion")`},
		{`mediann("total", 3) > 5`, 0, "there is no function mediann; did you mean median?"},
		{`abs(total) > 5`, 0, "there is no function abs"},
		{`let x = total; x > 5`, 4, "a variable"},
		{`if total > 5 { true } else { false }`, 3, "unexpected token"},
		{strings.Repeat("(", 5000), 0, "longer than 4096 bytes"},
	} {
		t.Run(c.expression[:min(40, len(c.expression))], func(t *testing.T) {
			lines := refusal(t, "rules:\n  - alert: Test\n    expr: "+quoted(c.expression))
			const start = len("    expr: '") + 1
			want := fmt.Sprintf("rules.yaml:3:%d: ", start+c.offset)
			if !strings.HasPrefix(lines[0], want) || !strings.Contains(lines[0], c.message) {
				t.Errorf("got %s\nwant %s… %s", lines[0], want, c.message)
			}
		})
	}
}

func TestSharesNeedABoundOnTheVolume(t *testing.T) {
	for _, c := range []struct {
		expression string
		accepted   bool
	}{
		{`share.busy > 0.2 && total >= 50`, true},
		{`total > 0 && share.busy > 0.2`, true},
		{`share.busy > 0.2 && 50 <= total`, true},
		{`share.busy > 0.2 && count.busy >= 5`, true},
		{`share.busy > 0.2 && count["new_result"] == 5`, true},
		{`share.busy > 0.2 && count.busy + 2 * count.tcpa > 5`, true},
		{`share.busy > 0.2 && total / 12 > 5`, true},
		{`share.busy > 0.2 && (share.tcpa > 0.1 && total > 5)`, true},
		{`share.busy > 0.2 && (total > 50 || count.busy > 5)`, true},
		{`share.busy > 0.2 && 50 < total < 500`, true},
		{`(share.busy > 0.2 && total > 50) || (share.tcpa > 0.1 && total > 20)`, true},
		{`count.busy > 5`, true},
		{`share.busy > 0.2`, false},
		{`share.busy > 0.2 && total < 50`, false},
		{`share.busy > 0.2 && total >= 0`, false},
		{`share.busy > 0.2 && total > -1`, false},
		{`share.busy > 0.2 && total != 7`, false},
		{`share.busy > 0.2 && total - 100 > -200`, false},
		{`share.busy > 0.2 && count.busy > 0.1 * total`, false},
		{`share.busy > 0.2 && !(total < 50)`, false},
		{`share.busy > 0.2 || total > 50`, false},
		{`share.busy > 0.2 && (total > 50 || share.tcpa > 0.5)`, false},
		{`count.busy / total > 0.2`, false},
		{`lift("share.busy") > 0.2`, false},
		{`lift("share.busy") > 0.2 && total > 20`, true},
		{`mean("share.busy", 5) > 0.2`, false},
		{`rarity("share.busy") < 0.2 && sum("total", 5) > 5`, false},
		{`sum("total", 5) > 5`, true},
	} {
		t.Run(c.expression, func(t *testing.T) {
			_, err := rule.Parse("rules.yaml", []byte(oneText("expr: "+quoted(c.expression))))
			if accepted := err == nil; accepted != c.accepted {
				t.Errorf("accepted is %v: %v", accepted, err)
			}
			if err != nil && !strings.Contains(err.Error(), "must bound the volume") {
				t.Errorf("refused for something else: %v", err)
			}
		})
	}
}

func TestVolumeIsTheBoundOfTheExpression(t *testing.T) {
	for _, c := range []struct {
		expression string
		total      int64
		want       rule.Tri
	}{
		{`share.busy > 0.2 && total >= 50`, 49, rule.False},
		{`share.busy > 0.2 && total >= 50`, 50, rule.True},
		{`total >= 50 && total < 60 && share.busy > 0.2`, 60, rule.False},
		{`share.busy > 0.2 && (share.tcpa > 2 || total > 90) && total >= 50`, 60, rule.True},
		{`count.congestion > 5`, 500, rule.False},
		{`(share.busy > 0.2 && total > 50) || (share.tcpa > 0.1 && total > 20)`, 1, rule.True},
	} {
		t.Run(c.expression, func(t *testing.T) {
			w := windowOf(c.total, 0)
			if got := one(t, "expr: "+quoted(c.expression)).Eval(&w).Volume; got != c.want {
				t.Errorf("with %d calls: got %v, want %v", c.total, got, c.want)
			}
		})
	}
}
