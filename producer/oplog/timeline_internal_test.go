package oplog

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTimeline holds a timeline against a plain sorted list, whatever the order of insertion.
func TestTimeline(t *testing.T) {
	const n, length = 3 * chunkSize, 10
	rising := func(_ *rand.Rand, i int) int { return i }
	for name, place := range map[string]func(*rand.Rand, int) int{
		"at the end":               rising,
		"at the begin":             func(_ *rand.Rand, i int) int { return n - i },
		"anywhere":                 func(r *rand.Rand, _ int) int { return r.IntN(n) },
		"before, then behind":      func(_ *rand.Rand, i int) int { return (i + n/2) % n },
		"every third, then others": func(_ *rand.Rand, i int) int { return i * 3 % (n + 1) },
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			var line timeline
			var plain []int64
			for i := range n {
				start := int64(place(r, i) * length)
				at, known := slices.BinarySearch(plain, start)
				if got := line.insert(record{start: start, end: start + length}); got == known {
					t.Fatalf("insert(%d) = %v", start, got)
				}
				if !known {
					plain = slices.Insert(plain, at, start)
				}
			}
			requireLine(t, &line, plain)
			for range 300 {
				start := int64(r.IntN(n * length))
				requireLocate(t, &line, plain, start, start+int64(1+r.IntN(2*length)), length)
			}
		})
	}
}

func requireLine(t *testing.T, line *timeline, plain []int64) {
	t.Helper()
	var got []int64
	for _, chunk := range line.chunks {
		if len(chunk) == 0 || len(chunk) > chunkSize {
			t.Fatalf("a chunk of %d", len(chunk))
		}
		for _, r := range chunk {
			got = append(got, r.start)
		}
	}
	if !slices.Equal(got, plain) {
		t.Fatalf("%d records, want %d, or not in order", len(got), len(plain))
	}
}

func requireLocate(t *testing.T, line *timeline, plain []int64, start, end, length int64) {
	t.Helper()
	wantSame, wantOverlap := false, false
	for _, s := range plain {
		wantSame = wantSame || s == start && s+length == end
		wantOverlap = wantOverlap || s < end && start < s+length
	}
	same, overlaps := line.locate(start, end)
	if (same != nil) != wantSame || overlaps != (wantOverlap && !wantSame) {
		t.Fatalf("locate(%d, %d) = %v, %v, want %v, %v", start, end, same, overlaps, wantSame, wantOverlap)
	}
	var holes [][2]int64
	from := start
	for _, s := range plain {
		if s+length <= from || s >= end {
			continue
		}
		if s > from {
			holes = append(holes, [2]int64{from, s})
		}
		from = s + length
	}
	if from < end {
		holes = append(holes, [2]int64{from, end})
	}
	if got := line.holes(start, end); !slices.Equal(got, holes) {
		t.Fatalf("holes(%d, %d) = %v, want %v", start, end, got, holes)
	}
}

func TestEmptyTimeline(t *testing.T) {
	var line timeline
	if same, overlaps := line.locate(1, 2); same != nil || overlaps {
		t.Error("an empty timeline holds something")
	}
	if got := line.holes(1, 2); !slices.Equal(got, [][2]int64{{1, 2}}) {
		t.Errorf("the holes of an empty timeline are %v", got)
	}
}

// TestHolesBehindALongRecord: what covers a span may begin before it, in the chunk before.
func TestHolesBehindALongRecord(t *testing.T) {
	var line timeline
	for i := range int64(chunkSize) {
		line.insert(record{start: i * 10, end: i*10 + 10})
	}
	line.last().end += 1000
	from := line.last().start + 10
	line.insert(record{start: from, end: from + 10})
	if holes := line.holes(from, from+500); len(line.chunks) != 2 || holes != nil {
		t.Errorf("in %d chunks, holes %v", len(line.chunks), holes)
	}
}
