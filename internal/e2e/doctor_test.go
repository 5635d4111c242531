package e2e

import (
	"encoding/json"
	"testing"
)

// TestDoctor: the program beside both daemons, in words and as JSON; and what it says of a token that is refused.
func TestDoctor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.env["WOLKVOX_TIMEOUT"] = "10s" // on a busy machine a second may not do, and here nobody is killed
	w.start("producer", nil)
	w.start("alerter", nil)
	w.awaitLive()
	text, _ := w.tool(0, "doctor")
	for _, want := range []string{"everything", "accepted: bot", "the newest calls are from the last 15 minutes", "channel #noc", " 0 failed"} {
		if err := contains(text, want); err != nil {
			t.Error(err)
		}
	}
	if n := w.api.MaxConcurrent(); n != 1 {
		t.Errorf("%d requests at a time with one token", n)
	}

	w.api.SetTokens("another")
	text, _ = w.tool(1, "doctor", "--json")
	var told struct {
		Findings []struct{ Area, Check, Status, Next string }
		Failed   int
	}
	if err := json.Unmarshal([]byte(text), &told); err != nil || told.Failed == 0 {
		t.Fatalf("%v, %d failed in %s", err, told.Failed, text)
	}
	for _, f := range told.Findings {
		if f.Status == "failed" && f.Next == "" {
			t.Errorf("what to do is not said: %+v", f)
		}
	}
}
