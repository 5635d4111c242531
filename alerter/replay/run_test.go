package replay_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/evaluate"
	"unconnected/alerter/replay"
	"unconnected/alerter/rule"
	"unconnected/events"
)

// TestRunIsLiveAlerting: a replay gives the very transitions that the evaluator gives message by message, with
// corrections, holes and several operations.
func TestRunIsLiveAlerting(t *testing.T) {
	set := rules(t, twoRules)
	for seed := range uint64(30) {
		log := randomLog(rand.New(rand.NewPCG(seed, 1)))
		var want []events.Alert
		operations := map[string]*evaluate.Operation{}
		published := map[string]map[string]events.Alert{}
		for i := range log {
			e := &log[i]
			if operations[e.Operation] == nil {
				operations[e.Operation] = evaluate.New(e.Operation, set, evaluate.Options{MaxAge: options.MaxAge})
				published[e.Operation] = map[string]events.Alert{}
			}
			operations[e.Operation].Apply(e)
			for _, a := range operations[e.Operation].Transitions(published[e.Operation], events.Cause{Sequence: e.Sequence}, "en") {
				published[e.Operation][a.Rule] = a
				want = append(want, a)
			}
		}
		for _, values := range []bool{false, true} {
			opts := options
			opts.Values = values
			if got := replay.Run(log, set, opts).Transitions; !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d: %d transitions, want %d", seed, len(got), len(want))
			}
		}
		if len(want) < 10 {
			t.Errorf("seed %d proves little: %d transitions", seed, len(want))
		}
	}
}

func randomLog(dice *rand.Rand) (log []events.Event) {
	next := map[string]int{}
	for len(log) < 400 {
		operation := []string{"default", "ventas"}[dice.IntN(2)]
		e := live(operation, next[operation], []int64{-1, 5, 5, 5, 15, 30, 30, 60}[dice.IntN(8)])
		switch dice.IntN(10) {
		case 0: // a hole
			next[operation]++
			continue
		case 1:
			if n := next[operation]; n > 3 {
				e = live(operation, n-1-dice.IntN(3), []int64{5, 60}[dice.IntN(2)])
				e.Revision, e.Stored = len(log), live(operation, n, 0).Stored
			}
		default:
			next[operation]++
		}
		e.Sequence = uint64(len(log) + 1)
		log = append(log, e)
	}
	return log
}

// tell is an incident in short: windows are given by their numbers.
func tell(i *replay.Incident) string {
	number := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return fmt.Sprint(int(t.Sub(monday) / length))
	}
	var alerts []string
	for _, a := range i.Alerts {
		peak := "?"
		if a.Peak != nil {
			peak = fmt.Sprintf("%.0f@%s", *a.Peak*100, number(a.PeakAt))
		}
		alerts = append(alerts, fmt.Sprintf("%s %s-%s %s %s", a.Rule.Name, number(a.Start), number(a.End), peak, a.Reason))
	}
	return fmt.Sprintf("%s %s %s-%s told %s: %s", i.Operation, i.Severity, number(i.Start), number(i.End), number(i.Told), strings.Join(alerts, ", "))
}

func tellAll(list []replay.Incident) string {
	var lines []string
	for i := range list {
		lines = append(lines, tell(&list[i]))
	}
	return strings.Join(lines, "\n")
}

func TestIncidents(t *testing.T) {
	set := rules(t, twoRules)
	list := append(history("ventas", "5x2 30 60 70 30 5x20 40 ?x2 45"), history("default", "5x10 20 5x10")...)
	result := replay.Run(list, set, options)
	want := `ventas critical 2-6 told 3: Some 2-6 70@4 cleared, Much 3-5 70@4 cleared
default warning 10-11 told 11: Some 10-11 20@10 cleared
ventas warning 26-- told 27: Some 26-- 45@29 `
	if got := tellAll(result.Incidents); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if result.Windows != 51 || result.Unknown != 2 || strings.Join(result.Operations, " ") != "default ventas" {
		t.Errorf("%d windows, %d unknown, %v", result.Windows, result.Unknown, result.Operations)
	}
	if peak := result.Incidents[0].Peak(); peak.Rule.Name != "Much" || result.Incidents[0].Delay() != length {
		t.Errorf("peak of %s, delay %v", peak.Rule.Name, result.Incidents[0].Delay())
	}
	rules := result.PerRule()
	if some := rules[0]; some.Rule.Name != "Some" || some.Alerts != 3 || some.Firing != 9*length {
		t.Errorf("%s: %d alerts, %v", some.Rule.Name, some.Alerts, some.Firing)
	}
	if weeks := result.Weeks(); math.Abs(result.PerWeek(3)-3/weeks) > 1e-9 || math.Abs(weeks-30*5/(7*24*60.)) > 1e-9 {
		t.Errorf("%v weeks, %v alerts a week", weeks, result.PerWeek(3))
	}
	if r := replay.Run(nil, set, options); r.Windows != 0 || r.PerWeek(1) != 0 || len(r.PerRule()) != 2 {
		t.Errorf("of nothing: %+v", r)
	}
}

