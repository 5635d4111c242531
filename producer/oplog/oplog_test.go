package oplog_test

import (
	"testing"
	"time"

	"unconnected/events"
	"unconnected/producer/oplog"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestHeadOf(t *testing.T) {
	e := &events.Event{
		Sequence: 7, Checkpoint: noon, Source: "//wv0011.wolkvox.com/cdr_6",
		Window: events.Window{Start: noon.Add(-5 * time.Minute), End: noon},
	}
	want := oplog.Head{Sequence: 7, Checkpoint: noon, Length: 5 * time.Minute, Source: "//wv0011.wolkvox.com/cdr_6"}
	if got := oplog.HeadOf(e); got != want {
		t.Errorf("HeadOf = %+v, want %+v", got, want)
	}
	if (oplog.Head{}).IsEmpty() == false || want.IsEmpty() {
		t.Error("only the zero Head is that of an empty log")
	}
	if (oplog.Head{Sequence: 3}).IsEmpty() {
		t.Error("a log with nothing but foreign bytes is not empty: its fence is their sequence")
	}
}

func TestPlausible(t *testing.T) {
	span := func(from, to time.Duration) events.Window {
		return events.Window{Start: noon.Add(from), End: noon.Add(to)}
	}
	const m = time.Minute
	for name, c := range map[string]struct {
		e    events.Event
		want bool
	}{
		"live":                             {events.Event{Window: span(-5*m, 0), Checkpoint: noon}, true},
		"a missed marker":                  {events.Event{Window: span(-5*m, 0), Checkpoint: noon, Missed: &events.Missed{}}, true},
		"live, years ago":                  {events.Event{Window: span(-900000*m, -899995*m), Checkpoint: noon.Add(-899995 * m)}, true},
		"live, the writer's clock ahead":   {events.Event{Window: span(55*m, 60*m), Checkpoint: noon.Add(60 * m)}, true},
		"live, in the future":              {events.Event{Window: span(55*m, 61*m), Checkpoint: noon.Add(61 * m)}, false},
		"live, this host's clock behind":   {events.Event{Window: span(2875*m, 2880*m), Checkpoint: noon.Add(2880 * m), Stored: noon.Add(2881 * m)}, true},
		"live, the server's clock behind":  {events.Event{Window: span(-5*m, 0), Checkpoint: noon, Stored: noon.Add(-2880 * m)}, true},
		"live, both clocks behind":         {events.Event{Window: span(55*m, 61*m), Checkpoint: noon.Add(61 * m), Stored: noon.Add(-m)}, false},
		"live, checkpoint behind its end":  {events.Event{Window: span(-5*m, 0), Checkpoint: noon.Add(m)}, false},
		"live, checkpoint before its end":  {events.Event{Window: span(-5*m, 0), Checkpoint: noon.Add(-m)}, false},
		"compared up to the checkpoint":    {events.Event{Window: span(-5*m, 0), Checkpoint: noon, Reconciled: events.Reconciled{Periods: noon, Days: noon}}, true},
		"compared beyond it":               {events.Event{Window: span(-5*m, 0), Checkpoint: noon, Reconciled: events.Reconciled{Periods: noon.Add(1), Days: noon}}, false},
		"days compared beyond it":          {events.Event{Window: span(-5*m, 0), Checkpoint: noon, Reconciled: events.Reconciled{Periods: noon, Days: noon.Add(1)}}, false},
		"no checkpoint":                    {events.Event{Window: span(-5*m, 0)}, false},
		"not in whole seconds":             {events.Event{Window: span(-5*m, 1), Checkpoint: noon.Add(1)}, false},
		"a revision":                       {events.Event{Window: span(-50*m, -45*m), Revision: 1, Checkpoint: noon}, true},
		"a revision of the last window":    {events.Event{Window: span(-5*m, 0), Revision: 1, Checkpoint: noon}, true},
		"a revision behind the checkpoint": {events.Event{Window: span(-5*m, 0), Revision: 1, Checkpoint: noon.Add(-m)}, false},
		"a revision from the future":       {events.Event{Window: span(-5*m, 0), Revision: 1, Checkpoint: noon.Add(90 * m)}, false},
		"a backfill":                       {events.Event{Window: span(-50*m, -45*m), Backfill: true, Checkpoint: noon}, true},
		"a backfill behind the checkpoint": {events.Event{Window: span(0, 5*m), Backfill: true, Checkpoint: noon}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := oplog.Plausible(&c.e, noon); got != c.want {
				t.Errorf("Plausible = %v, want %v", got, c.want)
			}
		})
	}
}

func TestMixesKinds(t *testing.T) {
	const real, other = "//wv0011.wolkvox.com/cdr_6", "//127.0.0.1:8090/cdr_6"
	for name, c := range map[string]struct {
		head, source string
		want         bool
	}{
		"a new log, real":           {"", real, false},
		"a new log, simulated":      {"", oplog.SourceSimulated, false},
		"real after real":           {real, real, false},
		"another server":            {real, other, false},
		"simulated after simulated": {oplog.SourceSimulated, oplog.SourceSimulated, false},
		"simulated after real":      {real, oplog.SourceSimulated, true},
		"real after simulated":      {oplog.SourceSimulated, real, true},
		"a host of a similar name":  {"//simulated.example.com/cdr_6", real, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (oplog.Head{Source: c.head}).MixesKinds(c.source); got != c.want {
				t.Errorf("MixesKinds = %v, want %v", got, c.want)
			}
		})
	}
}

func TestMarkLost(t *testing.T) {
	created, later := noon.Add(-time.Hour), noon
	for name, c := range map[string]struct {
		mark   oplog.Mark
		stream time.Time
		first  uint64
		last   uint64
		want   bool
	}{
		"no mark":                          {oplog.Mark{}, created, 1, 5, false},
		"no mark, no log":                  {oplog.Mark{}, created, 1, 0, false},
		"the log ends where the mark is":   {oplog.Mark{Stream: created, Sequence: 5}, created, 1, 5, false},
		"the mark lags":                    {oplog.Mark{Stream: created, Sequence: 4}, created, 1, 5, false},
		"the log ends short of it":         {oplog.Mark{Stream: created, Sequence: 6}, created, 1, 5, true},
		"the log is empty":                 {oplog.Mark{Stream: created, Sequence: 1}, created, 1, 0, true},
		"the mark is of another stream":    {oplog.Mark{Stream: created, Sequence: 6}, later, 1, 5, false},
		"another stream and an empty log":  {oplog.Mark{Stream: created, Sequence: 6}, later, 1, 0, false},
		"the same instant in another zone": {oplog.Mark{Stream: created.In(time.FixedZone("", 3600)), Sequence: 6}, created, 1, 5, true},
		"retention has removed the log":    {oplog.Mark{Stream: created, Sequence: 6}, created, 7, 0, false},
		"the stream is empty":              {oplog.Mark{Stream: created, Sequence: 6}, created, 0, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.mark.Lost(c.stream, c.first, c.last); got != c.want {
				t.Errorf("Lost = %v, want %v", got, c.want)
			}
		})
	}
}
