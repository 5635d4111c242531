package e2e

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// leaseTTL is how long alerters that stand by wait for one that does not say that it is alive.
const leaseTTL = 10 * time.Second

// onDuty waits until exactly one of the alerters judges and tells, and all others stand by for it.
func onDuty(t *testing.T, alerters ...*process) *process {
	t.Helper()
	var holder *process
	eventually(t, func() error {
		holder = nil
		for _, p := range alerters {
			r, err := p.readyz()
			switch {
			case err != nil:
				return err
			case !r.Ready:
				return fmt.Errorf("%s is not ready: %+v", p.name, r)
			case strings.Contains(fmt.Sprint(r.Notes), "standing by: alerter@"):
			case holder != nil:
				return errors.New("two alerters are on duty")
			default:
				holder = p
			}
		}
		if holder == nil {
			return errors.New("no alerter is on duty")
		}
		return nil
	})
	return holder
}

// TestThreeAlerters: whatever happens to the one on duty of three alerters in the middle of an incident, nothing is missed, said
// twice, or late by more than the lease's time to live and some seconds.
func TestThreeAlerters(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(t *testing.T, holder *process, others []*process){
		"killed":  func(_ *testing.T, holder *process, _ []*process) { holder.kill() },
		"stopped": func(_ *testing.T, holder *process, _ []*process) { holder.stop() },
		"killed, and the next one stopped": func(t *testing.T, holder *process, others []*process) {
			holder.kill()
			onDuty(t, others...).stop()
		},
		"held up until another is on duty": func(t *testing.T, holder *process, others []*process) {
			holder.signal(syscall.SIGSTOP)
			onDuty(t, others...)
			holder.signal(syscall.SIGCONT)
			onDuty(t, append(others, holder)...)
		},
		"one that stands by is killed": func(_ *testing.T, _ *process, others []*process) { others[0].kill() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, congestion(2*second, 12*second))
			w.start("producer", nil)
			alerters := []*process{w.start("alerter", nil), w.start("alerter", nil), w.start("alerter", nil)}
			holder := onDuty(t, alerters...)
			eventually(t, func() error {
				if len(w.slack.Roots("#noc")) == 0 {
					return errNotYet
				}
				return nil
			})
			var others []*process
			for _, p := range alerters {
				if p != holder {
					others = append(others, p)
				}
			}
			fault(t, holder, others)
			alerts := w.awaitStory()
			w.awaitToldInSlack()
			for _, p := range alerters {
				if p.running() {
					w.awaitQuiet(p)
				}
			}
			w.requireStory()
			requirePostedOnce(t, w)
			for _, a := range alerts {
				late := a.Stored.Sub(a.At())
				t.Logf("%s %s was stored %v after its window", a.Rule, a.Status, late)
				if late > leaseTTL+patience/5 {
					t.Errorf("%s was stored %v after its window", a.ID(), late)
				}
			}
		})
	}
}
