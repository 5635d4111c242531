package oplog

import (
	"cmp"
	"iter"
	"slices"
)

// record is what the Checker remembers of a window: enough to recognise repeats and to follow revisions, in 40 bytes.
type record struct {
	start, end int64 // Unix seconds
	total      int64
	counts     uint64 // fingerprint
	revision   int32
	missed     bool
}

// chunkSize is how many records are moved at the most to make room for one. 512 of them fill a size class of the
// allocator exactly.
const chunkSize = 512

// timeline holds records in the order of their starts, no two with the same. Appending at the end, as live windows do, leaves
// every chunk full; backfills, which come anywhere, cost a search and the moving of half a chunk. The zero timeline is empty.
type timeline struct {
	chunks [][]record // none is empty
}

func (t *timeline) last() *record {
	if len(t.chunks) == 0 {
		return nil
	}
	chunk := t.chunks[len(t.chunks)-1]
	return &chunk[len(chunk)-1]
}

// search finds the record with the start, or else the place behind all earlier ones, in the chunk of the one before it.
func (t *timeline) search(start int64) (chunk, at int, found bool) {
	byStart := func(r record, start int64) int { return cmp.Compare(r.start, start) }
	chunk, found = slices.BinarySearchFunc(t.chunks, start, func(c []record, start int64) int { return byStart(c[0], start) })
	if found || chunk == 0 {
		return chunk, 0, found
	}
	chunk--
	at, found = slices.BinarySearchFunc(t.chunks[chunk], start, byStart)
	return chunk, at, found
}

// locate returns the record with this start and end, nil if there is none; and otherwise whether a neighbour shares time with
// them. The record may be changed, but for its times, until the next insert.
func (t *timeline) locate(start, end int64) (same *record, overlaps bool) {
	if last := t.last(); last == nil || start >= last.end {
		return nil, false
	}
	chunk, at, found := t.search(start)
	if found {
		r := &t.chunks[chunk][at]
		if r.end == end {
			return r, false
		}
		return nil, true
	}
	if at > 0 && t.chunks[chunk][at-1].end > start {
		return nil, true
	}
	if at == len(t.chunks[chunk]) {
		chunk, at = chunk+1, 0
	}
	return nil, chunk < len(t.chunks) && t.chunks[chunk][at].start < end
}

// insert adds r, unless there is a record with its start.
func (t *timeline) insert(r record) bool {
	if len(t.chunks) == 0 {
		t.chunks = [][]record{{r}} // grows as needed: many logs are short
		return true
	}
	chunk, at, found := len(t.chunks)-1, len(t.chunks[len(t.chunks)-1]), false
	if r.start <= t.last().start {
		chunk, at, found = t.search(r.start)
	}
	if found {
		return false
	}
	if len(t.chunks[chunk]) >= chunkSize {
		chunk, at = t.makeRoom(chunk, at)
	}
	t.chunks[chunk] = slices.Insert(t.chunks[chunk], at, r)
	return true
}

// makeRoom splits a full chunk for an insertion, and returns the place to insert at. It splits in the middle, or where the
// insertion is if that is further on: backfills mostly come in order, and the next ones fill the chunk up.
func (t *timeline) makeRoom(chunk, at int) (int, int) {
	half := max(at, chunkSize/2)
	right := append(make([]record, 0, chunkSize), t.chunks[chunk][half:]...)
	t.chunks[chunk] = t.chunks[chunk][:half]
	t.chunks = slices.Insert(t.chunks, chunk+1, right)
	if half == chunkSize {
		return chunk + 1, 0
	}
	return chunk, at
}

// from yields the records from the last one before start on.
func (t *timeline) from(start int64) iter.Seq[record] {
	return func(yield func(record) bool) {
		chunk, at, found := t.search(start - 1)
		if !found {
			at = max(0, at-1)
		}
		for ; chunk < len(t.chunks); chunk, at = chunk+1, 0 {
			for _, r := range t.chunks[chunk][at:] {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// holes are the spans between two instants of which no record tells, as pairs of Unix seconds.
func (t *timeline) holes(from, to int64) (holes [][2]int64) {
	for r := range t.from(from) {
		if r.start >= to {
			break
		}
		if r.start > from {
			holes = append(holes, [2]int64{from, r.start})
		}
		from = max(from, r.end)
	}
	if from < to {
		holes = append(holes, [2]int64{from, to})
	}
	return holes
}
