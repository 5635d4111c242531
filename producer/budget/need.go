package budget

import "time"

// Requests are numbers of requests for two purposes.
type Requests struct {
	Live        int64 // for windows
	Corrections int64 // for comparing them again, with some changes to find
}

// Note says what an operation's poller needs, so that everybody leaves room for it. Call it at the start, and when the
// ledger is written anyhow.
func (b *Budget) Note(operation string, n Need) {
	if !n.plausible() {
		return
	}
	n.Checkpoint, n.Seen = n.Checkpoint.UTC(), n.Seen.UTC()
	if b.Ledger.Operations == nil {
		b.Ledger.Operations = make(map[string]Need)
	}
	b.Ledger.Operations[operation] = n
}

// Forget removes an operation that is polled no more.
func (b *Budget) Forget(operation string) { delete(b.Ledger.Operations, operation) }

// Needs is what the rest of the day will take for all operations of the server.
func (b *Budget) Needs(now time.Time) Requests {
	l := &b.Ledger
	l.turn(now, b.Zone)
	return b.needs(now, l.DayEnds, func(n Need) time.Time { return n.Checkpoint })
}

// fullDay is what a whole day takes, without anything to catch up.
func (b *Budget) fullDay() Requests {
	l := &b.Ledger
	return b.needs(l.DayBegan, l.DayEnds, func(Need) time.Time { return l.DayBegan })
}

func (b *Budget) needs(from, to time.Time, reached func(Need) time.Time) (r Requests) {
	for _, n := range b.Ledger.Operations {
		live := reached(n)
		if live.IsZero() { // its history is yet to begin
			live = from
		}
		r.Live += ceil(to.Sub(live), n.Window.Duration())
		if n.Period > 0 {
			// One for each period and one for the day; as many again, to find what changed.
			r.Corrections += 2*ceil(to.Sub(from), n.Period.Duration()) + 1
		}
	}
	return r
}

// ceil is how many lengths it takes to cover d; none if d is negative.
func ceil(d, length time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	return int64((d-1)/length) + 1
}

// margin is kept for requests that must be repeated, and for reports.
func margin(live int64) int64 { return max(10, live/20) }

// reserve is what a request of the class must leave for others.
func (b *Budget) reserve(class Class, now time.Time) int64 {
	needs := b.Needs(now)
	switch class {
	case Live:
		return 0
	case Correction:
		return needs.Live + margin(needs.Live)
	}
	return needs.Live + margin(needs.Live) + needs.Corrections
}

// Forecast is the instant at which the quota will be spent; false if the day ends before that, or nothing is known. It
// reckons with what the operations still need, evenly over the rest of the day, and with others going on since the last report
// as they did until then. Backfills don't count: they stop in time.
func (b *Budget) Forecast(now time.Time) (time.Time, bool) {
	left, known := b.expected(now)
	rest := b.Ledger.DayEnds.Sub(now).Seconds()
	rate := b.ownRate(now) + b.othersRate()
	switch {
	case !known:
		return time.Time{}, false
	case left == 0:
		return now.UTC(), true
	case float64(left) >= rate*rest:
		return time.Time{}, false
	}
	return now.Add(time.Duration(float64(left) / rate * float64(time.Second))).UTC(), true
}

// expected is what is left when others go on since the last report as they did until then; false when nothing is known.
func (b *Budget) expected(now time.Time) (int64, bool) {
	left, known := b.Left(now)
	since := max(0, now.Sub(b.Ledger.Report.At)).Seconds()
	return max(0, left-int64(b.othersRate()*since)), known
}

// ownRate is how many requests a second we will send until the day ends; where no operation said what it needs, how many
// we sent so far.
func (b *Budget) ownRate(now time.Time) float64 {
	l := &b.Ledger
	if len(l.Operations) == 0 {
		return rate(l.Sent, now.Sub(l.Since))
	}
	needs := b.Needs(now)
	return float64(needs.Live+needs.Corrections/2) / l.DayEnds.Sub(now).Seconds()
}

// othersRate is how many requests a second others sent up to the last report of this day.
func (b *Budget) othersRate() float64 {
	l := &b.Ledger
	if b.Daily > 0 || l.Report.At.IsZero() {
		return 0
	}
	return rate(max(0, l.Quota-l.Report.Left-l.Report.Sent), l.Report.At.Sub(l.DayBegan))
}

// rate is n a second over a time of an hour at least: shorter ones tell nothing about a day.
func rate(n int64, over time.Duration) float64 { return float64(n) / max(over, time.Hour).Seconds() }

// Estimate is what a backfill of some requests takes.
type Estimate struct {
	Requests int64
	Known    bool  // whether the quota is known; otherwise nothing is known of the days, and nothing holds the backfill up
	Today    int64 // requests that today has to spare
	Daily    int64 // requests that each following day has to spare, if nobody else uses the quota
	Days     int64 // days it takes, today included; 0: it never ends, because no day has anything to spare
}

// Estimate says what a backfill of n windows will cost, one request each.
func (b *Budget) Estimate(n int64, now time.Time) Estimate {
	e := Estimate{Requests: n}
	left, known := b.Left(now)
	if e.Known = known; !known {
		return e
	}
	e.Today = max(0, left-b.reserve(Backfill, now))
	if day := b.day(); day > 0 {
		full := b.fullDay()
		e.Daily = max(0, day-full.Live-margin(full.Live)-full.Corrections)
	}
	switch rest := n - e.Today; {
	case rest <= 0:
		e.Days = 1
	case e.Daily > 0:
		e.Days = 1 + (rest-1)/e.Daily + 1
	}
	return e
}
