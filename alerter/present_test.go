package alerter_test

import (
	"strings"
	"testing"
)

// TestPresent: while nothing happens the message tells of the newest windows all the same: how bad it is, how bad it was, for how
// long, and that it may be over soon; and no phone rings for that.
func TestPresent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rules(strings.Replace(twoRules, "severity: critical", "severity: critical\n    keep: 3", 1))
	p := w.start()
	w.play("default", "c")
	w.expectChannel("#noc", "root 🔴 default/Congestion/1/firing")
	says := func(what string, texts ...string) {
		t.Helper()
		eventually(t, what, func() (bool, string) {
			root := w.slack.Roots("#noc")[0]
			text := strings.ReplaceAll(root.Text+string(root.Blocks), "\u00a0", " ")
			for _, want := range texts {
				if !strings.Contains(text, want) {
					return false, want + " is not in " + text
				}
			}
			return true, ""
		})
	}
	says("how it began", "Firing: Congestion 30%", "10 s as of")
	w.play("default", "CcccccC")
	says("how it is", "Firing: Congestion 60%", "60 of 100", "80 s as of")
	w.play("default", "cccccccq")
	says("that it may end", "Firing: Congestion 0%", "peak 60%", "Calmer now")
	w.play("default", "qq")
	w.expectChannel("#noc", "root ✅ default/Congestion/1/firing", "line* default/Congestion/18/resolved")
	says("the end", "peak 60%", "When it fired: 30% congestion")
	if posts := len(w.slack.Requests("chat.postMessage")); posts != 2 {
		t.Errorf("%d posts", posts)
	}
	p.stop()
}
