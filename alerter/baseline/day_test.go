package baseline

import (
	"math/rand/v2"
	"reflect"
	"testing"
)

// TestLargeNumbers: half hours of any number of calls are kept exactly, up to four billion, corrected and written down, those
// around 65,536 among them, from which on a day needs more room.
func TestLargeNumbers(t *testing.T) {
	sizes := []uint32{1, 100, 30_000, 1<<16 - 2, 1<<16 - 1, 1 << 16, 1 << 20, 1 << 31, 1<<32 - 1}
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 17))
		var s season
		want := make(map[int32]cell)
		for range 500 {
			slot := r.Int32N(10 * slotsPerDay)
			n := sizes[r.IntN(1+int(seed)%len(sizes))]
			x := r.Uint32N(n) + 1
			c := want[slot]
			if r.IntN(4) > 0 {
				s.add(slot, x, n)
				want[slot] = cell{saturated(c.x, int64(x)), saturated(c.n, int64(n))}
				continue
			}
			by := r.Int64N(100) - 50
			s.change(slot, by, by)
			if c != (cell{}) {
				c = cell{saturated(c.x, by), saturated(c.n, by)}
				want[slot] = cell{min(c.x, c.n), c.n}
			} else if by > 0 && s.days[placeOf(dayOf(slot))] != nil {
				want[slot] = cell{uint32(by), uint32(by)}
			}
		}
		data, _ := appendSeason(nil, &s)
		var again season
		if err := readSeason(data, &again); err != nil {
			t.Fatal(err)
		}
		for slot := range int32(10 * slotsPerDay) {
			var sum sum
			for at := slot - 1; at <= slot+1; at++ {
				sum.x, sum.n = sum.x+float64(want[at].x), sum.n+float64(want[at].n)
			}
			if got := s.around(slot); got != sum {
				t.Fatalf("seed %d: around %d are %v, want %v", seed, slot, got, sum)
			}
			if got := again.around(slot); got != sum {
				t.Fatalf("seed %d: read back, around %d are %v, want %v", seed, slot, got, sum)
			}
		}
		if written, _ := appendSeason(nil, &again); !reflect.DeepEqual(written, data) {
			t.Fatalf("seed %d: what was read back is written otherwise", seed)
		}
	}
}
