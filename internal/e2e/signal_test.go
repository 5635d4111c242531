package e2e

import (
	"os"
	"syscall"
	"testing"
	"time"

	"unconnected/alerter/slack/fakeslack"
	"unconnected/producer/wolkvox/simulator"
)

// TestSignals: whatever a program is doing, the first SIGTERM or SIGINT ends it within seconds with exit code 0.
func TestSignals(t *testing.T) {
	t.Parallel()
	for name, arrange := range map[string]func(w *world) *process{
		"producer before NATS is there": func(w *world) *process {
			w.broker.stop()
			producer := w.start("producer", nil)
			producer.awaitUnready([]string{"retrying", "starting"})
			return producer
		},
		"producer after NATS went away": func(w *world) *process {
			producer := w.start("producer", nil)
			w.awaitLive()
			w.broker.stop()
			producer.awaitUnready([]string{"retrying"})
			return producer
		},
		"producer in the middle of a request": func(w *world) *process {
			w.api.FailAll(simulator.Hang())
			producer := w.start("producer", nil)
			eventually(w.t, func() error {
				if len(w.api.Ledger()) == 0 {
					return errNotYet
				}
				return nil
			})
			return producer
		},
		"producer catching up": func(w *world) *process {
			producer := w.start("producer", map[string]string{"POLL_START": "-7d"})
			w.awaitCheckpoint("default", time.Now().Add(-8*24*time.Hour))
			return producer
		},
		"producer idle": func(w *world) *process {
			producer := w.start("producer", map[string]string{"POLL_WINDOW": "1h"})
			producer.awaitReady()
			return producer
		},
		"producer waiting for the next day": func(w *world) *process {
			w.api.FailAll(simulator.QuotaSpent())
			producer := w.start("producer", nil)
			producer.awaitUnready([]string{"quota"})
			return producer
		},
		"alerter before NATS is there": func(w *world) *process {
			w.broker.stop()
			alerter := w.start("alerter", nil)
			alerter.awaitUnready([]string{"retrying", "starting"})
			return alerter
		},
		"alerter after NATS went away": func(w *world) *process {
			alerter := w.start("alerter", nil)
			alerter.awaitReady()
			w.broker.stop()
			alerter.awaitUnready([]string{"retrying", "starting"})
			return alerter
		},
		"alerter idle": func(w *world) *process {
			alerter := w.start("alerter", nil)
			alerter.awaitReady()
			return alerter
		},
		"alerter while Slack hangs": func(w *world) *process { return alerterAtHangingSlack(w) },
		"tail": func(w *world) *process {
			w.start("producer", nil)
			w.awaitLive()
			tail := w.start("unconnected", nil, "tail")
			tail.awaitOutput("unconnected calls")
			return tail
		},
		"simulate": func(w *world) *process {
			simulate := w.start("unconnected", nil, "simulate", "--addr", "127.0.0.1:0")
			simulate.awaitOutput("simulated API on http://")
			return simulate
		},
	} {
		for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
			t.Run(name+", "+signal.String(), func(t *testing.T) {
				t.Parallel()
				p := arrange(newWorld(t, congestion(-20*second, -10*second)))
				p.signal(signal)
				p.exit(quickly, 0)
			})
		}
	}
}

// alerterAtHangingSlack is an alerter in the middle of a post that Slack does not answer.
func alerterAtHangingSlack(w *world) *process {
	w.slack.Fail("chat.postMessage", fakeslack.Slow(time.Minute))
	w.start("producer", nil)
	alerter := w.start("alerter", nil)
	eventually(w.t, func() error {
		if len(w.slack.Requests("chat.postMessage")) == 0 {
			return errNotYet
		}
		return nil
	})
	return alerter
}

// TestSecondSignal: a second signal ends a program at once that is still finishing something.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	alerter := alerterAtHangingSlack(newWorld(t, congestion(-20*second, -10*second)))
	alerter.signal(syscall.SIGTERM)
	alerter.awaitLog("stopping")
	defer alerter.insist(syscall.SIGTERM)()
	alerter.exit(2*time.Second, 1)
}

// TestStopWhileSlackHangs: a post that the alerter gave up in order to stop is looked up by the next one, not repeated.
func TestStopWhileSlackHangs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, congestion(-20*second, -10*second))
	alerterAtHangingSlack(w).stop()
	w.start("alerter", nil)
	w.awaitStory()
	w.awaitToldInSlack()
	requirePostedOnce(t, w)
}
