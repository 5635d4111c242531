package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"unconnected/events"
	"unconnected/producer/reconcile"
)

// asked are the spans that a job asks for in order, by the clock of UTC, when every answer is empty and nothing changed.
func asked(s reconcile.Schedule, job reconcile.Job, log []events.Event) (asked []string, end time.Time) {
	check := s.Begin(job, log)
	for request, more := check.Next(); more; request, more = check.Next() {
		asked = append(asked, request.Span.Start.Format("15:04")+"-"+request.Span.End.Format("15:04"))
		check.Answer(nil)
	}
	return asked, check.Advance(events.Reconciled{Periods: job.Span.Start, Days: job.Span.Start}).Periods
}

// empty are windows without calls, from one boundary to the next.
func empty(t *testing.T, day string, boundaries ...string) (log []events.Event) {
	for i := range boundaries[:len(boundaries)-1] {
		log = append(log, events.Event{
			Window: events.Window{Start: at(t, day+"T"+boundaries[i]+":00Z"), End: at(t, day+"T"+boundaries[i+1]+":00Z")},
			Counts: map[string]int64{},
		})
	}
	return log
}

func TestSpans(t *testing.T) {
	const day = "2026-11-22"
	for name, c := range map[string]struct {
		window     time.Duration
		span       string
		boundaries string // of the windows in the log
		asked, end string
	}{
		"one request":                                   {5 * time.Minute, "15:00-16:00", "15:00 15:15 15:30 15:45 16:00", "15:00-16:00", "16:00"},
		"mixed lengths":                                 {5 * time.Minute, "15:00-16:00", "15:00 15:15 15:30 15:31 15:32 16:00", "15:00-16:00", "16:00"},
		"windows outside are not compared":              {5 * time.Minute, "15:00-15:10", "14:50 14:55 15:00 15:05 15:10 15:15", "15:00-15:10", "15:10"},
		"a long window across the end":                  {5 * time.Minute, "15:00-15:10", "15:00 15:05 15:20 15:25", "15:00-15:20", "15:20"},
		"a gap is divided into the present windows":     {5 * time.Minute, "15:00-15:30", "15:00 15:10", "15:10-15:15 15:15-15:20 15:20-15:25 15:25-15:30 15:00-15:30", "15:30"},
		"a gap, on the old grid until the grids meet":   {15 * time.Minute, "15:00-15:45", "15:00 15:05", "15:05-15:10 15:10-15:15 15:15-15:30 15:30-15:45 15:00-15:45", "15:45"},
		"what is shorter than a window is no window":    {15 * time.Minute, "15:00-15:40", "15:00 15:15", "15:15-15:30 15:00-15:30", "15:40"},
		"an empty log is one gap":                       {15 * time.Minute, "15:00-15:30", "", "15:00-15:15 15:15-15:30 15:00-15:30", "15:30"},
		"a span that begins off the grid":               {15 * time.Minute, "15:10-15:45", "", "15:10-15:15 15:15-15:30 15:30-15:45 15:10-15:45", "15:45"},
		"a span without anything that can be asked for": {time.Hour, "15:10-15:30", "", "", "15:30"},
	} {
		t.Run(name, func(t *testing.T) {
			from, to, _ := strings.Cut(c.span, "-")
			job := reconcile.Job{Span: events.Window{Start: at(t, day+"T"+from+":00Z"), End: at(t, day+"T"+to+":00Z")}}
			var log []events.Event
			if c.boundaries != "" {
				log = empty(t, day, strings.Fields(c.boundaries)...)
			}
			got, end := asked(reconcile.Schedule{Period: time.Hour, Window: c.window, Zone: time.UTC}, job, log)
			if strings.Join(got, " ") != c.asked || end.Format("15:04") != c.end {
				t.Errorf("asked for %v, up to %s; want %s, %s", got, end.Format("15:04"), c.asked, c.end)
			}
		})
	}
}

