package replay

import (
	"math"
	"slices"
	"time"

	"unconnected/alerter/evaluate"
	"unconnected/alerter/rule"
	"unconnected/events"
)

// Point is what a rule saw in one window.
type Point struct {
	Window events.Window
	Value  float64 // NaN when unknown
	Total  int64   // unconnected calls; -1 when unknown
}

// recorder keeps the values of all rules in all windows of an operation.
type recorder struct {
	rules  []*rule.Rule
	start  []int64 // Unix seconds, rising
	end    []int64
	total  []int64
	values []float64 // window × rules
}

// record takes what a rule made of a window.
func (r *recorder) record(j evaluate.Judgement) {
	start := j.Window.Start.Unix()
	at := len(r.start) - 1
	switch {
	case at < 0 || r.start[at] < start:
		at++
		r.start, r.end, r.total = append(r.start, start), append(r.end, j.Window.End.Unix()), append(r.total, -1)
		r.values = append(r.values, make([]float64, len(r.rules))...)
	case r.start[at] > start: // a correction
		at, _ = slices.BinarySearch(r.start, start)
	}
	r.total[at] = -1
	if j.Seen.Known() {
		r.total[at] = j.Seen.Total()
	}
	r.values[at*len(r.rules)+j.Index] = j.Verdict.Value
}

// Values are what a rule saw in the windows of an operation that overlap a span, in the order of time. There are none
// without [Options].Values.
func (r *Result) Values(operation, name string, from, to time.Time) []Point {
	rec := r.recorders[operation]
	if rec == nil {
		return nil
	}
	index := slices.IndexFunc(rec.rules, func(r *rule.Rule) bool { return r.Name == name })
	if index < 0 {
		return nil
	}
	at, _ := slices.BinarySearch(rec.end, from.Unix()+1)
	var points []Point
	for ; at < len(rec.start) && rec.start[at] < to.Unix(); at++ {
		points = append(points, Point{
			Window: events.Window{Start: time.Unix(rec.start[at], 0).UTC(), End: time.Unix(rec.end[at], 0).UTC()},
			Value:  rec.values[at*len(rec.rules)+index], Total: rec.total[at],
		})
	}
	return points
}

// Thin leaves at most about n points, of neighbours the highest, so that no peak is lost.
func Thin(points []Point, n int) []Point {
	if n < 1 || len(points) <= n {
		return points
	}
	group := (len(points) + n - 1) / n
	var thin []Point
	for part := range slices.Chunk(points, group) {
		thin = append(thin, slices.MaxFunc(part, func(a, b Point) int { return compareUnknown(a.Value, b.Value) }))
	}
	return thin
}

// compareUnknown orders an unknown value before every other.
func compareUnknown(a, b float64) int {
	switch {
	case math.IsNaN(a) && math.IsNaN(b), a == b:
		return 0
	case math.IsNaN(a) || a < b:
		return -1
	}
	return 1
}
