package oplog_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"unconnected/events"
	"unconnected/producer/oplog"
)

const m = time.Minute

func TestSoundLogs(t *testing.T) {
	for name, w := range map[string]*writer{
		"empty":                               newWriter(),
		"one window":                          newWriter().live(1),
		"live windows":                        newWriter().live(1, 0, 3),
		"a revision":                          newWriter().live(1, 2).revise(0, 5).live(3),
		"revisions of one window":             newWriter().live(1, 2).revise(0, 5).revise(0, 6).revise(0, 5),
		"a revision back to the first counts": newWriter().live(1).revise(0, 2).revise(0, 1),
		"backfills before the begin":          newWriter().live(1).backfill(-5*m, 4).backfill(-10*m, 4).live(1),
		"a backfill with a hole behind it":    newWriter().live(1).backfill(-50*m, 4).live(1),
		"a backfill that is revised":          newWriter().live(1).backfill(-5*m, 4).revise(-5*m, 5),
		"a missed window":                     newWriter().live(1).missed().live(1),
		"a missed window as the first":        newWriter().missed().live(1),
		"a missed window, filled":             newWriter().live(1).missed().live(1).backfill(5*m, 9).live(1),
		"filled, then revised":                newWriter().live(1).missed().backfill(5*m, 9).revise(5*m, 8),
	} {
		t.Run(name, func(t *testing.T) {
			if _, faults := check(w.log); len(faults) > 0 {
				t.Errorf("faults of a sound log: %+v", faults)
			}
		})
	}
}

func TestCheckerCounts(t *testing.T) {
	w := newWriter().live(1, 2).missed().missed().live(3).revise(0, 10).backfill(-5*m, 4).backfill(10*m, 7)
	c, _ := check(w.log)
	type tally struct{ Messages, Windows, Revisions, Backfills, Calls int }
	got := tally{c.Messages, c.Windows, c.Revisions, c.Backfills, int(c.Calls)}
	// Each window has one cancelled call beside the busy ones.
	if want := (tally{8, 6, 1, 2, 11 + 3 + 8 + 4 + 5}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
	if !c.First.Equal(noon) || !c.Checkpoint.Equal(noon.Add(25*m)) {
		t.Errorf("from %v, complete up to %v", c.First, c.Checkpoint)
	}
	missed := c.MissedWindows()
	if len(missed) != 1 || !missed[0].Window.Start.Equal(noon.Add(15*m)) || missed[0].Reason != "garbage" || missed[0].Attempts != 3 {
		t.Errorf("missed: %+v", missed)
	}
}

// harm is a change that makes a sound log unsound.
type harm func([]events.Event) []events.Event

func drop(i int) harm {
	return func(l []events.Event) []events.Event { return slices.Delete(l, i, i+1) }
}

func swap(i, j int) harm {
	return func(l []events.Event) []events.Event { l[i], l[j] = l[j], l[i]; return l }
}

func change(i int, f func(*events.Event)) harm {
	return func(l []events.Event) []events.Event { f(&l[i]); return l }
}

// repeat puts a copy of message i behind message j.
func repeat(i, j int) harm {
	return func(l []events.Event) []events.Event { return slices.Insert(l, j+1, l[i]) }
}

// count appends counts for the window of message i.
func count(i, revision int) harm {
	return func(l []events.Event) []events.Event {
		e := events.Event{Operation: "ventas", Window: l[i].Window, Checkpoint: l[i].Checkpoint, Revision: revision}
		return append(l, counting(e, 1))
	}
}

func move(from, to time.Duration) func(*events.Event) {
	return func(e *events.Event) { e.Window = events.Window{Start: noon.Add(from), End: noon.Add(to)} }
}

func moveLive(from, to time.Duration) func(*events.Event) {
	return func(e *events.Event) { move(from, to)(e); e.Checkpoint = e.Window.End }
}

func shift(by time.Duration) func(*events.Event) {
	return func(e *events.Event) { e.Checkpoint = e.Checkpoint.Add(by) }
}

func recount(counts map[string]int64) func(*events.Event) {
	return func(e *events.Event) { e.Counts = counts }
}

// TestFaults breaks sound logs in one place each.
func TestFaults(t *testing.T) {
	same := map[string]int64{events.Busy: 1, events.Cancel: 1}
	padded := map[string]int64{events.Busy: 1, events.Cancel: 1, "new": 0}
	for name, c := range map[string]struct {
		w    *writer
		harm harm
		want []string
	}{
		"a window is missing":              {newWriter().live(1, 2, 3), drop(1), []string{oplog.Gap}},
		"a missed marker is missing":       {newWriter().live(1).missed().live(3), drop(1), []string{oplog.Gap}},
		"a window again":                   {newWriter().live(1, 2, 3), repeat(1, 1), []string{oplog.Duplicate}},
		"an old window again":              {newWriter().live(1, 2, 3), repeat(0, 2), []string{oplog.Duplicate}},
		"a window over a missed marker":    {newWriter().live(1).missed(), count(1, 0), []string{oplog.Duplicate}},
		"windows that share time":          {newWriter().live(1, 2), change(1, move(4*m, 10*m)), []string{oplog.Overlap}},
		"a window that ends too early":     {newWriter().live(1, 2, 3), change(1, moveLive(5*m, 9*m)), []string{oplog.Gap}},
		"a step into the future and back":  {newWriter().live(1, 2, 3, 4), change(1, moveLive(1000*m, 1005*m)), []string{oplog.Gap, oplog.Overlap}},
		"a checkpoint ahead":               {newWriter().live(1, 2, 3), change(1, shift(m)), []string{oplog.Checkpoint}},
		"a checkpoint behind":              {newWriter().live(1, 2, 3), change(1, shift(-m)), []string{oplog.Checkpoint}},
		"a revision's checkpoint":          {newWriter().live(1, 2).revise(0, 5).live(3), change(2, shift(m)), []string{oplog.Checkpoint}},
		"a backfill's checkpoint":          {newWriter().live(1).backfill(-5*m, 5).live(3), change(1, shift(m)), []string{oplog.Checkpoint}},
		"a revision left out":              {newWriter().live(1).revise(0, 5).revise(0, 6), drop(1), []string{oplog.Revision}},
		"a revision again":                 {newWriter().live(1).revise(0, 5), repeat(1, 1), []string{oplog.Duplicate}},
		"revisions in the wrong order":     {newWriter().live(1).revise(0, 5).revise(0, 6), swap(1, 2), []string{oplog.Revision, oplog.Revision}},
		"a revision that changes nothing":  {newWriter().live(1).revise(0, 5), change(1, recount(same)), []string{oplog.Revision}},
		"nor does a result of zero":        {newWriter().live(1).revise(0, 5), change(1, recount(padded)), []string{oplog.Revision}},
		"a revision of a missed window":    {newWriter().live(1).missed(), count(1, 1), []string{oplog.Revision}},
		"a revision of a window not here":  {newWriter().live(1, 2).revise(0, 5), change(2, move(m, 5*m)), []string{oplog.Revision, oplog.Overlap}},
		"a backfill again":                 {newWriter().live(1).backfill(-5*m, 4), repeat(1, 1), []string{oplog.Duplicate}},
		"a backfill of a window here":      {newWriter().live(1, 2).backfill(-5*m, 4), change(2, move(0, 5*m)), []string{oplog.Duplicate}},
		"a backfill beyond the checkpoint": {newWriter().live(1).backfill(-5*m, 4), change(1, move(5*m, 10*m)), []string{oplog.Backfill}},
		"a backfill over live windows":     {newWriter().live(1, 2).backfill(-5*m, 4), change(2, move(-5*m, m)), []string{oplog.Overlap}},
	} {
		t.Run(name, func(t *testing.T) {
			_, faults := check(c.harm(slices.Clone(c.w.log)))
			var got []string
			for _, f := range faults {
				got = append(got, f.Kind)
				if f.Text == "" || f.Operation != "ventas" {
					t.Errorf("a fault that says too little: %+v", f)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("faults %q, want %q", got, c.want)
			}
		})
	}
}

func TestInvalidMessages(t *testing.T) {
	var c oplog.Checker
	log := newWriter().live(1, 2).log
	c.Add(&log[0])
	c.AddInvalid("ventas", &events.InvalidError{Subject: "calls.unconnected.ventas", Sequence: 2, Reason: "no JSON"})
	c.Add(&log[1])
	want := oplog.Fault{Operation: "ventas", Sequence: 2, Kind: oplog.Invalid, Text: "no JSON"}
	if faults := c.Finish("ventas"); len(faults) != 1 || faults[0] != want {
		t.Errorf("faults %+v, want %+v alone", faults, want)
	}
}

// TestRandomSoundLogs: no sound log has a fault, wherever retention has cut it off.
func TestRandomSoundLogs(t *testing.T) {
	for seed := range uint64(300) {
		log := randomLog(rand.New(rand.NewPCG(seed, 0)))
		for cut := range log {
			if _, faults := check(log[cut:]); len(faults) > 0 {
				t.Fatalf("seed %d, the first %d messages gone: %+v\n%s", seed, cut, faults, describe(log))
			}
		}
	}
}

// TestRandomHarm: any harm that the log itself can show is found.
func TestRandomHarm(t *testing.T) {
	for name, harm := range map[string]func(*rand.Rand, []events.Event) []events.Event{
		"drop":       dropOne,
		"swap":       swapTwo,
		"duplicate":  duplicateOne,
		"checkpoint": alterCheckpoint,
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(2000) {
				r := rand.New(rand.NewPCG(seed, 1))
				log := harm(r, randomLog(r))
				if _, faults := check(log); len(faults) == 0 {
					t.Fatalf("seed %d: no fault found in\n%s", seed, describe(log))
				}
			}
		})
	}
}

