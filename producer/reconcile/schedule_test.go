package reconcile_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"unconnected/events"
	"unconnected/producer/reconcile"
)

func TestNext(t *testing.T) {
	const h, m = time.Hour, time.Minute
	type want struct {
		kind            reconcile.Kind
		start, end, due string
	}
	for name, c := range map[string]struct {
		period        time.Duration
		zone          string
		periods, days string
		want          want
	}{
		"an hour is due when closed for an hour": {h, "America/Bogota", "2026-11-22T15:00:00Z", "2026-11-22T05:00:00Z",
			want{reconcile.Period, "2026-11-22T15:00:00Z", "2026-11-22T16:00:00Z", "2026-11-22T17:00:00Z"}},
		"a history that begins within an hour": {h, "America/Bogota", "2026-11-22T15:25:00Z", "2026-11-22T15:25:00Z",
			want{reconcile.Period, "2026-11-22T15:25:00Z", "2026-11-22T16:00:00Z", "2026-11-22T17:00:00Z"}},
		"a quarter of an hour": {15 * m, "America/Bogota", "2026-11-22T15:15:00Z", "2026-11-22T05:00:00Z",
			want{reconcile.Period, "2026-11-22T15:15:00Z", "2026-11-22T15:30:00Z", "2026-11-22T15:45:00Z"}},
		"six hours lie at midnight UTC": {6 * h, "America/Bogota", "2026-11-22T15:00:00Z", "2026-11-22T05:00:00Z",
			want{reconcile.Period, "2026-11-22T15:00:00Z", "2026-11-22T18:00:00Z", "2026-11-23T00:00:00Z"}},
		"a day, UTC's": {24 * h, "America/Bogota", "2026-11-22T00:00:00Z", "2026-11-22T05:00:00Z",
			want{reconcile.Period, "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"}},
		"five hours divide no day: from 1970 on": {5 * h, "America/Bogota", "2026-11-22T14:00:00Z", "2026-11-22T05:00:00Z",
			want{reconcile.Period, "2026-11-22T14:00:00Z", "2026-11-22T19:00:00Z", "2026-11-23T00:00:00Z"}},

		"the day waits for its hours": {h, "America/Bogota", "2026-11-23T04:00:00Z", "2026-11-22T05:00:00Z",
			want{reconcile.Period, "2026-11-23T04:00:00Z", "2026-11-23T05:00:00Z", "2026-11-23T06:00:00Z"}},
		"the day waits for the morning": {h, "America/Bogota", "2026-11-23T08:00:00Z", "2026-11-22T05:00:00Z",
			want{reconcile.Period, "2026-11-23T08:00:00Z", "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z"}},
		"in the morning the day before": {h, "America/Bogota", "2026-11-23T10:00:00Z", "2026-11-22T05:00:00Z",
			want{reconcile.Day, "2026-11-22T05:00:00Z", "2026-11-23T05:00:00Z", "2026-11-23T11:00:00Z"}},
		"the first day of a history": {h, "America/Bogota", "2026-11-23T10:00:00Z", "2026-11-22T15:25:00Z",
			want{reconcile.Day, "2026-11-22T15:25:00Z", "2026-11-23T05:00:00Z", "2026-11-23T11:00:00Z"}},
		"with periods of a day the next noon": {24 * h, "America/Bogota", "2026-11-24T00:00:00Z", "2026-11-22T05:00:00Z",
			want{reconcile.Day, "2026-11-22T05:00:00Z", "2026-11-23T05:00:00Z", "2026-11-23T11:00:00Z"}},
		"a day of 23 hours": {h, "America/New_York", "2026-03-09T09:00:00Z", "2026-03-08T05:00:00Z",
			want{reconcile.Day, "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z", "2026-03-09T10:00:00Z"}},
		"a day of 25 hours": {h, "America/New_York", "2026-11-02T10:00:00Z", "2026-11-01T04:00:00Z",
			want{reconcile.Day, "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z", "2026-11-02T11:00:00Z"}},
		"a day without a midnight": {h, "America/Santiago", "2026-09-07T09:00:00Z", "2026-09-06T04:00:00Z",
			want{reconcile.Day, "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z", "2026-09-07T09:00:00Z"}},
		"a midnight within an hour of UTC": {h, "Asia/Kathmandu", "2026-11-23T00:00:00Z", "2026-11-21T18:15:00Z",
			want{reconcile.Day, "2026-11-21T18:15:00Z", "2026-11-22T18:15:00Z", "2026-11-23T00:15:00Z"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := reconcile.Schedule{Period: c.period, Window: 5 * m, Zone: zone(t, c.zone)}
			got, ok := s.Next(events.Reconciled{Periods: at(t, c.periods), Days: at(t, c.days)})
			want := reconcile.Job{
				Kind: c.want.kind, Span: events.Window{Start: at(t, c.want.start), End: at(t, c.want.end)}, Due: at(t, c.want.due),
			}
			if !ok || got != want {
				t.Errorf("Next = %v %v due %v, want %v %v due %v", got.Kind, got.Span, got.Due, want.Kind, want.Span, want.Due)
			}
		})
	}
}

