package rule

import (
	"slices"
	"sort"

	"unconnected/alerter/baseline"
)

// History is what the functions of rules look at beside the present window, for one operation: the values of series in
// the windows before, and what is usual. It remembers no more than its rules need. Whoever evaluates shows it each window
// before the rules judge it ([History.Observe]) and says afterwards what the window was part of ([History.Exclude],
// [History.Settle]). Use [NewHistory]. A History is not safe for concurrent use.
type History struct {
	listed map[string]bool // results that rules name

	recent []*recentValues
	usual  []*usualShare
	days   []*sameTime
	volume *baseline.Volume // nil when no rule asks for it

	newest         Window
	slot           int32 // of newest
	first          int64 // start of the first known window, Unix seconds; 0 before it
	excludedVolume bool
	scratch        []float64
	bare           *Past
}

// Past is a History in the eyes of one rule. Nil is the past of a rule that looks at none, in which everything is unknown.
type Past struct {
	history *History
	recent  []*recentValues // in the order of the rule's needs
	usual   []*usualShare
	days    []*sameTime
	volume  bool
}

// usualShare is a share and what is usual for it.
type usualShare struct {
	series   *series
	base     *baseline.Baseline
	excluded bool // the newest window is part of an alert on it
}

// sameTime is a series and what it was on earlier days.
type sameTime struct {
	series *series
	ago    baseline.Ago
}

// recentValues are the known values of a series in the newest windows, in order of their starts.
type recentValues struct {
	series *series
	back   []reach // how far somebody looks
	starts []int64
	values []float64
}

// NewHistory is the empty history of an operation for those rules of a set that apply to it.
func NewHistory(set *Set, operation string) *History {
	h := &History{listed: make(map[string]bool)}
	for _, r := range set.Rules {
		for _, name := range r.needs.listed {
			h.listed[name] = true
		}
		if r.AppliesTo(operation) {
			h.require(&r.needs)
		}
	}
	h.bare = &Past{history: h}
	return h
}

// require makes room for what a rule looks at.
func (h *History) require(n *needs) {
	for _, need := range n.values {
		of := h.recentOf(need.series)
		if of == nil {
			of = &recentValues{series: need.series}
			h.recent = append(h.recent, of)
		}
		of.back = append(of.back, need.reach)
	}
	for _, s := range n.shares {
		if h.usualOf(s) == nil {
			h.usual = append(h.usual, &usualShare{series: s, base: baseline.New(baseline.Prior(s.names()...))})
		}
	}
	for _, s := range n.days {
		if h.daysOf(s) == nil {
			h.days = append(h.days, &sameTime{series: s})
		}
	}
	if n.volume && h.volume == nil {
		h.volume = new(baseline.Volume)
	}
}

func (h *History) recentOf(s *series) *recentValues {
	return find(h.recent, func(o *recentValues) bool { return o.series.key == s.key })
}

func (h *History) usualOf(s *series) *usualShare {
	return find(h.usual, func(o *usualShare) bool { return o.series.key == s.key })
}

func (h *History) daysOf(s *series) *sameTime {
	return find(h.days, func(o *sameTime) bool { return o.series.key == s.key })
}

func find[T any](list []*T, is func(*T) bool) *T {
	if at := slices.IndexFunc(list, is); at >= 0 {
		return list[at]
	}
	return nil
}

// Of is the history in the eyes of a rule of the set: what [Window.Behind] takes.
func (h *History) Of(r *Rule) *Past {
	n := &r.needs
	p := &Past{history: h, volume: n.volume}
	for _, need := range n.values {
		p.recent = append(p.recent, h.recentOf(need.series))
	}
	for _, s := range n.shares {
		p.usual = append(p.usual, h.usualOf(s))
	}
	for _, s := range n.days {
		p.days = append(p.days, h.daysOf(s))
	}
	return p
}

// NeedsLocalTime tells whether Observe, Correct and Fill make use of local times.
func (h *History) NeedsLocalTime() bool {
	return len(h.usual) > 0 || len(h.days) > 0 || h.volume != nil
}

// Observe shows the next live window, known or not.
func (h *History) Observe(w *Window, at Local) {
	h.newest, h.slot = w.Behind(h.bare), at.slot
	w = &h.newest
	if w.known && h.first == 0 {
		h.first = w.start
	}
	for _, u := range h.usual {
		u.base.Observe(u.window(w, at.slot))
	}
	for _, r := range h.recent {
		r.push(w)
	}
	h.remember(w, at.slot)
}

// window is what a baseline sees of a window: one without calls when it is unknown.
func (u *usualShare) window(w *Window, slot int32) baseline.Window {
	if !w.known {
		return baseline.Window{Start: w.start, Slot: slot}
	}
	return baseline.NewWindow(w.start, slot, u.series.counted(w), w.total)
}

// remember keeps a window for what is asked for on later days.
func (h *History) remember(w *Window, slot int32) {
	if !w.known {
		return
	}
	for _, d := range h.days {
		n := int64(1)
		if d.series.share {
			n = w.total
		}
		d.ago.Add(slot, d.series.counted(w), n)
	}
}

