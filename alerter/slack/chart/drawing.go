package chart

import (
	"image"
	"time"
)

// Places that do not depend on what is drawn, in pixels.
const (
	margin     = 28 // to the edge of the picture
	titleLine  = 66 // baseline
	legendTop  = 92
	legendRow  = 46
	captionRow = 50 // over a plot
	axisRow    = 50 // under the last plot
	stripTall  = 92
	barTall    = 10 // the incident
	gap        = 8
	axisRoom   = 170 // at most, for the numbers left of the plot
)

// drawing is a picture in the making.
type drawing struct {
	*pen
	chart    *Chart
	words    Words
	zone     *time.Location
	during   span
	bands    []band
	columns  []column
	window   int64  // seconds that volumes are told for
	ceiling  uint64 // of the volumes' scale
	shares   bool   // a stack of shares, with the volume below
	anything bool   // something is known

	below            int             // the end of what is above the plots
	main, volume     image.Rectangle // plots; volume is empty without shares
	threshold, usual *level
}

// level is a value with a line of its own.
type level struct {
	value float64
	text  string
}

func newDrawing(c *Chart, p *pen) *drawing {
	d := &drawing{pen: p, chart: c, words: c.Words.english(), zone: c.Zone, during: axisOf(c), window: windowLength(c)}
	if d.zone == nil {
		d.zone = time.UTC
	}
	d.shares = len(c.Results) > 0
	d.pool()
	for i := range d.columns {
		d.anything = d.anything || !d.columns[i].unknown()
	}
	d.threshold, d.usual = d.level(c.Threshold), d.level(c.Usual)
	d.scale()
	return d
}

func (d *drawing) level(v *float64) *level {
	value, ok := finite(v)
	if !ok {
		return nil
	}
	write := d.words.Number
	if d.shares {
		write = d.words.Percent
	}
	return &level{value, clean(write(value))}
}

// scale sets the ceiling of the volumes.
func (d *drawing) scale() {
	var greatest uint64
	for i := range d.columns {
		if !d.columns[i].unknown() {
			greatest = max(greatest, d.columns[i].volume(d.window)/thousandths)
		}
	}
	for _, l := range []*level{d.threshold, d.usual} {
		if l != nil && !d.shares && l.value > 0 {
			greatest = max(greatest, uint64(min(l.value, hugeVolume)))
		}
	}
	d.ceiling = ceiling(greatest)
}

// ceiling is the next number above v that is easy to read.
func ceiling(v uint64) uint64 {
	for power := uint64(1); ; power *= 10 {
		for _, step := range []uint64{1, 2, 3, 4, 5, 6, 8} {
			if v < step*power {
				return step * power
			}
		}
	}
}

// title writes the first line.
func (d *drawing) title() {
	d.outline(d.picture.Rect, 2, edge)
	if d.chart.Title != "" {
		d.write(titleStyle, dark, margin, titleLine, d.fit(titleStyle, clean(d.chart.Title), Width-2*margin))
	}
}

// place divides what is left below the legend among the plots.
func (d *drawing) place() {
	left := margin
	for _, text := range d.leftTexts() {
		left = max(left, margin+min(d.width(markStyle, text), axisRoom)+gap+4)
	}
	top, right, bottom := d.below+captionRow, Width-margin, Height-axisRow-gap
	if !d.shares {
		d.main = image.Rect(left, top, right, bottom-barTall-gap)
		return
	}
	d.volume = image.Rect(left, bottom-stripTall, right, bottom)
	d.main = image.Rect(left, top, right, d.volume.Min.Y-captionRow-barTall)
}

// leftTexts are the numbers beside the plots.
func (d *drawing) leftTexts() []string {
	texts := []string{clean(d.words.Number(float64(d.ceiling)))}
	if d.shares {
		texts = append(texts, clean(d.words.Percent(1)))
	}
	for _, l := range []*level{d.threshold, d.usual} {
		if l != nil {
			texts = append(texts, l.text)
		}
	}
	return texts
}

// x is where an instant is, in Unix seconds; it may be outside the plot.
func (d *drawing) x(at int64) int {
	at = min(max(at, d.during.from-1), d.during.to+1)
	wide := int64(d.main.Dx())
	return d.main.Min.X + int(floorDiv((at-d.during.from)*wide, d.during.to-d.during.from))
}

// y is how far above the bottom of the main plot a level is; not ok when there is none, or it is not within the plot.
func (d *drawing) y(l *level) (above int, ok bool) {
	if l == nil {
		return 0, false
	}
	value := l.value
	if !d.shares {
		value /= float64(d.ceiling)
	}
	return int(value * float64(d.main.Dy())), value >= 0 && value <= 1
}
