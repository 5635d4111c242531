package baseline

import "math"

// Window is the calls of one window, as far as a baseline looks at them.
type Window struct {
	Start int64  // Unix seconds
	Slot  int32  // local half hour of the start, see SlotOf
	X     uint32 // calls with the result, at most N
	N     uint32 // all unconnected calls
}

// NewWindow is the window of a start in Unix seconds and a slot, with x of n calls. Numbers that cannot be (below zero, more
// calls with the result than calls) are brought to the nearest that can, those above 4 billion to 4 billion.
func NewWindow(start int64, slot int32, x, n int64) Window {
	n = min(max(n, 0), math.MaxUint32)
	return Window{Start: start, Slot: slot, X: uint32(min(max(x, 0), n)), N: uint32(n)}
}

// Share is X of N; NaN without calls.
func (w Window) Share() float64 { return float64(w.X) / float64(w.N) }

// slotLength is half an hour, in seconds.
const slotLength = 1800

const (
	slotsPerDay  = 48
	slotsPerWeek = 7 * slotsPerDay
)

// SlotOf is the number of the half hour on the clocks of a zone in which an instant lies: the instant in Unix seconds, the
// zone as its offset from UTC at that instant, in seconds. Clocks that go back repeat numbers, clocks that go forward leave
// some out, so that the same time of the day always has the same number modulo 48.
func SlotOf(unix int64, offset int) int32 {
	return int32(floorDiv(unix+int64(offset), slotLength))
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// priors are the shares that results have where nothing is known yet.
var priors = map[string]float64{
	"busy": 0.10, "cancel": 0.06, "chanunavail": 0.05, "congestion": 0.05, "do_not_call": 0.02, "no_answer": 0.70, "tcpa": 0.02,
}

// unlistedPrior is that of a result which nobody documented.
const unlistedPrior = 0.02

// Prior is the share that results together are taken to have where nothing is known yet.
func Prior(results ...string) float64 {
	sum := 0.0
	for _, result := range results {
		if p, ok := priors[result]; ok {
			sum += p
		} else {
			sum += unlistedPrior
		}
	}
	return min(sum, 0.99)
}
