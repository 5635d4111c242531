package incident_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/incident"
	"unconnected/events"
)

// worsening is an incident with one transition of every kind of line.
func worsening() []events.Alert {
	return inStream(fires("A", "warning", 0), fires("B", "critical", 5), resolves("B", "critical", 10), resolves("A", "warning", 20))
}

const (
	opened = "default/A/1000/firing"
	worse  = "default/B/1005/firing"
	better = "default/B/1010/resolved"
	closed = "default/A/1020/resolved"
)

// allFaults is all that can go wrong with a step.
func allFaults() []fault {
	lost := incident.Failure{Class: incident.Ambiguous, Code: "timeout"}
	return []fault{
		{name: "none"},
		{name: "killed before the intent", crash: "before intent"},
		{name: "killed between intent and post", crash: "after intent"},
		{name: "killed between post and result", crash: "after post"},
		{name: "answer lost, arrived", fails: true, delivered: true, failure: lost},
		{name: "answer lost, did not arrive", fails: true, failure: lost},
		{name: "too many requests", fails: true, failure: incident.Failure{Class: incident.Undelivered, Code: "ratelimited", RetryAfter: 30 * time.Second}},
		{name: "no connection", fails: true, failure: incident.Failure{Class: incident.Undelivered, Code: "connection"}},
		{name: "token revoked, then repaired", fails: true, failure: incident.Failure{Class: incident.Permanent, Code: "token_revoked"}},
		{name: "blocks refused", fails: true, failure: incident.Failure{Class: incident.Payload, Code: "invalid_blocks"}},
		{name: "the step is forbidden", fails: true, failure: incident.Failure{Class: incident.Forbidden, Code: "edit_window_closed"}},
		{name: "the root was deleted", fails: true, failure: incident.Failure{Class: incident.Gone, Code: "message_not_found"}},
	}
}

// TestFaultsAtEveryStep is the promise: at most once per transition, at least once per incident, whatever goes wrong
// wherever.
func TestFaultsAtEveryStep(t *testing.T) {
	faults := allFaults()
	type shown struct {
		roots int
		lines string // o(pened), w(orse), b(etter), c(losed)
		shows uint64
	}
	usual := shown{1, "w*bc*", 4}
	// What differs from the usual, by fault, step and whether the history can be read.
	exceptions := map[string]shown{
		// Nobody can tell: the root comes twice, because that is better than never; a line is given up.
		"killed between post and result/post root/no history": {2, "w*bc*", 4},
		"answer lost, arrived/post root/no history":           {2, "w*bc*", 4},
		"killed between intent and post/post line/no history": {1, "bc*", 4},
		"answer lost, did not arrive/post line/no history":    {1, "bc*", 4},
		// What can never succeed is left out, and the rest goes on.
		"the step is forbidden/post line/history":    {1, "bc*", 4},
		"the step is forbidden/post line/no history": {1, "bc*", 4},
		// A person deleted the message: nothing is added to it, but what gets worse and was told nowhere has a new one.
		"the root was deleted/post line/history":    {2, "bc*", 4},
		"the root was deleted/post line/no history": {2, "bc*", 4},
		"the root was deleted/edit root/history":    {1, "w*", 1},
		"the root was deleted/edit root/no history": {1, "w*", 1},
	}
	for _, f := range faults {
		for _, at := range []incident.Step{incident.PostRoot, incident.PostLine, incident.EditRoot} {
			for _, history := range []string{"history", "no history"} {
				name := f.name + "/" + at.String() + "/" + history
				t.Run(name, func(t *testing.T) {
					s := &story{channel: channel{history: history == "history"}, caps: slackCaps, now: minute(7), fault: f, at: at}
					alerts := worsening()
					for i := range alerts { // each is told as it comes
						inc := folded(alerts[:i+1]...)
						s.tell(t, &inc)
					}
					want, special := exceptions[name]
					if !special {
						want = usual
					}
					if got := (shown{len(s.root), letters(s.lines), s.shows}); got != want {
						t.Errorf("the channel shows %+v, want %+v; steps: %v", got, want, s.steps)
					}
					if f.failure.Class == incident.Payload && f.fails != s.plain {
						t.Errorf("sent as plain text: %v", s.plain)
					}
				})
			}
		}
	}
}

