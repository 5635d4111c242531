package oplog_test

import (
	"math/rand/v2"
	"strconv"
	"time"

	"unconnected/events"
	"unconnected/producer/grid"
	"unconnected/producer/oplog"
)

// writer writes a sound log.
type writer struct {
	log        []events.Event
	begin      time.Time // start of the first live window
	checkpoint time.Time
	reconciled events.Reconciled
	length     time.Duration              // of new windows, where their grid meets the checkpoint
	latest     map[time.Time]events.Event // by start of the window
}

func newWriter() *writer {
	return &writer{begin: noon, checkpoint: noon, length: 5 * time.Minute, latest: make(map[time.Time]events.Event)}
}

// sequenceOf is the place of the i-th message in the stream, among those of two other operations.
func sequenceOf(i int) uint64 { return uint64(i*3 + 1) }

// add appends e with the sequence and the headers that follow.
func (w *writer) add(e events.Event) *writer {
	if e.IsLive() {
		w.checkpoint = e.Window.End
	}
	e.Operation, e.Sequence, e.Source = "ventas", sequenceOf(len(w.log)), "//wv0011.wolkvox.com/cdr_6"
	e.Checkpoint, e.Reconciled = w.checkpoint, w.reconciled
	w.log = append(w.log, e)
	w.latest[e.Window.Start] = e
	return w
}

// counting gives e the counts of an answer with one cancelled call beside the busy ones, and its rows.
func counting(e events.Event, busy int64) events.Event {
	e.Counts, e.Total = map[string]int64{events.Busy: busy, events.Cancel: 1, events.NoAnswer: 0}, busy+1
	e.Reported = []events.Reported{{Result: "BUSY", Count: strconv.FormatInt(busy, 10)}, {Result: "Cancelada", Count: "1"}}
	return e
}

func (w *writer) next() events.Event {
	var previous time.Duration
	if len(w.log) > 0 {
		previous = w.log[len(w.log)-1].Window.Length()
	}
	return events.Event{Window: grid.Next(w.checkpoint, w.length, previous)}
}

func (w *writer) live(busy ...int64) *writer {
	for _, n := range busy {
		w.add(counting(w.next(), n))
	}
	return w
}

func (w *writer) missed() *writer {
	e := w.next()
	e.Missed = &events.Missed{Reason: "garbage", Attempts: 3}
	return w.add(e)
}

// revise corrects the window that starts so long after the log's begin.
func (w *writer) revise(after time.Duration, busy int64) *writer {
	before := w.latest[w.begin.Add(after)]
	return w.add(counting(events.Event{Window: before.Window, Revision: before.Revision + 1, Backfill: before.Backfill}, busy))
}

// backfill stores a window that starts so long after the log's begin, or before it if negative.
func (w *writer) backfill(after time.Duration, busy int64) *writer {
	start := w.begin.Add(after)
	return w.add(counting(events.Event{Window: events.Window{Start: start, End: start.Add(5 * m)}, Backfill: true}, busy))
}

// lose goes on as if windows had got lost: what an operator accepts the loss of.
func (w *writer) lose(d time.Duration) *writer {
	w.checkpoint = w.checkpoint.Add(d)
	return w
}

// compare says that all periods up to the checkpoint were compared again.
func (w *writer) compare() *writer {
	w.reconciled = events.Reconciled{Periods: w.checkpoint.Truncate(time.Hour), Days: w.checkpoint.Truncate(24 * time.Hour)}
	return w
}

// randomLog is a sound log: live windows with changing lengths, missed ones, revisions and backfills between.
func randomLog(r *rand.Rand) []events.Event {
	w := newWriter()
	w.live(1, 2)
	backfilled := w.begin
	for range 5 + r.IntN(40) {
		switch r.IntN(10) {
		case 0:
			w.missed()
		case 1, 2:
			w.reviseAny(r)
		case 3:
			backfilled = backfilled.Add(-5 * m)
			w.backfill(backfilled.Sub(w.begin), r.Int64N(50))
		case 4:
			w.fillAny(r)
		case 5:
			w.length = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}[r.IntN(3)]
		case 6:
			w.compare()
		default:
			w.live(r.Int64N(50))
		}
	}
	w.live(3)
	return w.log
}

// windows are the latest events of the windows that are missed, or that are not, in the order of the log.
func (w *writer) windows(missed bool) []events.Event {
	var found []events.Event
	for _, e := range w.log {
		if latest := w.latest[e.Window.Start]; latest.Sequence == e.Sequence && (e.Missed != nil) == missed {
			found = append(found, e)
		}
	}
	return found
}

func (w *writer) reviseAny(r *rand.Rand) {
	known := w.windows(false)
	e := known[r.IntN(len(known))]
	w.revise(e.Window.Start.Sub(w.begin), e.Counts[events.Busy]+1+r.Int64N(9))
}

func (w *writer) fillAny(r *rand.Rand) {
	if missed := w.windows(true); len(missed) > 0 {
		e := missed[r.IntN(len(missed))]
		w.add(counting(events.Event{Window: e.Window, Backfill: true}, r.Int64N(50)))
	}
}

// check folds a log.
func check(log []events.Event) (*oplog.Checker, []oplog.Fault) {
	var c oplog.Checker
	for i := range log {
		c.Add(&log[i])
	}
	return &c, c.Finish("ventas")
}

// renumber gives a changed log the sequences that the stream would have given it.
func renumber(log []events.Event) []events.Event {
	for i := range log {
		log[i].Sequence = sequenceOf(i)
	}
	return log
}
