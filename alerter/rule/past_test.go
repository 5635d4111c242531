package rule_test

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/rule"
	"unconnected/events"
)

// past is a history in short: words are windows of five minutes, "40/200" of 200 calls with 40 of congestion, "?" a missed
// one, "-" nothing at all, "6/60*36" 36 of them.
func past(t testing.TB, h *rule.History, start time.Time, text string) (next rule.Window, at rule.Local) {
	t.Helper()
	const length = 5 * time.Minute
	for word := range strings.FieldsSeq(text) {
		what, times, _ := strings.Cut(word, "*")
		count, err := strconv.Atoi(times)
		if err != nil {
			count = 1
		}
		for range count {
			if what != "-" {
				w := windowAt(t, start, what)
				h.Observe(&w, rule.LocalOf(start, time.UTC))
				h.Settle(false)
			}
			start = start.Add(length)
		}
	}
	return windowAt(t, start, "50/200"), rule.LocalOf(start, time.UTC)
}

func windowAt(t testing.TB, start time.Time, what string) rule.Window {
	t.Helper()
	ev := events.Event{Window: events.Window{Start: start, End: start.Add(5 * time.Minute)}}
	if what == "?" {
		ev.Missed = &events.Missed{Reason: "garbage"}
		return rule.Observe(&ev)
	}
	x, n, _ := strings.Cut(what, "/")
	congestion, err := strconv.ParseInt(x, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if ev.Total, err = strconv.ParseInt(n, 10, 64); err != nil {
		t.Fatal(err)
	}
	ev.Counts = map[string]int64{"congestion": congestion, "no_answer": ev.Total - congestion}
	return rule.Observe(&ev)
}

var monday = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

// TestFunctionsOverThePast: each is asked at the window after a history, which has 50 congested of 200 calls.
func TestFunctionsOverThePast(t *testing.T) {
	unknown := math.NaN()
	const hour, learnt = "20/200*12", "20/200*40"
	for _, c := range []struct {
		expression, history string
		want                float64
	}{
		{`mean("total", 3)`, "1/100 2/200 3/300 6/600", 1100.0 / 3},
		{`mean("share.congestion", "15m")`, "90/100 10/100 20/100 30/100", 0.2},
		{`mean("count.congestion + count.no_answer", 2)`, "1/100 2/200", 150},
		{`median("total", 3)`, "1/100 3/300 2/200", 200},
		{`median("total", 4)`, "1/100 3/300 2/200 4/400", 250},
		{`max("count.congestion", "1h")`, "90/100*3 " + hour, 20},
		{`max("count.congestion", 13)`, "90/100*3 " + hour, 90},
		{`sum("total", 5)`, "1/100*5", 500},
		{`sum("total", "1h")`, hour, 2400},
		{`sum("total", "1m")`, "1/100 2/200", 200}, // less than a window is one window

		{`sum("total", 4)`, "1/100 1/100 ? ?", 200},
		{`sum("total", 4)`, "1/100 ? ? ?", unknown},
		{`sum("total", 4)`, "1/100 1/100 - -", 200},
		{`sum("total", 4)`, "1/100 - - -", unknown},
		{`sum("total", 4)`, "1/100*50 -*30", unknown},
		{`sum("total", 4)`, "1/100", unknown},
		{`sum("total", 4)`, "0/0*4", 0},
		{`mean("share.congestion", 4)`, "0/0*3 1/100", unknown},
		{`mean("share.congestion", 4)`, "0/0*2 1/100 3/100", 0.02},
		{`mean("total", 3)`, "", unknown},

		{`same_time("total", "1d")`, "1/100*300", 100},
		{`same_time("share.congestion", "1d")`, "10/100*300", 0.1},
		{`same_time("total", "2d")`, "1/100*300", unknown},

		{`baseline("share.congestion")`, "20/200*35", unknown},
		{`baseline("share.congestion")`, learnt, 0.1},
		{`baseline("share.congestion", 0.5)`, "", 0.5},
		{`baseline("share.congestion", 0.5)`, "20/200", 0.3},
		{`baseline("share.congestion", 0.5)`, learnt, 0.1},
		{`baseline("share.congestion + share.no_answer")`, learnt, 1},
		{`lift("share.congestion")`, learnt, 0.15},
		{`lift("share.congestion")`, "20/200*35", unknown},
		{`ratio("share.congestion")`, learnt, 2.5},
		{`raised("share.congestion", 0.06, 3)`, learnt, 1},
		{`raised("share.congestion", 0.06, 3)`, learnt + " 50/200 50/200", 3},
		{`rarity("share.congestion") < 0.01 ? 1 : 0`, learnt, 1},
		{`rarity("share.congestion", 3) < rarity("share.congestion") ? 1 : 0`, learnt + " 50/200 50/200", 1},
		{`rarity("share.congestion")`, "20/200*35", unknown},
		{`learning("share.congestion") ? 1 : 0`, "20/200*35", 1},
		{`learning("share.congestion") ? 1 : 0`, learnt, 0},
		{`expected_total()`, "1/100*2016 1/200*2016 1/150*100", 150},
		{`expected_total()`, "1/100*10", unknown},
		{`age()`, "1/100*11", 1},
		{`age()`, "?*12 1/100*11", 1},
	} {
		t.Run(c.expression+" after "+c.history, func(t *testing.T) {
			set := parse(t, oneText("expr: total > 0", "value: "+quoted(c.expression)))
			history, r := rule.NewHistory(set, "default"), set.Find("Test")
			w, at := past(t, history, monday.Add(12*time.Hour), c.history)
			history.Observe(&w, at)
			seen := w.Behind(history.Of(r))
			got := r.Eval(&seen).Value
			if math.Abs(got-c.want) > 0.005*math.Max(1, math.Abs(c.want)) && !(math.IsNaN(got) && math.IsNaN(c.want)) ||
				math.IsNaN(got) != math.IsNaN(c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if blind := r.Eval(&w).Value; !math.IsNaN(blind) {
				t.Errorf("without a past it is %v", blind)
			}
		})
	}
}

func TestUnlistedResults(t *testing.T) {
	set := parse(t, `rules:
  - {alert: Unlisted, expr: count.unlisted > 0, value: count.unlisted}
  - {alert: Listed, expr: 'share["sip_503"] > 0.5 && total > 5'}
`)
	history, r := rule.NewHistory(set, "default"), set.Find("Unlisted")
	w := observe(30, map[string]int64{"busy": 10, "sip_503": 8, "sip_404": 7, "unlisted": 5})
	seen := w.Behind(history.Of(r))
	if got := r.Eval(&seen).Value; got != 12 {
		t.Errorf("%v calls are unlisted", got)
	}
	if got := r.Summary("en", "default", &seen); got != "Unlisted: 12" {
		t.Errorf("the summary is %q", got)
	}
}

func TestConditionsBetweenWindows(t *testing.T) {
	for _, c := range []struct {
		expression string
		tick       rule.Tick
		want       rule.Tri
	}{
		{"missing", rule.Tick{Missing: rule.True}, rule.True},
		{"missing", rule.Tick{Missing: rule.False}, rule.False},
		{"missing", rule.Tick{}, rule.Unknown},
		{`missing() && status("quota", "refused")`, rule.Tick{Missing: rule.True, Status: rule.Status{State: "quota"}}, rule.True},
		{`missing && !status("quota")`, rule.Tick{Missing: rule.True, Status: rule.Status{State: "quota"}}, rule.False},
		{`missing && status("quota")`, rule.Tick{Missing: rule.True}, rule.Unknown},
		{`missing && status("quota")`, rule.Tick{Missing: rule.False}, rule.False},
		{`status("catching up")`, rule.Tick{Status: rule.Status{State: "ok"}}, rule.False},
	} {
		t.Run(c.expression, func(t *testing.T) {
			r := one(t, "expr: "+quoted(c.expression))
			w := rule.ObserveTick(c.tick)
			if got := r.Eval(&w).Expr; got != c.want || !r.OnTicks() {
				t.Errorf("got %v, want %v", got, c.want)
			}
			busy := busyWindow()
			if got := r.Eval(&busy).Expr; got != rule.Unknown {
				t.Errorf("in a window it is %v", got)
			}
		})
	}
}

func TestThresholdsThatMove(t *testing.T) {
	set := parse(t, oneText("expr: total > 5", "value: share.congestion", "constants: {points: 0.1}",
		`threshold: baseline("share.congestion") + points`))
	history, r := rule.NewHistory(set, "default"), set.Find("Test")
	for _, c := range []struct{ history, summary string }{{"", "Test: 25%"}, {"20/200*40", "Test: 25% (20%)"}} {
		w, _ := past(t, history, monday, c.history)
		seen := w.Behind(history.Of(r))
		if got := r.Summary("en", "default", &seen); got != c.summary {
			t.Errorf("after %q: %q", c.history, got)
		}
		if threshold := r.ThresholdIn(&seen); (threshold == nil) != (c.history == "") {
			t.Errorf("after %q the threshold is %v", c.history, threshold)
		}
	}
}

func TestAThresholdIsFinite(t *testing.T) {
	w := busyWindow()
	if got := one(t, "expr: total > 5", "threshold: total * 1e304").ThresholdIn(&w); got == nil || math.IsInf(*got, 0) {
		t.Errorf("got %v", got)
	}
}

// TestBoundedMemory: however short the windows are, and however far somebody looks back, only so many are remembered.
func TestBoundedMemory(t *testing.T) {
	set := parse(t, oneText(`expr: sum("total", "1d") > 0`, `value: sum("total", 4096)`))
	history, r := rule.NewHistory(set, "default"), set.Find("Test")
	ev := events.Event{Total: 1, Counts: map[string]int64{"busy": 1}}
	var w rule.Window
	for i := range 20000 {
		start := monday.Add(time.Duration(i) * time.Second)
		ev.Window = events.Window{Start: start, End: start.Add(time.Second)}
		w = rule.Observe(&ev)
		history.Observe(&w, rule.Local{})
	}
	seen := w.Behind(history.Of(r))
	if got := r.Eval(&seen).Value; got != 4096 {
		t.Errorf("the sum is %v", got)
	}
}
