package spelling_test

import (
	"testing"

	"unconnected/internal/spelling"
)

func TestDidYouMean(t *testing.T) {
	known := []string{"CongestionSpike", "CongestionSurge", "BusyShift", "DataMissing"}
	for name, want := range map[string]string{
		"CongestionSpike": "; did you mean CongestionSpike?", // whoever asks knows that it is none
		"CongestionSpik":  "; did you mean CongestionSpike?",
		"Congestion":      "; did you mean CongestionSpike?", // the first of two
		"busyshift":       "; did you mean BusyShift?",
		"MissingData":     "",
		"x":               "",
		"":                "",
	} {
		if got := spelling.DidYouMean(name, known); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if got := spelling.DidYouMean("BusyShift", nil); got != "" {
		t.Errorf("without names: %q", got)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"SLACK_TOKEN", "SLACK_CHANNEL"}
	for name, want := range map[string]string{"SLACK_TOKE": "SLACK_TOKEN", "SLACK_TOKENS_1": "SLACK_TOKEN", "SLACK_TOKENS_12": ""} {
		if got := spelling.Nearest(name, known, 3); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
