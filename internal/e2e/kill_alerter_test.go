package e2e

import (
	"testing"
	"time"

	"unconnected/alerter/slack/fakeslack"
)

// TestAlerterKilled: an alerter that is killed again and again while an incident comes and goes gives the same alert events
// and the same messages in Slack as one that lives.
func TestAlerterKilled(t *testing.T) {
	t.Parallel()
	random := dice(t)
	w := newWorld(t, congestion(-3*second, 5*second))
	w.start("producer", nil)
	for end := time.Now().Add(9 * second); time.Now().Before(end); {
		alerter := w.start("alerter", nil)
		pause(time.Duration(random.Int64N(int64(900 * time.Millisecond))))
		alerter.kill()
	}
	alerter := w.start("alerter", nil)
	w.awaitStory()
	w.awaitToldInSlack()
	w.awaitQuiet(alerter)
	w.requireStory()
	requirePostedOnce(t, w)
}

// requirePostedOnce wants the posts that took effect to be those of one incident, whatever was asked of Slack.
func requirePostedOnce(t *testing.T, w *world) {
	t.Helper()
	if err := w.toldInSlack(); err != nil {
		t.Error(err)
	}
	if roots, lines := posts(w.slack); roots != 1 || lines != 3 {
		t.Errorf("%d posts without and %d with thread_ts took effect, want 1 and 3", roots, lines)
	}
}

// passes is a fault that is none.
func passes() fakeslack.Fault { return fakeslack.Slow(0) }

// TestSlackLosesAnswers: whatever happens to Slack's answers, also when the alerter is killed at the same time, there is one
// message for the incident and one line for each later transition.
func TestSlackLosesAnswers(t *testing.T) {
	t.Parallel()
	const long = 30 * time.Second // longer than the alerter waits
	lost := fakeslack.DropAfter()
	never := fakeslack.Fault{Name: "never arrives", Drop: true, Delay: long}
	for name, test := range map[string]struct {
		faults []fakeslack.Fault // of chat.postMessage; the incident's own message comes first, then the lines
		kill   int               // the alerter is killed when it has posted so often; 0: never
	}{
		"the message's answer is lost":                               {faults: []fakeslack.Fault{lost}},
		"a line's answer is lost":                                    {faults: []fakeslack.Fault{passes(), lost}},
		"the message never arrives":                                  {faults: []fakeslack.Fault{fakeslack.DropBefore()}},
		"an error although the message was posted":                   {faults: []fakeslack.Fault{fakeslack.StatusAfter(502)}},
		"fatal_error although the message was posted":                {faults: []fakeslack.Fault{fakeslack.RefuseAfter("fatal_error")}},
		"too many requests":                                          {faults: []fakeslack.Fault{fakeslack.TooMany(1), passes(), fakeslack.TooMany(-1)}},
		"the answer to the message is lost, and the alerter killed":  {faults: []fakeslack.Fault{lost}, kill: 1},
		"the answer to a line is lost, and the alerter killed":       {faults: []fakeslack.Fault{passes(), passes(), lost}, kill: 3},
		"killed while Slack is slow with the message":                {faults: []fakeslack.Fault{fakeslack.Slow(long)}, kill: 1},
		"killed while Slack is slow with a line":                     {faults: []fakeslack.Fault{passes(), fakeslack.Slow(long)}, kill: 2},
		"killed while the message is on a way that it never arrives": {faults: []fakeslack.Fault{never}, kill: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, congestion(-20*second, -10*second))
			w.slack.Fail("chat.postMessage", test.faults...)
			w.start("producer", nil)
			alerter := w.start("alerter", nil)
			if test.kill > 0 {
				eventually(t, func() error {
					if len(w.slack.Requests("chat.postMessage")) < test.kill {
						return errNotYet
					}
					return nil
				})
				alerter.kill()
				alerter = w.start("alerter", nil)
			}
			w.awaitStory()
			w.awaitToldInSlack()
			w.awaitQuiet(alerter)
			w.requireStory()
			requirePostedOnce(t, w)
		})
	}
}

// TestSlackRefuses: what only a person can mend makes the alerter not ready, with the reason, and never stops evaluation.
func TestSlackRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		channel fakeslack.Channel
		word    string
	}{
		"not in channel": {fakeslack.Channel{ID: "C0000001", Name: "noc", NotMember: true}, "not_in_channel"},
		"archived":       {fakeslack.Channel{ID: "C0000001", Name: "noc", Archived: true}, "is_archived"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, congestion(-20*second, -10*second))
			w.slack.SetChannel(test.channel)
			w.start("producer", nil)
			alerter := w.start("alerter", nil)
			alerter.awaitUnready([]string{"refused"}, test.word, "#noc")
			w.awaitStory() // evaluation goes on without Slack
			if messages := w.slack.Messages("#noc"); len(messages) > 0 {
				t.Errorf("there are messages: %+v", messages)
			}
			alerter.stop()
		})
	}
}
