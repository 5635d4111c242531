package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"unconnected/alerter/replay"
)

// most is how many points a plot has: more than that nobody can tell apart.
const most = 400

// plot is one chart, in percent of its width and height, from the top left.
type plot struct {
	Title    string
	Line     string  // path of the values
	Over     string  // path of what was at or beyond the threshold
	Gaps     []band  // windows of which nothing is known
	Firing   band    // from the alert's beginning to its end
	Told     float64 // when it fired
	Limit    *float64
	LimitTag string // the threshold, for people
	YTags    []tag
	XTags    []tag
}

// band is a part of the width.
type band struct{ Left, Width float64 }

// tag is a word beside an axis.
type tag struct {
	At   float64
	Text string
}

// scale turns instants and values into places.
type scale struct {
	from, to time.Time
	least    float64
	greatest float64
}

func (s *scale) x(t time.Time) float64 {
	at := 100 * float64(t.Sub(s.from)) / float64(s.to.Sub(s.from))
	return rounded(min(100, max(0, at)))
}

func (s *scale) y(v float64) float64 {
	return rounded(100 - 100*(v-s.least)/(s.greatest-s.least))
}

func rounded(v float64) float64 { return math.Round(v*100) / 100 }

// plotOf draws one alert. It is nil when nothing is known of its values.
func plotOf(r *replay.Result, a *replay.Alert, zone *time.Location, language string) *plot {
	from, to := around(r, a)
	points := replay.Thin(r.Values(a.Operation, a.Rule.Name, from, to), most)
	s, ok := scaleOf(points, a, from, to)
	if !ok {
		return nil
	}
	end := a.End
	if end.IsZero() {
		end = r.To
	}
	share := a.Rule.ValueIsShare()
	p := &plot{
		Title:  a.Rule.Title(language),
		Firing: band{s.x(a.Start), rounded(s.x(end) - s.x(a.Start))},
		Told:   s.x(a.Told),
		YTags:  []tag{{s.y(s.least), number(s.least, share)}},
		XTags:  clock(&s, zone),
	}
	p.Line, p.Over, p.Gaps = paths(points, &s, beyond(a))
	p.YTags = append(p.YTags, tag{0, number(s.greatest, share)})
	if a.Threshold != nil {
		at := s.y(*a.Threshold)
		p.Limit, p.LimitTag = &at, number(*a.Threshold, share)
	}
	return p
}

// around is the span to draw: the alert, and what was before and after it.
func around(r *replay.Result, a *replay.Alert) (from, to time.Time) {
	end := a.End
	if end.IsZero() {
		end = r.To
	}
	window := a.Told.Sub(a.Start) // at least one window, and never much more than the rule wants
	margin := max(end.Sub(a.Start)/2, 6*window, time.Minute)
	return a.Start.Add(-margin), end.Add(margin)
}

// scaleOf fits the values and the threshold. It is not ok when no value is known.
func scaleOf(points []replay.Point, a *replay.Alert, from, to time.Time) (s scale, ok bool) {
	if len(points) == 0 {
		return s, false
	}
	s.from, s.to = points[0].Window.Start, points[len(points)-1].Window.End
	if s.from.Before(from) {
		s.from = from
	}
	if s.to.After(to) {
		s.to = to
	}
	for _, p := range points {
		if !math.IsNaN(p.Value) {
			s.least, s.greatest, ok = min(s.least, p.Value), max(s.greatest, p.Value), true
		}
	}
	if a.Threshold != nil {
		s.least, s.greatest = min(s.least, *a.Threshold), max(s.greatest, *a.Threshold)
	}
	s.greatest = ceiling(s.greatest)
	if s.greatest <= s.least {
		s.greatest = s.least + 1
	}
	return s, ok && s.from.Before(s.to)
}

// ceiling is the next number above v that is easy to read: 1, 2, 2.5, 4, 5, 6 or 8 times a power of ten.
func ceiling(v float64) float64 {
	if v <= 0 {
		return 0
	}
	power := math.Pow10(int(math.Floor(math.Log10(v))))
	for _, step := range []float64{1, 2, 2.5, 4, 5, 6, 8} {
		if v <= step*power*(1+1e-9) {
			return step * power
		}
	}
	return 10 * power
}

// beyond tells whether a value is on the wrong side of the threshold; of a rule that compares with none, never.
func beyond(a *replay.Alert) func(v float64) bool {
	bound, err := a.Rule.Bound()
	if err != nil && a.Threshold == nil {
		return func(float64) bool { return false }
	}
	threshold, falling := *a.Threshold, err == nil && !bound.Rising
	return func(v float64) bool { return v >= threshold && !falling || v <= threshold && falling }
}

// paths are the line of all values, the parts of it at or beyond the threshold, and what is unknown. A value stands for
// its whole window, so that it is a horizontal step.
func paths(points []replay.Point, s *scale, beyond func(v float64) bool) (line, over string, gaps []band) {
	var whole, red strings.Builder
	known := false
	for _, p := range points {
		left, right := s.x(p.Window.Start), s.x(p.Window.End)
		if math.IsNaN(p.Value) {
			known = false
			gaps = widened(gaps, left, right)
			continue
		}
		y, pen := s.y(p.Value), "L"
		if !known {
			pen = "M"
		}
		fmt.Fprintf(&whole, "%s%g %gH%g", pen, left, y, right)
		if beyond(p.Value) {
			fmt.Fprintf(&red, "M%g %gH%g", left, y, right)
		}
		known = true
	}
	return whole.String(), red.String(), gaps
}

// widened adds an unknown window to the gaps, in one with the gap before it if they touch.
func widened(gaps []band, left, right float64) []band {
	if last := len(gaps) - 1; last >= 0 && rounded(gaps[last].Left+gaps[last].Width) >= left {
		gaps[last].Width = rounded(right - gaps[last].Left)
		return gaps
	}
	return append(gaps, band{left, rounded(right - left)})
}

// rhythms are the distances that the times below a plot may have.
var rhythms = []time.Duration{
	time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 28 * 24 * time.Hour,
}

// clock writes at most four local times below a plot, whole ones.
func clock(s *scale, zone *time.Location) (tags []tag) {
	length := s.to.Sub(s.from)
	at := slices.IndexFunc(rhythms, func(r time.Duration) bool { return length/r <= 4 })
	if at < 0 {
		at = len(rhythms) - 1
	}
	rhythm := rhythms[at]
	layout := "15:04"
	switch {
	case rhythm < time.Minute:
		layout = time.TimeOnly
	case rhythm >= 24*time.Hour:
		layout = "2 Jan"
	}
	_, offset := s.from.In(zone).Zone()
	shift := time.Duration(offset) * time.Second
	for t := s.from.Add(shift).Truncate(rhythm).Add(rhythm - shift); t.Before(s.to); t = t.Add(rhythm) {
		if x := s.x(t); x >= 4 && x <= 96 {
			tags = append(tags, tag{x, t.In(zone).Format(layout)})
		}
	}
	return tags
}
