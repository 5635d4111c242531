package chart

import "image/color"

// Colours by their index. Vermilion against blues is told apart with every kind of colour blindness, and the blues differ
// in lightness.
const (
	paper uint8 = iota
	edge        // around the picture and around light swatches
	grid
	hatchGround
	hatchStroke
	bars // of the volume
	alerting1
	alerting2
	alerting3
	other1
	other2
	other3
	others
	solids // how many there are
)

// levels is how many steps of coverage text has besides none.
const levels = 15

// ink is what text is written with: the index of its lightest step. Steps are blended with paper, so text may stand on
// nothing else.
type ink uint8

const (
	dark   ink = ink(solids)
	muted  ink = dark + levels
	strong ink = muted + levels
)

// full is the index of an ink's own colour.
func (i ink) full() uint8 { return uint8(i) + levels - 1 }

var rgb = [solids]color.RGBA{
	paper:       {0xff, 0xff, 0xff, 0xff},
	edge:        {0xc4, 0xcc, 0xd4, 0xff},
	grid:        {0xdd, 0xe2, 0xe7, 0xff},
	hatchGround: {0xf3, 0xf3, 0xf3, 0xff},
	hatchStroke: {0xb4, 0xb4, 0xb4, 0xff},
	bars:        {0x6b, 0x7f, 0x92, 0xff},
	alerting1:   {0xd9, 0x48, 0x01, 0xff},
	alerting2:   {0xf5, 0x9a, 0x4c, 0xff},
	alerting3:   {0x8a, 0x2f, 0x06, 0xff},
	other1:      {0x8f, 0xb1, 0xd0, 0xff},
	other2:      {0xc2, 0xd7, 0xe8, 0xff},
	other3:      {0x64, 0x87, 0xa8, 0xff},
	others:      {0xe6, 0xea, 0xee, 0xff},
}

var inks = []color.RGBA{{0x1b, 0x24, 0x2e, 0xff}, {0x55, 0x61, 0x6d, 0xff}, {0xbf, 0x3c, 0x00, 0xff}}

// palette holds the solid colours and then each ink's steps, from the lightest.
var palette = func() color.Palette {
	var p color.Palette
	for _, c := range rgb {
		p = append(p, c)
	}
	for _, c := range inks {
		for level := 1; level <= levels; level++ {
			p = append(p, blend(c, rgb[paper], level))
		}
	}
	return p
}()

// blend lays a colour over another, covering level of all levels of it.
func blend(over, under color.RGBA, level int) color.RGBA {
	mix := func(o, u uint8) uint8 {
		return uint8((int(o)*level + int(u)*(levels-level) + levels/2) / levels)
	}
	return color.RGBA{mix(over.R, under.R), mix(over.G, under.G), mix(over.B, under.B), 0xff}
}
