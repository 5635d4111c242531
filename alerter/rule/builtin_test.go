package rule_test

import (
	"regexp"
	"strings"
	"testing"

	"unconnected/alerter/rule"
)

func TestBuiltinPack(t *testing.T) {
	counts := func(congestion, unavailable, other int64) rule.Window {
		return observe(congestion+unavailable+other, map[string]int64{
			"congestion": congestion, "chanunavail": unavailable, "no_answer": other,
		})
	}
	for _, c := range []struct {
		name   string
		window rule.Window
		holds  string // the rules that hold
		clear  string // the rules whose condition for clearing holds
	}{
		{"a usual window", counts(50, 20, 930), "", "CongestionSpike ChannelUnavailableSpike NetworkSideHalf"},
		{"a fifth of congestion", counts(20, 0, 80), "CongestionSpike", "ChannelUnavailableSpike NetworkSideHalf"},
		{"below a fifth, above a tenth", counts(15, 0, 85), "", "ChannelUnavailableSpike NetworkSideHalf"},
		{"a fifth without channel", counts(0, 20, 80), "ChannelUnavailableSpike", "CongestionSpike NetworkSideHalf"},
		{"half of it together", counts(25, 25, 50), "CongestionSpike ChannelUnavailableSpike NetworkSideHalf", ""},
		{"too few calls for a spike, enough for a half", counts(20, 5, 10), "NetworkSideHalf", ""},
		{"too few calls for anything", counts(10, 5, 4), "", ""},
		{"no calls", counts(0, 0, 0), "", ""},
		{"missed", rule.Window{}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var holds, clear []string
			for _, r := range rule.Builtin().Rules {
				v := r.Eval(&c.window)
				if v.Expr == rule.True {
					holds = append(holds, r.Name)
				}
				if v.Clear == rule.True {
					clear = append(clear, r.Name)
				}
			}
			if got := strings.Join(holds, " "); got != c.holds {
				t.Errorf("these hold: %s, want %s", got, c.holds)
			}
			if got := strings.Join(clear, " "); got != c.clear {
				t.Errorf("these clear: %s, want %s", got, c.clear)
			}
		})
	}
}

func TestBuiltinTexts(t *testing.T) {
	// cdr_6 has no answered calls: its shares are neither an answer seizure ratio nor a failure rate.
	wrong := regexp.MustCompile(`(?i)\basr\b|failure rate|tasa de fall`)
	if found := wrong.FindString(rule.BuiltinYAML()); found != "" {
		t.Errorf("the pack speaks of %q", found)
	}
	w := windowOf(1073, 476)
	for _, r := range rule.Builtin().Rules {
		if r.Titles.English == "" || r.Titles.Spanish == "" || r.Title("en") == r.Title("es") {
			t.Errorf("%s has no title in both languages", r.Name)
		}
		for language, words := range map[string]string{"en": "unconnected calls", "es": "llamadas no conectadas"} {
			if got := r.Summary(language, "default", &w); !strings.Contains(got, words) {
				t.Errorf("%s in %s does not say of what: %s", r.Name, language, got)
			}
		}
		if r.Severity != "critical" || r.Threshold == nil || !r.ValueIsShare() {
			t.Errorf("%s: %+v", r.Name, r)
		}
	}
}
