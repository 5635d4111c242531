package chart

import (
	"cmp"
	"maps"
	"math"
	"math/bits"
	"slices"
	"time"
)

// column is what is drawn side by side: a window, or several pooled.
type column struct {
	from, to int64    // in Unix seconds, within the axis
	bands    []uint64 // calls by band
	total    uint64
	weight   int64 // seconds of the windows that are in it as a whole
	known    int64 // seconds of it of which something is known
}

// unknown tells whether less than half of a column is known.
func (c *column) unknown() bool { return c.known*2 < c.to-c.from }

// most is how many columns there are at most: narrower ones nobody can tell apart.
const most = 300

// span is the time axis in Unix seconds, half-open.
type span struct{ from, to int64 }

// Bounds of what has a date that people know: the years 1 to 9999.
var (
	earliest = time.Date(1, 1, 10, 0, 0, 0, 0, time.UTC).Unix()
	latest   = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC).Unix()
)

// axisOf is the span that a Chart asks for, within bounds.
func axisOf(c *Chart) span {
	to := c.To
	for _, w := range c.Windows {
		if c.To.IsZero() && w.End.After(to) {
			to = w.End
		}
	}
	s := span{to: min(max(to.Unix(), earliest), latest)}
	s.from = s.to - int64(usualSpan/time.Second)
	if !c.From.IsZero() {
		s.from = c.From.Unix()
	}
	s.from = max(s.from, s.to-int64(longest/time.Second))
	s.from = min(s.from, s.to-int64(shortest/time.Second))
	return s
}

// windowLength is the length that volumes are told for, in seconds: that of the framed window, else of the latest.
func windowLength(c *Chart) int64 {
	length := seconds(c.Framed.Start, c.Framed.End)
	var newest time.Time
	for _, w := range c.Windows {
		if c.Framed.IsZero() && !w.Start.Before(newest) {
			newest, length = w.Start, seconds(w.Start, w.End)
		}
	}
	return min(max(length, 1), int64(longest/time.Second))
}

// seconds are those from one instant to another; none if it is not later.
func seconds(from, to time.Time) int64 {
	if !to.After(from) {
		return 0
	}
	return to.Unix() - from.Unix()
}

// pitch is how many seconds a column takes: as long as a window, or the least multiple of it that divides the hour and
// leaves at most so many columns.
func pitch(s span, window int64) int64 {
	least := (s.to - s.from + most - 1) / most
	if window >= least {
		return window
	}
	for length := window; length <= 3600; length += window {
		if length >= least && 3600%length == 0 {
			return length
		}
	}
	return (least + window - 1) / window * window
}

// pool sums the windows in columns on a grid that is aligned to the Unix epoch. band says which band a result is in.
func pool(windows []Window, s span, pitch int64, bands int, band func(result string) int) []column {
	first := floorDiv(s.from, pitch)
	columns := make([]column, floorDiv(s.to-1, pitch)-first+1)
	cells := make([]uint64, len(columns)*bands)
	for i := range columns {
		start := (first + int64(i)) * pitch
		columns[i] = column{from: max(start, s.from), to: min(start+pitch, s.to), bands: cells[i*bands:][:bands:bands]}
	}
	for _, w := range windows {
		from, to := max(w.Start.Unix(), s.from), min(w.End.Unix(), s.to)
		if w.Counts == nil || from >= to {
			continue
		}
		length := seconds(w.Start, w.End)
		last := floorDiv(to-1, pitch) - first
		for i := floorDiv(from, pitch) - first; i <= last; i++ {
			columns[i].add(w.Counts, band, length, min(to, columns[i].to)-max(from, columns[i].from))
		}
	}
	return columns
}

// add counts a window of a length, of which the column has a part.
func (c *column) add(counts map[string]int64, band func(result string) int, length, part int64) {
	for result, count := range counts {
		if count > 0 {
			i := band(result)
			c.bands[i] = plus(c.bands[i], uint64(count))
			c.total = plus(c.total, uint64(count))
		}
	}
	c.weight += min(length, math.MaxInt32)
	c.known += part
}

// thousandths of a call are what volumes are counted in: pooled short windows often have less than one.
const thousandths = 1000

// hugeVolume bounds volumes, in calls, so that scales above them can be computed.
const hugeVolume = 1e15

// volume is how many calls there were in a time as long as a window, in thousandths, rounded.
func (c *column) volume(window int64) uint64 {
	if c.weight == 0 {
		return 0
	}
	return min(scaled(c.total, uint64(window)*thousandths, uint64(c.weight)), hugeVolume*thousandths)
}

// totals are the known calls of the axis by result.
func totals(windows []Window, s span) map[string]uint64 {
	sums := map[string]uint64{}
	for _, w := range windows {
		if w.Start.Unix() >= s.to || w.End.Unix() <= s.from {
			continue
		}
		for result, count := range w.Counts {
			if count > 0 {
				sums[result] = plus(sums[result], uint64(count))
			}
		}
	}
	return sums
}

// byTotal are the results, those with the most calls first.
func byTotal(sums map[string]uint64) []string {
	return slices.SortedFunc(maps.Keys(sums), func(a, b string) int {
		return cmp.Or(cmp.Compare(sums[b], sums[a]), cmp.Compare(a, b))
	})
}

// plus adds, and stays at the greatest number instead of overflowing.
func plus(a, b uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	if carry != 0 {
		return math.MaxUint64
	}
	return sum
}

// scaled is n·by/of, rounded half up, at most the greatest number.
func scaled(n, by, of uint64) uint64 {
	high, low := bits.Mul64(n, by)
	low, carry := bits.Add64(low, of/2, 0)
	if high += carry; high >= of {
		return math.MaxUint64
	}
	quotient, _ := bits.Div64(high, low, of)
	return quotient
}

// floorDiv divides and rounds down, before 1970 too.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
