package chart

import (
	"fmt"
	"image"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/font/sfnt"

	"unconnected/events"
)

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

// TestClean: what is left of texts that others choose.
func TestClean(t *testing.T) {
	for text, want := range map[string]string{
		"Ventas Bogotá":                  "Ventas Bogotá",
		"Bogota\u0301":                   "Bogotá", // typed on a Mac
		" two\tlines\r\n and\u00a0more ": "two lines and more",
		"right\u202eto left\u200b":       "rightto left",
		"\x1b[31mred\x00":                "[31mred",
		"":                               "?",
		"\u0301\u0302 \n":                "?",
		"bad \xff":                       "bad \ufffd",
		strings.Repeat("ñ", 5000):        strings.Repeat("ñ", longestText),
	} {
		if got := clean(text); got != want {
			t.Errorf("clean(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestGlyphs: the font draws what both languages need.
func TestGlyphs(t *testing.T) {
	p, err := newPen()
	if err != nil {
		t.Fatal(err)
	}
	for _, font := range []*sfnt.Font{p.regular, p.bold} {
		for _, r := range "áéíóúüñÁÉÍÓÚÜÑ¿¡%·–−…()0123456789" {
			if index, err := font.GlyphIndex(&p.buffer, r); index == 0 || err != nil {
				t.Errorf("glyph %d of %q, error %v", index, r, err)
			}
		}
	}
}

// TestFit: a text that is cut is as wide as there is room, and no wider.
func TestFit(t *testing.T) {
	p, err := newPen()
	if err != nil {
		t.Fatal(err)
	}
	const text = "Llamado demasiadas veces (TCPA) ñandú WWWW iiii"
	whole := p.width(textStyle, text)
	for room := -5; room < whole+5; room++ {
		got := p.fit(textStyle, text, room)
		switch {
		case p.width(textStyle, got) > max(room, 0):
			t.Errorf("%d pixels: %q is %d wide", room, got, p.width(textStyle, got))
		case room >= whole && got != text:
			t.Errorf("%d pixels: %q is cut without need", room, got)
		case room > 60 && room < whole && !strings.HasSuffix(got, "…"):
			t.Errorf("%d pixels: %q does not say that it is cut", room, got)
		}
	}
}

// TestPitch: how many seconds a column takes.
func TestPitch(t *testing.T) {
	day := span{0, 24 * 3600}
	for _, test := range []struct {
		during       span
		window, want int64
	}{
		{day, 300, 300},
		{day, 3600, 3600},
		{day, 450, 450},
		{day, 1, 300},
		{day, 10, 300},
		{day, 8, 360},
		{day, 25, 300},
		{day, 16, 400},
		{day, 7, 294}, // divides no hour
		{day, 24 * 3600, 24 * 3600},
		{span{0, 600}, 10, 10},
		{span{0, 8 * 24 * 3600}, 300, 3600},
	} {
		got := pitch(test.during, test.window)
		if got != test.want || (test.during.to-test.during.from)/got > most {
			t.Errorf("pitch(%v, %d) = %d, want %d", test.during, test.window, got, test.want)
		}
	}
}

// window is one of some seconds, with so many calls that were congestion and so many others; fewer than none is unknown.
func window(from, length, bad, good int64) Window {
	w := Window{Window: events.Window{Start: time.Unix(from, 0), End: time.Unix(from+length, 0)}}
	if bad >= 0 {
		w.Counts = map[string]int64{"congestion": bad, "busy": good}
	}
	return w
}

// TestPool: what becomes of windows in columns of 60 seconds.
func TestPool(t *testing.T) {
	bands := func(result string) int {
		if result == "congestion" {
			return 0
		}
		return 1
	}
	for _, test := range []struct {
		name    string
		during  span
		windows []Window
		want    string // per column: congestion/total, calls in 30 s in thousandths; ? unknown
	}{
		{"nothing", span{0, 120}, nil, "? ?"},
		{"one each", span{0, 120}, []Window{window(60, 60, 1, 3), window(0, 60, 0, 2)}, "0/2 1000, 1/4 2000,"},
		{"pooled", span{0, 60}, []Window{window(0, 30, 1, 3), window(30, 30, 2, 2)}, "3/8 4000,"},
		{"no calls", span{0, 60}, []Window{window(0, 60, 0, 0)}, "0/0 0,"},
		{"half known, the mean of what is", span{0, 60}, []Window{window(0, 30, 1, 3), window(30, 30, -1, 0)}, "1/4 4000,"},
		{"less than half known", span{0, 60}, []Window{window(0, 20, 1, 3)}, "?"},
		{"columns cut by the axis", span{30, 90}, []Window{window(0, 60, 1, 1), window(60, 60, 0, 1)}, "1/2 1000, 0/1 500,"},
		{"a window over two columns", span{0, 120}, []Window{window(0, 120, 4, 4)}, "4/8 2000, 4/8 2000,"},
		{"outside", span{0, 60}, []Window{window(-60, 60, 9, 9), window(60, 60, 9, 9)}, "?"},
		{"before 1970", span{-60, 0}, []Window{window(-60, 60, 1, 0)}, "1/1 500,"},
		{"backwards", span{0, 60}, []Window{window(30, -20, 9, 9)}, "?"},
		{"negative counts", span{0, 60}, []Window{window(0, 60, 0, -5)}, "0/0 0,"},
	} {
		var got strings.Builder
		for _, c := range pool(test.windows, test.during, 60, 2, bands) {
			if c.unknown() {
				got.WriteString("? ")
				continue
			}
			fmt.Fprintf(&got, "%d/%d %d, ", c.bands[0], c.total, c.volume(30))
		}
		if strings.TrimSpace(got.String()) != test.want {
			t.Errorf("%s: %s, want %s", test.name, got.String(), test.want)
		}
	}
}

func TestScaled(t *testing.T) {
	const most = math.MaxUint64
	for _, test := range [][4]uint64{
		{1, 100, 3, 33}, {2, 100, 3, 67}, {0, 9, 1, 0}, {most, most, most, most}, {most, 400, most, 400},
		{most, 2, 1, most}, {most, most - 1, most, most - 1}, {1, 1, 2, 1},
	} {
		if got := scaled(test[0], test[1], test[2]); got != test[3] {
			t.Errorf("scaled(%d, %d, %d) = %d, want %d", test[0], test[1], test[2], got, test[3])
		}
	}
}

func TestCeiling(t *testing.T) {
	for v, want := range map[uint64]uint64{0: 1, 1: 2, 2: 3, 5: 6, 9: 10, 10: 20, 199: 200, 200: 300, 312: 400, 8000: 10000, 1e15: 2e15} {
		if got := ceiling(v); got != want {
			t.Errorf("ceiling(%d) = %d, want %d", v, got, want)
		}
	}
}

// TestTicks: the local hours, on days that have 23 or 25 of them too.
func TestTicks(t *testing.T) {
	for _, test := range []struct {
		name, from, to, zone string
		rhythm               time.Duration
		want                 string
	}{
		{"a plain day", "2026-11-23T20:05:00Z", "2026-11-24T20:05:00Z", "America/Bogota", 3 * time.Hour,
			"18:00 21:00 *00:00 03:00 06:00 09:00 12:00 15:00"},
		{"clocks forward at 2", "2027-03-14T04:00:00Z", "2027-03-14T16:00:00Z", "America/New_York", 2 * time.Hour,
			"*00:00 04:00 06:00 08:00 10:00"},
		{"clocks back at 2", "2026-11-01T03:00:00Z", "2026-11-01T10:00:00Z", "America/New_York", time.Hour,
			"23:00 *00:00 01:00 01:00 02:00 03:00 04:00"},
		{"no midnight", "2026-09-06T02:00:00Z", "2026-09-06T06:00:00Z", "America/Santiago", time.Hour,
			"22:00 23:00 *01:00 02:00"},
		{"midnight twice", "2026-11-01T03:00:00Z", "2026-11-01T07:00:00Z", "America/Havana", time.Hour,
			"23:00 *00:00 00:00 01:00"},
		{"45 minutes off", "2026-11-23T12:00:00Z", "2026-11-24T00:00:00Z", "Asia/Kathmandu", 6 * time.Hour,
			"18:00 *00:00"},
		{"minutes", "2026-11-23T12:00:30Z", "2026-11-23T12:07:00Z", "UTC", 2 * time.Minute, "12:02 12:04 12:06"},
		{"new year", "2026-12-31T23:00:00Z", "2027-01-01T01:00:00Z", "UTC", time.Hour, "23:00 *00:00"},
		{"the end is outside", "2026-12-31T22:00:00Z", "2027-01-01T00:00:00Z", "UTC", time.Hour, "22:00 23:00"},
	} {
		zone, err := time.LoadLocation(test.zone)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, tick := range ticks(span{at(test.from).Unix(), at(test.to).Unix()}, test.rhythm, zone) {
			text := tick.at.Format("15:04")
			if tick.midnight {
				text = "*" + text
			}
			got = append(got, text)
		}
		if all := strings.Join(got, " "); all != test.want {
			t.Errorf("%s: %s, want %s", test.name, all, test.want)
		}
	}
}

// TestAxis: the span that is drawn.
func TestAxis(t *testing.T) {
	end := at("2026-11-24T20:00:00Z")
	windows := []Window{window(end.Unix()-300, 300, 1, 1), window(end.Unix()-600, 300, 1, 1)}
	for _, test := range []struct {
		name  string
		chart Chart
		want  span
	}{
		{"the day up to the last window", Chart{Windows: windows}, span{end.Unix() - 86400, end.Unix()}},
		{"a given end", Chart{Windows: windows, To: end.Add(time.Hour)}, span{end.Unix() - 82800, end.Unix() + 3600}},
		{"both ends", Chart{From: end.Add(-time.Hour), To: end}, span{end.Unix() - 3600, end.Unix()}},
		{"too long", Chart{From: end.AddDate(-1, 0, 0), To: end}, span{end.Unix() - 8*86400, end.Unix()}},
		{"backwards", Chart{From: end.Add(time.Hour), To: end}, span{end.Unix() - 60, end.Unix()}},
		{"no calendar", Chart{To: time.Unix(math.MaxInt64, 0)}, span{latest - 86400, latest}},
		{"nothing at all", Chart{}, span{earliest - 86400, earliest}},
	} {
		if got := axisOf(&test.chart); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// TestBands: which result has which colour.
func TestBands(t *testing.T) {
	counts := map[string]int64{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "z": 0}
	for _, test := range []struct {
		name    string
		results []string
		want    []band
	}{
		{"one alerts", []string{"a"}, []band{{alerting1, "a"}, {other1, "f"}, {other2, "e"}, {other3, "d"}, {others, "other"}}},
		{"one that never was", []string{"q"}, []band{{alerting1, "q"}, {other1, "f"}, {other2, "e"}, {other3, "d"}, {others, "other"}}},
		{"four alert, one twice", []string{"c", "f", "c", "a", "b"},
			[]band{{alerting1, "c"}, {alerting2, "f"}, {alerting3, "a, b"}, {other1, "e"}, {other2, "d"}}},
		{"none", nil, []band{{others, "other"}}},
	} {
		p, err := newPen()
		if err != nil {
			t.Fatal(err)
		}
		w := window(0, 300, 1, 1)
		w.Counts = counts
		d := newDrawing(&Chart{Results: test.results, Windows: []Window{w}}, p)
		if !slices.Equal(d.bands, test.want) {
			t.Errorf("%s: %v, want %v", test.name, d.bands, test.want)
		}
		var sum uint64
		for _, calls := range d.columns[len(d.columns)-1].bands {
			sum += calls
		}
		if sum != 21 {
			t.Errorf("%s: %d calls in the bands, want all 21", test.name, sum)
		}
	}
}

// TestRasterize: what would leave fixed point, or is no outline of lines and quadratic curves, is an error.
func TestRasterize(t *testing.T) {
	p, err := newPen()
	if err != nil {
		t.Fatal(err)
	}
	if g := p.glyph(style{size: 2000}, 'W', 0); p.err == nil || g.mask != nil {
		t.Errorf("a glyph of 2000 pixels: mask %v, error %v", g.mask, p.err)
	}
	if inked := p.picture.Pix; slices.ContainsFunc(inked, func(colour uint8) bool { return colour != paper }) {
		t.Error("something was drawn")
	}
}

// TestInk: text leaves the picture's edge alone, wherever it is written.
func TestInk(t *testing.T) {
	p, err := newPen()
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []image.Point{{-20, 10}, {Width - 20, Height + 10}, {Width + 500, -500}, {-5000, 5000}} {
		p.write(titleStyle, dark, at.X, at.Y, "Wñg")
	}
	if p.err != nil {
		t.Error(p.err)
	}
}
