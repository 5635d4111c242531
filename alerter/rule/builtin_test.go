package rule_test

import (
	"regexp"
	"strings"
	"testing"

	"unconnected/alerter/rule"
)

func TestBuiltinTexts(t *testing.T) {
	// cdr_6 has no answered calls: its shares are neither an answer seizure ratio nor a failure rate.
	wrong := regexp.MustCompile(`(?i)\basr\b|failure rate|tasa de fall`)
	if found := wrong.FindString(rule.BuiltinYAML()); found != "" {
		t.Errorf("the pack speaks of %q", found)
	}
	w := observe(1073, map[string]int64{"busy": 100, "cancel": 60, "congestion": 476, "chanunavail": 60, "no_answer": 370, "new_result": 7})
	for _, r := range rule.Builtin().Rules {
		if r.Titles.English == "" || r.Titles.Spanish == "" || r.Title("en") == r.Title("es") {
			t.Errorf("%s has no title in both languages", r.Name)
		}
		if r.OnTicks() {
			continue // it is not about calls
		}
		for language, words := range map[string]string{"en": "unconnected calls", "es": "llamadas no conectadas"} {
			if got := r.Summary(language, "default", &w); !strings.Contains(got, words) {
				t.Errorf("%s in %s does not say of what: %s", r.Name, language, got)
			}
		}
		if r.Value == "" || r.Threshold == nil && r.Limit == "" || !r.ValueIsShare() {
			t.Errorf("%s: %+v", r.Name, r)
		}
	}
}

// TestBuiltinTable holds the pack to the table of the design.
func TestBuiltinTable(t *testing.T) {
	const critical, warning = "critical", "warning"
	for name, want := range map[string]struct {
		rule.For
		keep     int
		severity string
	}{
		"CongestionSpike": {rule.For{N: 2, M: 2}, 3, critical}, "ChannelUnavailableSpike": {rule.For{N: 2, M: 2}, 3, critical},
		"CongestionSurge": {rule.For{N: 1, M: 1}, 3, critical}, "ChannelUnavailableSurge": {rule.For{N: 1, M: 1}, 3, critical},
		"NetworkSideHalf": {rule.For{N: 2, M: 2}, 3, critical}, "BusyShift": {rule.For{N: 3, M: 3}, 6, warning},
		"CancelShift": {rule.For{N: 3, M: 3}, 6, warning}, "UnknownResult": {rule.For{N: 1, M: 1}, 6, warning},
		"DataMissing": {rule.For{N: 1, M: 1}, 1, critical}, "FewerUnconnectedCalls": {},
	} {
		r := rule.Builtin().Find(name)
		if name == "FewerUnconnectedCalls" {
			if r != nil {
				t.Errorf("%s is on", name)
			}
			continue
		}
		if r == nil || r.For != want.For || r.Keep != want.keep || r.Severity != want.severity {
			t.Errorf("%s is %+v", name, r)
		}
	}
	if got := len(rule.Builtin().Rules); got != 9 {
		t.Errorf("there are %d rules", got)
	}
}