// TestSpan: what was before From is judged, and not told about.
func TestSpan(t *testing.T) {
	set := rules(t, twoRules)
	opts := options
	at := func(n int) time.Time { return monday.Add(time.Duration(n) * length) }
	list := history("ventas", "5 30x3 5x10 30 5x5 30 5")
	opts.From, opts.To = at(3), at(19)
	result := replay.Run(list, set, opts)
	var got []string
	for _, a := range result.Transitions {
		got = append(got, a.Status)
	}
	if s := strings.Join(got, " "); s != "resolved firing resolved" {
		t.Errorf("transitions %s", s)
	}
	if got := tellAll(result.Incidents); got != "ventas warning 1-4 told 2: Some 1-4 30@1 cleared\nventas warning 14-15 told 15: Some 14-15 30@14 cleared" {
		t.Errorf("incidents\n%s", got)
	}
	if result.Windows != 16 || !result.From.Equal(at(3)) || !result.To.Equal(at(19)) {
		t.Errorf("%d windows from %v to %v", result.Windows, result.From, result.To)
	}
	if some := result.PerRule()[0]; some.Firing != 2*length {
		t.Errorf("fired for %v", some.Firing)
	}
	opts.From, opts.To = at(0), at(3) // what happens from To on is not known yet
	if got := tellAll(replay.Run(list, set, opts).Incidents); got != "ventas warning 1-- told 2: Some 1-- 30@1 " {
		t.Errorf("incidents up to the middle of one\n%s", got)
	}
}

// TestEarliestAlert: an incident begins with the earliest beginning of its alerts, though the one that began first may be
// told last.
func TestEarliestAlert(t *testing.T) {
	set := rules(t, strings.Replace(twoRules, "    clear: share.congestion < 0.10\n", "    for: 3\n", 1))
	got := tellAll(replay.Run(history("ventas", "5 30 60 60 30 5"), set, options).Incidents)
	if got != "ventas critical 1-5 told 3: Much 2-4 60@2 cleared, Some 1-5 60@2 cleared" {
		t.Errorf("%s", got)
	}
}

func TestValues(t *testing.T) {
	opts := options
	opts.Values = true
	list := history("ventas", "5 30 ? 5")
	revised := live("ventas", 1, 10)
	revised.Revision, revised.Stored = 1, list[3].Stored
	list = append(list, revised)
	result := replay.Run(list, rules(t, twoRules), opts)
	var got []string
	for _, p := range result.Values("ventas", "Much", monday.Add(length), monday.Add(10*length)) {
		got = append(got, fmt.Sprintf("%d %.2f of %d", p.Window.Start.Sub(monday)/length, p.Value, p.Total))
	}
	if s := strings.Join(got, ", "); s != "1 0.10 of 100, 2 NaN of -1, 3 0.05 of 100" {
		t.Errorf("values %s", s)
	}
	if result.Values("ventas", "Other", monday, monday.Add(length)) != nil || result.Values("x", "Much", monday, monday.Add(length)) != nil {
		t.Error("there are values of what is not there")
	}
	thin := replay.Thin(result.Values("ventas", "Some", monday, monday.Add(10*length)), 2)
	if len(thin) != 2 || thin[0].Value != 0.10 || thin[1].Value != 0.05 {
		t.Errorf("thinned %v", thin)
	}
}

func TestCompare(t *testing.T) {
	list := history("ventas", "5x5 30x3 5x20 60x2 5x20 60 5x20")
	some, much := rules(t, twoRules), rules(t, strings.Replace(twoRules, "0.20", "0.55", 2))
	pairs := replay.Compare(replay.Run(list, some, options), replay.Run(list, much, options))
	var got []string
	for _, p := range pairs {
		got = append(got, fmt.Sprintf("%t %t", p.A != nil, p.B != nil))
	}
	if s := strings.Join(got, ", "); s != "true false, true true, true true" {
		t.Errorf("pairs %s", s)
	}
	both := append(history("ventas", "5 30 5"), history("cobranza", "5 70 5")...)
	if pairs := replay.Compare(replay.Run(both, some, options), replay.Run(both, much, options)); len(pairs) != 2 || (pairs[0].B == nil) == (pairs[1].B == nil) {
		t.Errorf("incidents of two operations at one time make the pairs %v", pairs)
	}
	pairs = replay.Compare(replay.Run(list, much, options), replay.Run(list, some, options))
	if len(pairs) != 3 || pairs[0].A != nil || pairs[0].B == nil {
		t.Errorf("the other way round: %+v", pairs)
	}
}

