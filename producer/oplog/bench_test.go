package oplog_test

import (
	"runtime"
	"strconv"
	"testing"
	"time"

	"unconnected/events"
	"unconnected/producer/oplog"
)

// year is the number of windows of five minutes in a year.
const year = 365 * 24 * 12

// BenchmarkChecker checks a year of one operation, as live windows and as backfills in front of one live window. It reports
// the time of a message, and the memory that stays in use for a window.
func BenchmarkChecker(b *testing.B) {
	for name, backfill := range map[string]bool{"live": false, "backfilled": true} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var checker *oplog.Checker
			before := heap()
			for b.Loop() {
				checker = new(oplog.Checker)
				checkYear(b, checker, backfill)
			}
			held := heap() - before
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/year, "ns/message")
			b.ReportMetric(float64(held)/year, "B/window")
			runtime.KeepAlive(checker)
		})
	}
}

// checkYear changes one event again and again, as a decoder would hand one out after the other.
func checkYear(b *testing.B, checker *oplog.Checker, backfill bool) {
	counts := map[string]int64{
		events.Busy: 20, events.Cancel: 3, events.ChanUnavail: 1, events.Congestion: 41, events.DoNotCall: 0, events.NoAnswer: 120, events.TCPA: 0,
	}
	e := events.Event{Operation: "ventas", Source: "//wv0011.wolkvox.com/cdr_6", Counts: counts, Total: 185}
	for result, n := range counts {
		if n > 0 {
			e.Reported = append(e.Reported, events.Reported{Result: result, Count: strconv.FormatInt(n, 10)})
		}
	}
	if backfill {
		e.Sequence, e.Window = 1, events.Window{Start: noon.Add(year * 5 * m), End: noon.Add((year + 1) * 5 * m)}
		e.Checkpoint = e.Window.End
		checker.Add(&e)
		e.Backfill = true
	}
	for i := range year {
		e.Sequence = uint64(i + 2)
		e.Window.Start = noon.Add(time.Duration(i) * 5 * m)
		e.Window.End = e.Window.Start.Add(5 * m)
		if !backfill {
			e.Checkpoint = e.Window.End
		}
		checker.Add(&e)
	}
	if faults := checker.Finish("ventas"); len(faults) > 0 {
		b.Fatalf("%d faults: %+v", len(faults), faults[0])
	}
}

// heap is how much memory is in use.
func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
