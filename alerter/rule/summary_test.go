package rule_test

import (
	"testing"

	"unconnected/alerter/rule"
)

func TestSummaries(t *testing.T) {
	const congestion = "expr: total > 50\n    value: share.congestion\n    threshold: 0.2\n    "
	for _, c := range []struct {
		name, keys, en, es string
	}{
		{"the contract's example", congestion + `summary: "congestion is {{percent .Value}} of unconnected calls"`,
			"congestion is 44% of unconnected calls", "congestion is 44 % of unconnected calls"},
		{"in two languages", congestion + `summary: {en: "{{number .Total}} calls", es: "{{number .Total}} llamadas"}`,
			"1,073 calls", "1.073 llamadas"},
		{"counts and shares", congestion + `summary: "{{.Count.congestion}} {{.Count.nobody}} {{percent .Share.congestion}}"`,
			"476 0 44%", "476 0 44 %"},
		{"names", congestion + `summary: "{{.Operation}} {{.Rule}} {{.Title}} {{.Severity}}"`,
			"ventas Test Test warning", "ventas Test Test warning"},
		{"none, on a share", congestion + "title: {en: Congestion, es: Congestión}",
			"Congestion: 44% (20%)", "Congestión: 44 % (20 %)"},
		{"none, on a number", "expr: total > 5\n    value: total * 1.5\n    threshold: 5", "Test: 1,609.5 (5)", "Test: 1.609,5 (5)"},
		{"none, without a threshold", "expr: total > 5\n    value: total", "Test: 1,073", "Test: 1.073"},
		{"none, without a value", "expr: total > 5", "Test", "Test"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := one(t, c.keys)
			w := windowOf(1073, 476)
			if got := r.Summary("en", "ventas", &w); got != c.en {
				t.Errorf("in English: %q, want %q", got, c.en)
			}
			if got := r.Summary("es", "ventas", &w); got != c.es {
				t.Errorf("in Spanish: %q, want %q", got, c.es)
			}
		})
	}
}

func TestSummaryOfAWindowWithoutAValue(t *testing.T) {
	r := one(t, "expr: total > 5", "title: {en: Congestion, es: Congestión}", "value: share.congestion")
	empty, missed := windowOf(0, 0), rule.Window{}
	for _, c := range []struct {
		window         *rule.Window
		language, want string
	}{
		{&empty, "en", "Congestion: no unconnected calls in this window"},
		{&empty, "es", "Congestión: ninguna llamada no conectada en esta ventana"},
		{&missed, "en", "Congestion: no data for this window"},
		{&missed, "es", "Congestión: sin datos de esta ventana"},
		{&missed, "fr", "Congestion: no data for this window"},
	} {
		if got := r.Summary(c.language, "default", c.window); got != c.want {
			t.Errorf("in %s: %q, want %q", c.language, got, c.want)
		}
	}
}

func TestPercent(t *testing.T) {
	r := one(t, "expr: total > 0", "value: share.congestion", `summary: "{{percent .Value}}"`)
	for _, c := range []struct {
		calls, congested int64
		en, es           string
	}{
		{100, 44, "44%", "44 %"}, {1000, 45, "4.5%", "4,5 %"}, {1000, 446, "45%", "45 %"}, {100, 4, "4%", "4 %"},
		{1000, 1, "0.1%", "0,1 %"}, {10000, 1, "0%", "0 %"}, {10000, 999, "10%", "10 %"}, {7, 7, "100%", "100 %"},
	} {
		w := windowOf(c.calls, c.congested)
		if en, es := r.Summary("en", "x", &w), r.Summary("es", "x", &w); en != c.en || es != c.es {
			t.Errorf("%d of %d: %q and %q, want %q and %q", c.congested, c.calls, en, es, c.en, c.es)
		}
	}
}
