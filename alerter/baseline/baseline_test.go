package baseline

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// exactTail is P(X ≥ x) from its definition, in rational numbers: a and b are given in hundredths.
// at is a window of five minutes, n windows after a Monday 00:00, on an operation in UTC.
func at(n int, x, calls int64) Window {
	start := int64(1_763_942_400) + int64(n)*300 // Monday, 2025-11-24
	return NewWindow(start, SlotOf(start, 0), x, calls)
}

// quiet observes and settles windows of calls, a share of them with the result.
func quiet(b *Baseline, from, count int, share float64, calls int64) int {
	for i := range count {
		b.Observe(at(from+i, int64(math.Round(share*float64(calls))), calls))
		b.Settle(false)
	}
	return from + count
}

// newest are the windows that the level of the last hours is of.
func newest(b *Baseline) (windows []Window) {
	for i := range b.recent.count {
		windows = append(windows, *b.recent.at(i))
	}
	return windows
}

func near(t *testing.T, what string, got, want, by float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > by {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestTheFirstDay(t *testing.T) {
	for _, c := range []struct {
		name    string
		windows int
		calls   int64
		learnt  bool
	}{
		{"35 windows", 35, 200, false},
		{"36 windows", 36, 200, true},
		{"36 windows of 19 calls", 36, 19, false},
		{"36 windows of 20 calls", 36, 20, true},
		{"240 windows of 3 calls", 240, 3, true},
		{"any number of empty windows", 500, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := New(0.05)
			quiet(b, 0, c.windows, 0.35, c.calls)
			if b.Learning() == c.learnt {
				t.Errorf("learning is %v", b.Learning())
			}
		})
	}

	t.Run("every window enters, whatever fires", func(t *testing.T) {
		b := New(0.05)
		for i := range 37 {
			b.Observe(at(i, 90, 200))
			b.Settle(true)
		}
		if usual, ok := b.Usual(); !ok || usual.Share < 0.44 {
			t.Errorf("got %+v, %v", usual, ok)
		}
	})
}

func TestUsualFollowsTheFormulas(t *testing.T) {
	b := New(0.05)
	n := quiet(b, 0, 36, 0.25, 200)
	b.Observe(at(n, 50, 200))
	usual, ok := b.Usual()
	long := (20*0.05*math.Pow(longDecay, 36) + 50*(1-math.Pow(longDecay, 36))/(1-longDecay)) /
		(20*math.Pow(longDecay, 36) + 200*(1-math.Pow(longDecay, 36))/(1-longDecay))
	if !ok {
		t.Fatal("still learning")
	}
	near(t, "p0 after three hours", usual.Share, (1800+60*long)/(7200+60), 1e-12)
	near(t, "N0 after three hours, without a season", usual.Weight, 100, 0)

	// Tuesday at the same time: the 36 newest are quiet ones, the season of a day is not.
	n = quiet(b, 36, 12*24-36, 0.10, 200)
	b.Observe(at(n+12, 20, 200))
	usual, _ = b.Usual()
	near(t, "p0 on the second day", usual.Share, 0.25, 0.001)
	near(t, "N0 on the second day", usual.Weight, 18*200+100, 0) // three half hours of six windows
}

func TestSeasonIsTheMedianOfWeeksOrElseOfDays(t *testing.T) {
	const day, week = 288, 7 * 288
	for _, c := range []struct {
		name  string
		ago   map[int]float64 // windows ago → share there, in three half hours
		calls int64
		want  float64
	}{
		{"nothing", nil, 100, 0.10},
		{"one week counts as a day", map[int]float64{week: 0.30}, 100, 0.30},
		{"two weeks", map[int]float64{week: 0.30, 2 * week: 0.40}, 100, 0.35},
		{"two weeks before the days", map[int]float64{week: 0.30, 2 * week: 0.40, day: 0.9, 2 * day: 0.9}, 100, 0.35},
		{"the median of five", map[int]float64{week: 0.2, 2 * week: 0.9, 3 * week: 0.3, 4 * week: 0.25, 5 * week: 0.26}, 100, 0.26},
		{"six weeks ago is forgotten", map[int]float64{6 * week: 0.9}, 100, 0.10},
		{"days", map[int]float64{day: 0.2, 2 * day: 0.3, 3 * day: 0.9}, 100, 0.3},
		{"too few calls", map[int]float64{day: 0.9, week: 0.9, 2 * week: 0.9}, 1, 0.10},
		{"never below the last hours", map[int]float64{week: 0.02, 2 * week: 0.02}, 100, 0.10},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := New(0.10)
			const now = 6*week + 120
			for ago, share := range c.ago {
				for k := -6; k < 12; k++ {
					b.Fill(at(now-ago+k, int64(share*float64(c.calls)), c.calls))
				}
			}
			quiet(b, now-40, 36, 0.10, 1000) // what fills the 36 newest, just before
			b.Observe(at(now, 10, 100))
			usual, _ := b.Usual()
			near(t, "p0", usual.Share, c.want, 0.008) // the long run moves it a little
		})
	}
}

