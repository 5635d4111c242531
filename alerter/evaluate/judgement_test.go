package evaluate_test

import (
	"fmt"
	"strings"
	"testing"

	"unconnected/alerter/evaluate"
	"unconnected/alerter/rule"
)

// TestJudged: every window is told once, holes too, and once more when it is corrected.
func TestJudged(t *testing.T) {
	var told []string
	opts := options
	opts.Judged = func(j evaluate.Judgement) {
		told = append(told, fmt.Sprintf("%s%s", number(j.Window.Start), map[rule.Tri]string{rule.True: "H", rule.False: "q", rule.Unknown: "?"}[j.Verdict.Expr]))
	}
	run(t, rules(t, congestionRule("for: 2")), parseScript("q H - ? q 1=q"), opts)
	if got := strings.Join(told, " "); got != "0q 1H 2? 3? 4q 1q" {
		t.Errorf("told %s", got)
	}
}

func TestCount(t *testing.T) {
	set := rules(t, congestionRule("for: 2 of 3", "keep: 3", `hours: "Mon 00:00-10:35"`))
	operation := evaluate.New("default", set, options)
	if _, ok := operation.Count("Congestion"); ok {
		t.Error("there is a count before the first window")
	}
	var got []string
	for _, ev := range parseScript("q H q H q q m q q") {
		operation.Apply(&ev)
		c, ok := operation.Count("Congestion")
		if !ok {
			t.Fatal("there is no count")
		}
		got = append(got, fmt.Sprintf("%d/%d/%t/%t", c.Held, c.Quiet, c.Firing, c.InHours))
	}
	want := "0/1/false/true 1/0/false/true 1/1/false/true 2/0/true/true 1/1/true/true 1/2/true/true 0/0/true/true 0/1/false/false 0/2/false/false"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("counts\n%s, want\n%s", s, want)
	}
	if _, ok := operation.Count("Other"); ok {
		t.Error("a rule that is not there counts")
	}
	if r := operation.Rules(); len(r) != 1 || r[0].Name != "Congestion" {
		t.Errorf("rules %v", r)
	}
}

// TestFiring: how what fires stands in the newest window; of an unknown one there is nothing to tell.
func TestFiring(t *testing.T) {
	set := rules(t, congestionRule("keep: 3"))
	operation := evaluate.New("default", set, options)
	var got []string
	for _, ev := range parseScript("q H m q ? q H q q q H") {
		operation.Apply(&ev)
		for _, p := range operation.Firing("en") {
			a := p.Alert
			got = append(got, fmt.Sprintf("%s %s since %s: %.2f, at most %.2f, quiet %t", number(a.Window.Start), a.Rule, number(a.StartsAt), *a.Value, *a.Observed.Peak, p.Quiet))
		}
	}
	want := `1 Congestion since 1: 0.30, at most 0.30, quiet false
2 Congestion since 1: 0.15, at most 0.30, quiet false
3 Congestion since 1: 0.05, at most 0.30, quiet true
5 Congestion since 1: 0.05, at most 0.30, quiet true
6 Congestion since 1: 0.30, at most 0.30, quiet false
7 Congestion since 1: 0.05, at most 0.30, quiet true
8 Congestion since 1: 0.05, at most 0.30, quiet true
10 Congestion since 10: 0.30, at most 0.30, quiet false`
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("it says\n%s, want\n%s", s, want)
	}
}
