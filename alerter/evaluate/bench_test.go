package evaluate_test

import (
	"testing"
	"time"

	"unconnected/alerter/evaluate"
	"unconnected/alerter/rule"
	"unconnected/events"
)

// day is a day of five-minute windows with an hour of congestion in it.
func day() []events.Event { return parseScript("q*120 H*12 m*3 q*81 e*72") }

// BenchmarkApply judges windows with the built-in pack: verdicts and states, as in a backtest.
func BenchmarkApply(b *testing.B) {
	benchmark(b, day(), func(*evaluate.Operation, *events.Event) {})
}

// BenchmarkApplyAndTransitions asks after each window what must be published, as live alerting does.
func BenchmarkApplyAndTransitions(b *testing.B) {
	published := map[string]events.Alert{}
	var sequence uint64
	benchmark(b, day(), func(operation *evaluate.Operation, ev *events.Event) {
		sequence++
		for _, a := range operation.Transitions(published, cause(sequence), "en") {
			published[a.Rule] = a
		}
	})
}

// BenchmarkApplySeconds has an hour of 3600 windows to look back on.
func BenchmarkApplySeconds(b *testing.B) {
	seconds := script{length: time.Second, start: monday}
	for _, word := range []string{"q*5000", "H*300", "q*3000", "e*4000"} {
		seconds.word(word)
	}
	benchmark(b, seconds.log, func(*evaluate.Operation, *events.Event) {})
}

// benchmark applies a log again and again, each time later, and reports windows × rules per second.
func benchmark(b *testing.B, log []events.Event, after func(*evaluate.Operation, *events.Event)) {
	set := rule.Builtin()
	operation := evaluate.New("default", set, options)
	length := log[len(log)-1].Window.End.Sub(log[0].Window.Start)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		ev := &log[i%len(log)]
		operation.Apply(ev)
		after(operation, ev)
		ev.Window.Start, ev.Window.End = ev.Window.Start.Add(length), ev.Window.End.Add(length)
		ev.Stored = ev.Stored.Add(length)
	}
	b.ReportMetric(float64(b.N*len(set.Rules))/b.Elapsed().Seconds(), "window·rules/s")
}