func TestWhatEntersTheHistory(t *testing.T) {
	learnt := func() (*Baseline, int) {
		b := New(0.05)
		return b, quiet(b, 0, 60, 0.05, 200)
	}
	level := func(b *Baseline, n int) float64 {
		b.Observe(at(n, 0, 0))
		usual, _ := b.Usual()
		return usual.Share
	}
	hot := func(b *Baseline, n, count int, firing bool) int {
		for i := range count {
			b.Observe(at(n+i, 100, 200))
			b.Settle(firing)
		}
		return n + count
	}
	b, n := learnt()
	near(t, "the level", level(b, n), 0.05, 0.001)

	b, n = learnt()
	n = hot(b, n, 3, false)
	near(t, "three windows that wait", level(b, n), 0.05, 0.001)
	n = quiet(b, n, 1, 0.05, 200)
	near(t, "the first has entered after three further", level(b, n), 0.0625, 0.001)

	b, n = learnt()
	n = hot(b, n, 2, false)
	n = hot(b, n, 200, true)
	near(t, "an alert, and what waited when it began", level(b, n), 0.05, 0.001)
	n = quiet(b, n, 40, 0.05, 200)
	near(t, "after the alert", level(b, n), 0.05, 0.001)

	b, n = learnt()
	n = hot(b, n, 200, true)
	b.Rebase()
	near(t, "after re-basing", level(b, n), 0.5, 0.001)
	if b.Learning() {
		t.Error("re-basing begins a first day")
	}

	b, n = learnt()
	b.Observe(at(n, 100, 200)) // a holiday's: never settled
	n = quiet(b, n+1, 10, 0.05, 200)
	near(t, "a window that was not settled", level(b, n), 0.05, 0.001)

	b, n = learnt()
	n = hot(b, n, 1, false)
	for range 50 {
		b.Observe(at(n, 0, 0))
		b.Settle(false)
		n++
	}
	near(t, "windows without calls are not the further ones", level(b, n), 0.05, 0.001)
}

func TestRevisions(t *testing.T) {
	for _, c := range []struct {
		name string
		then int // windows settled after the one that is revised
	}{{"waiting", 1}, {"in the history", 10}, {"the oldest of the newest", 38}, {"long ago", 300}} {
		t.Run(c.name, func(t *testing.T) {
			revised, right := New(0.05), New(0.05)
			for b, x := range map[*Baseline]int64{revised: 150, right: 20} {
				n := quiet(b, 0, 80, 0.10, 200)
				b.Observe(at(n, x, 200))
				b.Settle(false)
				quiet(b, n+1, c.then, 0.10, 200)
			}
			revised.Revise(at(80, 20, 200))
			if c.then > 100 {
				return // it must not panic; what it held is not known any more
			}
			// ρ has learnt from what was there before, π decays from where it was.
			right.rho, right.longX, right.longN = revised.rho, revised.longX, revised.longN
			for _, b := range []*Baseline{revised, right} {
				quiet(b, 81+c.then, 8, 0.10, 200)
			}
			near(t, "p0", revised.usual.Share, right.usual.Share, 1e-4)
			if !slices.Equal(newest(revised), newest(right)) || revised.recent.x != right.recent.x {
				t.Error("the newest windows differ")
			}
			for i, d := range right.season.days {
				if d != nil && *d != *revised.season.days[i] {
					t.Errorf("day %d of the season differs", d.number)
				}
			}
		})
	}
}

func TestOrderDoesNotMatterToTheHistory(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	var windows []Window
	for i := range 2000 {
		windows = append(windows, at(i*5, int64(r.IntN(40)), int64(40+r.IntN(200))))
	}
	inOrder, mixed := New(0.05), New(0.05)
	for _, w := range windows {
		inOrder.Fill(w)
	}
	for _, i := range r.Perm(len(windows)) {
		mixed.Fill(windows[i])
	}
	if !slices.Equal(newest(inOrder), newest(mixed)) || inOrder.recent.x != mixed.recent.x || inOrder.recent.n != mixed.recent.n {
		t.Error("the newest windows differ")
	}
	for i, d := range inOrder.season.days {
		if d != nil && (mixed.season.days[i] == nil || *d != *mixed.season.days[i]) {
			t.Errorf("day %d differs", d.number)
		}
	}
}

