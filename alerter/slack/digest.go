package slack

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"unconnected/events"
)

// Day is what one operation went through on one local day.
type Day struct {
	Operation string
	// From and To are the day, 23 to 25 hours. Their location is the operation's, in which the day is named when the Composer
	// has no zone of its own.
	From, To  time.Time
	Total     int64            // unconnected calls
	Counts    map[string]int64 // :: result → calls
	Before    int64            // unconnected calls of the same day a week before; -1 when not all of it is known
	Windows   int              // known
	Missed    int              // windows that the API never answered for
	Absent    int              // windows that are not in the history: before its beginning, or not polled yet
	Last      time.Time        // of a day without a window: the end of the last one before it
	Incidents []DayIncident    // that were open at some time of the day, the first first
}

// DayIncident is an incident in a digest.
type DayIncident struct {
	Rule       string // of the alert that leads it
	Start, End time.Time
	Open       bool // at the end of the day; End does not count then
	Peak       *float64
}

// duration is how long the incident lasted, as far as the day goes.
func (i *DayIncident) duration(day *Day) time.Duration {
	end := i.End
	if i.Open {
		end = day.To
	}
	return max(0, end.Sub(i.Start))
}

// Digest is the daily message: all about one operation's yesterday, or one line for each of several, the troubled ones first.
// id is what it bears as metadata.
func (c *Composer) Digest(id string, days []Day) Message {
	d := digest{Composer: c, words: wordsFor(c.Language)}
	m := Message{Icon: "📊", More: d.words.more, Transition: id, Incident: id}
	if len(days) == 0 {
		m.Headline = d.words.noOperations
		return m
	}
	day := fmt.Sprintf(d.words.yesterday, d.words.day(d.local(&days[0], days[0].From)))
	if len(days) == 1 {
		m.Headline = day + " · " + c.name(days[0].Operation)
		d.one(&m, &days[0])
		return m
	}
	m.Headline = day + " · " + d.words.count(d.words.operations, int64(len(days)))
	d.several(&m, days)
	return m
}

// digest is a daily message being written.
type digest struct {
	*Composer
	words *words
}

// local is an instant in the zone in which the day is told.
func (d *digest) local(day *Day, t time.Time) time.Time {
	if d.Zone != nil {
		return t.In(d.Zone)
	}
	return t.In(day.From.Location())
}

// one tells of one operation.
func (d *digest) one(m *Message, day *Day) {
	w := d.words
	volume := joined(w.count(w.calls, day.Total), d.before(day))
	if day.empty() {
		volume = upperFirst(d.noData(day))
	}
	m.Facts = []Fact{{Text: volume}}
	if day.Total > 0 {
		m.Facts = append(m.Facts, d.shares(day)...)
	}
	incidents, known := d.incidents(day), d.completeness(day)
	m.Facts = append(m.Facts, Fact{Text: incidents})
	if known != "" {
		m.Facts = append(m.Facts, Fact{Text: known})
	}
	for i := range day.Incidents {
		m.Others = append(m.Others, d.incident(day, &day.Incidents[i]))
	}
	m.Aside = joined(incidents, known)
	if len(m.Others) > 0 || !day.Last.IsZero() {
		m.Notes = []string{fmt.Sprintf(w.timesIn, zone(d.local(day, day.From)))}
	}
}

// empty tells whether nothing is known of the day, so that its counts say nothing.
func (day *Day) empty() bool { return day.Windows == 0 && day.Missed+day.Absent > 0 }

// noData says that nothing is known of the day, and since when.
func (d *digest) noData(day *Day) string {
	if day.Last.IsZero() {
		return d.words.emptyDay
	}
	return fmt.Sprintf(d.words.emptySince, d.words.from(d.local(day, day.Last), d.local(day, day.From)))
}

// before compares the volume with that of a week before.
func (d *digest) before(day *Day) string {
	w := d.words
	then := w.day(d.local(day, day.From).AddDate(0, 0, -7))
	if day.Before < 0 {
		return fmt.Sprintf(w.noCompare, then)
	}
	count := w.Decimal(float64(day.Before), 0)
	switch change, ok := changeOf(day.Total, day.Before); {
	case !ok && day.Total != day.Before:
		return fmt.Sprintf(w.greater, w.Decimal(float64(day.Total), 0), then, count)
	case change > 0:
		return fmt.Sprintf(w.greater, w.Percent(change), then, count)
	case change < 0:
		return fmt.Sprintf(w.fewer, w.Percent(-change), then, count)
	}
	return fmt.Sprintf(w.same, then, count)
}

