package chart

import (
	"image"
	"slices"
)

// plot draws the main plot, with its caption and its lines.
func (d *drawing) plot() {
	caption := d.words.Volume
	if d.shares {
		caption = d.words.Share
	}
	d.caption(caption, d.main)
	d.ground(d.main)
	for i := range d.columns {
		c := &d.columns[i]
		r := image.Rect(d.x(c.from), d.main.Min.Y, d.x(c.to), d.main.Max.Y)
		switch {
		case c.unknown():
			d.hatch(r)
		case d.shares:
			d.stack(c, r)
		default:
			d.bar(c, r)
		}
	}
	d.gridline()
	d.levels()
	d.incident()
	if !d.anything {
		d.say(d.words.NoData)
	} else if d.silent() {
		d.say(d.words.NoCalls)
	}
}

// stack draws the shares of a column from the bottom up.
func (d *drawing) stack(c *column, r image.Rectangle) {
	tall := uint64(r.Dy())
	var sum, drawn uint64
	for i, b := range d.bands {
		sum = plus(sum, c.bands[i])
		if c.total == 0 {
			return
		}
		top := min(scaled(sum, tall, c.total), tall)
		d.fill(image.Rect(r.Min.X, r.Max.Y-int(top), r.Max.X, r.Max.Y-int(drawn)), b.colour)
		drawn = top
	}
}

// bar draws the volume of a column. The least of calls can be seen.
func (d *drawing) bar(c *column, r image.Rectangle) {
	if c.total == 0 {
		return
	}
	tall := min(scaled(c.volume(d.window), uint64(r.Dy()), d.ceiling*thousandths), uint64(r.Dy()))
	d.fill(image.Rect(r.Min.X, r.Max.Y-max(int(tall), 2), r.Max.X, r.Max.Y), bars)
}

// strip draws the volume under the stack.
func (d *drawing) strip() {
	if !d.shares {
		return
	}
	d.caption(d.words.Volume, d.volume)
	d.ground(d.volume)
	for i := range d.columns {
		c := &d.columns[i]
		r := image.Rect(d.x(c.from), d.volume.Min.Y, d.x(c.to), d.volume.Max.Y)
		if c.unknown() {
			d.hatch(r)
		} else {
			d.bar(c, r)
		}
	}
	if !d.silent() {
		d.beside(textStyle, muted, d.volume.Min.Y+25, clean(d.words.Number(float64(d.ceiling))))
	}
	d.fill(image.Rect(d.volume.Min.X, d.volume.Max.Y-2, d.volume.Max.X, d.volume.Max.Y), muted.full())
}

// caption says over a plot what it shows.
func (d *drawing) caption(text string, plot image.Rectangle) {
	room := plot.Dx()
	if plot == d.main && d.chart.Label != "" {
		left, _ := d.labelPlace()
		room = left - legendGap - plot.Min.X
	}
	d.write(textStyle, muted, plot.Min.X, plot.Min.Y-13, d.fit(textStyle, clean(text), room))
}

// labelPlace is where what is said of the framed window begins, and the text.
func (d *drawing) labelPlace() (x int, text string) {
	text = d.fit(labelStyle, clean(d.chart.Label), d.main.Dx())
	wide := d.width(labelStyle, text)
	middle := d.main.Max.X
	if frame, ok := d.framed(d.main); ok {
		middle = (frame.Min.X + frame.Max.X) / 2
	}
	return max(min(middle-wide/2, Width-margin-wide), d.main.Min.X), text
}

// ground draws what is seen of a plot where there are no calls.
func (d *drawing) ground(plot image.Rectangle) {
	d.fill(image.Rect(plot.Min.X, plot.Min.Y, plot.Max.X, plot.Min.Y+2), grid)
	d.fill(image.Rect(plot.Min.X, plot.Max.Y-2, plot.Max.X, plot.Max.Y), grid)
}

// gridline halves the main plot, in paper where it crosses a colour.
func (d *drawing) gridline() {
	y := (d.main.Min.Y + d.main.Max.Y) / 2
	for i, colour := range d.row(y, d.main.Min.X, d.main.Max.X) {
		line := grid
		if colour != paper && colour != hatchGround && colour != hatchStroke {
			line = paper
		}
		x := d.main.Min.X + i
		d.fill(image.Rect(x, y-1, x+1, y+1), line)
	}
	d.fill(image.Rect(d.main.Min.X, d.main.Max.Y-2, d.main.Max.X, d.main.Max.Y), muted.full())
}

