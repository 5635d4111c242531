package oplog_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"unconnected/events"
	"unconnected/producer/oplog"
)

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

// damage harms one message of a random log, and names the kinds of fault of which at least one must be found; none when
// this log has nothing to harm in this way.
type damage func(*rand.Rand, []events.Event) (log []events.Event, kinds []string)

// TestRandomDamage: any single damage that the log itself can show is found, as what it is.
func TestRandomDamage(t *testing.T) {
	for name, harm := range map[string]damage{
		"a live window dropped":         dropLive,
		"a revision dropped":            dropRevision,
		"two live windows swapped":      swapLive,
		"a message repeated":            repeatAny,
		"a checkpoint changed":          alter(anyMessage, shiftCheckpoint, oplog.Checkpoint),
		"a count changed":               alter(counted, changeCount, oplog.Counts),
		"a total changed":               alter(counted, changeTotal, oplog.Counts),
		"a reported row changed":        alter(counted, changeRow, oplog.Counts),
		"a reported row dropped":        alter(counted, dropRow, oplog.Counts),
		"a revision number raised":      alter(isRevision, raiseRevision, oplog.Revision),
		"a window shifted":              alter((*events.Event).IsLive, shiftWindow, oplog.Gap, oplog.Overlap, oplog.Order, oplog.Checkpoint),
		"a live window as a backfill":   alter(isLaterLive, flipBackfill, oplog.Backfill),
		"a backfill as a live window":   alter(isBackfill, flipBackfill, oplog.Checkpoint, oplog.Duplicate),
		"a sequence from before":        alter(notFirst, func(_ *rand.Rand, e *events.Event) { e.Sequence = 1 }, oplog.Order),
		"simulated calls":               alter(notFirst, func(_ *rand.Rand, e *events.Event) { e.Source = oplog.SourceSimulated }, oplog.Source),
		"reconciliation that goes back": goBack,
	} {
		t.Run(name, func(t *testing.T) {
			harmed := 0
			for seed := range uint64(500) {
				r := rand.New(rand.NewPCG(seed, 1))
				log, kinds := harm(r, randomLog(r))
				if kinds == nil {
					continue
				}
				harmed++
				_, faults := check(log)
				if !slices.ContainsFunc(faults, func(f oplog.Fault) bool { return slices.Contains(kinds, f.Kind) }) {
					t.Fatalf("seed %d: want one of %q, found %+v in\n%s", seed, kinds, faults, describe(log))
				}
			}
			if harmed < 150 {
				t.Errorf("only %d logs were harmed", harmed)
			}
		})
	}
}

// alter changes one of the messages that are meant.
func alter(meant func(*events.Event) bool, change func(*rand.Rand, *events.Event), kinds ...string) damage {
	return func(r *rand.Rand, log []events.Event) ([]events.Event, []string) {
		i, ok := pick(r, log, meant)
		if !ok {
			return log, nil
		}
		change(r, &log[i])
		return log, kinds
	}
}

func pick(r *rand.Rand, log []events.Event, meant func(*events.Event) bool) (int, bool) {
	var found []int
	for i := range log {
		if meant(&log[i]) {
			found = append(found, i)
		}
	}
	if len(found) == 0 {
		return 0, false
	}
	return found[r.IntN(len(found))], true
}

func anyMessage(*events.Event) bool             { return true }
func notFirst(e *events.Event) bool             { return e.Sequence > 1 }
func counted(e *events.Event) bool              { return e.Missed == nil }
func isRevision(e *events.Event) bool           { return e.Revision > 0 }
func isLaterLive(e *events.Event) bool          { return e.IsLive() && notFirst(e) }
func isBackfill(e *events.Event) bool           { return e.Backfill && e.Revision == 0 }
func oneOf(r *rand.Rand) time.Duration          { return time.Duration(1 - 2*r.IntN(2)) }
func dropRow(_ *rand.Rand, e *events.Event)     { e.Reported = e.Reported[:1] }
func changeTotal(r *rand.Rand, e *events.Event) { e.Total += 1 + r.Int64N(9) }

func shiftCheckpoint(r *rand.Rand, e *events.Event) {
	e.Checkpoint = e.Checkpoint.Add(time.Duration(1+r.IntN(7200)) * time.Second * oneOf(r))
}

func changeCount(r *rand.Rand, e *events.Event) {
	result := events.DocumentedResults()[r.IntN(7)]
	counts := map[string]int64{result: e.Counts[result] + 1 + r.Int64N(9)}
	for other, n := range e.Counts {
		if other != result {
			counts[other] = n
		}
	}
	e.Total += counts[result] - e.Counts[result] // the total agrees: only the rows can tell
	e.Counts = counts
}

