package oplog_test

import (
	"slices"
	"strconv"
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
		"a gap, filled":                       newWriter().live(1).lose(10*m).live(2).backfill(10*m, 4).backfill(5*m, 4).live(1),
		"compared again":                      newWriter().live(1).compare().live(2).revise(0, 5).compare().live(1),
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
	return func(l []events.Event) []events.Event { l[i], l[j] = l[j], l[i]; return renumber(l) }
}

func change(i int, f func(*events.Event)) harm {
	return func(l []events.Event) []events.Event { f(&l[i]); return l }
}

// repeat puts a copy of message i behind message j.
func repeat(i, j int) harm {
	return func(l []events.Event) []events.Event { return renumber(slices.Insert(l, j+1, l[i])) }
}

// count appends counts for the window of message i.
func count(i, revision int) harm {
	return func(l []events.Event) []events.Event {
		e := events.Event{Operation: "ventas", Window: l[i].Window, Checkpoint: l[i].Checkpoint, Revision: revision}
		return renumber(append(l, counting(e, 1)))
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

// recount leaves rows and total as they would be for these counts.
func recount(counts map[string]int64) func(*events.Event) {
	return func(e *events.Event) {
		e.Counts, e.Reported, e.Total = counts, nil, 0
		for result, n := range counts {
			e.Reported = append(e.Reported, events.Reported{Result: result, Count: strconv.FormatInt(n, 10)})
			e.Total += n
		}
	}
}

func compared(periods, days time.Duration) func(*events.Event) {
	return func(e *events.Event) {
		e.Reconciled = events.Reconciled{Periods: noon.Add(periods), Days: noon.Add(days)}
	}
}

func report(rows ...events.Reported) func(*events.Event) {
	return func(e *events.Event) { e.Reported = rows }
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
		"a step into the future and back":  {newWriter().live(1, 2, 3, 4), change(1, moveLive(1000*m, 1005*m)), []string{oplog.Gap, oplog.Order}},
		"windows in the wrong order":       {newWriter().live(1, 2, 3, 4), swap(1, 2), []string{oplog.Order}},
		"the last windows in wrong order":  {newWriter().live(1, 2, 3), swap(1, 2), []string{oplog.Order}},
		"a window after many later ones":   {newWriter().live(1).lose(15*m).live(3, 4).lose(-25*m).live(5, 6).lose(15 * m).live(7), nil, []string{oplog.Order, oplog.Gap}},
		"a gap, filled in part":            {newWriter().live(1).lose(15*m).live(2).backfill(10*m, 4), nil, []string{oplog.Gap, oplog.Gap}},
		"a window again behind a gap":      {newWriter().live(1).lose(5 * m).live(2), repeat(0, 1), []string{oplog.Gap, oplog.Duplicate}},
		"a window across the full hour":    {newWriter().lose(50*m).live(1, 2), change(1, moveLive(55*m, 65*m)), []string{oplog.Grid}},
		"a window of two hours":            {newWriter().live(1), change(0, moveLive(0, 120*m)), []string{oplog.Grid}},
		"a checkpoint ahead":               {newWriter().live(1, 2, 3), change(1, shift(m)), []string{oplog.Checkpoint}},
		"a checkpoint behind":              {newWriter().live(1, 2, 3), change(1, shift(-m)), []string{oplog.Checkpoint}},
		"a revision's checkpoint":          {newWriter().live(1, 2).revise(0, 5).live(3), change(2, shift(m)), []string{oplog.Checkpoint}},
		"a backfill's checkpoint":          {newWriter().live(1).backfill(-5*m, 5).live(3), change(1, shift(m)), []string{oplog.Checkpoint}},
		"a revision left out":              {newWriter().live(1).revise(0, 5).revise(0, 6), drop(1), []string{oplog.Revision}},
		"a revision again":                 {newWriter().live(1).revise(0, 5), repeat(1, 1), []string{oplog.Duplicate}},
		"revisions in the wrong order":     {newWriter().live(1).revise(0, 5).revise(0, 6), swap(1, 2), []string{oplog.Revision, oplog.Revision}},
		"an earlier revision, then on":     {newWriter().live(1).revise(0, 5).revise(0, 6).revise(0, 7), swap(1, 2), []string{oplog.Revision, oplog.Revision}},
		"a revision that changes nothing":  {newWriter().live(1).revise(0, 5), change(1, recount(same)), []string{oplog.Revision}},
		"nor does a result of zero":        {newWriter().live(1).revise(0, 5), change(1, recount(padded)), []string{oplog.Revision}},
		"a revision of a missed window":    {newWriter().live(1).missed(), count(1, 1), []string{oplog.Revision}},
		"a revision of a window not here":  {newWriter().live(1, 2).revise(0, 5), change(2, move(m, 5*m)), []string{oplog.Revision}},
		"a revision of another length":     {newWriter().live(1, 2).revise(0, 5), change(2, move(0, 4*m)), []string{oplog.Revision}},
		"a revision left out at the begin": {newWriter().live(1).revise(0, 5).revise(0, 6).revise(0, 7), drop(2), []string{oplog.Revision}},
		"a backfill again":                 {newWriter().live(1).backfill(-5*m, 4), repeat(1, 1), []string{oplog.Duplicate}},
		"a backfill of a window here":      {newWriter().live(1, 2).backfill(-5*m, 4), change(2, move(0, 5*m)), []string{oplog.Duplicate}},
		"a backfill beyond the checkpoint": {newWriter().live(1).backfill(-5*m, 4), change(1, move(5*m, 10*m)), []string{oplog.Backfill}},
		"a backfill over live windows":     {newWriter().live(1, 2).backfill(-5*m, 4), change(2, move(-5*m, m)), []string{oplog.Grid, oplog.Overlap}},
		"a backfill of another length":     {newWriter().live(1, 2).backfill(-5*m, 4), change(2, move(0, 4*m)), []string{oplog.Overlap}},
		"live over a backfill ahead":       {newWriter().live(1).backfill(5*m, 4).live(2).revise(0, 5), nil, []string{oplog.Backfill, oplog.Duplicate}},
		"a sequence again":                 {newWriter().live(1, 2), change(1, func(e *events.Event) { e.Sequence = 1 }), []string{oplog.Order}},
		"simulated among real ones":        {newWriter().live(1, 2, 3), change(1, func(e *events.Event) { e.Source = oplog.SourceSimulated }), []string{oplog.Source, oplog.Source}},
		"simulated after real ones":        {newWriter().live(1, 2), change(1, func(e *events.Event) { e.Source = oplog.SourceSimulated }), []string{oplog.Source}},
		"reconciled periods go back":       {newWriter().compare().live(1, 2), change(1, compared(-time.Hour, -12*time.Hour)), []string{oplog.Reconciled}},
		"reconciled days go back":          {newWriter().compare().live(1, 2), change(1, compared(time.Hour, -36*time.Hour)), []string{oplog.Reconciled}},
		"back, and forth again":            {newWriter().compare().live(1, 2, 3), change(1, compared(-time.Hour, -12*time.Hour)), []string{oplog.Reconciled}},
		"a count":                          {newWriter().live(1, 2), change(1, func(e *events.Event) { e.Counts = map[string]int64{events.Busy: 1, events.Cancel: 2} }), []string{oplog.Counts}},
		"a total":                          {newWriter().live(1, 2), change(1, func(e *events.Event) { e.Total++ }), []string{oplog.Counts}},
		"a reported row":                   {newWriter().live(1, 2), change(1, report(events.Reported{Result: "BUSY", Count: "2"})), []string{oplog.Counts}},
	} {
		t.Run(name, func(t *testing.T) {
			log := slices.Clone(c.w.log)
			if c.harm != nil {
				log = c.harm(log)
			}
			_, faults := check(log)
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

// TestMissedFilled: a window stored in a marker's place is no longer missed, even where it should have been a backfill.
func TestMissedFilled(t *testing.T) {
	w := newWriter().live(1).missed()
	c, faults := check(count(1, 0)(slices.Clone(w.log)))
	if missed := c.MissedWindows(); len(missed) != 0 || len(faults) != 1 || c.Calls != 2+2 {
		t.Errorf("missed %+v, %d calls, faults %+v", missed, c.Calls, faults)
	}
	if c, _ := check(w.log); len(c.MissedWindows()) != 1 {
		t.Error("the marker is not listed")
	}
}

// TestSpan: what is counted and reported is bounded, what is checked is not.
func TestSpan(t *testing.T) {
	w := newWriter().live(1, 2, 3).missed().lose(15*m).missed().lose(5*m).live(4).revise(0, 5).revise(10*m, 7).backfill(-5*m, 4)
	for name, c := range map[string]struct {
		from, to                      time.Duration // 0 leaves that side open
		windows, revisions, backfills int
		calls                         int64
		missed                        int
		gaps                          []time.Duration // the starts of the gaps found
	}{
		"all":            {0, 0, 7, 2, 1, 6 + 3 + 8 + 5 + 5, 2, []time.Duration{20 * m, 40 * m}},
		"from":           {10 * m, 0, 4, 1, 0, 8 + 5, 2, []time.Duration{20 * m, 40 * m}},
		"from, in a gap": {25 * m, 0, 2, 0, 0, 5, 1, []time.Duration{20 * m, 40 * m}},
		"to":             {0, 20 * m, 5, 2, 1, 6 + 3 + 8 + 5, 1, nil},
		"between":        {5 * m, 40 * m, 4, 1, 0, 3 + 8, 2, []time.Duration{20 * m}},
	} {
		t.Run(name, func(t *testing.T) {
			var checker oplog.Checker
			if c.from != 0 {
				checker.From = noon.Add(c.from)
			}
			if c.to != 0 {
				checker.To = noon.Add(c.to)
			}
			for i := range w.log {
				checker.Add(&w.log[i])
			}
			var gaps []time.Duration
			for _, f := range checker.Finish("ventas") {
				if f.Kind != oplog.Gap {
					t.Errorf("a fault: %+v", f)
				}
				gaps = append(gaps, f.Window.Start.Sub(noon))
			}
			if !slices.Equal(gaps, c.gaps) {
				t.Errorf("gaps at %v, want %v", gaps, c.gaps)
			}
			if checker.Windows != c.windows || checker.Revisions != c.revisions || checker.Backfills != c.backfills || checker.Calls != c.calls {
				t.Errorf("%d windows, %d revisions, %d backfills, %d calls, want %+v",
					checker.Windows, checker.Revisions, checker.Backfills, checker.Calls, c)
			}
			if missed := checker.MissedWindows(); len(missed) != c.missed {
				t.Errorf("missed: %+v", missed)
			}
		})
	}
}

func TestInvalidMessages(t *testing.T) {
	var c oplog.Checker
	log := newWriter().live(1, 2).log
	c.Add(&log[0])
	c.AddInvalid("ventas", &events.InvalidError{Subject: "calls.unconnected.ventas", Sequence: 2, Reason: "no JSON"})
	log[1].Sequence = 3
	c.Add(&log[1])
	want := oplog.Fault{Operation: "ventas", Sequence: 2, Kind: oplog.Invalid, Text: "no JSON"}
	if faults := c.Finish("ventas"); len(faults) != 1 || faults[0] != want {
		t.Errorf("faults %+v, want %+v alone", faults, want)
	}
	c.AddInvalid("ventas", &events.InvalidError{Subject: "calls.unconnected.ventas", Sequence: 9, Reason: "no JSON"})
	late := newWriter().live(1, 2, 3).log[2]
	c.Add(&late)
	if faults := c.Finish("ventas"); len(faults) != 3 || c.Messages != 5 {
		t.Errorf("a message behind one of a higher sequence: %+v", faults)
	}
}
