package alerter

import (
	"testing"
	"time"

	"unconnected/alerter/evaluate"
	"unconnected/alerter/rule"
	"unconnected/events"
)

// TestNoTickWhileMessagesWait: windows that came while nobody judged them, such as those that whoever stood by has held back
// when it takes over, are not missing.
func TestNoTickWhileMessagesWait(t *testing.T) {
	rules, err := rule.Parse("rules.yaml", []byte("rules: [{alert: DataMissing, expr: missing}]"))
	if err != nil {
		t.Fatal(err)
	}
	end := time.Now().UTC().Truncate(5 * time.Minute).Add(-time.Hour)
	operation := evaluate.New("default", rules, evaluate.Options{})
	operation.Apply(&events.Event{
		Operation: "default", Window: events.Window{Start: end.Add(-5 * time.Minute), End: end}, Stored: end, Sequence: 1,
	})
	e := &evaluator{rules: rules, operations: map[string]*evaluate.Operation{"default": operation}}
	e.calls.setBehind(true)
	e.tick(t.Context(), time.Now(), end)
	if operation.States()[0].Firing {
		t.Error("windows are missing that wait to be judged")
	}
}
