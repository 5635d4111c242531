package alerter

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/rule"
	"unconnected/alerter/slack"
	"unconnected/alerter/slack/fakeslack"
)

// TestBlindWait: the one that judged tells first, each other long enough after the one before it to find what that has posted;
// those that don't know their place don't all tell at once.
func TestBlindWait(t *testing.T) {
	for place, want := range []time.Duration{5 * time.Minute, 5*time.Minute + 30*time.Second, 6 * time.Minute} {
		if got := blindWait(place, "alerter@a:1", blindAfter); got != want {
			t.Errorf("place %d waits %v, want %v", place, got, want)
		}
	}
	var waits []time.Duration
	for i := range 12 {
		name := fmt.Sprintf("alerter@unconnected-alerter-7c9d8-%d:1", i)
		wait := blindWait(unplaced, name, blindAfter)
		if wait != blindWait(unplaced, name, blindAfter) || wait < 5*time.Minute+30*time.Second || wait > 7*time.Minute+30*time.Second {
			t.Errorf("%s waits %v", name, wait)
		}
		waits = append(waits, wait)
	}
	slices.Sort(waits)
	if spread := waits[11] - waits[0]; spread < time.Minute {
		t.Errorf("twelve replicas tell within %v", spread)
	}
}

// TestBlindLook: what was known of the place counts while nothing is seen, and nobody is told of what is over.
func TestBlindLook(t *testing.T) {
	begin := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	at := func(after time.Duration) time.Time { return begin.Add(after) }
	const step = blindAfter / blindStep
	for name, test := range map[string]struct {
		places []int // seen before, one a second
		after  time.Duration
		want   bool
	}{
		"the one that judged":                            {[]int{unplaced, 1, 0}, blindAfter, true},
		"the one that judged, too early":                 {[]int{0}, blindAfter - time.Second, false},
		"the next":                                       {[]int{1}, blindAfter, false},
		"the next, when the first would have told":       {[]int{1}, blindAfter + step, true},
		"the one behind it":                              {[]int{2}, blindAfter + step, false},
		"a place that is not known any more counts":      {[]int{0, unplaced}, blindAfter, true},
		"one that never had a place leaves the first be": {nil, blindAfter + step - time.Second, false},
		"one that never had a place tells in the end":    {nil, blindAfter + (1+blindScatter)*step, true},
	} {
		b := sighted(unplaced)
		for i, place := range test.places {
			b.look(true, place, "", at(time.Duration(i-10)*time.Second), blindAfter, "x")
		}
		b.look(false, 0, "away", begin, blindAfter, "x") // what is said of the place now doesn't count
		if got := b.look(false, 0, "away", at(test.after), blindAfter, "x"); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestBlindOnce: where Slack is away as well, and several try until it is back, each looks before it posts.
func TestBlindOnce(t *testing.T) {
	server, err := fakeslack.Start(fakeslack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	replica := func() *Alerter {
		client := slack.NewClient(slack.Config{APIURL: server.APIURL(), Token: func() string { return fakeslack.DefaultToken }})
		return &Alerter{
			config: &Config{rules: rule.Builtin()}, options: Options{Log: slog.New(slog.DiscardHandler)}, sink: client, client: client,
			pacer: &slack.Pacer{Interval: time.Nanosecond}, attempt: 10 * time.Second, blindAfter: blindAfter,
			channel: func(string) string { return "#noc" },
		}
	}
	first, second := replica(), replica()
	begin := time.Now().Add(-blindAfter)
	of := func(place int) blindness { return blindness{since: begin, place: place, reason: "away"} }
	b1, b2 := of(0), of(1)
	server.Fail("chat.postMessage", fakeslack.TooMany(3600)) // which holds up no edit
	first.tellBlind(t.Context(), &b1)
	if b1.record.Begun() || b1.record.Trouble == nil {
		t.Fatalf("the first is at %+v", b1.record)
	}
	second.tellBlind(t.Context(), &b2)
	b1.record.Trouble.Until = time.Time{} // the wait is over
	first.tellBlind(t.Context(), &b1)
	first.tellBlind(t.Context(), &b1)
	if shown := server.Roots("#noc"); len(shown) != 1 || b1.record.Root.TS != b2.record.Root.TS || b1.record.Root.TS == "" {
		t.Errorf("%d messages; the records are %+v and %+v", len(shown), b1.record, b2.record)
	}
	b1.look(true, 0, "", time.Now(), blindAfter, "x")
	ending, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	first.tellSeeing(ending, &b1)
	if shown := server.Roots("#noc"); len(shown) != 1 || !strings.Contains(shown[0].Text, "Watched again") || b1.record.Begun() || b1.place != 0 {
		t.Errorf("%+v; %+v", shown, b1)
	}
}
