package chart_test

import (
	"bytes"
	"fmt"
	"image/png"
	"time"

	"unconnected/alerter/slack/chart"
	"unconnected/events"
)

// The picture of an incident after one bad window and one that was missed.
func Example() {
	bad := events.Window{
		Start: time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC),
		End:   time.Date(2026, 11, 22, 15, 5, 0, 0, time.UTC),
	}
	missed := events.Window{Start: bad.Start.Add(-5 * time.Minute), End: bad.Start}
	threshold := 0.2
	c := chart.Chart{
		Title:     "Congestion · Ventas Bogotá",
		Label:     "44% of 185 calls",
		Windows:   []chart.Window{{Window: missed}, {Window: bad, Counts: map[string]int64{"congestion": 81, "no_answer": 104}}},
		Results:   []string{"congestion"},
		Threshold: &threshold,
		Framed:    bad,
		Since:     bad.Start,
		Zone:      time.FixedZone("Bogotá", -5*3600),
	}
	content, err := c.PNG()
	if err != nil {
		fmt.Println(err)
		return
	}
	config, err := png.DecodeConfig(bytes.NewReader(content))
	fmt.Println(config.Width, config.Height, err)
	// Output: 1200 800 <nil>
}
