package rule

import (
	"slices"

	"unconnected/alerter/baseline"
)

// What the functions of the language make of the past. All are unknown without one.

// values are the known values of a series in the windows before w, as far back as somebody looks; none when fewer than half of the
// windows are known. They must not be changed or kept.
func (p *Past) values(w *Window, at int, back reach) []float64 {
	if p == nil || w.end <= w.start {
		return nil
	}
	seconds, windows := back.in(w.end - w.start)
	r := p.recent[at]
	to := r.at(w.start)
	from := max(r.at(w.start-seconds), to-maxWindows)
	if known := int64(to - from); 2*known < min(windows, maxWindows) {
		return nil
	}
	return r.values[from:to]
}

// median is that of values, which stay as they are.
func (h *History) median(values []float64) float64 {
	h.scratch = append(h.scratch[:0], values...)
	slices.Sort(h.scratch)
	middle := len(h.scratch) / 2
	if len(h.scratch)%2 == 1 {
		return h.scratch[middle]
	}
	return (h.scratch[middle-1] + h.scratch[middle]) / 2
}

func (p *Past) sameTime(at, days int) float64 {
	if p == nil {
		return unknown
	}
	mean, ok := p.days[at].ago.Same(p.history.slot, days)
	if !ok {
		return unknown
	}
	return mean
}

// usualOr is the usual share; while it is being learnt, an estimate that begins at first, unknown when first is.
func (p *Past) usualOr(at int, first float64) float64 {
	if p == nil {
		return unknown
	}
	base := p.usual[at].base
	usual, ok := base.Usual()
	switch {
	case ok:
		return usual.Share
	case first != first:
		return unknown
	}
	return base.Estimate(first)
}

func (p *Past) learning(at int) Tri {
	if p == nil {
		return Unknown
	}
	return truth(p.usual[at].base.Learning())
}

// rarity is that of a window pooled with those before it, windows in all.
func (p *Past) rarity(w *Window, s *series, at, windows int) float64 {
	base, usual, ok := p.compared(w, at)
	if !ok {
		return unknown
	}
	return usual.Rarity(base.Pool(baseline.NewWindow(w.start, 0, s.counted(w), w.total), windows))
}

// raised counts the windows, of a window and those before it, in which the share is at least points above what is usual.
func (p *Past) raised(w *Window, s *series, at int, points float64, windows int) float64 {
	base, _, ok := p.compared(w, at)
	if !ok {
		return unknown
	}
	return float64(base.Raised(baseline.NewWindow(w.start, 0, s.counted(w), w.total), windows, points))
}

// compared is what a window with calls can be compared with.
func (p *Past) compared(w *Window, at int) (base *baseline.Baseline, usual baseline.Usual, ok bool) {
	if p == nil || !w.known || w.total == 0 {
		return nil, usual, false
	}
	base = p.usual[at].base
	usual, ok = base.Usual()
	return base, usual, ok
}

// expected is how many calls the window usually has.
func (w *Window) expected() float64 {
	if w.past == nil {
		return unknown
	}
	calls, ok := w.past.history.volume.Expected(w.past.history.slot)
	if !ok {
		return unknown
	}
	return calls
}

// age is for how many hours the operation has been known at the end of the window.
func (w *Window) age() float64 {
	if w.past == nil || w.past.history.first == 0 {
		return unknown
	}
	return float64(w.end-w.past.history.first) / 3600
}
