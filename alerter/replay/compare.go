package replay

import "slices"

// Pair is one incident as two sets of rules saw it; one of the two may be nil.
type Pair struct {
	A, B *Incident
}

// Compare puts the incidents of two replays of the same windows side by side, in the order of time: those of one
// operation that overlap are one and the same. An incident of the one that overlaps several of the other is paired with
// each of them.
func Compare(a, b *Result) []Pair {
	var pairs []Pair
	paired := make(map[*Incident]bool)
	for i := range a.Incidents {
		one := &a.Incidents[i]
		for at := range b.Incidents {
			other := &b.Incidents[at]
			if one.Operation == other.Operation && overlaps(one.Start, one.End, other.Start, other.End) {
				pairs = append(pairs, Pair{one, other})
				paired[one], paired[other] = true, true
			}
		}
		if !paired[one] {
			pairs = append(pairs, Pair{A: one})
		}
	}
	for at := range b.Incidents {
		if other := &b.Incidents[at]; !paired[other] {
			pairs = append(pairs, Pair{B: other})
		}
	}
	sortPairs(pairs)
	return pairs
}

func sortPairs(pairs []Pair) {
	first := func(p Pair) *Incident {
		if p.A == nil || p.B != nil && p.B.Start.Before(p.A.Start) {
			return p.B
		}
		return p.A
	}
	slices.SortStableFunc(pairs, func(x, y Pair) int { return first(x).Start.Compare(first(y).Start) })
}
