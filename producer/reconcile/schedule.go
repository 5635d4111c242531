package reconcile

import (
	"time"

	"unconnected/events"
	"unconnected/producer/grid"
)

// morning is the local hour from which on the day before is compared as a whole: late calls and the corrections of the
// evening are in by then.
const morning = 6

// Start is the progress of a history whose first live window starts at first. A progress only moves forward; for the zero
// one, that of a log which says nothing about it, nothing is due.
func Start(first time.Time) events.Reconciled {
	return events.Reconciled{Periods: first.UTC(), Days: first.UTC()}
}

// Latest is the further of two progresses in each respect.
func Latest(p, o events.Reconciled) events.Reconciled {
	return events.Reconciled{Periods: later(p.Periods, o.Periods), Days: later(p.Days, o.Days)}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Kind says what a [Job] compares.
type Kind uint8

// The kinds of jobs.
const (
	Period Kind = iota // a period of [Schedule.Period]
	Day                // a local day, whose periods have all been compared
)

// String is the kind for logs.
func (k Kind) String() string {
	if k == Day {
		return "day"
	}
	return "period"
}

// Job is a span to compare: the windows that start in it.
type Job struct {
	Kind Kind
	Span events.Window // begins where the last job of its kind ended, so the first one may be shorter than others
	Due  time.Time     // the instant from which on it may be begun, UTC
}

// Ready tells whether the job may be begun: it is due, and its windows are in the log.
func (j Job) Ready(checkpoint, now time.Time) bool {
	return !now.Before(j.Due) && !checkpoint.Before(j.Span.End)
}

// Schedule says which spans are compared, and when. It is a value of settings; changing them takes effect where the
// progress stands.
type Schedule struct {
	// Period is the length of a period: a multiple of Window, at most 24 h; 0 or less: nothing is compared. Periods are
	// aligned to the Unix epoch, and so, where they divide a day, to midnight UTC.
	Period time.Duration
	// Window is the present length of windows, into which gaps of the log are divided. It divides an hour.
	Window time.Duration
	// Zone is that of the operation's clock.
	Zone *time.Location
}

// Next is the job that follows from the progress: of the next period and, once all its periods have been compared, the
// next local day, the one that is due first. It is false when nothing is compared at all.
func (s Schedule) Next(p events.Reconciled) (Job, bool) {
	if s.Period <= 0 || p.IsZero() {
		return Job{}, false
	}
	period, day := s.period(p.Periods), s.day(p.Days)
	if !day.Span.End.After(p.Periods) && !day.Due.After(period.Due) {
		return day, true
	}
	return period, true
}

// Polled is the progress after a live window was stored that had been asked for at an instant: one that is asked for only
// when its period, or its day, would be compared anyhow needs no comparing. So catching up on a long time costs nothing more.
func (s Schedule) Polled(p events.Reconciled, w events.Window, at time.Time) events.Reconciled {
	if s.Period <= 0 || p.IsZero() {
		return p
	}
	if p.Periods.Equal(w.Start) && !at.Before(s.period(w.Start).Due) {
		p.Periods = w.End.UTC()
	}
	if p.Days.Equal(w.Start) && !at.Before(s.day(w.Start).Due) {
		p.Days = w.End.UTC()
	}
	return p
}

// period is due when it has been closed for as long as it is itself.
func (s Schedule) period(from time.Time) Job {
	end := grid.Align(from, s.Period).Add(s.Period)
	return Job{Period, events.Window{Start: from.UTC(), End: end}, end.Add(s.Period)}
}

func (s Schedule) day(from time.Time) Job {
	end := grid.NextMidnight(from, s.Zone)
	y, m, d := end.In(s.Zone).Date()
	due := time.Date(y, m, d, morning, 0, 0, 0, s.Zone).UTC()
	return Job{Day, events.Window{Start: from.UTC(), End: end}, due}
}
