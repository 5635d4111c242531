package alerter

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/alerter/incident"
	"unconnected/alerter/slack"
	"unconnected/events"
	"unconnected/internal/config"
)

// digestPrefix begins the ids of the daily messages, which no operation's name can.
const digestPrefix = "@digest/"

func isDigest(id string) bool { return strings.HasPrefix(id, digestPrefix) }

const (
	// digestLate is how late a daily message may still come, when nobody was there at its time.
	digestLate = 6 * time.Hour
	// digestPatience is for how long it waits for the last windows of the day that it is about.
	digestPatience = 15 * time.Minute
	// digestRhythm is how often it is looked whether it is time.
	digestRhythm = 20 * time.Second
	// zonesRhythm is how often the operations are asked for their zones.
	zonesRhythm = 5 * time.Minute
	// enoughKnown is the part of a day that must be known for its volume to be compared with.
	enoughKnown = 0.95
	// missedFor is how long an operation without windows is told of. One that nobody polls any more should not be for ever.
	missedFor = 7 * 24 * time.Hour
)

// digests sends the daily message, until ctx ends.
type digests struct {
	at       config.TimeOfDay
	zone     *time.Location // ALERT_TIMEZONE; nil for that of the operations
	js       jetstream.JetStream
	notifier *notifier
	channel  string
	start    func(*queue)

	known   map[string]*time.Location // what zones returned at the time knownAt
	knownAt time.Time
}

func (d *digests) run(ctx context.Context) {
	for ctx.Err() == nil {
		wait := time.Second
		if d.notifier.ready() && d.notifier.progress.isComplete() && d.look(ctx, time.Now()) {
			wait = digestRhythm
		}
		waitFor(ctx, nil, time.Now().Add(wait))
	}
}

// look gives the daily message to its channel's queue when it is time and it was not sent. It tells whether there is anything
// to send one about.
func (d *digests) look(ctx context.Context, now time.Time) bool {
	if len(d.known) == 0 || now.Sub(d.knownAt) > zonesRhythm {
		d.known, d.knownAt = d.zones(ctx), now
	}
	zones, zone := d.known, d.zone
	if zone == nil {
		zone = mostCommon(zones)
	}
	due := d.at.After(now.Add(-digestLate), zone)
	id := digestPrefix + due.In(zone).Format(time.DateOnly)
	if due.After(now) || len(zones) == 0 || d.notifier.isSent(id, d.channel) || tooEarly(zones, d.notifier.progress.ends(), due, now) {
		return len(zones) > 0
	}
	days := d.days(ctx, zones, due)
	if ctx.Err() == nil && len(days) > 0 {
		d.notifier.announce(id, d.channel, func(c *slack.Composer) slack.Message { return c.Digest(id, days) }, d.start)
	}
	return true
}

// zones are those in which the people of each operation live :: operation → zone.
func (d *digests) zones(ctx context.Context) map[string]*time.Location {
	zones := make(map[string]*time.Location)
	calls, err := d.js.Stream(ctx, events.StreamCalls)
	if err != nil {
		return nil // it is looked again in a while
	}
	for _, operation := range d.notifier.progress.operations() {
		zones[operation] = d.zone
		if last, err := events.Last(ctx, calls, operation); err == nil && last != nil && d.zone == nil {
			if zones[operation], err = time.LoadLocation(last.Timezone); err != nil {
				zones[operation] = time.UTC
			}
		}
	}
	maps.DeleteFunc(zones, func(_ string, zone *time.Location) bool { return zone == nil })
	return zones
}

// mostCommon is the zone of most operations, the first by name of several; UTC without any.
func mostCommon(zones map[string]*time.Location) *time.Location {
	count, best := make(map[string]int), time.UTC
	for _, operation := range slices.Sorted(maps.Keys(zones)) {
		zone := zones[operation]
		count[zone.String()]++
		if count[zone.String()] > count[best.String()] {
			best = zone
		}
	}
	return best
}

