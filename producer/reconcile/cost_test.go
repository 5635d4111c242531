package reconcile_test

import (
	"math/bits"
	"math/rand/v2"
	"testing"
	"time"

	"unconnected/events"
	"unconnected/producer/reconcile"
)

// quietDay is a day of an operation in Bogota, polled until the next noon, with nothing changed and nothing compared yet.
func quietDay(t *testing.T) (*operation, events.Window) {
	day := events.Window{Start: at(t, "2026-11-22T05:00:00Z"), End: at(t, "2026-11-23T05:00:00Z")}
	o := newOperation(t, day.Start, 5*time.Minute, zone(t, "America/Bogota"))
	o.traffic(rand.New(rand.NewPCG(1, 1)), day.Start, day.End)
	o.pollUntil(day.End.Add(12 * time.Hour))
	return o, day
}

// about counts the requests about a day: the whole of it, or a part.
func (o *operation) about(day events.Window) (n int) {
	for _, request := range o.requests {
		if day.Overlaps(request.Span) {
			n++
		}
	}
	return n
}

func TestAnUnchangedDayCosts25Requests(t *testing.T) {
	o, day := quietDay(t)
	for now := day.Start; !now.After(day.End.Add(12 * time.Hour)); now = now.Add(5 * time.Minute) {
		o.reconcile(now, nil, 0)
	}
	if n := o.about(day); n != 25 {
		t.Errorf("%d requests, want 24 hours and the day", n)
	}
	want := events.Reconciled{Periods: day.End.Add(11 * time.Hour), Days: day.End}
	if o.progress != want {
		t.Errorf("progress %v, want %v", o.progress, want)
	}
}

// TestOneChangeInAnHour measures each of the twelve windows.
func TestOneChangeInAnHour(t *testing.T) {
	most := 0
	for i := range 12 {
		o, day := quietDay(t)
		o.happen(day.Start.Add(time.Duration(i)*5*time.Minute), events.Congestion, 1)
		job, _ := o.schedule.Next(o.progress)
		o.run(job, 0)
		most = max(most, len(o.requests))
		if untrue := o.untrue(job.Span); len(untrue) > 0 {
			t.Errorf("window %d was not found", i)
		}
	}
	t.Logf("at most %d requests", most)
	if most > 9 {
		t.Errorf("%d requests, want at most 9", most)
	}
}

// TestOneChangeInADay is what the day's comparison finds the next morning.
func TestOneChangeInADay(t *testing.T) {
	most := 0
	o, day := quietDay(t)
	o.reconcile(day.End.Add(12*time.Hour), nil, 0)
	for i := range 288 {
		o.requests = nil
		o.happen(day.Start.Add(time.Duration(i)*5*time.Minute), events.Congestion, 1)
		o.progress.Days = day.Start
		o.reconcile(day.End.Add(12*time.Hour), nil, 0)
		most = max(most, len(o.requests))
		if untrue := o.untrue(day); len(untrue) > 0 {
			t.Fatalf("window %d was not found", i)
		}
	}
	t.Logf("at most %d requests", most)
	if most > 1+2*9 {
		t.Errorf("%d requests, want at most 19", most)
	}
	o.sound()
}

// TestBounds: k changed windows among n cost at most 1 + 2·k·⌈log₂ n⌉ requests, and never more than 2n − 1; nothing missed.
func TestBounds(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 3))
		n := 1 + r.IntN(40)
		o := newOperation(t, at(t, "2026-11-22T00:00:00Z"), time.Minute, time.UTC)
		span := events.Window{Start: o.head, End: o.head.Add(time.Duration(n) * time.Minute)}
		o.pollUntil(span.End)
		changed := make(map[int]bool)
		for range r.IntN(n + 1) {
			i := r.IntN(n)
			o.happen(span.Start.Add(time.Duration(i)*time.Minute), events.Busy, 1)
			changed[i] = true
		}
		o.run(reconcile.Job{Span: span}, 0)
		bound := min(2*n-1, 1+2*len(changed)*bits.Len(uint(n-1)))
		if len(o.requests) > bound {
			t.Errorf("seed %d: %d of %d windows changed: %d requests, bound %d", seed, len(changed), n, len(o.requests), bound)
		}
		if revisions := len(o.log) - n; revisions != len(changed) {
			t.Errorf("seed %d: %d windows changed, %d revisions", seed, len(changed), revisions)
		}
	}
}

// TestRestartsCostNoMoreThanTheyMust: what was published before a crash is not asked for alone again.
func TestRestartsCostNoMoreThanTheyMust(t *testing.T) {
	for death := 1; death <= 9; death++ {
		o, day := quietDay(t)
		o.happen(day.Start.Add(7*time.Minute), events.Congestion, 1)
		job, _ := o.schedule.Next(o.progress)
		if !o.run(job, death) {
			o.run(job, 0)
		}
		if untrue := o.untrue(job.Span); len(untrue) > 0 || len(o.requests) > 9+8 {
			t.Errorf("died before request %d: %d requests, untrue %v", death, len(o.requests), untrue)
		}
		o.sound()
	}
}
