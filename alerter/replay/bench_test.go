package replay_test

import (
	"strings"
	"testing"

	"unconnected/alerter/replay"
	"unconnected/alerter/rule"
)

// BenchmarkRun replays 30 days of five-minute windows with the built-in rules, and says how many windows × rules that are
// in a second.
func BenchmarkRun(b *testing.B) {
	list := history("default", "5x2000 30x12 ?x3 5x6000 60x6 5x619")
	set := rule.Builtin()
	for _, values := range []bool{false, true} {
		name := "plain"
		if values {
			name = "values"
		}
		b.Run(name, func(b *testing.B) {
			opts := options
			opts.Values = values
			b.ReportAllocs()
			for b.Loop() {
				replay.Run(list, set, opts)
			}
			b.ReportMetric(float64(b.N*len(list)*len(set.Rules))/b.Elapsed().Seconds(), "window·rules/s")
		})
	}
}

// BenchmarkReadJSONL reads an export.
func BenchmarkReadJSONL(b *testing.B) {
	list := history("default", "5x2000 30x12 ?x3 5x6000 60x6 5x619")
	text := string(jsonl(b, list...))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := replay.ReadJSONL(strings.NewReader(text)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(list))/b.Elapsed().Seconds(), "windows/s")
}
