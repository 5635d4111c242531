package e2e

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"unconnected/events"
)

// TestNATSRestarted: NATS goes away under both programs in the middle of an incident and comes back with the same files, and
// once more soon after. Both say so in /readyz meanwhile; nothing is lost, and nothing is there twice.
func TestNATSRestarted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, congestion(-10*second, 5*second))
	producer, alerter := w.start("producer", nil), w.start("alerter", nil)
	eventually(t, func() error {
		if len(w.slack.Roots("#noc")) == 0 {
			return errNotYet
		}
		return nil
	})
	for range 2 {
		w.broker.stop()
		producer.awaitUnready([]string{"retrying"}, "NATS")
		alerter.awaitUnready([]string{"retrying", "starting"}, "NATS")
		w.broker.start()
		producer.awaitReady()
		alerter.awaitReady()
	}
	w.awaitStory()
	w.awaitToldInSlack()
	w.awaitLive()
	w.awaitQuiet(alerter)
	w.requireTrueLog(w.log())
	w.requireStory()
	requirePostedOnce(t, w)
	requireOneAtATime(w, w.api)
	w.verified()
	producer.stop()
	alerter.stop()
}

// TestNATSRestartedWhileCatchingUp: NATS goes away again and again under a producer in full flight.
func TestNATSRestartedWhileCatchingUp(t *testing.T) {
	t.Parallel()
	random := dice(t)
	w := newWorld(t)
	w.start("producer", map[string]string{"POLL_START": "-30m"})
	for range 4 {
		enough := len(w.api.Ledger()) + 30 + random.IntN(120)
		eventually(t, func() error {
			if asked := len(w.api.Ledger()); asked < enough {
				return fmt.Errorf("%d requests, want %d", asked, enough)
			}
			return nil
		})
		w.broker.stop()
		w.broker.start()
	}
	w.awaitLive()
	w.requireTrueLog(w.log())
	requireOneAtATime(w, w.api)
	w.verified()
}

// TestNATSComesLater: both programs start before NATS is there, say that they wait for it, and do their job when it comes.
func TestNATSComesLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t, congestion(-20*second, -10*second))
	w.broker.stop()
	producer, alerter := w.start("producer", nil), w.start("alerter", nil)
	for _, p := range []*process{producer, alerter} {
		p.awaitUnready([]string{"retrying", "starting"}, "NATS")
		if status, body := p.get("/healthz"); status != 200 {
			t.Errorf("%s is not alive while it waits: %d %s", p.name, status, body)
		}
	}
	w.broker.start()
	w.awaitStory()
	w.awaitToldInSlack()
	w.awaitLive()
	producer.awaitReady()
	alerter.awaitReady()
	w.requireTrueLog(w.log())
	w.verified()
}

// TestNATSLosesItsFiles: NATS comes back without anything that it had. Whichever program notices first, both go on with a
// new history, in which every window is true; nobody waits for ever.
func TestNATSLosesItsFiles(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]string{"and the producer is first": "producer", "and the alerter is first": "alerter"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			programs := map[string]*process{"producer": w.start("producer", nil), "alerter": w.start("alerter", nil)}
			w.awaitLive()
			w.awaitQuiet(programs["alerter"])
			for name, p := range programs {
				if name != first {
					p.signal(syscall.SIGSTOP)
				}
			}
			w.broker.stop()
			w.broker.dir = t.TempDir()
			w.broker.start()
			eventually(t, func() error {
				_, err := w.js.Stream(t.Context(), events.StreamCalls)
				return err
			})
			for _, p := range programs {
				p.signal(syscall.SIGCONT)
			}
			w.awaitCheckpoint("default", time.Now())
			programs["producer"].awaitReady()
			w.awaitQuiet(programs["alerter"])
			w.requireTrueLog(w.log())
			w.verified()
		})
	}
}
