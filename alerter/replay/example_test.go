package replay_test

import (
	"fmt"
	"strings"
	"time"

	"unconnected/alerter/replay"
	"unconnected/alerter/rule"
)

// Windows as `unconnected history --format jsonl` exports them, and what a rule would have told.
func Example() {
	var export strings.Builder
	start := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	for _, congestion := range []int{8, 41, 44, 6, 5, 7} {
		end := start.Add(5 * time.Minute)
		fmt.Fprintf(&export, `{"operation":"default","timezone":"America/Bogota","window":{"start":%q,"end":%q},"revision":0,`+
			`"total":100,"counts":{"congestion":%d,"no_answer":%d},"reported":[],"polled_at":%q}`+"\n",
			start.Format(time.RFC3339), end.Format(time.RFC3339), congestion, 100-congestion, end.Format(time.RFC3339))
		start = end
	}
	list, err := replay.ReadJSONL(strings.NewReader(export.String()))
	if err != nil {
		fmt.Println(err)
		return
	}
	rules, err := rule.Parse("rules.yaml", []byte(`
rules:
  - alert: Spike
    expr: share.congestion >= 0.20 && total >= 50
    for: 2 of 3
    keep: 3
    value: share.congestion
    summary: "{{percent .Value}} congestion ({{number .Count.congestion}} of {{number .Total}} unconnected calls)"
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	result := replay.Run(list, rules, replay.Options{MaxAge: 30 * time.Minute, Language: rule.English})
	for _, incident := range result.Incidents {
		fmt.Println(incident.ID, "told after", incident.Delay(), "ended", incident.End.Format("15:04"))
		for _, alert := range incident.Alerts {
			fmt.Printf("%s: %s, at most %.0f%% at %s\n", alert.Rule.Name, alert.Summary, *alert.Peak*100, alert.PeakAt.Format("15:04"))
		}
	}
	// Output:
	// default/2026-11-22T15:05:00Z told after 10m0s ended 15:15
	// Spike: 44% congestion (44 of 100 unconnected calls), at most 44% at 15:10
}