// changeOf is by which part the total differs from the one before, 0 when that is next to nothing; ok is false when there
// was none before.
func changeOf(total, before int64) (change float64, ok bool) {
	if before <= 0 {
		return 0, false
	}
	change = float64(total-before) / float64(before)
	if change > -0.005 && change < 0.005 {
		change = 0
	}
	return change, true
}

// shares are the results of the day by the side they are on, the biggest first.
func (d *digest) shares(day *Day) []Fact {
	w := d.words
	phrases := [...]string{w.network, w.customer, w.otherResults}
	var sides [len(phrases)][]string // :: side → its results
	var sums [len(phrases)]int64
	results := slices.SortedFunc(maps.Keys(day.Counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(day.Counts[b], day.Counts[a]), strings.Compare(a, b))
	})
	for _, result := range results {
		if day.Counts[result] <= 0 {
			continue
		}
		at := sideOf(result)
		sums[at] += day.Counts[result]
		sides[at] = append(sides[at], w.Percent(share(day.Counts[result], day.Total))+" "+lowerFirst(shortened(w.result(result), limitName)))
	}
	var facts []Fact
	for at, parts := range sides {
		if len(parts) > 0 {
			facts = append(facts, Fact{Text: fmt.Sprintf(phrases[at], w.Percent(share(sums[at], day.Total)), strings.Join(parts, ", "))})
		}
	}
	return facts
}

// sideOf is 0 for a result of the network side, 1 for one of the customer's, 2 for one that is not documented.
func sideOf(result string) int {
	switch {
	case networkSide([]string{result}):
		return 0
	case slices.Contains(events.DocumentedResults(), result):
		return 1
	}
	return 2
}

func share(n, total int64) float64 { return float64(n) / float64(total) }

// incidents says how many there were, how long the longest lasted, and whether one is open.
func (d *digest) incidents(day *Day) string {
	w := d.words
	if len(day.Incidents) == 0 {
		return w.noIncidents
	}
	longest, open := time.Duration(0), 0
	for i := range day.Incidents {
		longest = max(longest, day.Incidents[i].duration(day))
		if day.Incidents[i].Open {
			open++
		}
	}
	phrase, still := w.longest, ""
	if len(day.Incidents) == 1 {
		phrase = w.lasted
	}
	if open > 0 {
		still = w.count(w.stillOpen, int64(open))
	}
	return joined(w.count(w.incidents, int64(len(day.Incidents)))+", "+fmt.Sprintf(phrase, w.duration(longest)), still)
}

// incident is one of the day in one line.
func (d *digest) incident(day *Day, i *DayIncident) string {
	w := d.words
	rule, known := d.Rules[i.Rule]
	title := rule.titleIn(d.Language, i.Rule, rule.Results, w)
	if i.Peak != nil && known {
		title += ", " + fmt.Sprintf(w.peak, subject{words: w, share: rule.Share}.value(*i.Peak))
	}
	start, around := d.local(day, i.Start), d.local(day, day.From)
	if i.Open {
		return "🔴 " + joined(title, fmt.Sprintf(w.otherSince, w.from(start, around)), w.ongoing)
	}
	from := w.when(start, around)
	to := w.when(d.local(day, i.End), d.local(day, day.From))
	return "✅ " + joined(title, from+"–"+to, w.duration(i.duration(day)))
}

// completeness is how much of the day is known, never rounded up to all of it, and what is missing; "" where [digest.noData] has
// said all.
func (d *digest) completeness(day *Day) string {
	all := day.Windows + day.Missed + day.Absent
	if !day.Last.IsZero() {
		return ""
	}
	if day.Missed+day.Absent == 0 || all <= 0 {
		return d.words.complete
	}
	span := func(windows int) string {
		return d.words.duration(time.Duration(float64(day.To.Sub(day.From)) * float64(windows) / float64(all)))
	}
	var missing []string
	if day.Missed > 0 {
		missing = append(missing, fmt.Sprintf(d.words.missedTime, span(day.Missed)))
	}
	if day.Absent > 0 {
		missing = append(missing, fmt.Sprintf(d.words.absentTime, span(day.Absent)))
	}
	return fmt.Sprintf(d.words.partly, d.part(day.Windows, all), strings.Join(missing, ", "))
}

// part is a share of windows, rounded down.
func (d *digest) part(known, all int) string {
	return d.words.PercentTo(float64(known*1000/all)/1000, 1)
}
