package baseline

// What the formulas of the package comment are made of.
const (
	seasonLeast  = 20  // calls that a week or a day must have to count
	seasonPseudo = 5   // calls of π beside those of a week
	recentPseudo = 60  // calls of π beside those of the last hours
	surePseudo   = 100 // calls that p0 is worth in any case

	longDecay = 0.9995
	longSeed  = 20 // calls of the prior

	rhoStart       = 0.01
	rhoLeast       = 0.0005
	rhoMost        = 0.05
	rhoStep        = 0.005
	rhoCalls       = 10 // a window with fewer says nothing about ρ
	winsoriseBelow = -0.02
	winsoriseAbove = 9 // times ρ+1/n

	// leastShare keeps p0 off 0 and 1, where nothing is ever usual.
	leastShare = 1e-4

	learnWindows = recentWindows
	learnCalls   = 720

	acceptAfter = 3 // quiet windows before one enters

	pooledWindows = 3       // that Pool remembers
	pooledSpan    = 60 * 60 // seconds that it looks back

	startPseudo = 200 // calls that a first guess is worth, see Estimate
)

// Baseline is what is usual for the share of one result, or of several together, among the unconnected calls of one
// operation. Use [New]. A Baseline is not safe for concurrent use.
type Baseline struct {
	season season
	recent recent // the newest of the history
	all    recent // the newest that were settled, those of alerts too: what Rebase begins with

	longX, longN float64 // decayed counts of the long run
	rho          float64

	windows, calls int64 // in the history, until learnt
	learnt         bool

	present      Window // the newest window observed
	usual        Usual  // as it was when present was observed
	pending      [acceptAfter]pending
	waiting      int // how many are pending, the oldest first
	latest       [pooledWindows]Window
	latestFilled int
}

// pending is a window that waits to enter, with what was usual then.
type pending struct {
	window Window
	share  float64
}

// Enough tells whether so many windows with calls, and so many calls in them, are history enough for a usual level.
func Enough(windows, calls int64) bool { return windows >= learnWindows && calls >= learnCalls }

// New is a baseline without history. prior is the share to begin with, see [Prior].
func New(prior float64) *Baseline {
	prior = clamp(prior, leastShare, 1-leastShare)
	b := &Baseline{longX: longSeed * prior, longN: longSeed, rho: rhoStart}
	b.usual = b.level(0)
	return b
}

func clamp(v, least, most float64) float64 { return min(max(v, least), most) }

// Learning tells whether too little is known yet for there to be a usual level.
func (b *Baseline) Learning() bool { return !b.learnt }

// Usual is what is usual at the newest observed window, without that window itself. It is not ok while learning.
func (b *Baseline) Usual() (Usual, bool) { return b.usual, b.learnt }

// Estimate is a first guess at the usual share, for the time of learning: it begins at start, which weighs as much as 200
// calls, and moves towards what is seen.
func (b *Baseline) Estimate(start float64) float64 {
	return (float64(b.recent.x) + startPseudo*start) / (float64(b.recent.n) + startPseudo)
}

// Observe shows the next live window, which should begin after all before it. A window without calls changes nothing but
// what is usual then. Settle must follow once it is known what the window is part of; a window that is never settled, such
// as one of a holiday, does not enter the history.
func (b *Baseline) Observe(w Window) {
	b.present = w
	b.usual = b.level(w.Slot)
	if w.N == 0 {
		return
	}
	if b.latestFilled == pooledWindows {
		copy(b.latest[:], b.latest[1:])
		b.latestFilled--
	}
	b.latest[b.latestFilled] = w
	b.latestFilled++
}

// level is what is usual at a slot.
func (b *Baseline) level(slot int32) Usual {
	long := b.longX / b.longN
	n36 := float64(b.recent.n) + recentPseudo
	share := (float64(b.recent.x) + recentPseudo*long) / n36
	weight := 0.0 // without a season nobody knows what this hour of the week is like
	if season, n, ok := b.season.median(slot, seasonLeast, seasonPseudo, long); ok {
		share, weight = max(share, season), min(n, n36)
	}
	return Usual{
		Share:  clamp(share, leastShare, 1-leastShare),
		Weight: weight + surePseudo,
		Rho:    b.rho,
	}
}

// Settle says whether the window observed last is part of an alert. If it is not, it waits for three more such windows and
// then enters the history; if it is, neither it nor those that still wait ever do. While learning every window enters at
// once.
func (b *Baseline) Settle(firing bool) {
	w := b.present
	if w.N == 0 {
		return
	}
	b.all.add(w)
	switch {
	case !b.learnt:
		b.accept(pending{w, b.usual.Share})
	case firing:
		b.waiting = 0
	case b.waiting < acceptAfter:
		b.pending[b.waiting] = pending{w, b.usual.Share}
		b.waiting++
	default:
		b.accept(b.pending[0])
		copy(b.pending[:], b.pending[1:])
		b.pending[acceptAfter-1] = pending{w, b.usual.Share}
	}
}

// Fill takes a window of the past that was not there before into the history. It may come in any order.
func (b *Baseline) Fill(w Window) {
	if w.N == 0 {
		return
	}
	b.all.add(w)
	b.accept(pending{w, b.level(w.Slot).Share})
}

// accept takes a window into the history.
func (b *Baseline) accept(p pending) {
	w := p.window
	b.season.add(w.Slot, w.X, w.N)
	b.recent.add(w)
	b.longX = b.longX*longDecay + float64(w.X)
	b.longN = b.longN*longDecay + float64(w.N)
	b.learnRho(w, p.share)
	if !b.learnt {
		b.windows++
		b.calls += int64(w.N)
		b.learnt = Enough(b.windows, b.calls)
	}
}

// learnRho moves ρ a step towards what a window shows of it.
func (b *Baseline) learnRho(w Window, p0 float64) {
	if w.N < rhoCalls {
		return
	}
	off, chance := w.Share()-p0, 1/float64(w.N)
	e := off*off/(p0*(1-p0)) - chance
	e = clamp(e, winsoriseBelow, winsoriseAbove*(b.rho+chance))
	b.rho = clamp(b.rho+rhoStep*(e-b.rho), rhoLeast, rhoMost)
}

// Revise corrects a window that was observed or filled before. One that is not among the newest 36 any more is left as it
// was: nobody knows what it held, and the medians of weeks do not depend on one window.
func (b *Baseline) Revise(w Window) {
	if at := b.recent.find(w.Start); at >= 0 && w.N > 0 {
		old := *b.recent.at(at)
		w.Slot = old.Slot
		x, n := int64(w.X)-int64(old.X), int64(w.N)-int64(old.N)
		b.season.change(old.Slot, x, n)
		b.longX, b.longN = max(0, b.longX+float64(x)), max(1, b.longN+float64(n))
		b.longX = min(b.longX, b.longN)
		b.recent.replace(w)
	}
	b.all.replace(w)
	for i := range b.waiting {
		if b.pending[i].window.Start == w.Start {
			b.pending[i].window = w
		}
	}
	for i := range b.latestFilled {
		if b.latest[i].Start == w.Start {
			b.latest[i] = w
		}
	}
	if b.present.Start == w.Start {
		b.present = w
	}
}

// Rebase makes the newest windows, alerts or not, what is usual from now on.
func (b *Baseline) Rebase() {
	b.recent = b.all
	b.waiting = 0
	if b.recent.n > 0 {
		b.longX, b.longN = float64(b.recent.x), float64(b.recent.n)
	}
	b.longX = max(b.longX, leastShare)
	b.usual = b.level(b.present.Slot)
}
