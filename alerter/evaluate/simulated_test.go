package evaluate_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"unconnected/events"
)

// Simulated operations: what the pack is measured on. Each has a size, hours, a usual mix of results that wanders over
// minutes, hours, days and weeks, calls that do not fail independently, and labelled incidents. They are drawn from a seed,
// so that everybody measures the same.
const (
	perDay  = 288
	perWeek = 7 * perDay
	wide    = 5 * time.Minute
)

// label is an incident: from its first window up to the one after its last, the share of a result is higher by points.
type label struct {
	from, to int
	result   int // in mix
	points   float64
}

// simulated is one operation.
type simulated struct {
	name   string
	random *rand.Rand
	start  time.Time
	volume float64 // calls a window in a usual hour
	open   [7][2]float64
	usual  float64 // share of congestion
	mix    [len(mixed)]float64
	rho    float64 // overdispersion of each window's shares
	labels []label

	daily   [len(mixed)]float64 // log odds that wander
	hourly  [len(mixed)]float64
	drift   [len(mixed)]float64 // a week
	pattern [24][len(mixed)]float64
	busyDay float64 // log of today's volume against a usual day's
}

// mixed are the results of the mix; what is left is not answered.
var mixed = [...]string{events.Congestion, events.ChanUnavail, events.Busy, events.Cancel, events.TCPA, events.DoNotCall}

// newSimulated is operation n of a seed.
func newSimulated(seed uint64, n, weeks int) *simulated {
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	o := &simulated{
		name: fmt.Sprintf("op%d", n), random: r, start: time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC), // Monday, 00:00 in Bogotá
		volume: math.Exp(math.Log(4) + r.Float64()*math.Log(400)), // 4 to 1600 calls
		usual:  []float64{0.05, 0.05, 0.25, 0.45}[r.IntN(4)],
		rho:    0.001 * math.Pow(10, r.Float64()), // to 0.01
	}
	o.hours()
	o.mix = [...]float64{o.usual, 0.02 + 0.04*r.Float64(), 0.08 + 0.06*r.Float64(), 0.05 + 0.04*r.Float64(), 0.02, 0.01}
	for i := range mixed {
		o.drift[i] = 0.03 * r.NormFloat64()
		for hour := range 24 {
			o.pattern[hour][i] = 0.15 * r.NormFloat64()
		}
	}
	for day := 2; day < 7*weeks; day++ {
		if r.IntN(4) == 0 {
			o.plan(day)
		}
	}
	return o
}

// hours draws when the operation works: in hours of the local day, by weekday from Monday.
func (o *simulated) hours() {
	kind := o.random.IntN(3)
	for day := range 7 {
		switch {
		case kind == 2:
			o.open[day] = [2]float64{0, 24}
		case day < 5:
			o.open[day] = [2]float64{7, 21}
		case day == 5:
			o.open[day] = [2]float64{8, 14}
		}
	}
}

// plan plants an incident on a day on which the operation works.
func (o *simulated) plan(day int) {
	open := o.open[day%7]
	length := []int{2, 4, 6, 12, 36}[o.random.IntN(5)]
	from, to := int(12*open[0])+6, int(12*open[1])-length-6
	if to <= from {
		return
	}
	at := day*perDay + from + o.random.IntN(to-from)
	o.labels = append(o.labels, label{
		from: at, to: at + length, result: o.random.IntN(2), points: []float64{0.1, 0.2, 0.4}[o.random.IntN(3)],
	})
}

func (o *simulated) String() string {
	return fmt.Sprintf("%s (%.0f calls, usual %s, ρ %.4f)", o.name, o.volume, o.level(), o.rho)
}

func (o *simulated) level() string { return fmt.Sprintf("%2.0f%%", 100*o.usual) }

func (o *simulated) class() string {
	switch {
	case o.volume < 20:
		return "below 20 calls a window"
	case o.volume < 100:
		return "020 to 100 calls a window"
	}
	return "100 calls a window and more"
}

