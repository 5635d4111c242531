package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"unconnected/events"
	"unconnected/producer/wolkvox/simulator"
)

// group is some producers of one operation, or of several, with one token, in a world.
type group struct {
	*world
	names   []string            // of the replicas, which are how they spell the API's host
	members map[string]*process // by name
	env     map[string]string
}

// newGroup starts replicas. Each calls the API by a spelling of its own, so that a request tells who sent it; the API, and
// with it the token, is the same to them.
func newGroup(t *testing.T, n int, o simulator.Options, env map[string]string) *group {
	t.Helper()
	g := &group{world: newWorldOf(t, o), members: make(map[string]*process), env: env}
	for i := range n {
		name := "localhost"[:i] + strings.ToUpper("localhost"[i:i+1]) + "localhost"[i+1:]
		g.names = append(g.names, name)
		g.join(name)
	}
	for _, p := range g.members {
		p.awaitReady()
	}
	return g
}

// join starts a replica that is not there, or not any more.
func (g *group) join(name string) {
	g.t.Helper()
	changes := map[string]string{"WOLKVOX_BASE_URL": strings.Replace(g.apiURL, "127.0.0.1", name, 1)}
	for variable, value := range g.env {
		changes[variable] = value
	}
	g.members[name] = g.start("producer", changes)
}

// others are the names of all but one.
func (g *group) others(name string) []string {
	return slices.DeleteFunc(slices.Clone(g.names), func(other string) bool { return other == name })
}

// caught is a request in the middle of which something happens.
type caught struct {
	by string // a replica
	at time.Time
}

// catch lets the API work on the next request for so long, even if nobody waits for its answer any more, and returns when
// it has begun to.
func (g *group) catch(work time.Duration) caught {
	g.t.Helper()
	requests := make(chan caught, 1)
	slow := simulator.Slow(work)
	g.api.Fail(func(w http.ResponseWriter, r *http.Request, answer http.HandlerFunc) {
		name, _, _ := strings.Cut(r.Host, ":")
		requests <- caught{by: name, at: time.Now()}
		slow(w, r, answer)
	})
	select {
	case c := <-requests:
		if g.members[c.by] == nil {
			g.t.Fatalf("%q has sent a request, and is none of %q", c.by, g.names)
		}
		return c
	case <-time.After(patience):
		g.t.Fatal("nobody asks")
		return caught{}
	}
}

// next awaits the first request after one that was caught, and returns how long after it that came.
func (g *group) next(c caught) (after time.Duration) {
	g.t.Helper()
	eventually(g.t, func() error {
		for _, r := range g.api.Ledger() {
			if after = r.At.Sub(c.at); after > 0 {
				return nil
			}
		}
		return errNotYet
	})
	return after
}

// soon wants something to happen within a limit, once in a few times, since a busy machine may stop for seconds.
func soon(t *testing.T, limit time.Duration, what string, happen func() time.Duration) {
	t.Helper()
	var took time.Duration
	for range 4 {
		if took = happen(); took <= limit*slow {
			return
		}
	}
	t.Errorf("%s: %v again and again, want %v at the most", what, took, limit)
}

// requireSound wants the log to be true and the requests never to have overlapped.
func (g *group) requireSound() {
	g.t.Helper()
	g.awaitLive()
	g.requireTrueLog(g.log())
	requireOneAtATime(g.world, g.api)
	g.verified()
}

// TestReplicasAskOneAtATime: three producers of one operation send each request once and one at a time, while they catch up
// and after.
func TestReplicasAskOneAtATime(t *testing.T) {
	t.Parallel()
	g := newGroup(t, 3, simulator.Options{Latency: 5 * time.Millisecond, Quirks: true}, map[string]string{"POLL_START": "-5m", "POLL_RECONCILE": "0"})
	g.awaitLive()
	g.awaitCheckpoint("default", time.Now().Add(3*second))
	g.requireSound()
	asked := make(map[string]int)
	for _, r := range g.api.Ledger() {
		if r.API == "cdr_6" && r.From == r.To { // not the look at the zone
			asked[r.From]++
		}
	}
	for window, n := range asked {
		if n > 1 {
			t.Errorf("the window at %s was asked for %d times", window, n)
		}
	}
}

// TestReplicaKilledAtWork: the one that is killed in the middle of a request keeps the token for its time to live, in which
// the API works on: nobody else asks before that is over, and somebody does soon after.
func TestReplicaKilledAtWork(t *testing.T) {
	t.Parallel()
	g := newGroup(t, 3, simulator.Options{}, nil)
	g.awaitLive()
	const work = timeout * 5 / 4
	soon(t, ttl+second, "the next request after a kill", func() time.Duration {
		c := g.catch(work)
		g.members[c.by].kill()
		after := g.next(c)
		if after < work {
			t.Errorf("the next request came %v after one that takes %v", after, work)
		}
		g.join(c.by)
		g.awaitLive()
		return after
	})
	g.requireSound()
}

// TestReplicaKilledIdle: the death of one that has nothing to do goes unnoticed.
func TestReplicaKilledIdle(t *testing.T) {
	t.Parallel()
	g := newGroup(t, 3, simulator.Options{}, map[string]string{"POLL_WINDOW": "2s"})
	g.awaitCheckpoint("default", time.Now().Add(-2*second))
	soon(t, second, "the next window after a kill", func() time.Duration {
		c := g.catch(0)
		pause(second / 2) // until all of them sleep
		idle := g.others(c.by)[0]
		g.members[idle].kill()
		due := c.at.Truncate(2 * second).Add(2 * second)
		after := g.next(caught{at: due})
		g.join(idle)
		return after
	})
	g.awaitCheckpoint("default", time.Now().Add(-2*second))
	requireOneAtATime(g.world, g.api)
	g.verified()
}