// TestOverlapsAreLeftOut: where two windows claim the same time, neither is compared.
func TestOverlapsAreLeftOut(t *testing.T) {
	const day = "2026-11-22"
	log := empty(t, day, "15:00", "15:05", "15:10", "15:15", "15:20", "15:25", "15:30")
	long := empty(t, day, "15:08", "15:22")
	log = slices.Insert(log, 2, long...)
	job := reconcile.Job{Span: events.Window{Start: log[0].Window.Start, End: log[len(log)-1].Window.End}}
	got, _ := asked(reconcile.Schedule{Period: time.Hour, Window: 5 * time.Minute, Zone: time.UTC}, job, log)
	if want := "[15:00-15:05 15:25-15:30]"; fmt.Sprint(got) != want {
		t.Errorf("asked for %v, want %s", got, want)
	}
}

// TestHolesDivideTheSpan: where no window fits between two, they are not compared as one.
func TestHolesDivideTheSpan(t *testing.T) {
	const day = "2026-11-22"
	log := append(empty(t, day, "15:00", "15:05", "15:10"), empty(t, day, "15:12", "15:15", "15:20")...)
	job := reconcile.Job{Span: events.Window{Start: log[0].Window.Start, End: log[len(log)-1].Window.End}}
	got, _ := asked(reconcile.Schedule{Period: time.Hour, Window: 5 * time.Minute, Zone: time.UTC}, job, log)
	if want := "[15:00-15:10 15:12-15:20]"; fmt.Sprint(got) != want {
		t.Errorf("asked for %v, want %s", got, want)
	}
}

// TestRepeatedHoursAreLeftOut: the API answers for both passes of a local hour at once.
func TestRepeatedHoursAreLeftOut(t *testing.T) {
	for name, c := range map[string]struct {
		zone, from, to string
		asked          string
	}{
		"New York: the hour before":    {"America/New_York", "2026-11-01T04:00:00Z", "2026-11-01T05:00:00Z", "04:00-05:00"},
		"New York: first pass":         {"America/New_York", "2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z", ""},
		"New York: second pass":        {"America/New_York", "2026-11-01T06:00:00Z", "2026-11-01T07:00:00Z", ""},
		"New York: the hour after":     {"America/New_York", "2026-11-01T07:00:00Z", "2026-11-01T08:00:00Z", "07:00-08:00"},
		"New York: the day, two parts": {"America/New_York", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z", "04:00-05:00 07:00-05:00"},
		"New York: clocks go forward":  {"America/New_York", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z", "05:00-04:00"},
		"Lord Howe: half an hour":      {"Australia/Lord_Howe", "2026-04-04T14:00:00Z", "2026-04-04T16:00:00Z", "14:00-14:30 15:30-16:00"},
		"Havana: the day":              {"America/Havana", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z", "06:00-05:00"},
		"Bogota":                       {"America/Bogota", "2026-11-01T05:00:00Z", "2026-11-02T05:00:00Z", "05:00-05:00"},
	} {
		t.Run(name, func(t *testing.T) {
			s := reconcile.Schedule{Period: time.Hour, Window: 5 * time.Minute, Zone: zone(t, c.zone)}
			job := reconcile.Job{Span: events.Window{Start: at(t, c.from), End: at(t, c.to)}}
			var log []events.Event
			for start := job.Span.Start; start.Before(job.Span.End); start = start.Add(5 * time.Minute) {
				log = append(log, events.Event{Window: events.Window{Start: start, End: start.Add(5 * time.Minute)}})
			}
			if got, end := asked(s, job, log); strings.Join(got, " ") != c.asked || !end.Equal(job.Span.End) {
				t.Errorf("asked for %v, up to %v; want %q", got, end, c.asked)
			}
			// Gaps in a repeated hour are for a backfill, which says that it guesses.
			for _, span := range first(asked(s, job, nil)) {
				if c.asked == "" {
					t.Errorf("asked for %s in a gap", span)
				}
			}
		})
	}
}

func first(spans []string, _ time.Time) []string { return spans }
