// Package diagnosistest compares findings with what tests want of them.
package diagnosistest

import (
	"strings"
	"testing"

	"unconnected/internal/diagnosis"
)

// Check fails the test when a finding has another status, or does not say something, or is a fault that does not say what to do.
func Check(t testing.TB, f diagnosis.Finding, status diagnosis.Status, says string) {
	t.Helper()
	text := f.Detail + " → " + f.Next
	if f.Status != status || !strings.Contains(text, says) {
		t.Errorf("%s: %s %q, want %s and %q", f.Check, f.Status, text, status, says)
	}
	if (f.Status == diagnosis.Failed || f.Status == diagnosis.Warning) && f.Next == "" {
		t.Errorf("%s: %q does not say what to do", f.Check, f.Detail)
	}
}
