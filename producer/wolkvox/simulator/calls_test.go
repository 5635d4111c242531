package simulator

import (
	"maps"
	"math"
	"testing"
	"time"
	_ "time/tzdata" // the tests name zones
)

// noon is a Wednesday in Bogotá.
var noon = time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)

func total(counts map[string]int64) (sum int64) {
	for _, n := range counts {
		sum += n
	}
	return sum
}

func TestSpansAddUp(t *testing.T) {
	api := New(Options{Seed: 7, Incidents: []Incident{
		{Start: noon.Add(61 * time.Second), End: noon.Add(200 * time.Second), Result: "congestion", Share: 0.5},
		{Start: noon.Add(90 * time.Second), End: noon.Add(95 * time.Second), Result: "sip_503", Share: 0.5, Every: 77 * time.Second},
	}})
	whole := api.Truth(noon, noon.Add(time.Hour))
	for _, step := range []time.Duration{time.Second, 7 * time.Second, time.Minute, 5 * time.Minute} {
		parts := map[string]int64{}
		for from := noon; from.Before(noon.Add(time.Hour)); from = from.Add(step) {
			until := from.Add(step)
			if end := noon.Add(time.Hour); until.After(end) {
				until = end
			}
			for result, n := range api.Truth(from, until) {
				parts[result] += n
			}
		}
		if !maps.Equal(parts, whole) {
			t.Errorf("in steps of %v: %v, whole: %v", step, parts, whole)
		}
	}
	if whole["sip_503"] == 0 {
		t.Error("the planted result has no calls")
	}
}

func TestSeeds(t *testing.T) {
	one := New(Options{Seed: 1}).Truth(noon, noon.Add(time.Hour))
	if again := New(Options{Seed: 1}).Truth(noon, noon.Add(time.Hour)); !maps.Equal(one, again) {
		t.Errorf("one seed, two stories: %v and %v", one, again)
	}
	if other := New(Options{Seed: 2}).Truth(noon, noon.Add(time.Hour)); maps.Equal(one, other) {
		t.Error("two seeds, one story")
	}
}

func TestContactCentreHours(t *testing.T) {
	api := New(Options{Profile: ContactCentre()})
	local := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, bogota()) }
	for name, c := range map[string]struct {
		from, to time.Time
		want     float64 // calls, about
	}{
		"Wednesday morning": {local(18, 10), local(18, 12), 2 * 4800 * 0.95},
		"Saturday morning":  {local(21, 10), local(21, 12), 2 * 4800 * 0.55},
		"night":             {local(18, 21), local(19, 7), 0},
		"Sunday":            {local(22, 0), local(23, 7), 0},
	} {
		// Volumes drift by an eighth or so: a third is far off.
		if got := float64(total(api.Truth(c.from, c.to))); math.Abs(got-c.want) > c.want/3 {
			t.Errorf("%s: %v calls, want about %v", name, got, c.want)
		}
	}
}

func TestPoisson(t *testing.T) {
	for _, rate := range []float64{0.01, 0.7, 8, 29, 31, 400} {
		s := source{seed: 99, rate: rate, none: math.Exp(-rate)}
		const seconds = 20_000
		sum, squares := 0.0, 0.0
		for second := range int64(seconds) {
			n := float64(s.calls(second))
			sum, squares = sum+n, squares+n*n
		}
		mean := sum / seconds
		variance := squares/seconds - mean*mean
		if off := math.Abs(mean-rate) / math.Sqrt(rate/seconds); off > 4 {
			t.Errorf("rate %v: mean %v, %.1f standard errors off", rate, mean, off)
		}
		if variance < 0.9*rate || variance > 1.15*rate {
			t.Errorf("rate %v: variance %v", rate, variance)
		}
	}
}

func TestIncidentShiftsTheMix(t *testing.T) {
	api := New(Options{})
	end := noon.Add(time.Hour)
	before := api.Truth(noon, end)
	api.Plant(Incident{Start: noon, End: end, Result: "congestion", Share: 0.4})
	during := api.Truth(noon, end)
	if share := float64(during["congestion"]) / float64(total(during)); math.Abs(share-0.4) > 0.02 {
		t.Errorf("congestion has %.2f of the calls, want 0.40", share)
	}
	if ratio := float64(total(during)) / float64(total(before)); math.Abs(ratio-1) > 0.05 {
		t.Errorf("the volume changed by a factor of %.2f", ratio)
	}
	if after := api.Truth(end, end.Add(time.Hour)); float64(after["congestion"]) > 0.2*float64(total(after)) {
		t.Errorf("it goes on after its end: %v", after)
	}
}

func TestIncidentTimes(t *testing.T) {
	at := func(second int64) time.Time { return time.Unix(second, 0) }
	once := Incident{Start: at(100), End: at(130)}
	often := Incident{Start: at(100), End: at(130), Every: 50 * time.Second}
	for _, c := range []struct {
		name     string
		incident Incident
		second   int64
		active   bool
		edge     int64
	}{
		{"before", once, 99, false, 100},
		{"first second", once, 100, true, 130},
		{"last second", once, 129, true, 130},
		{"after", once, 130, false, never},
		{"before the first", often, 0, false, 100},
		{"during the first", often, 110, true, 130},
		{"between", often, 130, false, 150},
		{"during the second", often, 150, true, 180},
		{"after the second", often, 199, false, 200},
	} {
		if got := c.incident.active(c.second); got != c.active {
			t.Errorf("%s: active %v, want %v", c.name, got, c.active)
		}
		if got := c.incident.edge(c.second); got != c.edge {
			t.Errorf("%s: edge %d, want %d", c.name, got, c.edge)
		}
	}
}

func TestLateCallsAppear(t *testing.T) {
	c := newCalls(Options{Late: Late{Share: 0.3, Most: 10 * time.Minute}, Profile: AlwaysBusy(), Location: time.UTC})
	from, to := noon.Unix(), noon.Unix()+60
	seen := make([]int64, len(c.results))
	sum := func(asOf int64) (sum int64) {
		for i, n := range c.sum(from, to, asOf) {
			if n < seen[i] {
				t.Errorf("%s: calls vanished", c.results[i])
			}
			seen[i] = n
			sum += n
		}
		return sum
	}
	atOnce, later, final := sum(to), sum(to+300), sum(to+601)
	if part := float64(atOnce) / float64(final); part < 0.62 || part > 0.8 {
		t.Errorf("%.2f of the calls are there at once, want about 0.7", part)
	}
	if later <= atOnce || final <= later || final != sum(never) {
		t.Errorf("%d at once, %d later, %d in the end", atOnce, later, final)
	}
}

func BenchmarkSum(b *testing.B) {
	for name, seconds := range map[string]int64{"10s": 10, "5m": 300, "1d": 86400} {
		b.Run(name, func(b *testing.B) {
			c := newCalls(Options{}.withDefaults())
			b.ReportAllocs()
			for b.Loop() {
				c.sum(noon.Unix(), noon.Unix()+seconds, never)
			}
		})
	}
}
