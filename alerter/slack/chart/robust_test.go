package chart_test

import (
	"bytes"
	"encoding/binary"
	"image/png"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"unconnected/alerter/slack/chart"
	"unconnected/events"
)

// sized checks that a chart becomes a picture whose edge is untouched by what is inside.
func sized(t *testing.T, c *chart.Chart) {
	t.Helper()
	content := drawn(t, c)
	config, err := png.DecodeConfig(bytes.NewReader(content))
	if err != nil || config.Width != chart.Width || config.Height != chart.Height {
		t.Fatalf("%d x %d, error %v", config.Width, config.Height, err)
	}
	clearEdge(t, content)
}

// quiet is how wide, in pixels, the edge is into which no text may run. The frame of a window may come closer.
const quiet = 12

// clearEdge checks that between the border and what is drawn there is paper on all sides.
func clearEdge(t *testing.T, content []byte) {
	t.Helper()
	picture := decoded(t, content)
	for y := 2; y < chart.Height-2; y++ {
		for x := 2; x < chart.Width-2; x++ {
			if x >= quiet && x < chart.Width-quiet && y >= 6 && y < chart.Height-6 {
				x = chart.Width - quiet - 1
				continue
			}
			if r, g, b, a := picture.At(x, y).RGBA(); r&g&b&a != 0xffff {
				t.Fatalf("something is drawn at (%d,%d), in the edge", x, y)
			}
		}
	}
}

func TestZeroChart(t *testing.T) { sized(t, &chart.Chart{}) }

// TestEdge: no text of any case runs into the edge.
func TestEdge(t *testing.T) {
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) { clearEdge(t, drawn(t, test.chart(t))) })
	}
}

// TestOpaque: the picture looks the same in Slack's light and dark theme.
func TestOpaque(t *testing.T) {
	picture := decoded(t, drawn(t, typical(t)))
	if opaque, ok := picture.(interface{ Opaque() bool }); !ok || !opaque.Opaque() {
		t.Error("the picture is not opaque")
	}
}

// TestConcurrent: several goroutines draw one chart.
func TestConcurrent(t *testing.T) {
	c := typical(t)
	want := drawn(t, c)
	var done sync.WaitGroup
	for range 4 {
		done.Go(func() {
			if got, err := c.PNG(); err != nil || !bytes.Equal(got, want) {
				t.Errorf("another picture, error %v", err)
			}
		})
	}
	done.Wait()
}

// TestOrder: windows may come in any order.
func TestOrder(t *testing.T) {
	c := typical(t)
	want := decoded(t, drawn(t, c))
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(c.Windows), func(i, j int) {
		c.Windows[i], c.Windows[j] = c.Windows[j], c.Windows[i]
	})
	if why := differ(decoded(t, drawn(t, c)), want); why != "" {
		t.Error(why)
	}
}

// hostileNumbers are values that rules and clocks may have when something is wrong.
var hostileNumbers = []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, 0, -0.2, 1, 1.0001, 1e-300}

func TestHostileNumbers(t *testing.T) {
	for i, v := range hostileNumbers {
		for _, results := range [][]string{nil, {"congestion"}} {
			c := &chart.Chart{Results: results, Threshold: &v, Usual: &hostileNumbers[len(hostileNumbers)-1-i]}
			c.Windows = []chart.Window{{
				Window: events.Window{Start: end.Add(-time.Minute), End: end},
				Counts: map[string]int64{"congestion": math.MaxInt64, "busy": math.MaxInt64, "cancel": math.MinInt64, "tcpa": math.MaxInt64},
			}}
			sized(t, c)
		}
	}
}

// FuzzPNG: whatever a chart says, it becomes a picture.
func FuzzPNG(f *testing.F) {
	f.Add("Congestion · Ventas", "congestion", []byte{0, 1, 2, 3, 4, 5, 6, 7, 8}, int64(1764000000), int64(300), 0.2, true)
	f.Add("\u202e\xff漢", "", []byte("0123456789012345678901234567890123456789"), int64(math.MinInt64), int64(math.MaxInt64), math.Inf(1), false)
	f.Add("", "W", []byte{255, 255, 255, 255, 255, 255, 255, 255, 255}, int64(math.MaxInt64), int64(-1), -1e308, true)
	f.Fuzz(func(t *testing.T, text, result string, data []byte, start, length int64, value float64, shares bool) {
		c := &chart.Chart{Title: text, Label: result, Threshold: &value, Usual: &value, Zone: time.FixedZone(text, int(length%86400))}
		c.Words = chart.Words{Result: func(name string) string { return name + text }, Share: text, Volume: result}
		if shares {
			c.Results = []string{result, text}
		}
		from := start
		for len(data) >= 9 && len(c.Windows) < 2000 {
			count := int64(binary.BigEndian.Uint64(data))
			w := chart.Window{Window: events.Window{Start: time.Unix(from, 0), End: time.Unix(from+length, 0)}}
			if data[8]%5 > 0 {
				w.Counts = map[string]int64{result: count, text: int64(data[8]), string(data[:2]): count >> data[8]}
			}
			c.Windows, c.Framed, c.Until = append(c.Windows, w), w.Window, w.End
			from, data = from+length, data[9:]
			if c.Since.IsZero() {
				c.Since = w.Start
			}
		}
		sized(t, c)
	})
}