func TestSuggest(t *testing.T) {
	set := rules(t, twoRules+"  - {alert: Plain, expr: total > 5000, threshold: 7}\n  - {alert: None, expr: total > 5000}\n")
	// Four weeks: a day of 8 %, with a peak of 22 % each day, one of 35 % each week, and one incident of 70 %.
	var text strings.Builder
	for day := range 28 {
		fmt.Fprintf(&text, "8x100 22x3 ")
		if day%7 == 3 {
			fmt.Fprintf(&text, "8x50 35x3 8x47 ")
		} else {
			fmt.Fprintf(&text, "8x100 ")
		}
		if day == 20 {
			fmt.Fprintf(&text, "70x10 8x75 ")
		} else {
			fmt.Fprintf(&text, "8x85 ")
		}
	}
	suggestions, err := replay.Suggest(history("ventas", text.String()), set, options, 2)
	if err != nil || len(suggestions) != 3 {
		t.Fatalf("%d suggestions, %v", len(suggestions), err)
	}
	some, much, plain := suggestions[0], suggestions[1], suggestions[2]
	if some.Present.Alerts != 33 || some.Best == nil || some.Best.Threshold <= 0.22 || some.Best.Threshold >= 0.25 || some.Best.Alerts != 5 ||
		len(some.Caught) != 5 || len(some.Missed) != 28 || len(some.New) != 0 {
		t.Errorf("Some: present %+v, best %+v, caught %d, missed %d, new %d", some.Present, some.Best, len(some.Caught), len(some.Missed), len(some.New))
	}
	if first := some.Missed[0]; *first.Peak != 0.22 || *some.Caught[0].Peak != 0.35 {
		t.Errorf("missed %v, caught %v", *first.Peak, *some.Caught[0].Peak)
	}
	if !strings.HasPrefix(some.Best.Clear, "share.congestion < 0.11") {
		t.Errorf("clear does not move: %s", some.Best.Clear)
	}
	if much.Present.Alerts != 1 || much.Best == nil || much.Best.Threshold != 0.35 || len(much.Caught) != 1 || len(much.New) != 4 {
		t.Errorf("Much: present %+v, best %+v, caught %d, new %d", much.Present, much.Best, len(much.Caught), len(much.New))
	}
	if plain.Err == nil || plain.Best != nil || plain.Rule.Name != "Plain" {
		t.Errorf("Plain: %+v", plain)
	}
	calm, err := replay.Suggest(history("ventas", "8x600 70x3 8x600"), set, options, 9)
	if err != nil || calm[0].Best == nil || calm[0].Best.Threshold != 0.2 || len(calm[0].New) != 0 {
		t.Errorf("a threshold that need not change becomes %+v, %v", calm[0].Best, err)
	}
	huge := rules(t, "rules: [{alert: Huge, expr: total >= 1e308, value: total, threshold: 1e308}]")
	if got, err := replay.Suggest(history("ventas", "8x600"), huge, options, 9); err != nil || len(got) != 1 || got[0].Best == nil {
		t.Errorf("near the highest number: %+v, %v", got, err)
	}
	none, err := replay.Suggest(history("ventas", strings.Repeat("100 0 ", 1000)), rules(t, twoRules), options, 1)
	if err != nil || none[0].Best != nil {
		t.Errorf("an alert every other window cannot be calmed: %+v, %v", none[0].Best, err)
	}
}

// TestSuggestOrder: what would be missed is told from the highest on.
func TestSuggestOrder(t *testing.T) {
	suggestions, err := replay.Suggest(history("ventas", "8x600 25x2 8x600 35x2 8x600 30x2 8x600 90 8x600"), rules(t, twoRules), options, 0.7)
	if err != nil {
		t.Fatal(err)
	}
	var peaks []string
	for _, a := range suggestions[0].Missed {
		peaks = append(peaks, fmt.Sprint(*a.Peak))
	}
	if s := strings.Join(peaks, " "); s != "0.35 0.3 0.25" {
		t.Errorf("missed %s, best %+v", s, suggestions[0].Best)
	}
}

// TestSuggestAgreesWithRun: the alerts a week of a suggestion are those that a replay of it has, also in a part of history
// that begins and ends in the middle of an alert; and no suggestion fires all the time.
func TestSuggestAgreesWithRun(t *testing.T) {
	list := history("ventas", "8x500 40x300 8x300 30x20 8x900 45x5 8x900 60x300")
	opts := options
	opts.From, opts.To = monday.Add(700*length), monday.Add(3000*length)
	set := rules(t, twoRules)
	suggestions, err := replay.Suggest(list, set, opts, 20)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range suggestions {
		variant, err := set.Variants(s.Rule, []float64{s.Best.Threshold})
		if err != nil {
			t.Fatal(err)
		}
		sum := replay.Run(list, variant, opts).PerRule()[0]
		firing := sum.Firing.Hours() / (2300 * length).Hours()
		if sum.Alerts != s.Best.Alerts || math.Abs(firing-s.Best.Firing) > 1e-9 || s.Best.Firing > 0.1 || s.Best.Threshold <= 0.08 || s.Best.Threshold > 0.3 {
			t.Errorf("%s: a replay has %d alerts and fires %.3f of the time, the suggestion %+v", s.Rule.Name, sum.Alerts, firing, s.Best)
		}
	}
}

// TestLeftOut: nothing of the built-in rules that are judged needs the clock.
func TestLeftOut(t *testing.T) {
	for _, name := range replay.Run(nil, rule.Builtin(), options).LeftOut {
		if name != "DataMissing" {
			t.Errorf("%s is left out", name)
		}
	}
}
