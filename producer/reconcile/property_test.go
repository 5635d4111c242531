package reconcile_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"unconnected/events"
	"unconnected/producer/reconcile"
)

// balanced tells whether what the log has of the span, in all, is what happened in it: what remains untrue cancels out.
func (o *operation) balanced(span events.Window) bool {
	var all events.Event
	all.Counts = make(map[string]int64)
	for _, e := range o.fold(span) {
		for result, n := range e.Counts {
			all.Counts[result] += n
		}
	}
	truth, _ := o.report(span)
	return all.SameCounts(&events.Event{Counts: truth})
}

// change corrects random minutes of the span: calls more, calls less where there are any, or from one result to another.
func (o *operation) change(r *rand.Rand, span events.Window, onlyMore bool) {
	minute := span.Start.Add(time.Duration(r.Int64N(int64(span.Length())))).Truncate(time.Minute)
	result := events.DocumentedResults()[r.IntN(7)]
	n := 1 + r.Int64N(3)
	if !onlyMore && r.IntN(2) == 0 {
		n = -min(n, o.minutes[minute.Unix()][result])
	}
	o.happen(minute, result, n)
}

// scene is a random operation with a log up to the end of a random span of some hours.
func scene(t *testing.T, r *rand.Rand) (*operation, events.Window) {
	begin := at(t, "2026-11-22T05:00:00Z")
	window := []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}[r.IntN(3)]
	o := newOperation(t, begin, window, zone(t, "America/Bogota"))
	o.schedule.Period = []time.Duration{15 * time.Minute, time.Hour, 3 * time.Hour, 5 * time.Hour}[r.IntN(4)]
	end := begin.Add(72 * time.Hour)
	o.traffic(r, begin, begin.Add(30*time.Hour))
	for range r.IntN(3) {
		o.bad[begin.Add(time.Duration(r.IntN(600))*time.Minute).Unix()] = true
	}
	o.pollUntil(begin.Add(10 * time.Hour))
	clear(o.bad) // the API has recovered
	o.schedule.Window = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}[r.IntN(3)]
	o.pollUntil(end)
	return o, events.Window{Start: begin, End: begin.Add(24 * time.Hour)}
}

// TestWhatIsLeftCancelsOut corrects random windows after they were stored. Once the spans have been compared, each adds up
// to the truth, whatever died on the way; where calls only came, none went, every window is true.
func TestWhatIsLeftCancelsOut(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		o, day := scene(t, r)
		onlyMore := seed%2 == 0
		for range r.IntN(60) {
			o.change(r, day, onlyMore)
		}
		for _, job := range o.reconcile(day.End.Add(48*time.Hour), r, 0.3) {
			if !o.balanced(job.Span) {
				t.Fatalf("seed %d: %v %v does not add up to the truth", seed, job.Kind, job.Span)
			}
		}
		if untrue := o.untrue(day); onlyMore && len(untrue) > 0 {
			t.Fatalf("seed %d: %d windows are not true, such as %v", seed, len(untrue), untrue[0])
		}
		o.sound()
	}
}

// TestCallsComeMeanwhile lets calls be recorded late between any two requests of the periods' comparisons. They end all
// the same, within their bound, and the day's comparison finds the rest.
func TestCallsComeMeanwhile(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 2))
		o, day := scene(t, r)
		for range r.IntN(30) {
			o.change(r, day, true)
		}
		o.answered = func() {
			if r.IntN(3) == 0 {
				o.change(r, day, true)
			}
		}
		o.reconcile(day.End.Add(4*time.Hour), r, 0.2) // not yet the day
		o.answered = nil
		jobs := o.reconcile(day.End.Add(48*time.Hour), r, 0)
		if untrue := o.untrue(day); len(untrue) > 0 {
			t.Fatalf("seed %d: after the day %d windows are not true, such as %v", seed, len(untrue), untrue[0])
		}
		if !slices.ContainsFunc(jobs, func(j reconcile.Job) bool { return j.Kind == reconcile.Day }) {
			t.Fatalf("seed %d: no day was compared: %v", seed, jobs)
		}
		o.sound()
	}
}

// TestNoWindowIsHiddenBySubtraction: windows of both halves change, and one of them changes while it is being asked for so
// that total less first half looks like the second half unchanged. It is found nevertheless.
func TestNoWindowIsHiddenBySubtraction(t *testing.T) {
	begin := at(t, "2026-11-22T15:00:00Z")
	o := newOperation(t, begin, 5*time.Minute, time.UTC)
	o.pollUntil(begin.Add(time.Hour))
	o.happen(begin.Add(35*time.Minute), events.Busy, 1)
	o.answered = func() {
		if len(o.requests) == 1 {
			o.happen(begin.Add(5*time.Minute), events.Busy, 1)
		}
	}
	job, _ := o.schedule.Next(o.progress)
	o.run(job, 0)
	if untrue := o.untrue(job.Span); len(untrue) > 0 {
		t.Errorf("not found: %v", untrue)
	}
	o.sound()
}

// TestEndlessChanges: an API that answers something else each time is asked for each window once, no more.
func TestEndlessChanges(t *testing.T) {
	begin := at(t, "2026-11-22T15:00:00Z")
	o := newOperation(t, begin, 5*time.Minute, time.UTC)
	o.pollUntil(begin.Add(time.Hour))
	o.happen(begin, events.Busy, 1)
	o.answered = func() {
		for i := range 12 {
			o.happen(begin.Add(time.Duration(i)*5*time.Minute), events.Busy, 1)
		}
	}
	job, _ := o.schedule.Next(o.progress)
	o.run(job, 0)
	alone := make(map[time.Time]int)
	for _, request := range o.requests {
		if request.What == reconcile.Single {
			alone[request.Span.Start]++
		}
	}
	for start, n := range alone {
		if n > 1 {
			t.Errorf("%v was asked for alone %d times", start, n)
		}
	}
	if n := len(o.requests); n > 2*12-1 {
		t.Errorf("%d requests", n)
	}
	o.sound()
}