// labelled tells whether an incident, or the hour after it, touches windows.
func (o *simulated) labelled(from, to int) bool {
	for _, l := range o.labels {
		if from < l.to+12 && to >= l.from-1 {
			return true
		}
	}
	return false
}

func (o *simulated) at(window int) time.Time {
	return o.start.Add(time.Duration(window) * wide).In(bogota)
}

var bogota = time.FixedZone("", -5*3600)

// window fills in window n. Windows must be asked for in order.
func (o *simulated) window(n int, ev *events.Event) {
	r := o.random
	hour, day := n/12%24, n/perDay
	if n%perDay == 0 {
		o.busyDay = 0.2 * r.NormFloat64()
		for i := range mixed {
			o.daily[i] = 0.7*o.daily[i] + 0.1*r.NormFloat64()
		}
	}
	for i := range mixed { // forgets in about two hours
		o.hourly[i] = 0.96*o.hourly[i] + 0.03*r.NormFloat64()
	}
	start := o.start.Add(time.Duration(n) * wide)
	*ev = events.Event{
		Operation: o.name, Timezone: "America/Bogota", Window: events.Window{Start: start, End: start.Add(wide)},
		Stored: start.Add(wide + 2*time.Minute), Sequence: uint64(n + 1), Counts: ev.Counts,
	}
	if ev.Counts == nil {
		ev.Counts = map[string]int64{events.NoAnswer: 0}
	}
	now := float64(n%perDay) / 12
	mean := 0.0
	if open := o.open[day%7]; now >= open[0] && now < open[1] {
		mean = o.volume * math.Exp(o.busyDay+0.12*r.NormFloat64()) * (0.75 + 0.25*math.Sin(now/2))
	}
	left := poisson(r, mean)
	ev.Total = left
	rest := 1.0
	shares := o.shares(n, hour, day)
	for i, result := range mixed {
		x := binomial(r, left, math.Min(1, shares[i]/rest))
		ev.Counts[result] = x
		left -= x
		rest -= shares[i]
	}
	ev.Counts[events.NoAnswer] = left
}

// shares is the mix in a window.
func (o *simulated) shares(n, hour, day int) (shares [len(mixed)]float64) {
	for i, p := range o.mix {
		odds := math.Log(p/(1-p)) + o.pattern[hour][i] + o.daily[i] + o.hourly[i] + o.drift[i]*float64(day)/7
		p = 1 / (1 + math.Exp(-odds))
		p += o.random.NormFloat64() * math.Sqrt(o.rho*p*(1-p))
		shares[i] = math.Max(p, 0.0005)
	}
	for _, l := range o.labels {
		if n >= l.from && n < l.to {
			shares[l.result] += l.points
		}
	}
	sum := 0.0
	for _, p := range shares {
		sum += p
	}
	if most := 0.97; sum > most {
		for i := range shares {
			shares[i] *= most / sum
		}
	}
	return shares
}

func poisson(r *rand.Rand, mean float64) (n int64) {
	if mean > 50 {
		return max(0, int64(math.Round(mean+math.Sqrt(mean)*r.NormFloat64())))
	}
	for p := r.ExpFloat64(); p < mean; p += r.ExpFloat64() {
		n++
	}
	return n
}

func binomial(r *rand.Rand, n int64, p float64) (x int64) {
	variance := float64(n) * p * (1 - p)
	switch {
	case p <= 0 || n == 0:
		return 0
	case variance > 25:
		return min(max(int64(math.Round(float64(n)*p+math.Sqrt(variance)*r.NormFloat64())), 0), n)
	case p > 0.5:
		return n - binomial(r, n, 1-p)
	}
	scale := math.Log1p(-p)
	for at := int64(-r.ExpFloat64() / scale); at < n; at += 1 + int64(-r.ExpFloat64()/scale) {
		x++
	}
	return x
}