func letters(lines []string) string {
	short := strings.NewReplacer(opened, "o", worse, "w", better, "b", closed, "c")
	return short.Replace(strings.Join(lines, ""))
}

// TestSlackAwayForAnHour tells the whole story afterwards: the root at once with the end in it, then every line.
func TestSlackAwayForAnHour(t *testing.T) {
	inc := folded(worsening()...)
	s := &story{channel: channel{history: true}, caps: slackCaps, now: minute(80)}
	s.tell(t, &inc)
	if want := []string{"post root", "post line", "post line", "post line"}; !slices.Equal(s.steps, want) {
		t.Errorf("the steps are %v, want %v", s.steps, want)
	}
	if letters(s.lines) != "w*bc*" || s.shows != 4 {
		t.Errorf("the root shows %d, the thread %q", s.shows, letters(s.lines))
	}
}

// TestABacklogDoesNotKeepTheRootWaiting edits the root first when more than one line waits.
func TestABacklogDoesNotKeepTheRootWaiting(t *testing.T) {
	alerts := worsening()
	first, all := folded(alerts[:1]...), folded(alerts...)
	s := &story{channel: channel{history: true}, caps: slackCaps, now: minute(7)}
	s.tell(t, &first)
	s.tell(t, &all)
	if want := []string{"post root", "edit root", "post line", "post line", "post line"}; !slices.Equal(s.steps, want) {
		t.Errorf("the steps are %v, want %v", s.steps, want)
	}
}

// TestAnOpenIntentIsLeftAloneUntilItIsOver lets nobody post while another may be at it.
func TestAnOpenIntentIsLeftAloneUntilItIsOver(t *testing.T) {
	inc := folded(worsening()[:1]...)
	now := minute(7)
	a := incident.Next(&inc, incident.Record{}, slackCaps, incident.Wishes{}, now)
	rec := incident.Record{}.Intend(a, &inc, now, now.Add(attempt))
	over := now.Add(attempt + incident.Grace)
	for _, c := range []struct {
		at   time.Time
		want incident.Step
	}{{now, incident.Wait}, {over.Add(-1), incident.Wait}, {over, incident.FindRoot}} {
		got := incident.Next(&inc, rec, slackCaps, incident.Wishes{}, c.at)
		if got.Step != c.want || c.want == incident.Wait && !got.Until.Equal(over) {
			t.Errorf("%v after the intent: %v until %v", c.at.Sub(now), got.Step, got.Until)
		}
	}
	look := incident.Next(&inc, rec, slackCaps, incident.Wishes{}, over)
	if look.Transition != opened || !look.Since.Equal(now) {
		t.Errorf("looks for %s since %v", look.Transition, look.Since)
	}
	again := rec.NotFound(look)
	second := incident.Next(&inc, again, slackCaps, incident.Wishes{}, over)
	again = again.Intend(second, &inc, over, over.Add(attempt))
	if i := again.Root.Intent; i.Attempt != 2 || !i.Since.Equal(now) {
		t.Errorf("the second attempt is number %d since %v: a look-up must find the first, too", i.Attempt, i.Since)
	}
}

// TestWithoutThreads posts only what is announced, each with the state that it announces.
func TestWithoutThreads(t *testing.T) {
	again := append(worsening(), fires("A", "warning", 25), resolves("A", "warning", 30))
	joined := []events.Alert{fires("A", "critical", 0), fires("B", "warning", 0), resolves("B", "warning", 10), resolves("A", "critical", 10)}
	cases := []struct {
		name   string
		caps   incident.Caps
		alerts []events.Alert
		root   uint64 // the state that the first post shows
		posts  []int  // the sequences posted after it
	}{
		{"a webhook: opening and closing", webhookCaps, worsening(), 3, []int{4}},
		{"a webhook: re-opening", webhookCaps, again, 3, []int{4, 5, 6}},
		{"a webhook: alerts of one cause are in one post", webhookCaps, joined, 3, []int{4}},
		{"a terminal: getting worse, too", terminalCaps, worsening(), 1, []int{2, 4}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			inc := folded(c.alerts...)
			s := &story{caps: c.caps, now: minute(40)}
			a := incident.Next(&inc, s.rec, s.caps, incident.Wishes{}, s.now)
			if a.Step != incident.PostRoot || a.Shows != c.root {
				t.Errorf("first %v, which shows %d", a.Step, a.Shows)
			}
			s.tell(t, &inc)
			want := []string{}
			for _, sequence := range c.posts {
				tr, _ := inc.Find(uint64(sequence))
				line := tr.ID()
				if tr.Broadcast() {
					line += "*"
				}
				want = append(want, line)
			}
			if len(s.root) != 1 || !slices.Equal(s.lines, want) {
				t.Errorf("%d roots, then %v, want %v", len(s.root), s.lines, want)
			}
		})
	}
}

