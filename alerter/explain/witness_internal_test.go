package explain

import (
	"testing"
	"time"

	"unconnected/alerter/evaluate"
	"unconnected/alerter/rule"
	"unconnected/events"
)

// TestForget: however long the history, only as many windows are kept as can count.
func TestForget(t *testing.T) {
	set := rule.Builtin()
	w := newWitness(set.Rules[0], "ventas", set, evaluate.Options{})
	start := time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)
	most := 0
	for i := range 1000 {
		at := start.Add(time.Duration(i) * 5 * time.Minute)
		w.apply(&events.Event{
			Operation: "ventas", Window: events.Window{Start: at, End: at.Add(5 * time.Minute)}, Sequence: uint64(i + 1),
			Total: 10, Counts: map[string]int64{"busy": 10},
		})
		most = max(most, len(w.steps))
	}
	if most > 40 || len(w.steps) < 13 {
		t.Errorf("%d windows were kept, %d are", most, len(w.steps))
	}
}
