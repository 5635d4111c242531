package baseline

// Ago is what a series was at the same time of earlier days: sums by local half hours, whatever was usual then. The zero Ago
// has no history.
type Ago struct{ season season }

// MaxDaysAgo is how many days back an [Ago] can look.
const MaxDaysAgo = 35

// Add takes a known window into the history: x of n calls for a share, or x calls in one window.
func (a *Ago) Add(slot int32, x, n int64) { a.season.add(slot, saturated(0, x), saturated(0, n)) }

// Same is the sum of x over the sum of n in the three half hours around the same local time, days ago. It is not ok when
// nothing is known of these.
func (a *Ago) Same(slot int32, days int) (mean float64, ok bool) {
	of := a.season.around(slot - int32(days)*slotsPerDay)
	return of.x / of.n, of.n > 0
}
