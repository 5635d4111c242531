package baseline

// Volume is how many calls an operation usually has in a window, at each time of the week. The zero Volume has no history.
type Volume struct{ season season }

// Add takes a known window into the history, one without calls too.
func (v *Volume) Add(slot int32, calls int64) { v.season.add(slot, saturated(0, calls), 1) }

// Expected is the median over the past five weeks of the calls a window, pooled over the three half hours around the
// same time of the week; with fewer than two weeks, over the past seven days. It is not ok without any of these.
func (v *Volume) Expected(slot int32) (calls float64, ok bool) {
	calls, _, ok = v.season.median(slot, 1, 0, 0)
	return calls, ok
}
