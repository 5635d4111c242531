package reconcile_test

import (
	"maps"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
	_ "time/tzdata"

	"unconnected/events"
	"unconnected/producer/grid"
	"unconnected/producer/oplog"
	"unconnected/producer/reconcile"
)

func at(t testing.TB, text string) time.Time {
	t.Helper()
	instant, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return instant.UTC()
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	location, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return location
}

// operation is an operation in memory: what really happened, by minute, and the log that a producer keeps of it.
type operation struct {
	t        testing.TB
	schedule reconcile.Schedule
	progress events.Reconciled
	minutes  map[int64]map[string]int64 // truth: Unix seconds of the minute → result → calls
	bad      map[int64]bool             // minutes that make every answer about them garbage
	log      []events.Event             // in the order of storing
	latest   map[int64]int              // start of the window, Unix seconds → index in log
	head     time.Time                  // the checkpoint

	requests []reconcile.Request
	answered func() // after each answer; nil: nothing happens meanwhile
}

func newOperation(t testing.TB, begin time.Time, window time.Duration, location *time.Location) *operation {
	return &operation{
		t: t, schedule: reconcile.Schedule{Period: time.Hour, Window: window, Zone: location},
		progress: reconcile.Start(begin), head: begin,
		minutes: make(map[int64]map[string]int64), bad: make(map[int64]bool), latest: make(map[int64]int),
	}
}

// happen adds n calls to the truth.
func (o *operation) happen(minute time.Time, result string, n int64) {
	key := minute.Truncate(time.Minute).Unix()
	if o.minutes[key] == nil {
		o.minutes[key] = make(map[string]int64)
	}
	o.minutes[key][result] += n
}

// report is the API's answer; false for garbage.
func (o *operation) report(span events.Window) (map[string]int64, bool) {
	counts := make(map[string]int64)
	for minute := span.Start; minute.Before(span.End); minute = minute.Add(time.Minute) {
		if o.bad[minute.Unix()] {
			return nil, false
		}
		for result, n := range o.minutes[minute.Unix()] {
			counts[result] += n
		}
	}
	return counts, true
}

// store appends to the log what a producer would.
func (o *operation) store(e events.Event) {
	if e.IsLive() {
		o.head = e.Window.End
	}
	e.Operation, e.Checkpoint, e.Sequence = "ventas", o.head, uint64(len(o.log)+1)
	for result, n := range e.Counts {
		e.Total += n
		e.Reported = append(e.Reported, events.Reported{Result: result, Count: strconv.FormatInt(n, 10)})
	}
	o.log = append(o.log, e)
	o.latest[e.Window.Start.Unix()] = len(o.log) - 1
}

// poll stores the next live window, or its marker.
func (o *operation) poll() {
	previous := o.schedule.Window
	if len(o.log) > 0 {
		previous = o.log[len(o.log)-1].Window.Length()
		for i := len(o.log) - 1; i >= 0 && !o.log[i].IsLive(); i-- {
			previous = o.log[max(i-1, 0)].Window.Length()
		}
	}
	e := events.Event{Window: grid.Next(o.head, o.schedule.Window, previous)}
	counts, ok := o.report(e.Window)
	if e.Counts = counts; !ok {
		e.Missed = &events.Missed{Reason: "garbage", Attempts: 3}
	}
	pass, _ := grid.Repeated(e.Window, o.schedule.Zone)
	e.Ambiguous = pass != grid.Once && ok
	o.store(e)
}

func (o *operation) pollUntil(end time.Time) {
	for o.head.Before(end) {
		o.poll()
	}
}

// fold is the latest state of the windows that start in the span, in time order.
func (o *operation) fold(span events.Window) []events.Event {
	var fold []events.Event
	for start := span.Start; start.Before(span.End); start = start.Add(time.Minute) {
		if i, ok := o.latest[start.Unix()]; ok {
			fold = append(fold, o.log[i])
		}
	}
	return fold
}

// run works on a job until it is done, or until it dies before a request: the first when death is 1.
func (o *operation) run(job reconcile.Job, death int) (done bool) {
	check := o.schedule.Begin(job, o.fold(job.Span))
	for request, more := check.Next(); more; request, more = check.Next() {
		if death--; death == 0 {
			return false
		}
		if before := check.Advance(o.progress); before != o.progress {
			o.t.Fatalf("%v: progress %v while there is more to ask", job.Span, before)
		}
		o.requests = append(o.requests, request)
		counts, ok := o.report(request.Span)
		if !ok {
			check.Unanswerable()
		} else if change, changed := check.Answer(counts); changed {
			o.publish(request, change, counts)
		}
		if o.answered != nil {
			o.answered()
		}
	}
	o.progress = check.Advance(o.progress)
	return true
}

// publish checks that a change is what the log allows, and stores it.
func (o *operation) publish(request reconcile.Request, c reconcile.Change, counts map[string]int64) {
	o.t.Helper()
	if !c.Window.Equal(request.Span) || !maps.Equal(c.Counts, counts) {
		o.t.Errorf("asked for %v: changed %v to %v, the answer was %v", request.Span, c.Window, c.Counts, counts)
	}
	if c.Backfill != (request.What == reconcile.Missing) || c.Backfill != (c.Revision == 0) {
		o.t.Errorf("a request for a %v window led to revision %d, backfill %v", request.What, c.Revision, c.Backfill)
	}
	o.store(events.Event{Window: c.Window, Revision: c.Revision, Counts: c.Counts, Backfill: c.Backfill})
}

// reconcile does every job that is ready. Each dies after a few requests, with the given chance, and is begun again.
func (o *operation) reconcile(now time.Time, r *rand.Rand, chance float64) (jobs []reconcile.Job) {
	for {
		job, ok := o.schedule.Next(o.progress)
		if !ok || !job.Ready(o.head, now) {
			return jobs
		}
		before := o.progress
		death := 0
		if r != nil && r.Float64() < chance {
			death = 1 + r.IntN(6)
		}
		if o.run(job, death) {
			jobs = append(jobs, job)
			if o.progress == before || o.progress != reconcile.Latest(o.progress, before) {
				o.t.Fatalf("%v %v: progress from %v to %v", job.Kind, job.Span, before, o.progress)
			}
		}
	}
}

// sound fails the test when the log breaks a rule: a revision without a change, or without its predecessor, …
func (o *operation) sound() {
	o.t.Helper()
	var checker oplog.Checker
	for i := range o.log {
		checker.Add(&o.log[i])
	}
	for _, fault := range checker.Finish("ventas") {
		o.t.Errorf("%s of %v: %s", fault.Kind, fault.Window, fault.Text)
	}
}

// untrue are the windows that start in the span and whose counts are not what happened.
func (o *operation) untrue(span events.Window) (untrue []events.Window) {
	for _, e := range o.fold(span) {
		truth, ok := o.report(e.Window)
		if ok && (e.Missed != nil || !e.SameCounts(&events.Event{Counts: truth})) {
			untrue = append(untrue, e.Window)
		}
	}
	return untrue
}

// traffic makes a random amount of calls happen in every minute.
func (o *operation) traffic(r *rand.Rand, from, to time.Time) {
	results := append(events.DocumentedResults(), "r_503", "unnamed")
	for minute := from; minute.Before(to); minute = minute.Add(time.Minute) {
		for range r.IntN(4) {
			o.happen(minute, results[r.IntN(len(results))], 1+r.Int64N(9))
		}
	}
}
