package chart

import (
	"image"
	"strings"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// pen draws on a picture. It remembers glyphs and the first error, and serves one goroutine.
type pen struct {
	picture       *image.Paletted
	regular, bold *sfnt.Font
	buffer        sfnt.Buffer
	glyphs        map[glyphKey]glyph
	err           error
}

func newPen() (*pen, error) {
	f, err := fonts()
	if err != nil {
		return nil, err
	}
	return &pen{
		picture: image.NewPaletted(image.Rect(0, 0, Width, Height), palette),
		regular: f.regular, bold: f.bold,
		glyphs: map[glyphKey]glyph{},
	}, nil
}

func (p *pen) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// row is a part of one line of pixels, cut to the picture.
func (p *pen) row(y, left, right int) []uint8 {
	left, right = max(left, 0), min(right, Width)
	if y < 0 || y >= Height || left >= right {
		return nil
	}
	return p.picture.Pix[y*p.picture.Stride:][left:right]
}

// fill paints a rectangle.
func (p *pen) fill(r image.Rectangle, colour uint8) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := p.row(y, r.Min.X, r.Max.X)
		for x := range row {
			row[x] = colour
		}
	}
}

// hatch paints a rectangle with diagonal strokes that go on in the rectangle beside it.
func (p *pen) hatch(r image.Rectangle) {
	const pitch, stroke = 14, 4
	r = r.Intersect(p.picture.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for i, row := 0, p.row(y, r.Min.X, r.Max.X); i < len(row); i++ {
			row[i] = hatchGround
			if (r.Min.X+i+y)%pitch < stroke {
				row[i] = hatchStroke
			}
		}
	}
}

// outline paints the inner border of a rectangle.
func (p *pen) outline(r image.Rectangle, thickness int, colour uint8) {
	inner := r.Inset(thickness)
	if inner.Empty() {
		p.fill(r, colour)
		return
	}
	p.fill(image.Rect(r.Min.X, r.Min.Y, r.Max.X, inner.Min.Y), colour)
	p.fill(image.Rect(r.Min.X, inner.Max.Y, r.Max.X, r.Max.Y), colour)
	p.fill(image.Rect(r.Min.X, inner.Min.Y, inner.Min.X, inner.Max.Y), colour)
	p.fill(image.Rect(inner.Max.X, inner.Min.Y, r.Max.X, inner.Max.Y), colour)
}

// rule paints a horizontal line around y, cased in paper so that it is seen on every colour; dashed if so wanted.
func (p *pen) rule(left, right, y int, dashed bool) {
	const dash, gap = 20, 12
	p.fill(image.Rect(left, y-4, right, y+4), paper)
	if !dashed {
		p.fill(image.Rect(left, y-2, right, y+2), dark.full())
		return
	}
	for x := left; x < right; x += dash + gap {
		p.fill(image.Rect(x, y-2, min(x+dash, right), y+2), dark.full())
	}
}

// width is how many pixels a text takes.
func (p *pen) width(s style, text string) int {
	var x fixed.Int26_6
	for _, r := range text {
		x += p.glyph(s, r, 0).advance
	}
	return x.Ceil()
}

// fit cuts a text to a width, with an ellipsis. What has not even room for that is empty.
func (p *pen) fit(s style, text string, room int) string {
	var x fixed.Int26_6
	cut, ellipsis := 0, p.glyph(s, '…', 0).advance
	for at, r := range text {
		if (x+ellipsis).Ceil() <= room && r != ' ' {
			cut = at
		}
		if x += p.glyph(s, r, 0).advance; x.Ceil() > room {
			if cut == 0 {
				return ""
			}
			return strings.TrimSpace(text[:cut]) + "…"
		}
	}
	return text
}

// write puts a text on paper; x is its left end, baseline what the letters stand on.
func (p *pen) write(s style, i ink, x, baseline int, text string) {
	at := fixed.I(x)
	for _, r := range text {
		const quarter = 16
		whole := at.Floor()
		shift := (at - fixed.I(whole)) / quarter * quarter
		g := p.glyph(s, r, shift)
		p.stamp(g.mask, i, whole, baseline)
		at += g.advance
	}
}

// stamp inks a glyph. Where it touches its neighbour the darker step stays.
func (p *pen) stamp(mask *image.Alpha, i ink, x, baseline int) {
	if mask == nil {
		return
	}
	place := mask.Rect.Add(image.Pt(x, baseline)).Intersect(p.picture.Rect)
	for y := place.Min.Y; y < place.Max.Y; y++ {
		cover := mask.Pix[mask.PixOffset(place.Min.X-x, y-baseline):]
		for at, old := range p.row(y, place.Min.X, place.Max.X) {
			level := (int(cover[at])*levels + 127) / 255
			if level == 0 {
				continue
			}
			step := uint8(i) + uint8(level-1)
			if old >= uint8(i) && old <= i.full() {
				step = max(step, old)
			}
			p.picture.Pix[y*p.picture.Stride+place.Min.X+at] = step
		}
	}
}