func TestRarity(t *testing.T) {
	b := New(0.05)
	n := quiet(b, 0, 2016, 0.10, 200)
	b.Observe(at(n, 20, 200))
	usual, _ := b.Usual()
	rarity := func(x, calls int64) float64 { return usual.Rarity(One(at(n, x, calls))) }
	for _, c := range []struct {
		name        string
		got         float64
		least, most float64
	}{
		{"as usual", rarity(20, 200), 0.4, 0.6},
		{"no calls", rarity(0, 0), 1, 1},
		{"1 of 2", rarity(1, 2), 0.1, 0.3},
		{"20 points up, 200 calls", rarity(60, 200), 0, 1e-6},
		{"20 points up, 10 calls", rarity(3, 10), 0.01, 0.2},
		{"all of 1000", rarity(1000, 1000), 0, 1e-20},
	} {
		if !(c.got >= c.least && c.got <= c.most) {
			t.Errorf("%s: %v", c.name, c.got)
		}
	}
	for i := range 3 {
		b.Observe(at(n+i, 36, 200))
		b.Settle(false)
	}
	newest := at(n+3, 36, 200)
	b.Observe(newest)
	if got := b.Pool(newest, 3); got != (Pool{X: 108, N: 600, Squares: 120000}) {
		t.Errorf("three windows pooled are %+v", got)
	}
	one, three := usual.Rarity(b.Pool(newest, 1)), usual.Rarity(b.Pool(newest, 3))
	if three >= one {
		t.Errorf("three windows alike are less rare than one: %v, %v", three, one)
	}
	if got := b.Raised(newest, 3, 0.06); got != 3 {
		t.Errorf("%d of three are raised", got)
	}
	if got := b.Pool(at(n+100, 36, 200), 3); got.N != 200 {
		t.Errorf("windows of yesterday are pooled with today's: %+v", got)
	}
}

func TestThinHistoryMakesNothingRare(t *testing.T) {
	level := func(weight float64) float64 {
		u := Usual{Share: 0.1, Weight: weight, Rho: rhoStart}
		return u.Rarity(One(at(0, 60, 200)))
	}
	if thin, thick := level(100), level(10000); thin < 20*thick {
		t.Errorf("%v with 100 calls behind it, %v with 10,000", thin, thick)
	}
}

func TestOverdispersionIsLearnt(t *testing.T) {
	for _, rho := range []float64{0.001, 0.005, 0.02} {
		r := rand.New(rand.NewPCG(7, 7))
		b := New(0.2)
		for i := range 8000 {
			b.Observe(at(i, betaBinomial(r, 400, 0.2, rho), 400))
			b.Settle(false)
		}
		if b.rho < rho/2 || b.rho > rho*2 {
			t.Errorf("ρ is %v, learnt as %v", rho, b.rho)
		}
	}
}

// betaBinomial draws from the distribution that rarity assumes; the Beta variable is approximated by a normal one.
func betaBinomial(r *rand.Rand, n int64, p, rho float64) (x int64) {
	p = clamp(p+r.NormFloat64()*math.Sqrt(rho*p*(1-p)), 0, 1)
	for range n {
		if r.Float64() < p {
			x++
		}
	}
	return x
}

// TestHostileWindows: whatever comes, in whatever order, no number is NaN, ρ and p0 stay in their bounds, and memory too.
func TestHostileWindows(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 9))
		b := New(r.Float64()*3 - 1)
		for range 3000 {
			start := []int64{0, -1 << 40, 1 << 37, 1_700_000_000}[r.IntN(4)] + r.Int64N(1<<22)*300
			n := []int64{0, 1, 7, 300, 40000, math.MaxInt64, -5}[r.IntN(7)]
			w := NewWindow(start, SlotOf(start, r.IntN(100000)-50000), r.Int64N(max(1, n))+r.Int64N(3)-1, n)
			switch r.IntN(6) {
			case 0:
				b.Fill(w)
			case 1:
				b.Revise(w)
			case 2:
				b.Rebase()
			default:
				b.Observe(w)
				b.Settle(r.IntN(3) == 0)
			}
			usual, _ := b.Usual()
			rarity := usual.Rarity(b.Pool(w, r.IntN(5)))
			if !(usual.Share > 0 && usual.Share < 1) || !(usual.Weight >= surePseudo) || !(rarity >= 0 && rarity <= 1) ||
				!(b.rho >= rhoLeast && b.rho <= rhoMost) || !(b.Estimate(0.5) >= 0 && b.Estimate(0.5) <= 1) {
				t.Fatalf("seed %d: %+v, rarity %v, ρ %v", seed, usual, rarity, b.rho)
			}
		}
		if !b.sane() {
			t.Fatalf("seed %d: the state could not be read back", seed)
		}
	}
}

// BenchmarkWindow is all that a window costs, the rarity of one and of three windows included.
func BenchmarkWindow(b *testing.B) {
	for _, c := range []struct {
		name  string
		calls int64
		share float64
	}{{"185calls", 185, 0.10}, {"185calls20up", 185, 0.30}, {"2000calls", 2000, 0.10}, {"20000calls10up", 20000, 0.20}} {
		b.Run(c.name, func(b *testing.B) {
			base := New(0.05)
			n := quiet(base, 0, 35*288, 0.10, c.calls)
			x, firing := int64(c.share*float64(c.calls)), c.share > 0.15
			b.ReportAllocs()
			for b.Loop() {
				w := at(n, x, c.calls)
				n++
				base.Observe(w)
				usual, _ := base.Usual()
				sink = usual.Rarity(One(w))
				base.Settle(firing)
			}
		})
	}
}

var sink float64
