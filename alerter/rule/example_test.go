package rule_test

import (
	"fmt"

	"unconnected/alerter/rule"
	"unconnected/events"
)

// A rule judges windows; what is not known is neither true nor false.
func ExampleRule_Eval() {
	rules, err := rule.Parse("rules.yaml", []byte(`
rules:
  - alert: Congestion
    expr: share.congestion >= 0.20 && total >= 50
    value: share.congestion
    summary: "{{percent .Value}} of {{number .Total}} unconnected calls"
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	r := rules.Find("Congestion")
	for _, ev := range []events.Event{
		{Total: 1073, Counts: map[string]int64{"congestion": 476, "no_answer": 597}},
		{Total: 0, Counts: map[string]int64{}},
		{Missed: &events.Missed{Reason: "garbage", Attempts: 40}},
	} {
		w := rule.Observe(&ev)
		fmt.Printf("%v: %s\n", r.Eval(&w).Expr, r.Summary(rule.English, "default", &w))
	}
	// Output:
	// true: 44% of 1,073 unconnected calls
	// false: Congestion: no unconnected calls in this window
	// unknown: Congestion: no data for this window
}

// Everything that is wrong is told at once.
func ExampleProblems() {
	_, err := rule.Parse("rules.yaml", []byte(`
extends: builtin
rules:
  - alert: Congestion
    expr: share.congestoin >= 0.20 && total >= 50
    for: 3 of 2
`))
	fmt.Println(err)
	// Output:
	// rules.yaml:2:1: unknown key "extends"; did you mean extend?
	// rules.yaml:5:17: expr: unknown result congestoin; did you mean congestion?; a result that is not documented is written share["congestoin"]
	// rules.yaml:6:10: for cannot be 3 of 2 windows
}
