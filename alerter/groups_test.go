package alerter_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/incident"
	"unconnected/alerter/silence"
	"unconnected/alerter/slack/fakeslack"
	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/daemon"
)

// operations are so many at once.
func operations(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("op%02d", i)
	}
	return names
}

// roots are the messages of the channel that are in no thread, and threads how many posts hang below all of them.
func (w *world) roots(name string) (roots []fakeslack.Message, threads int) {
	for _, m := range w.slack.Messages(name) {
		switch {
		case m.IsRoot():
			roots = append(roots, m)
		case len(m.Files) == 0:
			threads++
		}
	}
	return roots, threads
}

// TestGroups is not parallel to other tests, only its parts are to each other: all must be stored while one post is slow.
func TestGroups(t *testing.T) {
	t.Run("killed", testKilledWithAGroup)
	t.Run("the post fails", testGroupPostFails)
	t.Run("after an outage", testAfterAnOutage)
	t.Run("left behind", testGroupsLeftBehind)
	t.Run("channel renamed", testChannelRenamed)
	t.Run("channel archived", testChannelArchived)
	t.Run("reminder", testGroupReminder)
}

// TestFortyAtOnce: what queues up leaves as one message; each incident's story hangs below it, and the message is edited until
// all is over.
func TestFortyAtOnce(t *testing.T) { // not parallel: it is a load of its own
	w := newWorld(t)
	w.pace = 50 * time.Millisecond
	w.start()
	names := operations(40)
	for _, name := range names {
		w.play(name, "c")
	}
	grouped := func(roots []fakeslack.Message) *fakeslack.Message {
		for i := range roots {
			if strings.HasPrefix(transitionOf(&roots[i]), "@group/") {
				return &roots[i]
			}
		}
		return nil
	}
	eventually(t, "all details in the threads", func() (bool, string) {
		roots, threads := w.roots("#noc")
		return grouped(roots) != nil && len(roots)+threads >= 40 && len(roots) <= 12, fmt.Sprintf("%d roots, %d in threads", len(roots), threads)
	})
	roots, _ := w.roots("#noc")
	if n := len(roots); n > 12 {
		t.Errorf("%d messages for forty incidents", n)
	}
	for _, name := range names {
		w.play(name, "q")
	}
	eventually(t, "all is over", func() (bool, string) {
		all := w.slack.Messages("#noc")
		closings := 0
		for i := range all {
			if strings.HasSuffix(transitionOf(&all[i]), "/resolved") {
				closings++
			}
		}
		icons := ""
		for _, r := range w.slack.Roots("#noc") {
			icon, _, _ := strings.Cut(r.Text, " ")
			icons += icon
		}
		return closings == 40 && strings.Trim(icons, "✅") == "", fmt.Sprintf("%d closings, roots %s", closings, icons)
	})
	loud := 0
	ends := grouped(w.slack.Roots("#noc")).TS
	for _, m := range w.slack.Messages("#noc") {
		if m.Broadcast {
			loud++
			if m.ThreadTS == ends && !strings.Contains(m.Text, "all resolved") {
				t.Errorf("the channel reads of a group's end as if it were that of one operation: %s", m.Text)
			}
		}
	}
	if single := len(w.slack.Roots("#noc")) - 1; loud > single+4 { // a group may have had a second
		t.Errorf("%d ends ring a phone, of which %d are of incidents with a message of their own", loud, single)
	}
}

// testKilledWithAGroup: whoever comes after finds the group's message, and nothing is told twice.
func testKilledWithAGroup(t *testing.T) {
	t.Parallel()
	for name, standby := range map[string]bool{"started anew": false, "another stands by": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hang := fakeslack.Fault{Name: "hangs", Handled: true, Delay: time.Minute, Drop: true}
			w, p := newGroupedWorld(t, hang)
			if standby {
				w.start()
			}
			w.burst(p)
			eventually(t, "the group's post hangs", func() (bool, string) {
				posts := w.slack.Requests("chat.postMessage")
				return len(posts) == 2, fmt.Sprint(len(posts))
			})
			p.kill()
			if !standby {
				w.start()
			}
			w.expectOneGroup()
		})
	}
}

// testGroupPostFails: whatever becomes of the first attempt at a group's message, it is told once.
func testGroupPostFails(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]fakeslack.Fault{
		"too many requests": fakeslack.TooMany(1), "the answer is lost": fakeslack.DropAfter(),
		"archived for a moment": {Body: `{"ok":false,"error":"is_archived"}`, RetryAfter: "1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, p := newGroupedWorld(t, fault)
			w.burst(p)
			w.expectOneGroup()
		})
	}
}

// newGroupedWorld is one in which the first message is slow, so that the others pile up behind it, and the second, which is the
// group's, goes wrong.
func newGroupedWorld(t *testing.T, fault fakeslack.Fault) (*world, *process) {
	t.Helper()
	w := newWorld(t)
	w.pace = 20 * time.Millisecond
	w.attempt = 2 * attempt // however busy the machine
	w.held = make(chan struct{})
	w.slack.Fail("chat.postMessage", fakeslack.Held(w.held, w.attempt), fault)
	return w, w.start()
}

// burst is one incident, and eleven more while its message is on its way.
func (w *world) burst(p *process) {
	w.t.Helper()
	names := operations(12)
	w.play(names[0], "c")
	eventually(w.t, "the first post", func() (bool, string) { return len(w.slack.Requests("chat.postMessage")) > 0, "" })
	for _, name := range names[1:] {
		w.play(name, "c")
	}
	eventually(w.t, "all the others wait", func() (bool, string) { n := p.Queued(); return n >= len(names), fmt.Sprint(n) })
	close(w.held)
}

