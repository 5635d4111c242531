package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"unconnected/alerter/slack/fakeslack"
	"unconnected/events"
	"unconnected/producer/wolkvox/simulator"
)

// storm is everything that can go wrong, at random.
type storm struct {
	*group
	random      *rand.Rand
	alerter     *process
	done        map[string]int
	apiFaults   atomic.Int32 // that no request has suffered yet
	slackFaults int          // so far
}

// TestStorm kills, pauses and restarts the three replicas of a producer, the alerter and NATS at random, while the API and
// Slack go wrong at random, calls are recorded late, and incidents come and go. When it is over every window is in the log
// once, in order and true in its last revision, every incident has its alert events, Slack shows one message with one line
// for each transition, and the API was asked one thing at a time.
func TestStorm(t *testing.T) {
	t.Parallel()
	const cycle, length = 90 * second, 10 * second // of the incidents, which re-open one another
	first := congestion(-length/2, length/2)
	later := first
	later.Start, later.End, later.Every = first.Start.Add(cycle), first.End.Add(cycle), cycle
	options := simulator.Options{
		Latency: 2 * time.Millisecond, Incidents: []simulator.Incident{first, later},
		Late: simulator.Late{Share: 0.05, Most: 3 * second},
	}
	s := &storm{
		group:  newGroup(t, 3, options, map[string]string{"POLL_START": "-2m", "POLL_RECONCILE": period.String()}),
		random: dice(t), done: make(map[string]int),
	}
	s.alerter = s.start("alerter", nil)
	for began := time.Now(); time.Since(began) < *stormFor; {
		s.strike()
		pause(time.Duration(s.random.Int64N(int64(600 * time.Millisecond))))
	}
	t.Logf("%v: %v", *stormFor, s.done)
	s.calm(cycle, length, first.Start)
}

// period is the length of the spans that are compared again in a storm.
const period = 10 * second

// anyone is a replica.
func (s *storm) anyone() string { return s.names[s.random.IntN(len(s.names))] }

// strike lets one thing go wrong.
func (s *storm) strike() {
	strikes := []struct {
		name   string
		strike func()
	}{
		{"producer killed", func() {
			name := s.anyone()
			s.members[name].kill()
			s.join(name)
		}},
		{"producer killed at work", func() {
			c := s.catch(timeout * 5 / 4)
			s.members[c.by].kill()
			s.join(c.by)
		}},
		{"producer paused", func() {
			paused := s.members[s.anyone()]
			paused.signal(syscall.SIGSTOP)
			pause(time.Duration(s.random.Int64N(int64(ttl + second))))
			paused.signal(syscall.SIGCONT)
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
	eventuallyWithin(s.t, limit+max(0, time.Until(over)), func() error {
		compared, err := s.compared()
		if err == nil && compared.Before(over) {
			err = fmt.Errorf("the log was compared up to %v, want %v", compared, over)
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
	for _, p := range s.members {
		p.awaitReady()
	}
	s.alerter.awaitReady()
	s.awaitQuiet(s.alerter)
	if err := s.toldOf(len(want)); err != nil {
		s.t.Error(err)
	}
	if roots, lines := posts(s.slack); roots != 1 || lines != len(want)-1 {
		s.t.Errorf("%d posts without and %d with thread_ts took effect, want 1 and %d", roots, lines, len(want)-1)
	}
	s.requireRevisions(s.log())
	if err := s.corrected(s.log(), over); err != nil {
		s.t.Error(err)
	}
	requireOneAtATime(s.world, s.api)
	s.verified()
}

// compared is up to when the log was compared again with the API.
func (s *storm) compared() (time.Time, error) {
	stream, err := s.js.Stream(s.t.Context(), events.StreamCalls)
	if err != nil {
		return time.Time{}, err
	}
	last, err := events.Last(s.t.Context(), stream, events.DefaultOperation)
	if err != nil || last == nil {
		return time.Time{}, err
	}
	return last.Reconciled.Periods, nil
}

// toldOf is an error unless the channel shows one message and one line for each of the other transitions.
func (s *storm) toldOf(transitions int) error {
	roots := s.slack.Roots("#noc")
	if len(roots) != 1 {
		return fmt.Errorf("there are %d messages in the channel, want 1", len(roots))
	}
	seen := make(map[string]bool)
	for _, line := range linesBelow(s.slack, &roots[0]) {
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
