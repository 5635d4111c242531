package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"unconnected/events"
	"unconnected/producer/wolkvox/simulator"
)

// TestPlanLooksAhead: that there will be no room is said beside what exists, and is no difference.
func TestPlanLooksAhead(t *testing.T) {
	c := newClinic(t, simulator.Options{})
	const ahead = "CALLS  at this rate it is full in"
	plan := func() string {
		t.Helper()
		var out bytes.Buffer
		if err := (&streamsPlan{}).Run(c.terminal(&out)); err != nil {
			t.Fatalf("%v: %s", err, out.String())
		}
		return out.String()
	}
	c.set("HISTORY_MAX_BYTES", "16MiB")
	c.apply()
	if text := plan(); strings.Contains(text, ahead) {
		t.Errorf("of an empty history it says\n%s", text)
	}
	w := windowOf("default", 0)
	w.Window = events.Window{Start: time.Now().UTC().Add(-5 * time.Minute).Truncate(time.Second)}
	w.Window.End = w.Window.Start.Add(5 * time.Minute)
	w.Checkpoint = w.Window.End
	store(t, c.js, w)
	if text := plan(); !strings.Contains(text, ahead) || !strings.Contains(text, "set HISTORY_MAX_BYTES=128MiB") {
		t.Errorf("it says\n%s", text)
	}
}
