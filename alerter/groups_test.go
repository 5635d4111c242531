package alerter_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/incident"
	"unconnected/alerter/slack/fakeslack"
	"unconnected/events"
	"unconnected/internal/config"
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

// TestKilledWithAGroup: whoever comes after finds the group's message, and nothing is told twice.
func TestKilledWithAGroup(t *testing.T) { // not parallel: all must be stored while one post is slow
	w := newWorld(t)
	w.pace = 20 * time.Millisecond
	hang := fakeslack.Fault{Name: "hangs", Handled: true, Delay: time.Minute, Drop: true}
	w.slack.Fail("chat.postMessage", fakeslack.Slow(attempt*2/3), hang) // the first root holds up the others
	p := w.start()
	names := operations(12)
	for _, name := range names {
		w.play(name, "c")
	}
	eventually(t, "the group's post hangs", func() (bool, string) {
		posts := w.slack.Requests("chat.postMessage")
		return len(posts) == 2, fmt.Sprint(len(posts))
	})
	p.kill()
	w.start()
	want := map[string]int{"root": 2, "thread": 11}
	eventually(t, "one group, and its details", func() (bool, string) {
		roots, threads := w.roots("#noc")
		return len(roots) == want["root"] && threads >= want["thread"], fmt.Sprintf("%d roots, %d in threads", len(roots), threads)
	})
	seen := make(map[string]int)
	for _, m := range w.slack.Messages("#noc") {
		if len(m.Files) == 0 {
			seen[transitionOf(&m)]++
		}
	}
	for transition, n := range seen {
		if n > 1 {
			t.Errorf("%s is told %d times", transition, n)
		}
	}
	if len(seen) != 13 {
		t.Errorf("%d transitions are told, want a group and twelve incidents", len(seen))
	}
}

// TestReminder mentions again what still fires, and stops when somebody takes care of it.
func TestReminder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pace = 10 * time.Millisecond
	w.config.Remind = config.Duration(300 * time.Millisecond)
	w.start()
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
