package rule_test

import (
	"strings"
	"testing"

	"unconnected/alerter/rule"
)

func TestSentences(t *testing.T) {
	for _, c := range []struct {
		keys   []string
		en, es string
	}{
		{[]string{"expr: share.congestion >= 0.20 && total >= 50", "clear: share.congestion < 0.10", "for: 2 of 3", "keep: 3",
			"severity: critical", "operations: [ventas]", `hours: "Mon-Sat 07:00-21:00"`},
			"Critical: fires when in 2 of 3 windows the share of congestion is at least 20% and the number of unconnected calls is " +
				"at least 50. It ends after 3 windows in a row in which the share of congestion is below 10%. Only for ventas. " +
				"Only in the hours Mon-Sat 07:00-21:00.",
			"Crítica: se activa cuando en 2 de 3 ventanas la proporción de congestión es al menos 20 % y el número de llamadas no " +
				"conectadas es al menos 50. Termina tras 3 ventanas seguidas en que la proporción de congestión es menor que 10 %. " +
				"Solo para ventas. Solo en las horas Mon-Sat 07:00-21:00."},
		{[]string{`expr: 'lift("share.busy") > points && total > 5'`, `at_once: 'rarity("share.busy", 3) < 0.0001 && total > 5'`,
			"constants: {points: 0.1}"},
			"Warning: fires when in one window the share of busy less what is usual is above 10% and the number of unconnected calls is " +
				"above 5; or at once when the probability of so high a value of the share of busy over the last 3 windows together is " +
				"below 0.0001 and the number of unconnected calls is above 5. It ends after one window in which that is not so.",
			""},
		{[]string{"expr: '(total > 5 || count.busy > 3) && !(count[\"sip_503\"] > 2) && mean(\"total\", \"1h\") > 2 && sum(\"total\", 5) > 1'"},
			"Warning: fires when in one window (the number of unconnected calls is above 5 or the number of calls with busy is above 3) " +
				"and not (the number of calls with sip_503 is above 2) and the mean of the number of unconnected calls over the last 1h is " +
				"above 2 and the sum of the number of unconnected calls over the last 5 windows is above 1. It ends after one window in " +
				"which that is not so.",
			"Advertencia: se activa cuando en una ventana (el número de llamadas no conectadas supera 5 o el número de llamadas con " +
				"ocupado supera 3) y no (el número de llamadas con sip_503 supera 2) y la media del número de llamadas no conectadas en " +
				"el último lapso de 1h supera 2 y la suma del número de llamadas no conectadas en las últimas 5 ventanas supera 1. " +
				"Termina tras una ventana en que eso no se cumple."},
		{[]string{`expr: 'missing && status("quota", "refused")'`, "severity: critical"},
			"Critical: fires when windows do not come and the producer says quota or refused, and ends when that is over.",
			"Crítica: se activa cuando no llegan ventanas y el productor dice quota o refused, y termina cuando eso deja de ocurrir."},
	} {
		r := one(t, c.keys...)
		if got := r.Sentence("en"); got != c.en {
			t.Errorf("got  %s\nwant %s", got, c.en)
		}
		if got := r.Sentence("es"); c.es != "" && got != c.es {
			t.Errorf("got  %s\nwant %s", got, c.es)
		}
	}
}

// TestEveryBuiltinSentence: none has a word of the language in it, or a verb without its arguments.
func TestEveryBuiltinSentence(t *testing.T) {
	set := parse(t, "extend: builtin\nrules: [{alert: FewerUnconnectedCalls}]")
	for _, r := range set.Rules {
		for _, language := range []string{"en", "es"} {
			got := r.Sentence(language)
			for _, code := range []string{"share.", "count.", "lift", "rarity", "&&", "||", "%!", "pooled_", "MISSING"} {
				if strings.Contains(got, code) {
					t.Errorf("%s in %s has %q in it: %s", r.Name, language, code, got)
				}
			}
		}
	}
	for name := range map[string]bool{"CongestionSpike": true, "NetworkSideHalf": true} {
		t.Log(rule.Builtin().Find(name).Sentence("en"))
	}
}
