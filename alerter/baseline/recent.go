package baseline

// recentWindows is how many windows the level of the last hours is of.
const recentWindows = 36

// recent is the newest windows that were added, in order of their starts, whatever the order they came in. Its sums are
// those of x and n over them. The zero recent is empty.
type recent struct {
	windows [recentWindows]Window
	count   int
	x, n    uint64
}

// add adds a window if it is among the newest. One of the same start takes the place of the one before.
func (r *recent) add(w Window) {
	if r.replace(w) {
		return
	}
	at := r.count
	for at > 0 && r.windows[at-1].Start > w.Start {
		at--
	}
	if r.count == recentWindows {
		if at == 0 {
			return
		}
		oldest := r.windows[0]
		r.x, r.n = r.x-uint64(oldest.X), r.n-uint64(oldest.N)
		at--
		copy(r.windows[:at], r.windows[1:])
	} else {
		copy(r.windows[at+1:], r.windows[at:r.count])
		r.count++
	}
	r.windows[at] = w
	r.x, r.n = r.x+uint64(w.X), r.n+uint64(w.N)
}

// replace puts a window in the place of the one with the same start.
func (r *recent) replace(w Window) bool {
	at := r.find(w.Start)
	if at < 0 {
		return false
	}
	old := r.windows[at]
	r.x, r.n = r.x-uint64(old.X)+uint64(w.X), r.n-uint64(old.N)+uint64(w.N)
	r.windows[at] = w
	return true
}

// find is the place of the window of a start, or -1.
func (r *recent) find(start int64) int {
	for at := r.count - 1; at >= 0 && r.windows[at].Start >= start; at-- {
		if r.windows[at].Start == start {
			return at
		}
	}
	return -1
}