// TestReplicaStoppedAtWork: one that is told to stop in the middle of a request finishes it, and gives the token on.
func TestReplicaStoppedAtWork(t *testing.T) {
	t.Parallel()
	g := newGroup(t, 3, simulator.Options{}, nil)
	g.awaitLive()
	const work = second / 2
	soon(t, work+timeout, "the next request after a stop", func() time.Duration {
		c := g.catch(work)
		g.members[c.by].stop()
		after := g.next(c)
		g.join(c.by)
		g.awaitLive()
		return after
	})
	g.requireSound()
}

// TestReplicaPaused: one that does not run for longer than the token's time to live takes up in the middle of a request, or
// anywhere else, in the belief that it still has the token. Nothing that it then does gets into the log.
func TestReplicaPaused(t *testing.T) {
	t.Parallel()
	g := newGroup(t, 2, simulator.Options{Latency: 10 * time.Millisecond}, map[string]string{"POLL_START": "-2m"})
	for range 3 {
		c := g.catch(100 * time.Millisecond)
		paused := g.members[c.by]
		paused.signal(syscall.SIGSTOP)
		g.awaitCheckpoint("default", time.Now().Add(ttl+second))
		paused.signal(syscall.SIGCONT)
		g.awaitCheckpoint("default", time.Now().Add(second/2))
	}
	g.requireSound()
	for _, p := range g.members {
		p.awaitReady()
	}
}

// TestOperationsShareAToken: two programs with an operation each and one token take turns, and both keep up.
func TestOperationsShareAToken(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, simulator.Options{Latency: 10 * time.Millisecond})
	operations := []string{"ventas", "cobranza"}
	for _, o := range operations {
		w.start("producer", map[string]string{"WOLKVOX_OPERATION": o, "POLL_START": "-5m"}).awaitReady()
	}
	logs := make([][]events.Event, len(operations))
	for i, o := range operations {
		w.awaitCheckpoint(o, time.Now().Add(2*second))
		logs[i] = w.logOf(o)
		requireTruth(w, w.api, logs[i])
	}
	for i, mine := range logs {
		if other := logs[1-i]; other[200].PolledAt.Before(mine[50].PolledAt) {
			t.Errorf("%s waits until %s has caught up", operations[i], operations[1-i])
		}
	}
	requireOneAtATime(w, w.api)
	w.verified()
}

// TestReplicasCorrect: calls that are recorded late get into the log as revisions, once each, and three producers send no
// more requests for that than one does.
func TestReplicasCorrect(t *testing.T) {
	t.Parallel()
	o := simulator.Options{Latency: 60 * time.Millisecond, Late: simulator.Late{Share: 0.05, Most: 3 * second}}
	env := map[string]string{"POLL_WINDOW": "2s", "POLL_RECONCILE": "10s", "POLL_START": "-5s"}
	groups := []*group{newGroup(t, 1, o, env), newGroup(t, 3, o, env)}
	over := time.Now().UTC().Truncate(10 * second).Add(20 * second) // the end of a period that is polled live from its beginning
	requests := make([]int, len(groups))
	for i, g := range groups {
		g.awaitCheckpoint("default", over.Add(15*second))
		eventually(t, func() error { return g.corrected(g.log(), over) }) // a busy machine corrects later
		if n := g.requireRevisions(g.log()); n == 0 {
			t.Error("nothing was corrected")
		}
		for _, r := range g.api.Ledger() {
			if r.At.Before(over.Add(14 * second)) {
				requests[i]++
			}
		}
		requireOneAtATime(g.world, g.api)
		g.verified()
	}
	t.Logf("requests: %d of one, %d of three", requests[0], requests[1])
	if one, three := requests[0], requests[1]; three > one+one/10 {
		t.Errorf("three producers sent %d requests, and one %d", three, one)
	}
}

// requireRevisions counts the revisions, each of which must follow the one before and change something.
func (g *group) requireRevisions(log []events.Event) (revisions int) {
	g.t.Helper()
	last := make(map[time.Time]events.Event)
	for _, e := range log {
		known, any := last[e.Window.Start]
		switch {
		case any && e.Revision != known.Revision+1:
			g.t.Errorf("%s follows %s", e.ID(), known.ID())
		case any && fmt.Sprint(e.Counts) == fmt.Sprint(known.Counts):
			g.t.Errorf("%s changes nothing", e.ID())
		case any:
			revisions++
		}
		last[e.Window.Start] = e
	}
	return revisions
}

// corrected tells which window before an instant is not as it really was.
func (g *group) corrected(log []events.Event, before time.Time) error {
	last := make(map[time.Time]events.Event)
	for _, e := range log {
		last[e.Window.Start] = e
	}
	for start, e := range last {
		truth := g.api.Truth(e.Window.Start, e.Window.End)
		if start.Before(before) && fmt.Sprint(e.Counts) != fmt.Sprint(truth) {
			return fmt.Errorf("%s has the counts %v, really %v", e.ID(), e.Counts, truth)
		}
	}
	return nil
}
