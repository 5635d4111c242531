package evaluate_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/evaluate"
	"unconnected/alerter/rule"
	"unconnected/events"
)

// counted is a log in numbers: each entry is the counts of so many windows of five minutes, in order.
type counted struct {
	windows int
	counts  map[string]int64
}

func logOf(start time.Time, entries ...counted) (log []events.Event) {
	for _, e := range entries {
		for range e.windows {
			ev := events.Event{
				Operation: "default", Timezone: "America/Bogota", Counts: e.counts,
				Window:   events.Window{Start: start, End: start.Add(wide)},
				Sequence: uint64(len(log) + 1), Stored: start.Add(wide + 2*time.Minute), PolledAt: start.Add(wide + 90*time.Second),
			}
			for _, n := range e.counts {
				ev.Total += n
			}
			log = append(log, ev)
			start = ev.Window.End
		}
	}
	return log
}

// mix is a window of so many calls, of which so many are congestion and channel unavailable.
func mix(total, congestion, unavailable int64) map[string]int64 {
	left := total - congestion - unavailable
	return map[string]int64{
		"congestion": congestion, "chanunavail": unavailable, "busy": left / 6, "cancel": left / 12,
		"no_answer": left - left/6 - left/12,
	}
}

// told is what happened in short: "CongestionSpike firing 41, CongestionSpike cleared 46", the numbers being those of the
// windows that caused it.
func told(alerts []events.Alert, start time.Time) string {
	var lines []string
	for _, a := range alerts {
		what := a.Reason
		if a.Status == events.Firing {
			what = a.Status
		}
		lines = append(lines, fmt.Sprintf("%s %s %d", a.Rule, what, a.At().Sub(start)/wide-1))
	}
	return strings.Join(lines, ", ")
}