// expectOneGroup waits until the channel shows what burst makes of a grouped world: one message of its own and one for the other
// eleven, whose details hang below it; and nothing twice.
func (w *world) expectOneGroup() {
	w.t.Helper()
	eventually(w.t, "one group, and its details", func() (bool, string) {
		roots, threads := w.roots("#noc")
		return len(roots) == 2 && threads >= 11, fmt.Sprintf("%d roots, %d in threads", len(roots), threads)
	})
	seen := make(map[string]int)
	for _, m := range w.slack.Messages("#noc") {
		if len(m.Files) == 0 {
			seen[transitionOf(&m)]++
		}
	}
	for transition, n := range seen {
		if n > 1 {
			w.t.Errorf("%s is told %d times", transition, n)
		}
	}
	if len(seen) != 13 {
		w.t.Errorf("%d transitions are told, want a group and twelve incidents", len(seen))
	}
}

// testChannelRenamed: what is in Slack is brought to its end under the new name; for what is new somebody must say it.
func testChannelRenamed(t *testing.T) {
	t.Parallel()
	w, p := newGroupedWorld(t, fakeslack.Fault{})
	w.burst(p)
	w.expectOneGroup()
	w.slack.SetChannel(fakeslack.Channel{ID: w.slack.Messages("#noc")[0].Channel, Name: "calls"})
	for _, name := range operations(12) {
		w.play(name, "q")
	}
	eventually(t, "all is over", func() (bool, string) {
		roots, threads := w.roots("#calls")
		icons := ""
		for _, r := range roots {
			icon, _, _ := strings.Cut(r.Text, " ")
			icons += icon
		}
		return icons == "✅✅" && threads == 23, fmt.Sprintf("%s, %d in threads", icons, threads)
	})
	p.reports("that all is well", func(r daemon.Report) bool { return r.Ready })
	w.play("other", "c")
	p.reports("what to do", func(r daemon.Report) bool {
		return !r.Ready && r.State == "refused" && strings.Contains(r.Reason, "#noc") && strings.Contains(r.Reason, "check SLACK_CHANNEL")
	})
}

// TestReminder mentions again what still fires, and stops when somebody takes care of it.
func TestReminder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pace = 10 * time.Millisecond
	w.config.Remind = config.Duration(300 * time.Millisecond)
	p := w.start()
	w.play("default", "c")
	reminders := func() (n int) {
		for _, m := range w.slack.Messages("#noc") {
			if strings.Contains(transitionOf(&m), "/reminder/") && m.Broadcast {
				n++
			}
		}
		return n
	}
	eventually(t, "two reminders", func() (bool, string) { return reminders() >= 2, fmt.Sprint(reminders()) })
	if n := p.metric(`unconnected_notification_delay_seconds{}`); n != 1 {
		t.Errorf("the delay of %v posts is measured; a reminder has none", n)
	}
	w.act(events.Action{Action: events.Acknowledged, Operation: "default", Incident: w.stored()[0].Incident, Key: "k", By: "Ana", At: time.Now()})
	eventually(t, "who is on it", func() (bool, string) {
		shown := w.channel("#noc")
		return strings.Contains(strings.Join(shown, ","), "line default/acknowledged/k"), fmt.Sprint(shown)
	})
	n := reminders()
	w.play("default", "b") // Busy is worse, so the channel has something new to show
	eventually(t, "the next line", func() (bool, string) {
		shown := strings.Join(w.channel("#noc"), ",")
		return strings.Contains(shown, "default/Busy/2/firing"), shown
	})
	if got := reminders(); got > n+1 { // one may have been on its way
		t.Errorf("%d reminders after it was acknowledged", got-n)
	}
}

// testGroupReminder: what is silenced is not mentioned again with the others of its group.
func testGroupReminder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pace = 20 * time.Millisecond
	w.config.Remind = config.Duration(500 * time.Millisecond)
	w.held = make(chan struct{})
	w.attempt = 2 * attempt
	w.slack.Fail("chat.postMessage", fakeslack.Held(w.held, w.attempt)) // the first root holds up the others
	p := w.start()
	names := operations(7)
	for _, name := range names {
		w.play(name, "c")
	}
	eventually(t, "all wait", func() (bool, string) { n := p.Queued(); return n >= len(names), fmt.Sprint(n) })
	close(w.held)
	last := func() (text string) {
		for _, m := range w.slack.Messages("#noc") {
			if strings.HasPrefix(transitionOf(&m), "@group/") && strings.Contains(transitionOf(&m), "/reminder/") {
				text = string(m.Blocks)
			}
		}
		return text
	}
	both := func(text string) (quiet, other int) { return strings.Count(text, "op06"), strings.Count(text, "op05") }
	eventually(t, "a reminder of all", func() (bool, string) {
		quiet, other := both(last())
		return quiet > 0 && other > 0, last()
	})
	store, err := silence.Open(t.Context(), w.js, 1)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	hush := incident.Silence{ID: "s1", Operation: "op06", From: now, Until: now.Add(time.Hour), Reason: "x"}
	if err := store.Add(t.Context(), hush, silence.Person{Name: "Eva"}, "", now); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a reminder of the others", func() (bool, string) {
		quiet, other := both(last())
		return quiet == 0 && other > 0, last()
	})
}

// act stores what somebody did.
func (w *world) act(a events.Action) {
	w.t.Helper()
	msg, err := events.EncodeAction(&a)
	if err == nil {
		_, err = w.js.PublishMsg(w.t.Context(), msg)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestGroupIDs: what must not be mistaken for an incident.
func TestGroupIDs(t *testing.T) {
	inc := incident.Incident{ID: "group/2026-11-22T15:00:00Z"}
	if incident.IsGroup(inc.ID) || !incident.IsGroup(incident.GroupID(&inc)) {
		t.Error("an operation may be called group")
	}
}