func TestNothingIsDue(t *testing.T) {
	begin := at(t, "2026-11-22T15:00:00Z")
	if _, ok := (reconcile.Schedule{Window: time.Minute, Zone: time.UTC}).Next(reconcile.Start(begin)); ok {
		t.Error("something is due with a period of 0")
	}
	if _, ok := (reconcile.Schedule{Period: time.Hour, Window: time.Minute, Zone: time.UTC}).Next(events.Reconciled{}); ok {
		t.Error("something is due in a log that says nothing")
	}
}

func TestReady(t *testing.T) {
	job := reconcile.Job{
		Span: events.Window{Start: at(t, "2026-11-22T15:00:00Z"), End: at(t, "2026-11-22T16:00:00Z")},
		Due:  at(t, "2026-11-22T17:00:00Z"),
	}
	for name, c := range map[string]struct {
		checkpoint, now string
		want            bool
	}{
		"due, all there":          {"2026-11-22T16:55:00Z", "2026-11-22T17:00:00Z", true},
		"a moment too early":      {"2026-11-22T16:55:00Z", "2026-11-22T16:59:59Z", false},
		"its last window is due":  {"2026-11-22T15:55:00Z", "2026-11-22T17:30:00Z", false},
		"the log ends where it":   {"2026-11-22T16:00:00Z", "2026-11-22T17:00:00Z", true},
		"a clock that went back":  {"2026-11-22T17:00:00Z", "2026-11-22T03:00:00Z", false},
		"after a week of silence": {"2026-11-29T15:00:00Z", "2026-11-29T15:10:00Z", true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := job.Ready(at(t, c.checkpoint), at(t, c.now)); got != c.want {
				t.Errorf("Ready = %v", got)
			}
		})
	}
}

func TestLatestMovesForwardOnly(t *testing.T) {
	early, late := at(t, "2026-11-22T15:00:00Z"), at(t, "2026-11-22T16:00:00Z")
	a, b := events.Reconciled{Periods: late, Days: early}, events.Reconciled{Periods: early, Days: late}
	if got := reconcile.Latest(a, b); got != (events.Reconciled{Periods: late, Days: late}) {
		t.Errorf("Latest = %v", got)
	}
	if got := reconcile.Latest(events.Reconciled{}, a); got != a {
		t.Errorf("Latest of nothing and %v = %v", a, got)
	}
}

// TestEverySpanOnce walks through the years with random settings: the jobs of a kind follow each other without gap or
// repeat, no day comes before its periods, and each comes in its time.
func TestEverySpanOnce(t *testing.T) {
	zones := []string{"America/Bogota", "America/New_York", "America/Santiago", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu"}
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 7))
		window := []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}[r.IntN(4)]
		begin := at(t, "2026-01-01T00:00:00Z").Add(time.Duration(r.IntN(8000)) * time.Hour).Add(window * time.Duration(r.IntN(3)))
		o := newOperation(t, begin, window, zone(t, zones[r.IntN(len(zones))]))
		ends := map[reconcile.Kind]time.Time{reconcile.Period: begin, reconcile.Day: begin}
		now := begin
		for range 400 {
			if r.IntN(40) == 0 || o.schedule.Period < window { // the operator changes POLL_RECONCILE
				o.schedule.Period = window * time.Duration(1+r.IntN(int(24*time.Hour/window)))
			}
			now = now.Add(time.Duration(r.IntN(6)) * time.Hour)
			o.head = now
			for {
				job, _ := o.schedule.Next(o.progress)
				if !job.Ready(o.head, now) {
					break
				}
				if !job.Span.Start.Equal(ends[job.Kind]) || !job.Span.End.After(job.Span.Start) {
					t.Fatalf("seed %d: %v %v follows %v", seed, job.Kind, job.Span, ends[job.Kind])
				}
				if wait := now.Sub(job.Span.End); job.Kind == reconcile.Period && wait < o.schedule.Period || wait < 0 {
					t.Fatalf("seed %d: %v %v at %v", seed, job.Kind, job.Span, now)
				}
				if job.Kind == reconcile.Day && job.Span.End.After(ends[reconcile.Period]) {
					t.Fatalf("seed %d: the day %v before its periods", seed, job.Span)
				}
				ends[job.Kind] = job.Span.End
				// The log is empty: nothing to ask for but gaps, which nobody answers.
				check := o.schedule.Begin(job, nil)
				for _, more := check.Next(); more; _, more = check.Next() {
					check.Unanswerable()
				}
				o.progress = check.Advance(o.progress)
			}
		}
		if behind := now.Sub(o.progress.Days); behind > 5*24*time.Hour {
			t.Errorf("seed %d: the last whole day was compared %v ago", seed, behind)
		}
	}
}