// days are what each operation went through on the local day before due, by name. What can't be read is left out.
func (d *digests) days(ctx context.Context, zones map[string]*time.Location, due time.Time) []slack.Day {
	var days []slack.Day
	reached := d.notifier.progress.ends()
	for _, operation := range slices.Sorted(maps.Keys(zones)) {
		to := midnight(due.In(zones[operation]))
		day := slack.Day{Operation: operation, From: midnight(to.Add(-time.Minute)), To: to, Before: -1}
		windows, err := d.read(ctx, operation, day.From, day.To)
		if err != nil {
			d.notifier.log.Warn("the daily message leaves out an operation", "operation", operation, "error", err)
			continue
		}
		summarise(&day, windows)
		day.Incidents = d.notifier.incidentsOf(operation, day.From, day.To)
		if day.Windows+day.Missed == 0 {
			if day.Last = reached[operation]; !isMissed(&day) {
				continue
			}
		}
		week := slack.Day{From: midnight(day.From.AddDate(0, 0, -7)), To: midnight(day.To.AddDate(0, 0, -7))}
		if before, err := d.read(ctx, operation, week.From, week.To); err == nil {
			if summarise(&week, before); float64(week.Windows) >= enoughKnown*float64(week.Windows+week.Missed+week.Absent) {
				day.Before = week.Total
			}
		}
		days = append(days, day)
	}
	return days
}

// isMissed tells whether somebody should hear that there was no window on a day: the operation had some before, and it is not so
// long ago that it was given up, or an incident says that they are waited for.
func isMissed(day *slack.Day) bool {
	if day.Last.IsZero() || day.Last.After(day.From) {
		return false // it began after the day
	}
	return len(day.Incidents) > 0 || day.From.Sub(day.Last) < missedFor
}

func (d *digests) read(ctx context.Context, operation string, from, to time.Time) ([]events.Event, error) {
	return events.Latest(events.History(ctx, d.js, events.Query{Operations: []string{operation}, From: from, To: to}))
}

// tooEarly tells whether the last windows of the day before due may still come: one message soon after midnight would call them
// missing. reached is how far each operation was judged.
func tooEarly(zones map[string]*time.Location, reached map[string]time.Time, due, now time.Time) bool {
	if now.Sub(due) >= digestPatience {
		return false
	}
	for operation, zone := range zones {
		if reached[operation].Before(midnight(due.In(zone))) {
			return true
		}
	}
	return false
}

// midnight is the beginning of the local day of t: the first instant of its date.
func midnight(t time.Time) time.Time {
	at := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
	if at.Day() == t.Day() {
		return at
	}
	// The clocks skip midnight, and this is as long before the day as they skip.
	_, before := at.Zone()
	_, after := time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, t.Location()).Zone()
	return at.Add(time.Duration(after-before) * time.Second)
}

// summarise adds the windows, one event each, to the day. Time that none covers is counted in windows like the last of them.
func summarise(day *slack.Day, windows []events.Event) {
	day.Counts = make(map[string]int64)
	covered := time.Duration(0)
	for i := range windows {
		e := &windows[i]
		covered += e.Window.Length()
		if e.Missed != nil {
			day.Missed++
			continue
		}
		day.Windows++
		day.Total += e.Total
		for result, n := range e.Counts {
			day.Counts[result] += n
		}
	}
	if len(windows) > 0 {
		length := windows[len(windows)-1].Window.Length()
		day.Absent = int(max(day.To.Sub(day.From)-covered, 0) / length)
	} else {
		day.Absent = 1 // all of it
	}
}

// dayIncidents are the incidents of an operation that were open at some time of a day, the first first. Drills are none.
func dayIncidents(all []incident.Incident, operation string, from, to time.Time) []slack.DayIncident {
	var some []slack.DayIncident
	for i := range all {
		inc := &all[i]
		if inc.Operation != operation || inc.IsDrill() || !inc.Start.Before(to) || !inc.Open && !inc.End.After(from) {
			continue
		}
		as := inc.Lead()
		some = append(some, slack.DayIncident{
			Rule: as.Rule(), Start: inc.Start, End: inc.End, Open: inc.Open || inc.End.After(to), Peak: as.Peak,
		})
	}
	slices.SortFunc(some, func(a, b slack.DayIncident) int { return a.Start.Compare(b.Start) })
	return some
}
