package chart

import (
	"errors"
	"fmt"
	"image"
	"image/draw"
	"sync"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// style is a font in a size.
type style struct {
	bold bool
	size int // pixels per em
}

var (
	titleStyle = style{true, 52}
	labelStyle = style{true, 42}
	textStyle  = style{false, 34}
	markStyle  = style{true, 34} // what stands out in a row of textStyle
)

// fonts are parsed once; a Font may be read by several goroutines, each with a Buffer of its own.
var fonts = sync.OnceValues(func() (f struct{ regular, bold *sfnt.Font }, err error) {
	if f.regular, err = sfnt.Parse(goregular.TTF); err != nil {
		return f, err
	}
	f.bold, err = sfnt.Parse(gobold.TTF)
	return f, err
})

// glyph is a drawn character.
type glyph struct {
	mask    *image.Alpha // its bounds are relative to the place of writing; nil for a space
	advance fixed.Int26_6
}

// glyphKey names a glyph: where it begins within a pixel matters too, in 26.6.
type glyphKey struct {
	style
	index sfnt.GlyphIndex
	shift fixed.Int26_6
}

// steps is how many straight lines a curve becomes. Curves of letters are short.
const steps = 6

// maxGlyph is well below the size from which the rasterizer computes in floating point.
const maxGlyph = 256

var errGlyph = errors.New("a glyph is not made of lines and quadratic curves, or is too large")

// rasterize draws the outline of a glyph.
//
// The rasterizer works in fixed point; before that it multiplies, subtracts and divides float32, operations that IEEE 754
// defines to the bit. Flattening curves would add products, which some architectures fuse and others do not, so it is
// done here, in integers of 1/1024 pixel, which a float32 holds exactly.
func rasterize(outline sfnt.Segments, shift fixed.Int26_6) (*image.Alpha, error) {
	if len(outline) == 0 {
		return nil, nil
	}
	box := outline.Bounds()
	bounds := image.Rect((box.Min.X + shift).Floor(), box.Min.Y.Floor(), (box.Max.X + shift).Ceil(), box.Max.Y.Ceil())
	if bounds.Empty() || bounds.Dx() > maxGlyph || bounds.Dy() > maxGlyph {
		return nil, errGlyph
	}
	z := vector.NewRasterizer(bounds.Dx(), bounds.Dy())
	z.DrawOp = draw.Src
	var at fixed.Point26_6
	local := func(p fixed.Point26_6) fixed.Point26_6 {
		return p.Add(fixed.Point26_6{X: shift - fixed.I(bounds.Min.X), Y: -fixed.I(bounds.Min.Y)})
	}
	for _, s := range outline {
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			at = local(s.Args[0])
			z.ClosePath()
			z.MoveTo(float32(at.X)/64, float32(at.Y)/64)
		case sfnt.SegmentOpLineTo:
			at = local(s.Args[0])
			z.LineTo(float32(at.X)/64, float32(at.Y)/64)
		case sfnt.SegmentOpQuadTo:
			by, to := local(s.Args[0]), local(s.Args[1])
			for i := 1; i <= steps; i++ {
				z.LineTo(onCurve(at.X, by.X, to.X, i), onCurve(at.Y, by.Y, to.Y, i))
			}
			at = to
		default:
			return nil, errGlyph
		}
	}
	z.ClosePath()
	mask := image.NewAlpha(image.Rect(0, 0, bounds.Dx(), bounds.Dy()))
	z.Draw(mask, mask.Rect, image.Opaque, image.Point{})
	mask.Rect = bounds
	return mask, nil
}

// onCurve is one coordinate of a quadratic Bézier curve at i of all steps, in pixels, rounded to 1/1024.
func onCurve(a, b, c fixed.Int26_6, i int) float32 {
	t, rest := int64(i), int64(steps-i)
	sum := int64(a)*rest*rest + 2*int64(b)*rest*t + int64(c)*t*t
	return float32(sum*16/(steps*steps)) / 1024
}

// glyph is one character of a style, drawn or remembered.
func (p *pen) glyph(s style, r rune, shift fixed.Int26_6) glyph {
	font := p.regular
	if s.bold {
		font = p.bold
	}
	index, err := font.GlyphIndex(&p.buffer, r)
	key := glyphKey{s, index, shift}
	if g, ok := p.glyphs[key]; ok || err != nil {
		p.fail(err)
		return g
	}
	var g glyph
	outline, err := font.LoadGlyph(&p.buffer, index, fixed.I(s.size), nil)
	if err == nil {
		g.mask, err = rasterize(outline, shift)
	}
	if err == nil {
		g.advance, err = font.GlyphAdvance(&p.buffer, index, fixed.I(s.size), 0)
	}
	if err != nil {
		p.fail(fmt.Errorf("glyph %U: %w", r, err))
	}
	p.glyphs[key] = g
	return g
}
