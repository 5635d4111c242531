package chart

import (
	"image"
	"time"
)

// rhythms are the distances that the hours under a plot may have.
var rhythms = []time.Duration{
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 4 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// tick is a mark on the time axis.
type tick struct {
	at       time.Time // in the zone
	midnight bool      // the first instant of a day
}

// ticks are the whole hours of the local clock within the axis, and the days' beginnings. They are found by looking at
// the clock in small steps, so that hours that are skipped or repeated are right.
func ticks(s span, rhythm time.Duration, zone *time.Location) (all []tick) {
	step := int64(15 * 60)
	if rhythm < 15*time.Minute {
		step = 60
	}
	at := floorDiv(s.from, step) * step
	before := time.Unix(at-step, 0).In(zone)
	for ; at < s.to; at += step {
		now := time.Unix(at, 0).In(zone)
		ofDay := time.Duration(now.Hour())*time.Hour + time.Duration(now.Minute())*time.Minute
		midnight := now.After(before) && later(now, before)
		if at >= s.from && (midnight || ofDay%rhythm == 0 && now.Second() == 0) {
			all = append(all, tick{now, midnight})
		}
		before = now
	}
	return all
}

// later tells whether the local day of t is after that of the instant before.
func later(t, before time.Time) bool {
	if t.Year() != before.Year() {
		return t.Year() > before.Year()
	}
	return t.YearDay() > before.YearDay()
}

// axis writes the local hours under the last plot, and the date where a day begins.
func (d *drawing) axis() {
	bottom := d.main.Max.Y
	if d.shares {
		bottom = d.volume.Max.Y
	} else {
		bottom += gap + barTall
	}
	const apart = 125 // pixels, at least, between two hours
	rhythm := rhythms[len(rhythms)-1]
	for _, r := range rhythms {
		if int64(r/time.Second)*int64(d.main.Dx()) >= apart*(d.during.to-d.during.from) {
			rhythm = r
			break
		}
	}
	all := ticks(d.during, rhythm, d.zone)
	var taken []image.Rectangle
	for _, midnights := range []bool{true, false} {
		for _, t := range all {
			if t.midnight == midnights {
				taken = d.tick(t, bottom, taken)
			}
		}
	}
}

// tick draws one tick and, where no other text is in the way, its time.
func (d *drawing) tick(t tick, bottom int, taken []image.Rectangle) []image.Rectangle {
	s, i, text, length := textStyle, muted, t.at.Format("15:04"), 8
	if t.midnight {
		s, i, text, length = markStyle, dark, d.fit(markStyle, clean(d.words.Date(t.at)), axisRoom), 14
	}
	x, wide := d.x(t.at.Unix()), d.width(s, text)
	d.fill(image.Rect(x-1, bottom, x+1, bottom+length), i.full())
	r := image.Rect(x-wide/2, bottom, x-wide/2+wide, bottom+axisRow)
	if r.Min.X < margin || r.Max.X > Width-margin/2 {
		return taken
	}
	for _, other := range taken {
		if r.Inset(-gap).Overlaps(other) {
			return taken
		}
	}
	d.write(s, i, r.Min.X, bottom+43, text)
	return append(taken, r)
}
