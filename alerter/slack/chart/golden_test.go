package chart_test

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"unconnected/alerter/slack/chart"
)

var update = flag.Bool("update", false, "write the pictures in testdata anew; look at them before you commit them")

// largest is what a picture may weigh, in bytes.
const largest = 60_000

func TestGolden(t *testing.T) {
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			content := drawn(t, test.chart(t))
			if len(content) > largest {
				t.Errorf("%d bytes, more than %d", len(content), largest)
			}
			file := filepath.Join("testdata", test.name+".png")
			if *update {
				if err := os.WriteFile(file, content, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if why := differ(decoded(t, content), decoded(t, want)); why != "" {
				got := filepath.Join(t.ArtifactDir(), test.name+".png")
				if err := os.WriteFile(got, content, 0o644); err != nil {
					t.Error(err)
				}
				t.Errorf("%s: %s; drawn now: %s (kept with -artifacts)", file, why, got)
			}
		})
	}
}

func drawn(t testing.TB, c *chart.Chart) []byte {
	t.Helper()
	content, err := c.PNG()
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func decoded(t testing.TB, content []byte) image.Image {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// differ says how two pictures differ, empty if they do not.
func differ(got, want image.Image) string {
	if got.Bounds() != want.Bounds() {
		return fmt.Sprintf("bounds %v, want %v", got.Bounds(), want.Bounds())
	}
	var where image.Rectangle
	var first string
	n := 0
	for y := got.Bounds().Min.Y; y < got.Bounds().Max.Y; y++ {
		for x := got.Bounds().Min.X; x < got.Bounds().Max.X; x++ {
			if g, w := got.At(x, y), want.At(x, y); g != w {
				if n++; n == 1 {
					first = fmt.Sprintf("first at (%d,%d): %v, want %v", x, y, g, w)
				}
				where = where.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d pixels differ within %v, %s", n, where, first)
}

func BenchmarkPNG(b *testing.B) {
	for _, name := range []string{"typical_es", "ten_seconds_en", "hostile_es"} {
		for _, test := range cases {
			if test.name != name {
				continue
			}
			b.Run(name, func(b *testing.B) {
				c := test.chart(b)
				for b.Loop() {
					drawn(b, c)
				}
				b.ReportMetric(b.Elapsed().Seconds()*1e3/float64(b.N), "ms/op")
			})
		}
	}
}
