package oplog_test

import (
	"math/rand/v2"
	"time"

	"unconnected/events"
	"unconnected/producer/oplog"
)

// writer writes a sound log.
type writer struct {
	log        []events.Event
	begin      time.Time // start of the first live window
	checkpoint time.Time
	length     time.Duration
	latest     map[time.Time]events.Event // by start of the window
}

func newWriter() *writer {
	return &writer{begin: noon, checkpoint: noon, length: 5 * time.Minute, latest: make(map[time.Time]events.Event)}
}

// add appends e with the sequence and the checkpoint that follow.
func (w *writer) add(e events.Event) *writer {
	if e.IsLive() {
		w.checkpoint = e.Window.End
	}
	e.Operation, e.Checkpoint, e.Sequence = "ventas", w.checkpoint, uint64(len(w.log)*3+1)
	w.log = append(w.log, e)
	w.latest[e.Window.Start] = e
	return w
}

func counting(e events.Event, busy int64) events.Event {
	e.Counts, e.Total = map[string]int64{events.Busy: busy, events.Cancel: 1}, busy+1
	return e
}

func (w *writer) next() events.Event {
	return events.Event{Window: events.Window{Start: w.checkpoint, End: w.checkpoint.Add(w.length)}}
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
	return w.add(counting(events.Event{Window: events.Window{Start: start, End: start.Add(w.length)}, Backfill: true}, busy))
}

// randomLog is a sound log: live windows with changing lengths, missed ones, revisions and backfills between.
func randomLog(r *rand.Rand) []events.Event {
	w := newWriter()
	w.live(1, 2)
	backfilled := w.begin
	for range 5 + r.IntN(40) {
		switch r.IntN(8) {
		case 0:
			w.missed()
		case 1, 2:
			w.reviseAny(r)
		case 3:
			backfilled = backfilled.Add(-w.length)
			w.backfill(backfilled.Sub(w.begin), r.Int64N(50))
		case 4:
			w.fillAny(r)
		case 5:
			w.length = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}[r.IntN(3)]
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
