package simulator

import (
	"time"
)

// DefaultToken is accepted when Options names no other.
const DefaultToken = "simulated"

// RequestsPerLicence is what a licence adds to the quota of a day.
const RequestsPerLicence = 1000

// Options configures a Simulator. The zero value is useful as it is.
type Options struct {
	// Seed tells operations apart: another seed, other calls.
	Seed int64

	// Location is the operation's zone, in which requests, profile and quota
	// are read; nil is America/Bogota.
	Location *time.Location

	// Tokens are accepted; none is DefaultToken alone. All share one quota.
	Tokens []string

	// Licences times 1000 requests are allowed on a local day; 0 is no limit.
	Licences int

	// Latency passes, in real time, before each answer.
	Latency time.Duration

	// Clock is the server's; nil is time.Now. It is called by concurrent requests.
	Clock func() time.Time

	// Profile is the volume of calls; zero is AlwaysBusy.
	Profile Profile

	// Incidents are planted from the start. More can follow by Plant.
	Incidents []Incident

	// Late makes some calls appear after the fact; zero is none.
	Late Late

	// Quirks varies what the real API varies: spelling and language of results,
	// types of code, error and count, blanks, placeholder rows. Equal requests
	// still get equal answers.
	Quirks bool
}

// withDefaults fills in what is zero.
func (o Options) withDefaults() Options {
	if o.Location == nil {
		o.Location = bogota()
	}
	if len(o.Tokens) == 0 {
		o.Tokens = []string{DefaultToken}
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Profile == (Profile{}) {
		o.Profile = AlwaysBusy()
	}
	return o
}

// bogota falls back to the same offset on a machine without zone data: Colombia
// has had no daylight saving time since 1993.
func bogota() *time.Location {
	if location, err := time.LoadLocation("America/Bogota"); err == nil {
		return location
	}
	return time.FixedZone("-05", -5*60*60)
}

// Profile is how many calls do not connect, by local time.
type Profile struct {
	PerHour  float64     // unconnected calls in the busiest hour
	Hours    [24]float64 // by hour of the day, in parts of the busiest one
	Weekdays [7]float64  // by time.Weekday, in parts of the busiest one
}

// ContactCentre works from Monday to Saturday, 07:00 to 21:00, with a dip at
// noon. Nights and Sundays are empty.
func ContactCentre() Profile {
	return Profile{
		PerHour: 4800, // 400 per 5 minutes
		Hours: [24]float64{
			7: 0.35, 8: 0.70, 9: 0.95, 10: 1, 11: 1, 12: 0.80, 13: 0.60,
			14: 0.75, 15: 0.90, 16: 0.95, 17: 0.90, 18: 0.75, 19: 0.50, 20: 0.25,
		},
		Weekdays: [7]float64{
			time.Monday: 1, time.Tuesday: 0.97, time.Wednesday: 0.95,
			time.Thursday: 0.96, time.Friday: 0.92, time.Saturday: 0.55,
		},
	}
}

// AlwaysBusy is a predictive dialler that never rests: ten calls a second, so
// that even windows of a few seconds have something to show.
func AlwaysBusy() Profile {
	p := Profile{PerHour: 36000}
	for hour := range p.Hours {
		p.Hours[hour] = 1
	}
	for day := range p.Weekdays {
		p.Weekdays[day] = 1
	}
	return p
}

// Scaled returns the profile with all volumes multiplied.
func (p Profile) Scaled(factor float64) Profile {
	p.PerHour *= factor
	return p
}

// perSecond returns the calls to be expected in a second at a local time.
func (p Profile) perSecond(local time.Time) float64 {
	return p.PerHour / 3600 * p.Hours[local.Hour()] * p.Weekdays[local.Weekday()]
}

// Late makes calls appear after the fact, as calls do that ring across a
// window's end or are corrected later.
type Late struct {
	Share float64       // part of the calls that are late, 0 to 1
	Most  time.Duration // how late they are at most, in whole seconds
}

// Incident shifts the mix of results, not the volume: from Start until before
// End, so large a share of the unconnected calls has this result. Where
// incidents overlap, the one planted last has its share and the others what it
// leaves.
type Incident struct {
	Start, End time.Time     // taken at whole seconds
	Result     string        // a documented result as in Truth, or any other snake_case name
	Share      float64       // 0 to 1
	Every      time.Duration // repeats so often after Start; 0 is once
}

// active says whether the incident lasts at a Unix second.
func (i Incident) active(second int64) bool {
	since := second - i.Start.Unix()
	if since < 0 {
		return false
	}
	if every := i.period(); every > 0 {
		since %= every
	}
	return since < i.End.Unix()-i.Start.Unix()
}

// edge returns the first second after the given one at which active may change.
func (i Incident) edge(second int64) int64 {
	start, lasts := i.Start.Unix(), i.End.Unix()-i.Start.Unix()
	if second < start {
		return start
	}
	begun := start
	if every := i.period(); every > 0 {
		begun = second - (second-start)%every
		if second >= begun+lasts {
			return begun + every
		}
	}
	if second < begun+lasts {
		return begun + lasts
	}
	return never
}

func (i Incident) period() int64 { return int64(i.Every / time.Second) }