// TestAmbiguousWithoutLookup repeats an opening and gives up anything later.
func TestAmbiguousWithoutLookup(t *testing.T) {
	inc := folded(worsening()...)
	for _, c := range []struct {
		at    incident.Step
		roots int
		lines string
	}{{incident.PostRoot, 2, "c*"}, {incident.PostLine, 1, "c*"}} {
		s := &story{caps: webhookCaps, now: minute(40), at: c.at,
			fault: fault{fails: true, delivered: true, failure: incident.Failure{Class: incident.Ambiguous}}}
		s.tell(t, &inc)
		if len(s.root) != c.roots || letters(s.lines) != c.lines {
			t.Errorf("%v: %d roots, lines %q", c.at, len(s.root), letters(s.lines))
		}
	}
}

func TestTroubleBacksOff(t *testing.T) {
	inc := folded(worsening()[:1]...)
	now := minute(7)
	a := incident.Next(&inc, incident.Record{}, slackCaps, incident.Wishes{}, now)
	cases := []struct {
		name  string
		f     incident.Failure
		times int
		want  time.Duration
	}{
		{"first refusal", incident.Failure{Class: incident.Undelivered}, 1, time.Second},
		{"third refusal", incident.Failure{Class: incident.Undelivered}, 3, 4 * time.Second},
		{"many refusals", incident.Failure{Class: incident.Undelivered}, 40, time.Minute},
		{"Slack says how long", incident.Failure{Class: incident.Undelivered, RetryAfter: 17 * time.Second}, 5, 17 * time.Second},
		{"permanent", incident.Failure{Class: incident.Permanent}, 1, time.Minute},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			rec := incident.Record{}
			for range c.times {
				rec = rec.Intend(a, &inc, now, now.Add(attempt)).Failed(a, c.f, now)
			}
			next := incident.Next(&inc, rec, slackCaps, incident.Wishes{}, now)
			if next.Step != incident.Wait || next.Until.Sub(now) != c.want || rec.Trouble.Count != c.times {
				t.Errorf("%v for %v after %d failures, want %v", next.Step, next.Until.Sub(now), rec.Trouble.Count, c.want)
			}
			if rec.Done(a, incident.Receipt{}, now).Trouble != nil {
				t.Error("the trouble outlives a success")
			}
		})
	}
}

// TestAnEditInTroubleHoldsUpNoLine: what rings a phone leaves while Slack wants no more edits for a while.
func TestAnEditInTroubleHoldsUpNoLine(t *testing.T) {
	alerts := worsening()
	opened := folded(alerts[:1]...)
	opened.Acked = nil
	rec := incident.Record{}.Done(incident.Next(&opened, incident.Record{}, slackCaps, incident.Wishes{}, minute(7)), incident.Receipt{ChannelID: "C1", TS: "1"}, minute(7))
	edit := incident.Action{Step: incident.EditRoot, Shows: 1}
	for name, f := range map[string]incident.Failure{
		"too many":  {Class: incident.Undelivered, Code: "ratelimited", RetryAfter: 10 * time.Minute},
		"ambiguous": {Class: incident.Ambiguous, Code: "timeout"},
	} {
		troubled := rec.Failed(edit, f, minute(12)).Failed(edit, f, minute(12))
		until := troubled.Trouble.Until
		inc := folded(alerts[:2]...)
		line := incident.Next(&inc, troubled, slackCaps, incident.Wishes{}, minute(12))
		if line.Step != incident.PostLine {
			t.Errorf("%s: %+v, want the line", name, line)
		}
		told := troubled.Intend(line, &inc, minute(12), minute(13))
		told.Line = incident.Line{Done: line.Sequence} // by another request, and the trouble stays
		if a := incident.Next(&inc, told, slackCaps, incident.Wishes{}, minute(12)); a.Step != incident.Wait || !a.Until.Equal(until) {
			t.Errorf("%s: and then %+v, want to wait with the edit until %v", name, a, until)
		}
		if a := incident.Next(&inc, told, slackCaps, incident.Wishes{}, until); a.Step != incident.EditRoot {
			t.Errorf("%s: and at last %+v, want the edit", name, a)
		}
		all := folded(alerts...)
		if a := incident.Next(&all, troubled, slackCaps, incident.Wishes{}, minute(12)); a.Step != incident.PostLine {
			t.Errorf("%s: with several lines waiting: %+v, want one of them", name, a)
		}
	}
	posting := rec.Failed(incident.Action{Step: incident.PostLine}, incident.Failure{Class: incident.Undelivered, RetryAfter: time.Minute}, minute(12))
	inc := folded(alerts[:2]...)
	if a := incident.Next(&inc, posting, slackCaps, incident.Wishes{}, minute(12)); a.Step != incident.Wait {
		t.Errorf("a post in trouble: %+v, want to wait", a)
	}
}