func changeRow(_ *rand.Rand, e *events.Event) {
	e.Reported = []events.Reported{e.Reported[0], {Result: "Ocupado", Count: e.Reported[1].Count}}
}

func raiseRevision(r *rand.Rand, e *events.Event) { e.Revision += 1 + r.IntN(3) }

func shiftWindow(r *rand.Rand, e *events.Event) {
	by := time.Duration(1+r.IntN(59)) * time.Second * oneOf(r)
	e.Window.Start, e.Window.End = e.Window.Start.Add(by), e.Window.End.Add(by)
}

func flipBackfill(_ *rand.Rand, e *events.Event) { e.Backfill = !e.Backfill }

// goBack takes back some of what the message before says was compared again.
func goBack(r *rand.Rand, log []events.Event) ([]events.Event, []string) {
	i, ok := pick(r, log[:len(log)-1], func(e *events.Event) bool { return !e.Reconciled.IsZero() })
	if !ok {
		return log, nil
	}
	log[i+1].Reconciled.Days = log[i].Reconciled.Days.Add(-time.Duration(1+r.IntN(9)) * time.Hour)
	return log, []string{oplog.Reconciled}
}

// dropLive removes a live message between two others, which no backfill stands in for. What is missing at either end, no log
// can show.
func dropLive(r *rand.Rand, log []events.Event) ([]events.Event, []string) {
	filled := make(map[time.Time]bool)
	first, last := log[0].Window.Start, log[len(log)-1].Window.Start
	for i := range log {
		filled[log[i].Window.Start] = filled[log[i].Window.Start] || log[i].Backfill
	}
	i, ok := pick(r, log, func(e *events.Event) bool {
		return e.IsLive() && !filled[e.Window.Start] && !e.Window.Start.Equal(first) && !e.Window.Start.Equal(last)
	})
	if !ok {
		return log, nil
	}
	return slices.Delete(log, i, i+1), []string{oplog.Gap}
}

// dropRevision removes a revision that another one follows.
func dropRevision(r *rand.Rand, log []events.Event) ([]events.Event, []string) {
	latest := make(map[time.Time]int)
	for i := range log {
		latest[log[i].Window.Start] = max(latest[log[i].Window.Start], log[i].Revision)
	}
	i, ok := pick(r, log, func(e *events.Event) bool { return isRevision(e) && e.Revision < latest[e.Window.Start] })
	if !ok {
		return log, nil
	}
	return slices.Delete(log, i, i+1), []string{oplog.Revision}
}

func swapLive(r *rand.Rand, log []events.Event) ([]events.Event, []string) {
	i, _ := pick(r, log, (*events.Event).IsLive)
	j, _ := pick(r, log, func(e *events.Event) bool { return e.IsLive() && e.Sequence != log[i].Sequence })
	log[i], log[j] = log[j], log[i]
	return renumber(log), []string{oplog.Order, oplog.Duplicate} // a backfill may stand between, for a missed window
}

// repeatAny stores a message again behind some later one.
func repeatAny(r *rand.Rand, log []events.Event) ([]events.Event, []string) {
	i := r.IntN(len(log))
	kinds := []string{oplog.Duplicate}
	if log[i].Revision > 0 { // behind a later revision it is an earlier one
		kinds = append(kinds, oplog.Revision)
	}
	return renumber(slices.Insert(log, i+1+r.IntN(len(log)-i), log[i])), kinds
}

// TestNonsense: whatever valid events somebody stores, in whatever order, the Checker comes to an end.
func TestNonsense(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 2))
		instant := func() time.Time { return time.Unix(r.Int64N(1<<uint(1+r.IntN(37))), 0).UTC() }
		var c oplog.Checker
		for range 200 {
			start := instant()
			e := events.Event{
				Operation: "ventas", Window: events.Window{Start: start, End: start.Add(time.Duration(1+r.Int64N(1<<uint(1+r.IntN(30)))) * time.Second)},
				Checkpoint: instant(), Revision: r.IntN(3) * r.IntN(1<<40), Backfill: r.IntN(2) == 0, Ambiguous: r.IntN(2) == 0,
			}
			if e.IsLive() && r.IntN(2) == 0 {
				e.Missed = &events.Missed{Reason: "garbage"}
			} else {
				e = counting(e, r.Int64N(1<<40))
			}
			c.Add(&e)
		}
		faults := len(c.Finish("ventas"))
		if again := len(c.Finish("ventas")); faults == 0 || again != faults {
			t.Fatalf("seed %d: %d faults, then %d", seed, faults, again)
		}
	}
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
