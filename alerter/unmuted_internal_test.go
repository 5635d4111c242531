package alerter

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/incident"
	"unconnected/alerter/slack/fakeslack"
	"unconnected/events"
)

// silence keeps everything quiet from one minute to another.
func (h *hours) silence(from, until int) {
	everything := incident.Silence{ID: "s", Operation: events.AllOperations, From: h.minute(from), Until: h.minute(until), By: "Eva"}
	h.n.silences = func() []incident.Silence { return []incident.Silence{everything} }
}

// reconsider looks at everything again, as at the beginning and the end of a silence.
func (h *hours) reconsider() {
	h.n.mu.Lock()
	defer h.n.mu.Unlock()
	for _, inc := range h.n.fold.All() {
		h.q.pending[inc.ID] = true
		if group := h.n.records.get(inc.ID, "#noc").Root.Group; group != "" {
			h.q.pending[group] = true
		}
	}
}

// group is the message that opens for several, and what hangs below it.
func (h *hours) group() (root fakeslack.Message, below []fakeslack.Message) {
	h.t.Helper()
	all := h.slack.Messages("#noc")
	for _, m := range all {
		if m.IsRoot() && strings.Contains(string(m.Metadata), "@group/") {
			root = m
		}
	}
	for _, m := range all {
		if m.ThreadTS == root.TS && !m.IsRoot() {
			below = append(below, m)
		}
	}
	if root.TS == "" {
		h.t.Fatalf("there is no group:\n%s", strings.Join(h.shown(), "\n"))
	}
	return root, below
}

// TestManySilenced: what opened during a silence and still fires at its end is not late for that, whether it leaves alone or with
// others, and also once the message is edited.
func TestManySilenced(t *testing.T) {
	t.Parallel()
	h := newHours(t)
	h.silence(0, 30)
	for i := range 6 {
		h.alert(fmt.Sprint("op", i), "CongestionSpike", events.Critical, events.Firing)
		h.until(h.now().Add(time.Minute))
	}
	h.until(h.minute(31))
	root, below := h.group()
	if len(below) != 6 {
		t.Fatalf("the details of %d hang below it:\n%s", len(below), strings.Join(h.shown(), "\n"))
	}
	for _, m := range append(below, root) {
		if text := string(m.Blocks); strings.Contains(text, "late") || !strings.Contains(text, "silenced until") {
			t.Errorf("it comes late, or does not say that it was silenced: %s", text)
		}
	}
	h.alert("op1", "CongestionSpike", events.Critical, events.Resolved)
	h.until(h.minute(33))
	if root, _ = h.group(); strings.Contains(string(root.Blocks), "late") || !strings.Contains(string(root.Blocks), "silenced until") {
		t.Errorf("after an edit: %s", root.Blocks)
	}
}

// TestGroupUnmuted: at the end of a silence people are called for what a group speaks of then and got worse in silence, and for
// nothing else: not for what they were called for before, nor for what another silence still covers.
func TestGroupUnmuted(t *testing.T) {
	t.Parallel()
	silence := func(h *hours, id, operation string, from, until int) incident.Silence {
		return incident.Silence{ID: id, Operation: operation, From: h.minute(from), Until: h.minute(until), By: "Eva"}
	}
	for name, test := range map[string]struct {
		worse int // the minute at which op0 gets worse
		quiet func(h *hours) []incident.Silence
		call  bool
	}{
		"it got worse before": {10, func(h *hours) []incident.Silence {
			return []incident.Silence{silence(h, "a", events.AllOperations, 20, 40)}
		}, false},
		"it got worse in silence": {30, func(h *hours) []incident.Silence {
			return []incident.Silence{silence(h, "a", events.AllOperations, 20, 40)}
		}, true},
		"it got worse, and is still silenced": {30, func(h *hours) []incident.Silence {
			return []incident.Silence{silence(h, "a", "op1", 20, 40), silence(h, "b", "op0", 20, 90)}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHours(t)
			h.n.composer.Mention = []string{"@here"}
			quiet := test.quiet(h)
			h.n.silences = func() []incident.Silence { return quiet }
			h.alert("op1", "CongestionSpike", events.Critical, events.Firing)
			for _, operation := range []string{"op0", "op2", "op3", "op4", "op5"} {
				h.alert(operation, "BusyShift", events.Warning, events.Firing)
			}
			instants := []int{test.worse, 20, 40, 45} // silences begin and end at 20 and 40
			slices.Sort(instants)
			for _, at := range instants {
				h.until(h.minute(at))
				h.reconsider()
				if at == test.worse {
					h.alert("op0", "CongestionSpike", events.Critical, events.Firing)
				}
			}
			_, below := h.group()
			reminders := 0
			for _, m := range below {
				if strings.Contains(string(m.Metadata), "/reminder/") {
					reminders++
					if called := strings.Contains(m.Text+string(m.Blocks), "<!here>"); called != test.call {
						t.Errorf("people are called: %v; want %v: %s", called, test.call, m.Text)
					}
				}
			}
			if reminders != 1 {
				t.Errorf("%d reminders when the silence ends:\n%s", reminders, strings.Join(h.shown(), "\n"))
			}
		})
	}
}
