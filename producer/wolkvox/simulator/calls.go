package simulator

import (
	"hash/fnv"
	"math"
	"slices"
	"time"
)

// never is a Unix second after all others.
const never = math.MaxInt64

// usual is the mix of the documented results on a good day.
var usual = []struct {
	result string
	share  float64
}{
	{"busy", 0.14},
	{"cancel", 0.08},
	{"chanunavail", 0.05},
	{"congestion", 0.06},
	{"do_not_call", 0.02},
	{"no_answer", 0.62},
	{"tcpa", 0.03},
}

// calls is the story of one operation: a pure function from spans of time to
// numbers of calls. It is immutable; planting makes another one.
type calls struct {
	seed      uint64
	location  *time.Location
	profile   Profile
	late      Late
	incidents []Incident
	results   []string // the documented ones, then those of incidents
}

func newCalls(o Options) *calls {
	c := &calls{seed: scramble(uint64(o.Seed)), location: o.Location, profile: o.Profile, late: o.Late}
	for _, u := range usual {
		c.results = append(c.results, u.result)
	}
	for _, incident := range o.Incidents {
		c = c.plant(incident)
	}
	return c
}

// plant returns the story with one more incident.
func (c *calls) plant(incident Incident) *calls {
	planted := *c
	planted.incidents = append(slices.Clip(c.incidents), incident)
	if !slices.Contains(c.results, incident.Result) {
		planted.results = append(slices.Clip(c.results), incident.Result)
	}
	return &planted
}

// sum returns the calls in the Unix seconds [from, to), by index in results, as
// far as they are recorded at the second asOf.
func (c *calls) sum(from, to, asOf int64) []int64 {
	totals := make([]int64, len(c.results))
	sources := make([]source, len(c.results))
	to = min(to, asOf)
	for from < to {
		until := min(to, c.steadyUntil(from))
		c.sources(from, sources)
		for i := range sources {
			totals[i] += c.recorded(&sources[i], from, until, asOf)
		}
		from = until
	}
	return totals
}

// steadyUntil returns the end of the stretch that begins at a second and
// throughout which calls are equally likely: a minute at most.
func (c *calls) steadyUntil(second int64) int64 {
	until := second - second%60 + 60
	for _, incident := range c.incidents {
		until = min(until, incident.edge(second))
	}
	return until
}

// recorded sums the calls of a source in [from, until) that are recorded at asOf.
func (c *calls) recorded(s *source, from, until, asOf int64) int64 {
	if s.rate == 0 {
		return 0
	}
	var sum int64
	settled := asOf - int64(c.late.Most/time.Second)
	for second := from; second < until; second++ {
		n := s.calls(second)
		if c.late.Share > 0 && second >= settled {
			n = s.onTime(second, n, asOf, c.late)
		}
		sum += n
	}
	return sum
}

// sources fills in where the calls of each result come from during the stretch
// that begins at a second.
func (c *calls) sources(second int64, into []source) {
	volume := c.profile.perSecond(time.Unix(second-second%60, 0).In(c.location))
	volume *= math.Exp(0.12 * c.drift("volume", second))
	shares := c.shares(second)
	for i, result := range c.results {
		rate := volume * shares[i]
		into[i] = source{seed: c.seed ^ hashOf(result), rate: rate, none: math.Exp(-rate)}
	}
}

// shares returns the mix of results at a second; they add up to 1.
func (c *calls) shares(second int64) []float64 {
	shares := make([]float64, len(c.results))
	sum := 0.0
	for i, u := range usual {
		shares[i] = u.share * math.Exp(0.15*c.drift(u.result, second))
		sum += shares[i]
	}
	for i := range shares {
		shares[i] /= sum
	}
	for _, incident := range c.incidents {
		if incident.active(second) {
			c.shift(shares, incident)
		}
	}
	return shares
}

// shift gives an incident its share and scales the others to what is left.
func (c *calls) shift(shares []float64, incident Incident) {
	struck := slices.Index(c.results, incident.Result)
	others := 1 - shares[struck]
	for i := range shares {
		if i != struck && others > 0 {
			shares[i] *= (1 - incident.Share) / others
		}
	}
	shares[struck] = incident.Share
}

// drift wanders slowly around 0, with a standard deviation of about 1: a line
// through independent values, one every quarter of an hour.
func (c *calls) drift(name string, second int64) float64 {
	const step = 15 * 60
	minute := second - second%60
	knot, into := minute/step, float64(minute%step)/step
	seed := c.seed ^ hashOf("drift of "+name)
	return (1-into)*normal(unit(seed, knot)) + into*normal(unit(seed, knot+1))
}

// source gives calls of one result at a steady rate.
type source struct {
	seed uint64
	rate float64 // calls per second
	none float64 // how likely a second without calls is: e to the -rate
}

// calls returns how many calls begin in a second: Poisson distributed.
func (s *source) calls(second int64) int64 {
	u := unit(s.seed, second)
	if u <= s.none {
		return 0
	}
	if s.rate > 30 { // where the normal distribution is close, and much faster
		return max(0, int64(math.Round(s.rate+math.Sqrt(s.rate)*normal(u))))
	}
	n, p := int64(0), s.none
	for below := p; u > below && p > 0; below += p {
		n++
		p *= s.rate / float64(n)
	}
	return n
}

// onTime returns how many of a second's n calls are recorded at asOf.
func (s *source) onTime(second, n, asOf int64, late Late) int64 {
	most := float64(late.Most / time.Second)
	for call := range n {
		u := unit(s.seed+uint64(second), -1-call)
		// u below the share means late, and where below it, by how much.
		if u < late.Share && float64(second)+1+u/late.Share*most > float64(asOf) {
			n--
		}
	}
	return n
}

// unit returns a number between 0 and 1, both excluded, that looks random and
// is the same for the same arguments.
func unit(seed uint64, n int64) float64 {
	return (float64(scramble(seed+uint64(n)*0x9e3779b97f4a7c15)>>11) + 0.5) / (1 << 53)
}

// normal turns an evenly distributed number into a normally distributed one.
func normal(u float64) float64 { return math.Sqrt2 * math.Erfinv(2*u-1) }

// scramble is the output function of SplitMix64: neighbouring inputs give
// unrelated outputs.
func scramble(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func hashOf(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}
