package rule_test

import (
	"strings"
	"testing"
	"time"

	"unconnected/alerter/rule"
	"unconnected/events"
)

// busyWindow is 200 calls: 50 congestion, 40 busy, 10 of a result that nobody listed.
func busyWindow() rule.Window {
	return observe(200, map[string]int64{
		"busy": 40, "cancel": 0, "chanunavail": 0, "congestion": 50, "do_not_call": 0, "no_answer": 100, "tcpa": 0,
		"new_result": 10,
	})
}

func observe(total int64, counts map[string]int64) rule.Window {
	return rule.Observe(&events.Event{
		Operation: "default", Total: total, Counts: counts,
		Window: events.Window{Start: time.Unix(0, 0).UTC(), End: time.Unix(300, 0).UTC()},
	})
}

// windowOf has n calls, of which congested are congestion.
func windowOf(n, congested int64) rule.Window {
	return observe(n, map[string]int64{"congestion": congested, "no_answer": n - congested})
}

// parse loads rules that must be right.
func parse(t testing.TB, text string) *rule.Set {
	t.Helper()
	set, err := rule.Parse("rules.yaml", []byte(text))
	if err != nil {
		t.Fatalf("the rules are refused:\n%v\n%s", err, text)
	}
	return set
}

// one loads a single rule from its keys, one per line: "expr: total > 5". Its name is Test.
func one(t testing.TB, keys ...string) *rule.Rule {
	t.Helper()
	return parse(t, oneText(keys...)).Find("Test")
}

func oneText(keys ...string) string {
	return "rules:\n  - alert: Test\n    " + strings.Join(keys, "\n    ") + "\n"
}

// quoted is an expression as a YAML value that needs no escaping but its own.
func quoted(expression string) string { return "'" + strings.ReplaceAll(expression, "'", "''") + "'" }

// refusal are the lines of the error that a rules file is refused with.
func refusal(t testing.TB, text string) []string {
	t.Helper()
	_, err := rule.Parse("rules.yaml", []byte(text))
	if err == nil {
		t.Fatalf("the rules are accepted:\n%s", text)
	}
	if _, ok := err.(rule.Problems); !ok {
		t.Fatalf("the error is a %T", err)
	}
	return strings.Split(err.Error(), "\n")
}
