package alerter_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"unconnected/internal/daemon"
)

// onDuty waits until one of the alerters judges and tells, and the others know that, and returns it.
func (w *world) onDuty(all ...*process) (holder *process, others []*process) {
	w.t.Helper()
	eventually(w.t, "one is on duty", func() (bool, string) {
		var said []string
		holder, others = nil, nil
		for _, p := range all {
			r := p.Report()
			said = append(said, fmt.Sprintf("%+v", r))
			switch {
			case !r.Ready:
				return false, strings.Join(said, "\n")
			case standsBy(r):
				others = append(others, p)
			case holder != nil:
				return false, "two are: " + strings.Join(said, "\n")
			default:
				holder = p
			}
		}
		return holder != nil, strings.Join(said, "\n")
	})
	return holder, others
}

func standsBy(r daemon.Report) bool {
	return r.Ready && strings.Contains(fmt.Sprint(r.Notes), "standing by: alerter@")
}

// TestReplicas: of three alerters one judges and tells, whichever dies or stops; all know how far it got.
func TestReplicas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const root, busy = "root 🔴 default/Congestion/2/firing", "line* default/Busy/3/firing"
	alive := []*process{w.start(), w.start(), w.start()}
	w.play("default", "qc")
	w.expectChannel("#noc", root)
	for _, p := range alive {
		p.judged(w)
	}

	holder, alive := w.onDuty(alive...)
	holder.kill()
	w.play("default", "x")
	w.expectChannel("#noc", root, busy)

	holder, alive = w.onDuty(alive...)
	began := time.Now()
	holder.stop()
	w.play("default", "q")
	w.expectChannel("#noc", "root ✅ default/Congestion/2/firing", busy, "line default/Congestion/4/resolved", "line* default/Busy/4/resolved")
	t.Logf("told %v after the one on duty was stopped", time.Since(began))
	w.expectAlerts(alive[0],
		"default/Congestion/2/firing", "default/Busy/3/firing", "default/Congestion/4/resolved cleared", "default/Busy/4/resolved cleared")
	if posts := len(w.slack.Requests("chat.postMessage")); posts != 4 {
		t.Errorf("%d posts for four messages", posts)
	}
}

// TestPlaces: each alerter knows how many tell before it when NATS is away.
func TestPlaces(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t)
	all := []*process{w.start(), w.start(), w.start()}
	places := func(want ...int) {
		t.Helper()
		eventually(t, "their places", func() (bool, string) {
			var got []int
			for _, p := range all {
				got = append(got, p.Place())
			}
			return slices.Equal(got, want), fmt.Sprint(got)
		})
	}
	places(0, 1, 2)
	all[0].stop()
	places(-1, 0, 1)
}

// TestLeaseTakenAway: whoever loses the lease stands by and has it back later; what was judged in between by another is judged once.
func TestLeaseTakenAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rules(demandingRules)
	all := []*process{w.start(), w.start()}
	random := "qqcxbqccxqqbcxq"
	for _, letter := range random {
		w.play("default", string(letter))
		w.endLease()
	}
	w.onDuty(all...)
	for _, p := range all {
		p.judged(w)
	}
	got := w.content()

	alone := newQuietWorld(t)
	alone.rules(demandingRules)
	alone.logsOf["default"] = &operationLog{first: w.log("default").first, next: w.log("default").first}
	p := alone.start()
	alone.play("default", random)
	p.judged(alone)
	if want := alone.content(); got != want {
		t.Errorf("ALERTS holds\n%s\nwant\n%s", got, want)
	}
}

// TestOtherRules: a replica that stands by with other rules than those by which is judged says so, and judges by its own when
// it takes over.
func TestOtherRules(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t)
	one := w.start()
	w.onDuty(one)
	same := w.start()
	w.rules(demandingRules)
	other := w.start()
	const note = "has other rules than this one"
	other.reports("the other rules", func(r daemon.Report) bool { return standsBy(r) && strings.Contains(fmt.Sprint(r.Notes), note) })
	for _, p := range []*process{one, same} {
		if r := p.Report(); strings.Contains(fmt.Sprint(r.Notes), note) {
			t.Errorf("it notes %v", r.Notes)
		}
	}
	same.stop()
	one.stop()
	w.onDuty(other)
	if r := other.Report(); strings.Contains(fmt.Sprint(r.Notes), note) {
		t.Errorf("it notes %v", r.Notes)
	}
}
