package evaluate_test

import (
	"fmt"
	"time"

	"unconnected/alerter/evaluate"
	"unconnected/alerter/rule"
	"unconnected/events"
)

// Messages go in in the order in which they were stored; what must be published comes out.
func Example() {
	operation := evaluate.New("default", rule.Builtin(), evaluate.Options{MaxAge: 30 * time.Minute})
	published := map[string]events.Alert{} // after a restart: the last message of each alert subject

	var log []int64 // congestion of 100 calls: first three hours and more in which the usual level is learnt
	for range 40 {
		log = append(log, 8)
	}
	log = append(log, 31, 44, 41, 6, 5, 7)
	start := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	for i, congestion := range log {
		window := events.Window{Start: start, End: start.Add(5 * time.Minute)}
		operation.Apply(&events.Event{
			Operation: "default", Timezone: "America/Bogota", Window: window,
			Total: 100, Counts: map[string]int64{"congestion": congestion, "no_answer": 100 - congestion},
		})
		for _, alert := range operation.Transitions(published, events.Cause{Sequence: uint64(i + 1)}, rule.English) {
			published[alert.Rule] = alert
			fmt.Println(alert.At().Format("15:04"), alert.Rule, alert.Status, alert.Reason, "–", alert.Summary)
		}
		start = window.End
	}
	fmt.Println(published["CongestionSpike"].Incident)
	// Output:
	// 18:30 CongestionSpike firing  – 44% congestion (44 of 100 unconnected calls) · usual 8%
	// 18:30 CongestionSurge firing  – 44% congestion (44 of 100 unconnected calls) · usual 8%
	// 18:50 CongestionSpike resolved cleared – 7% congestion (7 of 100 unconnected calls) · usual 8%
	// 18:50 CongestionSurge resolved cleared – 7% congestion (7 of 100 unconnected calls) · usual 8%
	// default/2026-11-22T18:20:00Z
}