// TestPlainTextRefusedToo does not spin.
func TestPlainTextRefusedToo(t *testing.T) {
	inc := folded(worsening()[:1]...)
	now := minute(7)
	rec := incident.Record{}
	a := incident.Next(&inc, rec, slackCaps, incident.Wishes{}, now)
	refused := incident.Failure{Class: incident.Payload, Code: "msg_too_long"}
	rec = rec.Failed(a, refused, now)
	if a = incident.Next(&inc, rec, slackCaps, incident.Wishes{}, now); a.Step != incident.PostRoot || !a.Plain {
		t.Fatalf("after the first refusal: %v, plain %v", a.Step, a.Plain)
	}
	rec = rec.Failed(a, refused, now)
	if a = incident.Next(&inc, rec, slackCaps, incident.Wishes{}, now); a.Step != incident.Wait || rec.Trouble.Class != "permanent" {
		t.Errorf("after the second: %v, %s", a.Step, rec.Trouble.Class)
	}
}

func TestRoutes(t *testing.T) {
	inc := folded(fires("A", "critical", 0), fires("B", "warning", 5), resolves("B", "warning", 10))
	channel := func(rule string) string { return map[string]string{"A": "#noc", "B": "#sales"}[rule] }
	cases := []struct {
		name    string
		records []incident.Record
		channel func(string) string
		want    map[string]string // channel → transitions
	}{
		{"each rule's channel", nil, channel, map[string]string{"#noc": "opened", "#sales": "opened closed*"}},
		{"one channel for all", nil, func(string) string { return "#noc" }, map[string]string{"#noc": "opened worse* better"}},
		{"a rule that moved stays where it was told", []incident.Record{{Channel: "#old", Rules: []string{"B"}}}, channel,
			map[string]string{"#noc": "opened", "#old": "opened closed*"}},
		{"the channel is called otherwise by now", []incident.Record{{Channel: "noc", Rules: []string{"A"}}, {Channel: "#ventas", ChannelID: "C0000001", Rules: []string{"X"}}},
			func(rule string) string { return map[string]string{"A": "#noc", "B": "C0000001"}[rule] },
			map[string]string{"noc": "opened", "#ventas": "opened closed*"}},
		{"a record that speaks of nothing", []incident.Record{{Channel: "#old"}}, channel,
			map[string]string{"#noc": "opened", "#old": "", "#sales": "opened closed*"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := make(map[string]string)
			for name, part := range incident.Routes(&inc, c.records, c.channel) {
				got[name] = kinds(part)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("routes are %v, want %v", got, c.want)
			}
		})
	}
}

func TestKeysAreFitForABucket(t *testing.T) {
	a, b := incident.Key("default/2026-11-22T15:00:00Z", "#noc"), incident.Key("default/2026-11-22T15:00:00Z", "Ñandú")
	if a == b || !strings.HasPrefix(a, incident.KeyPrefix("default/2026-11-22T15:00:00Z")) {
		t.Errorf("keys %q and %q", a, b)
	}
	if strings.Trim(a, "0123456789abcdef.") != "" {
		t.Errorf("key %q has characters that a bucket refuses", a)
	}
}
