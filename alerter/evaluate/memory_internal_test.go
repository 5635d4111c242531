package evaluate

import (
	"testing"
	"time"

	"unconnected/alerter/rule"
	"unconnected/events"
)

func TestMemoryIsAnHourOrWhatRulesLookBack(t *testing.T) {
	for _, c := range []struct {
		name    string
		length  time.Duration
		windows int
		keep    string
		want    int // windows remembered
	}{
		{"five minutes", 5 * time.Minute, 1000, "3", 13},
		{"seconds", time.Second, 10000, "3", 3601},
		{"an hour", time.Hour, 100, "3", 4},
		{"a rule that looks far back", 5 * time.Minute, 2000, "1000", 1001},
		{"the first windows", 5 * time.Minute, 7, "3", 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, err := rule.Parse("rules.yaml", []byte("rules: [{alert: A, expr: total > 5, keep: "+c.keep+"}]"))
			if err != nil {
				t.Fatal(err)
			}
			o := New("default", set, Options{})
			at := time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)
			for range c.windows {
				o.Apply(&events.Event{Operation: "default", Window: events.Window{Start: at, End: at.Add(c.length)}})
				at = at.Add(c.length)
			}
			if got := o.memory.n; got > c.want {
				t.Errorf("%d windows are remembered, want at most %d", got, c.want)
			}
			if got, need := o.memory.n, min(c.windows, c.want-1); got < need {
				t.Errorf("%d windows are remembered, want at least %d", got, need)
			}
		})
	}
}
