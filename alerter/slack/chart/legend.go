package chart

import "image"

// entry is a part of the legend: a sample and what it means.
type entry struct {
	text   string
	sample func(image.Rectangle)
}

// Sizes of the legend, in pixels. Names are cut to the widest of the limits with which the legend takes few rows.
const (
	sampleWide = 40
	sampleTall = 30
	legendGap  = 30
	legendRows = 3
)

var nameLimits = []int{620, 420, 300, 220, 160, 120}

// legend writes what the colours and lines mean.
func (d *drawing) legend() {
	entries := d.entries()
	var rows [][]entry
	for _, limit := range nameLimits {
		if rows = d.wrap(entries, limit); len(rows) <= legendRows {
			break
		}
	}
	d.below = legendTop
	for _, row := range rows {
		x := margin
		for _, e := range row {
			baseline := d.below + legendRow - 14
			e.sample(image.Rect(x, baseline+3-sampleTall, x+sampleWide, baseline+3))
			d.write(textStyle, dark, x+sampleWide+gap+2, baseline, e.text)
			x += d.taken(e)
		}
		d.below += legendRow
	}
}

// wrap cuts the names and breaks the legend into rows.
func (d *drawing) wrap(entries []entry, limit int) (rows [][]entry) {
	x := Width
	for _, e := range entries {
		e.text = d.fit(textStyle, e.text, limit)
		if x+d.taken(e)-legendGap > Width-margin {
			rows, x = append(rows, nil), margin
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], e)
		x += d.taken(e)
	}
	return rows
}

// taken is how wide an entry is, with the gap behind it.
func (d *drawing) taken(e entry) int {
	return sampleWide + gap + 2 + d.width(textStyle, e.text) + legendGap
}

// entries are what the legend explains: what there is in the picture, and no more.
func (d *drawing) entries() []entry {
	var all []entry
	if d.shares {
		for _, b := range d.bands {
			all = append(all, entry{b.name, func(r image.Rectangle) { d.swatch(r, b.colour) }})
		}
	}
	line := func(l *level, name string, dashed bool) {
		if l != nil {
			all = append(all, entry{clean(name) + " " + l.text, func(r image.Rectangle) {
				d.rule(r.Min.X, r.Max.X, (r.Min.Y+r.Max.Y)/2, dashed)
			}})
		}
	}
	line(d.threshold, d.words.Threshold, false)
	line(d.usual, d.words.Usual, true)
	if !d.chart.Since.IsZero() {
		all = append(all, entry{clean(d.words.Incident), func(r image.Rectangle) {
			middle := (r.Min.Y + r.Max.Y) / 2
			d.fill(image.Rect(r.Min.X, middle-barTall/2, r.Max.X, middle+barTall/2), strong.full())
		}})
	}
	for i := range d.columns {
		if d.columns[i].unknown() {
			return append(all, entry{clean(d.words.NoData), func(r image.Rectangle) {
				d.hatch(r)
				d.outline(r, 2, edge)
			}})
		}
	}
	return all
}

// swatch is a filled sample.
func (d *drawing) swatch(r image.Rectangle, colour uint8) {
	d.fill(r, colour)
	if colour == others || colour == other2 {
		d.outline(r, 2, edge)
	}
}
