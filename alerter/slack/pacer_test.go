package slack

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"unconnected/alerter/incident"
)

func limited(after time.Duration) error {
	return &Error{Method: "chat.postMessage", Class: incident.Undelivered, Code: "ratelimited", RetryAfter: after}
}

// TestPacer reads as a log: what a channel goes through, and after how long the next post may leave.
func TestPacer(t *testing.T) {
	type step struct {
		observed error         // the outcome of the request of the step before
		after    time.Duration // since then
		waits    time.Duration // how long Wait takes
	}
	cases := []struct {
		name  string
		steps []step
	}{
		{"the first leaves at once, then one a second", []step{{waits: 0}, {waits: time.Second}, {waits: time.Second}}},
		{"a quiet channel owes nothing", []step{{waits: 0}, {after: time.Minute, waits: 0}, {waits: time.Second}}},
		{"Slack says how long", []step{{waits: 0}, {observed: limited(30 * time.Second), waits: 30 * time.Second}}},
		{"Slack says less than the pace", []step{{waits: 0}, {observed: limited(time.Millisecond), waits: time.Second}}},
		{"Slack does not say", []step{{waits: 0}, {observed: limited(0), waits: time.Second}, {observed: limited(0), waits: 2 * time.Second},
			{observed: limited(0), waits: 4 * time.Second}, {waits: time.Second}, {observed: limited(0), waits: time.Second}}},
		{"for ever", []step{{waits: 0}, {observed: limited(0), waits: time.Second}, {observed: limited(0), waits: 2 * time.Second},
			{observed: limited(0), waits: 4 * time.Second}, {observed: limited(0), waits: 8 * time.Second}, {observed: limited(0), waits: 16 * time.Second},
			{observed: limited(0), waits: 32 * time.Second}, {observed: limited(0), waits: time.Minute}, {observed: limited(0), waits: time.Minute}}},
		{"another failure is no reason to rest", []step{{waits: 0}, {after: time.Minute, observed: errors.New("EOF"), waits: 0}}},
		{"unless it says when to come back", []step{{waits: 0}, {observed: &Error{Code: "http_503", RetryAfter: 9 * time.Second}, waits: 9 * time.Second}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p Pacer
				for i, s := range c.steps {
					if i > 0 {
						p.Observe("#noc", s.observed)
					}
					pass(s.after)
					began := time.Now()
					if err := p.Wait(t.Context(), "#noc"); err != nil {
						t.Fatal(err)
					}
					if waited := time.Since(began); waited != s.waits {
						t.Errorf("step %d waited %v, want %v", i, waited, s.waits)
					}
				}
			})
		})
	}
}

// pass lets the bubble's clock run.
func pass(d time.Duration) { <-time.After(d) }

func TestPacerChannelsAreIndependent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pacer
		_ = p.Wait(t.Context(), "#noc")
		p.Observe("#noc", limited(time.Hour))
		if p.Free("#sales").After(time.Now()) || !p.Free("#noc").Equal(time.Now().Add(time.Hour)) {
			t.Errorf("#sales is free at %v, #noc at %v", p.Free("#sales"), p.Free("#noc"))
		}
	})
}

// TestLanes: what Slack counts apart is paced apart, and all posts of a channel together.
func TestLanes(t *testing.T) {
	var p Pacer
	p.Observe(Lane("#noc", incident.EditRoot), limited(time.Hour))
	for step, free := range map[incident.Step]bool{
		incident.PostRoot: true, incident.PostLine: true, incident.PostReminder: true, incident.EditRoot: false,
		incident.FindRoot: true, incident.FindLine: true, incident.FindReminder: true,
	} {
		if got := !p.Free(Lane("#noc", step)).After(time.Now()); got != free {
			t.Errorf("after too many edits, %v may leave: %v", step, got)
		}
	}
	if Lane("#noc", incident.PostRoot) != Lane("#noc", incident.PostReminder) {
		t.Error("posts are not paced together")
	}
}

// TestPacerServesAllWhoWait gives every one of many callers a slot of its own.
func TestPacerServesAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Pacer{Interval: 2 * time.Second}
		began := time.Now()
		for range 5 {
			go func() { _ = p.Wait(t.Context(), "#noc") }()
		}
		pass(8*time.Second - 1)
		if free := p.Free("#noc"); !free.Equal(began.Add(8 * time.Second)) {
			t.Errorf("before the fifth, the channel is free at %v", free.Sub(began))
		}
		pass(1)
		synctest.Wait()
		if free := p.Free("#noc"); !free.Equal(began.Add(10 * time.Second)) {
			t.Errorf("after the fifth, the channel is free at %v", free.Sub(began))
		}
	})
}

func TestPacerEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pacer
		p.Observe("#noc", limited(time.Hour))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		if err := p.Wait(ctx, "#noc"); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute {
			t.Errorf("Wait returned %v after %v", err, time.Since(began))
		}
		if !p.Free("#noc").Equal(began.Add(time.Hour)) {
			t.Error("a slot was taken by somebody who left")
		}
	})
}