// lineHeight is how far apart the middles of two numbers beside a plot must be.
const lineHeight = 36

// levels draws threshold and usual value, and the numbers beside the plot: the threshold's first, others where there is
// room.
func (d *drawing) levels() {
	var taken []int
	number := func(s style, i ink, above int, text string) {
		for _, y := range taken {
			if above-y < lineHeight && y-above < lineHeight {
				return
			}
		}
		taken = append(taken, above)
		middle := min(max(d.main.Max.Y-above, d.main.Min.Y+10), d.main.Max.Y-8)
		d.beside(s, i, middle+12, text)
	}
	lines := []*level{d.threshold, d.usual}
	for i, l := range slices.Backward(lines) {
		if above, ok := d.y(l); ok {
			d.rule(d.main.Min.X, d.main.Max.X, d.main.Max.Y-above, i > 0)
		}
	}
	for _, l := range lines {
		if above, ok := d.y(l); ok {
			number(markStyle, dark, above, l.text)
		}
	}
	for half, text := range d.halves() {
		number(textStyle, muted, d.main.Dy()*half/2, text)
	}
}

// halves are the numbers of the main plot's scale, from the bottom; only none where nothing is known to be more.
func (d *drawing) halves() []string {
	var texts []string
	for half := range 3 {
		switch {
		case d.shares:
			texts = append(texts, clean(d.words.Percent(float64(half)/2)))
		case half == 0 || d.ceiling > 1:
			texts = append(texts, clean(d.words.Number(float64(d.ceiling)/2*float64(half))))
		}
	}
	return texts
}

// beside writes a number left of the plots, flush right.
func (d *drawing) beside(s style, i ink, baseline int, text string) {
	text = d.fit(s, text, d.main.Min.X-margin-gap)
	d.write(s, i, d.main.Min.X-gap-4-d.width(s, text), baseline, text)
}

// incident draws the bar that lasts as long as the incident.
func (d *drawing) incident() {
	if d.chart.Since.IsZero() {
		return
	}
	until := d.during.to
	if !d.chart.Until.IsZero() {
		until = d.chart.Until.Unix()
	}
	left, right := max(d.x(d.chart.Since.Unix()), d.main.Min.X), min(d.x(until), d.main.Max.X)
	if d.chart.Since.Unix() >= d.during.to || until <= d.during.from {
		return
	}
	top := d.main.Max.Y + 6
	d.fill(image.Rect(min(left, right-6), top, right, top+barTall), strong.full())
}

// silent tells whether nothing that is known is a call.
func (d *drawing) silent() bool {
	for i := range d.columns {
		if d.columns[i].total > 0 {
			return false
		}
	}
	return true
}

// say writes a few words in the middle of an empty plot.
func (d *drawing) say(text string) {
	text = d.fit(labelStyle, clean(text), d.main.Dx()-4*margin)
	wide := d.width(labelStyle, text)
	x, y := (d.main.Min.X+d.main.Max.X-wide)/2, (d.main.Min.Y+d.main.Max.Y)/2
	d.fill(image.Rect(x-margin, y-40, x+wide+margin, y+40), paper)
	d.write(labelStyle, muted, x, y+14, text)
}

// framed is where the framed window is in a plot, as whole columns; not ok when it is not within the axis.
func (d *drawing) framed(plot image.Rectangle) (r image.Rectangle, ok bool) {
	for _, c := range d.columns {
		if c.from < d.chart.Framed.End.Unix() && d.chart.Framed.Start.Unix() < c.to {
			r = r.Union(image.Rect(d.x(c.from), plot.Min.Y, d.x(c.to), plot.Max.Y))
		}
	}
	return r, !r.Empty()
}

// frame marks the framed window in each plot and says its label.
func (d *drawing) frame() {
	for _, plot := range []image.Rectangle{d.main, d.volume} {
		if r, ok := d.framed(plot); ok && !plot.Empty() {
			d.outline(r.Inset(-5), 5, paper)
			d.outline(r.Inset(-4), 3, dark.full())
		}
	}
	if d.chart.Label != "" {
		x, text := d.labelPlace()
		d.write(labelStyle, strong, x, d.main.Min.Y-14, text)
	}
}
