package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"unconnected/alerter/slack/fakeslack"
	"unconnected/producer/wolkvox/simulator"
)

// storm is everything that can go wrong, at random.
type storm struct {
	*world
	random            *rand.Rand
	producer, alerter *process
	done              map[string]int
	apiFaults         atomic.Int32 // that no request has suffered yet
	slackFaults       int          // so far
}

// TestStorm kills and restarts producer, alerter and NATS at random, while the API and Slack go wrong at random, and
// incidents come and go. When it is over every window is in the log once, in order and true, every incident has its alert
// events, Slack shows one message with one line for each transition, and the API was asked one thing at a time.
func TestStorm(t *testing.T) {
	t.Parallel()
	const cycle, length = 90 * second, 10 * second // of the incidents, which re-open one another
	first := congestion(-length/2, length/2)
	later := first
	later.Start, later.End, later.Every = first.Start.Add(cycle), first.End.Add(cycle), cycle
	s := &storm{
		world:  newWorldOf(t, simulator.Options{Latency: 2 * time.Millisecond, Incidents: []simulator.Incident{first, later}}),
		random: dice(t), done: make(map[string]int),
	}
	env := map[string]string{"POLL_START": "-2m"}
	s.producer, s.alerter = s.start("producer", env), s.start("alerter", nil)
	for began := time.Now(); time.Since(began) < *stormFor; {
		s.strike(env)
		pause(time.Duration(s.random.Int64N(int64(600 * time.Millisecond))))
	}
	t.Logf("%v: %v", *stormFor, s.done)
	s.calm(cycle, length, first.Start)
}

// strike lets one thing go wrong.
func (s *storm) strike(env map[string]string) {
	strikes := []struct {
		name   string
		strike func()
	}{
		{"producer killed", func() {
			s.producer.kill()
			s.producer = s.start("producer", env)
		}},
		{"alerter killed", func() {
			s.alerter.kill()
			s.alerter = s.start("alerter", nil)
		}},
		{"NATS restarted", func() {
			s.broker.stop()
			pause(time.Duration(s.random.Int64N(int64(300 * time.Millisecond))))
			s.broker.start()
		}},
		{"API fault", s.spoilAPI},
		{"Slack fault", s.spoilSlack},
	}
	chosen := strikes[s.random.IntN(len(strikes))]
	chosen.strike()
	s.done[chosen.name]++
}

// spoilAPI lets one of the next requests to the API go wrong, unless one is going to anyway.
func (s *storm) spoilAPI() {
	if s.apiFaults.Load() > 0 {
		return
	}
	s.apiFaults.Add(1)
	fault := []simulator.Fault{
		simulator.Reset(), simulator.Truncate(), simulator.Cut(), simulator.Status(503), simulator.TokenBusy(), simulator.HTMLPage(),
	}[s.random.IntN(6)]
	s.api.Fail(func(w http.ResponseWriter, r *http.Request, answer http.HandlerFunc) {
		s.apiFaults.Add(-1)
		fault(w, r, answer)
	})
}

// spoilSlack lets the next request to Slack go wrong, unless it is going to anyway.
func (s *storm) spoilSlack() {
	suffered := 0
	for _, r := range s.slack.Requests() {
		if r.Fault != "" {
			suffered++
		}
	}
	if suffered < s.slackFaults {
		return
	}
	s.slackFaults++
	s.slack.Fail("*", []fakeslack.Fault{
		fakeslack.DropAfter(), fakeslack.DropBefore(), fakeslack.StatusAfter(500), fakeslack.TooMany(1), fakeslack.Slow(second),
	}[s.random.IntN(5)])
}

// calm lets the present incident pass, and looks at what is left.
func (s *storm) calm(cycle, length time.Duration, first time.Time) {
	s.t.Helper()
	incidents := 1 + int(time.Since(first)/cycle)
	over := first.Add(time.Duration(incidents-1)*cycle + length + 5*second)
	// What was killed or lost in the middle of a post is looked up a quarter of a minute later, one post after the other.
	limit := patience + time.Duration(s.done["alerter killed"]+s.done["Slack fault"])*2*second
	eventuallyWithin(s.t, limit, func() error {
		reached, err := s.checkpoint("default")
		if err == nil && reached.Before(over) {
			err = fmt.Errorf("the log is complete up to %v, want %v", reached, over)
		}
		return err
	})
	want := slices.Repeat(story, incidents)
	eventuallyWithin(s.t, limit, func() error {
		names, _, err := s.alerts()
		if err == nil && !slices.Equal(names, want) {
			err = fmt.Errorf("the alert events are %q, want %q", names, want)
		}
		return err
	})
	eventuallyWithin(s.t, limit, func() error { return s.toldOf(len(want)) })
	s.producer.awaitReady()
	s.alerter.awaitReady()
	s.awaitQuiet(s.alerter)
	if err := s.toldOf(len(want)); err != nil {
		s.t.Error(err)
	}
	if roots, lines := posts(s.slack); roots != 1 || lines != len(want)-1 {
		s.t.Errorf("%d posts without and %d with thread_ts took effect, want 1 and %d", roots, lines, len(want)-1)
	}
	s.requireTrueLog(s.log())
	requireOneAtATime(s.world, s.api)
	s.verified()
}

// toldOf is an error unless the channel shows one message and one line for each of the other transitions.
func (s *storm) toldOf(transitions int) error {
	roots := s.slack.Roots("#noc")
	if len(roots) != 1 {
		return fmt.Errorf("there are %d messages in the channel, want 1", len(roots))
	}
	seen := make(map[string]bool)
	for _, line := range s.slack.Thread("#noc", roots[0].TS) {
		if seen[string(line.Metadata)] {
			return fmt.Errorf("a line is there twice: %s", line.Metadata)
		}
		seen[string(line.Metadata)] = true
	}
	if len(seen) != transitions-1 {
		return fmt.Errorf("there are %d lines in the thread, want %d", len(seen), transitions-1)
	}
	return contains(roots[0].Text, "esolved")
}
