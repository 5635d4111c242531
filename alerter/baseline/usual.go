package baseline

// Usual is what is usual for a share at one time.
type Usual struct {
	Share  float64 // p0, above 0 and below 1
	Weight float64 // N0: how many calls Share is worth
	Rho    float64 // ρ: how much more the share varies than chance alone would have it
}

// Pool is one window, or several taken together.
type Pool struct {
	X, N    float64
	Squares float64 // Σn² over the windows
}

// One is the pool of one window.
func One(w Window) Pool { return Pool{}.add(w) }

func (p Pool) add(w Window) Pool {
	n := float64(w.N)
	return Pool{p.X + float64(w.X), p.N + n, p.Squares + n*n}
}

// Rarity is the probability of as many calls with the result as in the pool, or more, when all is as usual. It is 1 without
// calls.
func (u Usual) Rarity(p Pool) float64 {
	if p.N == 0 {
		return 1
	}
	rho := u.Rho*(0.5+0.5*p.Squares/(p.N*p.N)) + 1/(u.Weight+1)
	m := 1/rho - 1
	return Tail(p.N, p.X, u.Share*m, (1-u.Share)*m)
}

// Pool takes a window together with the newest ones observed before it, of the hour before its start: count windows in all,
// at most 3, or fewer when there are no more. Windows without calls are not counted.
func (b *Baseline) Pool(w Window, count int) Pool {
	p := One(w)
	b.each(w, count, func(before Window) { p = p.add(before) })
	return p
}

// Raised counts in how many of the windows that [Baseline.Pool] takes together the share was at least points above the
// usual one of now.
func (b *Baseline) Raised(w Window, count int, points float64) int {
	level := b.usual.Share + points
	raised := 0
	count1 := func(w Window) {
		if w.N > 0 && w.Share() >= level {
			raised++
		}
	}
	count1(w)
	b.each(w, count, count1)
	return raised
}

// each calls do with the up to count-1 windows before w.
func (b *Baseline) each(w Window, count int, do func(Window)) {
	left := min(count, pooledWindows) - 1
	for i := b.latestFilled - 1; i >= 0 && left > 0; i-- {
		if before := b.latest[i]; before.Start < w.Start && before.Start >= w.Start-pooledSpan {
			do(before)
			left--
		}
	}
}
