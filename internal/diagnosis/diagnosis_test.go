package diagnosis_test

import (
	"testing"

	"unconnected/internal/diagnosis"
)

func TestCountAndIn(t *testing.T) {
	all := diagnosis.Findings{diagnosis.Ok("a", "fine"), diagnosis.Warn("b", "do", "hm"), diagnosis.Fail("c", "do", "%d of %d", 1, 2), diagnosis.Ok("d", "fine")}
	all.In("nats", "ventas")
	if all.Count(diagnosis.OK) != 2 || all.Count(diagnosis.Warning) != 1 || all.Count(diagnosis.Failed) != 1 || all.Count(diagnosis.Skipped) != 0 {
		t.Errorf("counted wrongly: %+v", all)
	}
	if want := (diagnosis.Finding{"nats", "ventas", "c", diagnosis.Failed, "1 of 2", "do"}); all[2] != want {
		t.Errorf("%+v, want %+v", all[2], want)
	}
}

func TestRedact(t *testing.T) {
	tests := []struct {
		name         string
		secrets      []string
		text, wanted string
	}{
		{"none", nil, "token abc", "token abc"},
		{"empty ones are none", []string{""}, "token abc", "token abc"},
		{"each", []string{"abc", "xyz"}, "abc, xyz", "[redacted], [redacted]"},
		{"the longer where one begins another", []string{"abcdef", "abc"}, "abcdef", "[redacted]"},
		{"the longer, whatever their order", []string{"abc", "abcdef"}, "abcdef", "[redacted]"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			all := diagnosis.Findings{diagnosis.Warn("check", test.text, "%s", test.text)}
			all.Redact(test.secrets)
			if all[0].Detail != test.wanted || all[0].Next != test.wanted {
				t.Errorf("%+v, want %q", all[0], test.wanted)
			}
		})
	}
}