func TestThePack(t *testing.T) {
	quiet, empty := mix(200, 12, 6), map[string]int64{"no_answer": 0}
	usual := counted{40, quiet}
	for _, c := range []struct {
		name string
		log  []counted
		want string
	}{
		{"nothing happens", []counted{{400, quiet}}, ""},
		{"clear, but not high: two windows together",
			[]counted{usual, {3, mix(200, 45, 6)}, {6, quiet}}, "CongestionSpike firing 41, CongestionSpike cleared 45"},
		{"one bad window is none", []counted{usual, {1, mix(200, 45, 6)}, {6, quiet}}, ""},
		{"much at once: one window is enough", []counted{usual, {1, mix(200, 120, 6)}, {6, quiet}},
			"CongestionSpike firing 40, CongestionSurge firing 40, NetworkSideHalf firing 40, " +
				"CongestionSpike cleared 43, CongestionSurge cleared 43, NetworkSideHalf cleared 43"},
		{"much, and for longer", []counted{usual, {4, mix(200, 120, 6)}, {6, quiet}},
			"CongestionSpike firing 40, CongestionSurge firing 40, NetworkSideHalf firing 40, " +
				"CongestionSpike cleared 46, CongestionSurge cleared 46, NetworkSideHalf cleared 46"},
		{"the other one of the network", []counted{usual, {3, mix(200, 12, 40)}, {6, quiet}},
			"ChannelUnavailableSpike firing 41, ChannelUnavailableSpike cleared 45"},
		{"half of it by both", []counted{usual, {3, mix(30, 8, 8)}, {6, quiet}},
			"ChannelUnavailableSpike firing 41, NetworkSideHalf firing 41, ChannelUnavailableSpike cleared 45, NetworkSideHalf cleared 45"},
		{"a handful of calls", []counted{usual, {12, mix(8, 4, 0)}}, ""},
		{"while learning only the backstop fires", []counted{{20, quiet}, {5, mix(200, 120, 6)}, {6, quiet}},
			"NetworkSideHalf firing 21, NetworkSideHalf cleared 27"},
		{"from the very first window on", []counted{{5, mix(200, 160, 6)}}, "NetworkSideHalf firing 1"},
		{"closing time ends what is open", []counted{usual, {4, mix(200, 120, 6)}, {14, empty}},
			"CongestionSpike firing 40, CongestionSurge firing 40, NetworkSideHalf firing 40, " +
				"CongestionSpike no_traffic 55, CongestionSurge no_traffic 55, NetworkSideHalf no_traffic 55"},
		{"busy lists", []counted{usual, {6, map[string]int64{"busy": 100, "no_answer": 100}}, {8, quiet}},
			"BusyShift firing 42, BusyShift cleared 51"},
		{"a renamed result", []counted{usual, {3, map[string]int64{"congestión_red": 30, "no_answer": 170}}, {8, quiet}},
			"UnknownResult firing 41, UnknownResult cleared 48"},
		{"a result of two calls that nobody knows", []counted{usual, {3, map[string]int64{"new": 2, "no_answer": 198}}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := monday
			if got := told(run(t, rule.Builtin(), logOf(start, c.log...), options), start); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestTheFirstDay: sites of any size and any usual level begin without an alarm.
func TestTheFirstDay(t *testing.T) {
	t.Parallel()
	set := rule.Builtin()
	for _, level := range []float64{0.05, 0.25, 0.45} {
		for _, volume := range []float64{25, 60, 200, 1500} {
			for seed := range uint64(8) {
				r := rand.New(rand.NewPCG(seed, 77))
				operation := evaluate.New("default", set, options)
				for _, ev := range logOf(monday, counted{2 * perDay, nil}) {
					n := poisson(r, volume)
					congestion := binomial(r, n, level)
					ev.Counts = mix(n, congestion, binomial(r, n-congestion, 0.05))
					ev.Total = n
					operation.Apply(&ev)
					for _, s := range operation.States() {
						if s.Firing {
							t.Fatalf("usual %v, %v calls, seed %d: %s at %v", level, volume, seed, s.Rule.Name, ev.Window)
						}
					}
				}
			}
		}
	}
}

// TestBackfilledFirst: whoever backfills 14 days has no first day, in whatever order the log has it.
func TestBackfilledFirst(t *testing.T) {
	set, quiet := rule.Builtin(), mix(200, 12, 6)
	past := logOf(monday.Add(-14*24*time.Hour), counted{14 * perDay, quiet})
	for i := range past {
		past[i].Backfill = true
	}
	live := logOf(monday, counted{2, quiet}, counted{3, mix(200, 45, 6)})
	for name, log := range map[string][]events.Event{
		"before": slices.Concat(past, live), "after": slices.Concat(live[:1], past, live[1:]),
	} {
		got := told(run(t, set, log, options), monday)
		if want := "CongestionSpike firing 3"; got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

// shareRule compares congestion with what is usual, and fires at once.
const shareRule = `rules:
  - alert: Up
    expr: lift("share.congestion") >= 0.10 && total >= 20
    value: share.congestion
`

// TestWhatLastsTwoDaysIsUsual: an alert that compares with what was usual before it ends after 48 hours, and does not
// begin again.
func TestWhatLastsTwoDaysIsUsual(t *testing.T) {
	log := logOf(monday, counted{40, mix(200, 10, 0)}, counted{5 * perDay, mix(200, 80, 0)}, counted{40, mix(200, 10, 0)})
	got := told(run(t, rules(t, shareRule), log, options), monday)
	if want := fmt.Sprintf("Up firing 40, Up rebased %d", 40+2*perDay-1); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestAnAlertDoesNotBecomeUsual: what fired does not count for what is usual afterwards, and neither does a holiday.
func TestAnAlertDoesNotBecomeUsual(t *testing.T) {
	holiday := "holidays: [2026-11-24]\n" + shareRule
	for name, c := range map[string]struct {
		rules string
		log   []counted
		want  string
	}{
		"an alert": {shareRule, []counted{{40, mix(200, 10, 0)}, {100, mix(200, 80, 0)}, {10, mix(200, 10, 0)}, {5, mix(200, 80, 0)}},
			"Up firing 40, Up cleared 140, Up firing 150"},
		// 14 hours after window 0 the local day ends.
		"a holiday": {holiday, []counted{{168, mix(200, 10, 0)}, {288, mix(200, 80, 0)}, {5, mix(200, 80, 0)}}, "Up firing 456"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := told(run(t, rules(t, c.rules), logOf(monday, c.log...), options), monday); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestAtOnce(t *testing.T) {
	const text = `rules:
  - alert: Congestion
    expr: share.congestion >= 0.2 && total >= 50
    at_once: share.congestion >= 0.5 && total >= 50
    clear: share.congestion < 0.1
    for: 2
`
	for _, c := range []struct {
		name string
		log  []counted
		want string
	}{
		{"for waits", []counted{{1, mix(100, 30, 0)}, {1, mix(100, 30, 0)}}, "Congestion firing 1"},
		{"at once does not", []counted{{1, mix(100, 60, 0)}}, "Congestion firing 0"},
		{"at once counts for the next", []counted{{1, mix(100, 30, 0)}, {1, mix(100, 60, 0)}}, "Congestion firing 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := told(run(t, rules(t, text), logOf(monday, c.log...), options), monday); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestFewerCallsForGoodAreUsual: an operation that works less from one day on is told once, not until five weeks have passed
// and nobody knows any more what was usual.
func TestFewerCallsForGoodAreUsual(t *testing.T) {
	const day = 288
	set := rules(t, "extend: builtin\nrules: [{alert: FewerUnconnectedCalls}]")
	start := monday.Add(-28 * 24 * time.Hour)
	got := told(run(t, set, logOf(start, counted{28 * day, mix(200, 10, 6)}, counted{60 * day, mix(60, 3, 2)}), options), start)
	if want := "FewerUnconnectedCalls firing 8065, FewerUnconnectedCalls rebased 8639"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
