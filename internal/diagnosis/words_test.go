package diagnosis_test

import (
	"testing"
	"time"

	"unconnected/internal/diagnosis"
)

func TestWords(t *testing.T) {
	for n, want := range map[uint64]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KiB", 2 << 30: "2.0 GiB", 1 << 63: "8.0 EiB"} {
		if got := diagnosis.Bytes(n); got != want {
			t.Errorf("Bytes(%d) is %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		1400 * time.Millisecond: "1s", 119 * time.Second: "1m59s", 5*time.Minute + 40*time.Second: "6m", 3*time.Hour + 20*time.Minute: "3h20m",
		4 * time.Hour: "4h", 119*time.Minute + 59*time.Second: "2h", 50 * time.Hour: "2 days", -45 * time.Second: "45s", 59*time.Minute + 59*time.Second: "1h", 119700 * time.Millisecond: "2m", 400 * 24 * time.Hour: "400 days",
	} {
		if got := diagnosis.Lasting(d); got != want {
			t.Errorf("Lasting(%s) is %q, want %q", d, got, want)
		}
	}
	if got := diagnosis.Plural(1, "stream") + ", " + diagnosis.Plural(0, "stream"); got != "1 stream, 0 streams" {
		t.Error(got)
	}
}
