package baseline

// recentWindows is how many windows the level of the last hours is of.
const recentWindows = 36

// recent is the newest windows that were added, in order of their starts, whatever the order they came in. Its sums are
// those of x and n over them. The zero recent is empty.
//
// It is a ring: window i, 0 being the oldest, is in windows[(first+i) % recentWindows].
type recent struct {
	windows [recentWindows]Window
	first   int
	count   int
	x, n    uint64
}

func (r *recent) at(i int) *Window {
	place := r.first + i
	if place >= recentWindows {
		place -= recentWindows
	}
	return &r.windows[place]
}

// add adds a window if it is among the newest. One of the same start takes the place of the one before.
func (r *recent) add(w Window) {
	newer := r.count == 0 || r.at(r.count-1).Start < w.Start
	switch {
	case !newer && r.replace(w):
		return
	case r.count < recentWindows:
		r.count++
	case r.at(0).Start > w.Start:
		return
	default:
		oldest := r.at(0)
		r.x, r.n = r.x-uint64(oldest.X), r.n-uint64(oldest.N)
		if r.first++; r.first == recentWindows {
			r.first = 0
		}
	}
	at := r.count - 1 // free now
	for ; !newer && at > 0 && r.at(at-1).Start > w.Start; at-- {
		*r.at(at) = *r.at(at - 1)
	}
	*r.at(at) = w
	r.x, r.n = r.x+uint64(w.X), r.n+uint64(w.N)
}

// replace puts a window in the place of the one with the same start.
func (r *recent) replace(w Window) bool {
	at := r.find(w.Start)
	if at < 0 {
		return false
	}
	old := r.at(at)
	r.x, r.n = r.x-uint64(old.X)+uint64(w.X), r.n-uint64(old.N)+uint64(w.N)
	*old = w
	return true
}

// find is the number of the window of a start, or -1.
func (r *recent) find(start int64) int {
	for i := r.count - 1; i >= 0 && r.at(i).Start >= start; i-- {
		if r.at(i).Start == start {
			return i
		}
	}
	return -1
}
