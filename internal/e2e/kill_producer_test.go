package e2e

import (
	"math/rand/v2"
	"testing"
	"time"

	"unconnected/producer/wolkvox/simulator"
)

// killProducer starts a producer, lets it send a random number of requests, or as many as it can in two seconds, and a
// moment pass, and kills it. It returns when that was.
func killProducer(w *world, random *rand.Rand, requests int, moment time.Duration, env map[string]string) time.Time {
	w.t.Helper()
	enough, latest := len(w.api.Ledger())+random.IntN(requests+1), time.Now().Add(2*time.Second)
	producer := w.start("producer", env)
	eventually(w.t, func() error {
		if len(w.api.Ledger()) < enough && time.Now().Before(latest) {
			return errNotYet
		}
		return nil
	})
	pause(time.Duration(random.Int64N(int64(moment))))
	producer.kill()
	return time.Now()
}

// TestProducerKilledWhileCatchingUp: a producer that is killed again and again at random points of a long catch-up stores
// every window once, in order and true, and asks the API one thing at a time.
func TestProducerKilledWhileCatchingUp(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, simulator.Options{Latency: time.Millisecond, Quirks: true})
	random, env := dice(t), map[string]string{"POLL_START": "-25m"}
	var kills []time.Time
	for range 20 {
		kills = append(kills, killProducer(w, random, 60, 30*time.Millisecond, env))
	}
	w.start("producer", env)
	w.awaitLive()
	w.requireTrueLog(w.log())
	requireOneAtATime(w, w.api, kills...)
	w.verified()
}

// TestProducerKilledLive is the same at the pace of the clock, where the points lie around the end of a window: before,
// while and after it is asked for and stored.
func TestProducerKilledLive(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, simulator.Options{Latency: 20 * time.Millisecond})
	random, env := dice(t), map[string]string{"POLL_START": "-5s"}
	var kills []time.Time
	for range 8 {
		kills = append(kills, killProducer(w, random, 3, time.Second, env))
	}
	w.start("producer", env)
	w.awaitLive()
	w.requireTrueLog(w.log())
	requireOneAtATime(w, w.api, kills...)
	w.verified()
}

// TestTwoProducers: two producers that poll one operation by mistake share its log without a gap or a repeat, also when one
// of them is killed.
func TestTwoProducers(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, simulator.Options{Latency: time.Millisecond})
	env := map[string]string{"POLL_START": "-2m"}
	w.start("producer", env)
	second := w.start("producer", env)
	w.awaitLive()
	second.kill()
	w.awaitLive()
	w.requireTrueLog(w.log())
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