// Exclude says that the newest window is part of an alert of a rule: it must not become usual for what the rule looks at.
func (h *History) Exclude(p *Past) {
	for _, u := range p.usual {
		u.excluded = true
	}
	h.excludedVolume = h.excludedVolume || p.volume
}

// Settle takes the newest window in, except where it was excluded. On a holiday it enters nothing.
func (h *History) Settle(holiday bool) {
	for _, u := range h.usual {
		if !holiday {
			u.base.Settle(u.excluded)
		}
		u.excluded = false
	}
	if h.volume != nil && h.newest.known && !holiday && !h.excludedVolume {
		h.volume.Add(h.slot, h.newest.total)
	}
	h.excludedVolume = false
}

// Correct takes what a correction makes of a window that was observed. One that was unknown enters what is usual at once,
// except where the newest window is excluded: it may be part of the same incident.
func (h *History) Correct(w *Window, at Local, wasKnown bool) {
	seen := w.Behind(h.bare)
	if seen.start == h.newest.start {
		h.newest = seen
	}
	for _, r := range h.recent {
		r.put(&seen)
	}
	for _, u := range h.usual {
		if wasKnown {
			u.base.Revise(u.window(&seen, at.slot))
		} else if !u.excluded && !at.holiday {
			u.base.Fill(u.window(&seen, at.slot))
		}
		u.excluded = false
	}
	h.excludedVolume = false
}

// Fill takes a window in that lies before all that were observed, or so far back that it is not remembered.
func (h *History) Fill(w *Window, at Local) {
	seen := w.Behind(h.bare)
	if !seen.known {
		return
	}
	if h.first == 0 || seen.start < h.first {
		h.first = seen.start
	}
	for _, r := range h.recent {
		r.put(&seen)
	}
	h.remember(&seen, at.slot)
	if at.holiday {
		return
	}
	for _, u := range h.usual {
		u.base.Fill(u.window(&seen, at.slot))
	}
	if h.volume != nil {
		h.volume.Add(at.slot, seen.total)
	}
}

// Rebase makes the newest windows usual for all shares that a rule compares with what is usual. How many calls are usual is
// learnt anew.
func (h *History) Rebase(p *Past) {
	for _, u := range p.usual {
		u.base.Rebase()
	}
	if p.volume {
		*h.volume = baseline.Volume{}
	}
}

// HasUsual tells whether the rule compares a share with what is usual.
func (p *Past) HasUsual() bool { return p != nil && len(p.usual) > 0 }

// Compares tells whether the rule compares anything with what is usual, a share or the number of calls.
func (p *Past) Compares() bool { return p.HasUsual() || p != nil && p.volume }

// Usual is the usual share of the first series that the rule compares with it. It is not ok while it is being learnt.
func (p *Past) Usual() (share float64, ok bool) {
	if !p.HasUsual() {
		return 0, false
	}
	usual, ok := p.usual[0].base.Usual()
	return usual.Share, ok
}

// Learning tells whether a usual share that the rule compares with is still being learnt.
func (p *Past) Learning() bool {
	return p != nil && slices.ContainsFunc(p.usual, func(u *usualShare) bool { return u.base.Learning() })
}

// push adds the value in the newest window, if it is known, and forgets those that nobody looks at any more.
func (r *recentValues) push(w *Window) {
	v := r.series.value(w)
	if v != v || len(r.starts) > 0 && w.start <= r.starts[len(r.starts)-1] {
		return
	}
	r.starts, r.values = append(r.starts, w.start), append(r.values, v)
	if len(r.starts) < 32 {
		return
	}
	oldest := int64(0)
	for i, s := range r.back {
		seconds, _ := s.in(max(1, w.end-w.start))
		if from := w.start - seconds; i == 0 || from < oldest {
			oldest = from
		}
	}
	gone := max(r.at(oldest), len(r.starts)-maxWindows-1)
	if gone > len(r.starts)/2 {
		r.starts = append(r.starts[:0], r.starts[gone:]...)
		r.values = append(r.values[:0], r.values[gone:]...)
	}
}

// put corrects the value in a window that is remembered, or adds one between those that are.
func (r *recentValues) put(w *Window) {
	i, v := r.at(w.start), r.series.value(w)
	there := i < len(r.starts) && r.starts[i] == w.start
	switch {
	case v != v && there:
		r.starts, r.values = slices.Delete(r.starts, i, i+1), slices.Delete(r.values, i, i+1)
	case v != v:
	case there:
		r.values[i] = v
	case i > 0 || len(r.starts) < maxWindows:
		r.starts, r.values = slices.Insert(r.starts, i, w.start), slices.Insert(r.values, i, v)
	}
}

// at is the first remembered window that does not start before from.
func (r *recentValues) at(from int64) int {
	return sort.Search(len(r.starts), func(i int) bool { return r.starts[i] >= from })
}
