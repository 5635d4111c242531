package e2e

import (
	"math/rand/v2"
	"testing"
	"time"

	"unconnected/producer/wolkvox/simulator"
)

// killProducer lets a producer that was started after begun requests send a random number of them, or as many as it can in
// six seconds, in most of which it may have to wait for the token of one that was killed before; lets a moment pass, and
// kills it.
func killProducer(w *world, p *process, random *rand.Rand, begun, requests int, moment time.Duration) {
	w.t.Helper()
	enough, latest := begun+random.IntN(requests+1), time.Now().Add(3*ttl)
	eventually(w.t, func() error {
		if len(w.api.Ledger()) < enough && time.Now().Before(latest) {
			return errNotYet
		}
		return nil
	})
	pause(time.Duration(random.Int64N(int64(moment))))
	p.kill()
}

// TestProducerKilledWhileCatchingUp: a producer that is killed again and again at random points of a long catch-up stores
// every window once, in order and true, and asks the API one thing at a time.
func TestProducerKilledWhileCatchingUp(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, simulator.Options{Latency: time.Millisecond, Quirks: true})
	random, env := dice(t), map[string]string{"POLL_START": "-25m"}
	for range 12 {
		begun := len(w.api.Ledger())
		killProducer(w, w.start("producer", env), random, begun, 60, 30*time.Millisecond)
	}
	w.start("producer", env)
	w.awaitLive()
	w.requireTrueLog(w.log())
	requireOneAtATime(w, w.api)
	w.verified()
}

// TestProducerKilledLive is the same at the pace of the clock, where the points lie around the end of a window: before,
// while and after it is asked for and stored.
func TestProducerKilledLive(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, simulator.Options{Latency: 20 * time.Millisecond})
	random, env := dice(t), map[string]string{"POLL_START": "-5s"}
	for range 8 {
		begun := len(w.api.Ledger())
		killProducer(w, w.start("producer", env), random, begun, 3, time.Second)
	}
	w.start("producer", env)
	w.awaitLive()
	w.requireTrueLog(w.log())
	requireOneAtATime(w, w.api)
	w.verified()
}

// TestProducerGoesOnWithHistory: POLL_START is for new histories; a producer that starts again goes on where the log ends.
func TestProducerGoesOnWithHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	producer := w.start("producer", nil)
	w.awaitLive()
	producer.stop()
	first := w.log()[0]
	producer = w.start("producer", map[string]string{"POLL_START": "-2h"})
	w.awaitLive()
	producer.awaitLog("history goes on where it ended; POLL_START is ignored")
	log := w.log()
	w.requireTrueLog(log)
	if log[0].ID() != first.ID() {
		t.Errorf("history began with %s and now begins with %s", first.ID(), log[0].ID())
	}
	w.verified()
}

// TestWrongZoneIsNotSilent: when the API has calls in what should be the future, nothing is published, and /readyz names
// the variable.
func TestWrongZoneIsNotSilent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	producer := w.start("producer", map[string]string{"WOLKVOX_TIMEZONE": "America/Mexico_City"})
	producer.awaitUnready([]string{"refused"}, "WOLKVOX_TIMEZONE=America/Mexico_City")
	if log := w.log(); len(log) > 0 {
		t.Errorf("%d windows were published", len(log))
	}
	producer.stop()
}
