package chart

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math"
	"time"

	"unconnected/events"
)

// Width and Height are those of every picture, in pixels: Slack shows it about 360 wide, where text is then as large as
// that of a caption.
const (
	Width  = 1200
	Height = 800
)

// Spans that a picture can show. Others are brought within these bounds: the end stays.
const (
	usualSpan = 24 * time.Hour
	shortest  = time.Minute
	longest   = 8 * 24 * time.Hour
)

// Chart is what to draw. The zero Chart is a picture that says "no data". A Chart is not changed by drawing, so that
// several goroutines may draw one at the same time.
type Chart struct {
	// Title says what and where: "Congestion · Ventas Bogotá". It is cut to one line, like all texts.
	Title string
	// Label is said above the framed window: "44% of 185 calls". May be empty.
	Label string

	// From and To are the ends of the time axis, half-open. A zero To is the end of the last window, a zero From 24 hours
	// before To. At most the eight days before To are drawn.
	From, To time.Time
	// Windows in any order, each once; those outside the axis are ignored. Time that no window covers is not known.
	Windows []Window
	// Results are the names of those that alert, the lowest in the stack first. Without any, the plot is the volume.
	Results []string

	// Threshold and Usual are shares between 0 and 1; without Results, calls in a window as long as Framed. Nil, NaN and
	// infinite ones are not drawn.
	Threshold, Usual *float64
	// Framed is the window that the message is about; the zero Window frames none.
	Framed events.Window
	// Since and Until are the beginning and the end of the incident. A zero Since draws none; a zero Until is one that
	// has not ended.
	Since, Until time.Time

	// Zone is that of the hours on the axis; nil is UTC.
	Zone *time.Location
	// Words are the texts; the zero Words are English.
	Words Words
}

// Window is how one window's calls ended.
type Window struct {
	events.Window
	// Counts are the calls by result, negative ones counted as none. Nil, unlike empty, says that nothing is known of the
	// window: it was missed, or is ambiguous.
	Counts map[string]int64
}

// PNG is the picture, with an opaque background. Equal Charts give equal pixels. The error is that of a damaged font or
// encoder, and nothing that a Chart says can cause it.
func (c *Chart) PNG() ([]byte, error) {
	picture, err := c.draw()
	if err != nil {
		return nil, fmt.Errorf("draw chart: %w", err)
	}
	var b bytes.Buffer
	if err := encoder.Encode(&b, picture); err != nil {
		return nil, fmt.Errorf("encode chart: %w", err)
	}
	return b.Bytes(), nil
}

// encoder takes half the time of the default for a third more bytes: a flat picture stays below 60 KB either way.
var encoder = png.Encoder{CompressionLevel: png.BestSpeed}

// draw is the picture before encoding.
func (c *Chart) draw() (*image.Paletted, error) {
	p, err := newPen()
	if err != nil {
		return nil, err
	}
	d := newDrawing(c, p)
	d.title()
	d.legend()
	d.place()
	d.plot()
	d.strip()
	d.axis()
	d.frame()
	return p.picture, p.err
}

// finite is what a pointer points to, if that can be drawn.
func finite(v *float64) (float64, bool) {
	if v == nil || math.IsNaN(*v) || math.IsInf(*v, 0) {
		return 0, false
	}
	return *v, true
}