// dropOne removes a live message between two others. What is missing at either end, and a correction that nothing
// builds upon, no log can show.
func dropOne(r *rand.Rand, log []events.Event) []events.Event {
	live := liveOnes(log)
	i := live[1+r.IntN(len(live)-2)]
	return slices.Delete(log, i, i+1)
}

// swapTwo exchanges two messages, one of them live. Two corrections of different windows may come in any order.
func swapTwo(r *rand.Rand, log []events.Event) []events.Event {
	live := liveOnes(log)
	i, j := live[r.IntN(len(live))], r.IntN(len(log)-1)
	if j >= i {
		j++
	}
	log[i], log[j] = log[j], log[i]
	return log
}

func duplicateOne(r *rand.Rand, log []events.Event) []events.Event {
	i := r.IntN(len(log))
	return slices.Insert(log, i+1+r.IntN(len(log)-i), log[i])
}

func alterCheckpoint(r *rand.Rand, log []events.Event) []events.Event {
	e := &log[r.IntN(len(log))]
	e.Checkpoint = e.Checkpoint.Add(time.Duration(1+r.IntN(7200)) * time.Second * time.Duration(1-2*r.IntN(2)))
	return log
}

func liveOnes(log []events.Event) []int {
	var live []int
	for i := range log {
		if log[i].IsLive() {
			live = append(live, i)
		}
	}
	return live
}

func describe(log []events.Event) (text string) {
	for _, e := range log {
		text += e.ID() + " up to " + e.Checkpoint.Format(time.RFC3339)
		if e.Backfill {
			text += " backfill"
		}
		text += "\n"
	}
	return text
}
