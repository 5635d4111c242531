package chart_test

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/slack/chart"
	"unconnected/events"
)

// spanish is what a caller passes for readers of Spanish.
var spanish = chart.Words{
	Result: func(name string) string {
		known := map[string]string{
			"busy": "Ocupado", "cancel": "Cancelada", "chanunavail": "Canal no disponible", "congestion": "Congestión",
			"do_not_call": "No llamar", "no_answer": "No contestada", "tcpa": "Llamado demasiadas veces (TCPA)",
		}
		if text, ok := known[name]; ok {
			return text
		}
		return name
	},
	Percent: func(share float64) string {
		return strings.ReplaceAll(strconv.FormatFloat(math.Round(share*10000)/100, 'f', -1, 64), ".", ",") + "\u00a0%"
	},
	Number: func(calls float64) string { return strings.ReplaceAll(english.Number(calls), ",", ".") },
	Date: func(midnight time.Time) string {
		months := []string{"ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"}
		return strconv.Itoa(midnight.Day()) + " " + months[midnight.Month()-1]
	},
	Share: "% de las llamadas no conectadas", Volume: "Llamadas no conectadas en 5 min", Threshold: "umbral", Usual: "lo usual",
	Other: "otras", NoData: "sin datos", NoCalls: "sin llamadas", Incident: "incidente",
}

var english = chart.Words{
	Result: func(name string) string {
		known := map[string]string{
			"busy": "Busy", "cancel": "Cancelled", "chanunavail": "Channel unavailable", "congestion": "Congestion",
			"do_not_call": "Do not call", "no_answer": "No answer", "tcpa": "Called too often (TCPA)",
		}
		if text, ok := known[name]; ok {
			return text
		}
		return name
	},
	Number: func(calls float64) string {
		text := strconv.FormatFloat(calls, 'f', -1, 64)
		if n := len(text) - 3; n > 0 && !strings.Contains(text, ".") {
			text = text[:n] + "," + text[n:]
		}
		return text
	},
	Share: "% of unconnected calls", Volume: "Unconnected calls in 5 min",
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// end is when the pictures of tests end: an afternoon in Bogotá.
var end = time.Date(2026, 11, 24, 20, 5, 0, 0, time.UTC)

// day is 24 hours of windows up to a time: a working day of calls, a little of everything, and congestion in the last
// so many windows.
func day(to time.Time, zone *time.Location, length time.Duration, bad int) []chart.Window {
	var all []chart.Window
	n := int(24 * time.Hour / length)
	for i := range n {
		start := to.Add(-time.Duration(n-i) * length)
		local := start.In(zone)
		hour := float64(local.Hour()) + float64(local.Minute())/60
		busy := 0.0
		if hour >= 7 && hour < 21 {
			busy = math.Sin((hour-7)/14*math.Pi)*0.8 + 0.2
		}
		calls := busy * 200 * length.Minutes() / 5
		noise := func(k int) float64 { return float64(mixed(uint32(i*16+k))%1000) / 1000 }
		count := func(share float64, k int) int64 { return int64(calls*share*(0.8+0.4*noise(k)) + noise(k+9)*0.9) }
		counts := map[string]int64{"busy": 0, "cancel": 0, "chanunavail": 0, "congestion": 0, "do_not_call": 0, "no_answer": 0, "tcpa": 0}
		if calls > 0 {
			counts["no_answer"], counts["busy"], counts["cancel"] = count(0.62, 1), count(0.17, 2), count(0.06, 3)
			counts["congestion"], counts["chanunavail"], counts["tcpa"] = count(0.04, 4), count(0.02, 5), count(0.01, 6)
			if i >= n-bad {
				counts["congestion"] += int64(calls * 0.55)
			}
		}
		all = append(all, chart.Window{Window: events.Window{Start: start, End: start.Add(length)}, Counts: counts})
	}
	return all
}

// mixed is a number that looks like chance, the same on every run.
func mixed(n uint32) uint32 {
	n = (n ^ n>>16) * 0x7feb352d
	n = (n ^ n>>15) * 0x846ca68b
	return n ^ n>>16
}

func share(v float64) *float64 { return &v }

// typical is a picture as they are most days.
func typical(t testing.TB) *chart.Chart {
	bogota := zone(t, "America/Bogota")
	windows := day(end, bogota, 5*time.Minute, 8)
	return &chart.Chart{
		Title: "Congestion · Ventas Bogotá", Label: "41% of 312 calls", Windows: windows, Results: []string{"congestion"},
		Threshold: share(0.20), Usual: share(0.042), Framed: windows[len(windows)-5].Window, Since: windows[len(windows)-8].Start,
		Zone: bogota, Words: english,
	}
}

// en and es change a typical picture.
func en(change func(t testing.TB, c *chart.Chart)) func(t testing.TB) *chart.Chart {
	return func(t testing.TB) *chart.Chart {
		c := typical(t)
		change(t, c)
		return c
	}
}

func es(change func(t testing.TB, c *chart.Chart)) func(t testing.TB) *chart.Chart {
	return en(func(t testing.TB, c *chart.Chart) {
		c.Title, c.Label, c.Words = "Congestión · Ventas Bogotá", "41 % de 312 llamadas", spanish
		change(t, c)
	})
}

// shift moves a picture to another day and zone.
func shift(t testing.TB, c *chart.Chart, to time.Time, name string) {
	c.Zone = zone(t, name)
	c.Windows = day(to, c.Zone, 5*time.Minute, 8)
	n := len(c.Windows)
	c.Framed, c.Since = c.Windows[n-1].Window, c.Windows[n-8].Start
}

// cases are the pictures that are kept.
var cases = []struct {
	name  string
	chart func(t testing.TB) *chart.Chart
}{
	{"typical_en", en(func(testing.TB, *chart.Chart) {})},
	{"typical_es", es(func(testing.TB, *chart.Chart) {})},
	{"several_es", es(func(_ testing.TB, c *chart.Chart) {
		c.Results = []string{"congestion", "chanunavail"}
		c.Title, c.Label = "Fallas de red · Cobranza Medellín y Ñeque", "42 % de 1.250 llamadas"
		c.Threshold, c.Usual = share(0.075), share(0.06)
		for i := range c.Windows {
			c.Windows[i].Counts["tcpa"] *= 9
		}
	})},
	{"few_calls_en", en(func(_ testing.TB, c *chart.Chart) {
		c.Windows = day(end, c.Zone, 5*time.Minute, 0)
		n := len(c.Windows)
		c.Windows[n-1].Counts = map[string]int64{"congestion": 4, "no_answer": 4, "busy": 1}
		c.Framed, c.Since, c.Label = c.Windows[n-1].Window, c.Windows[n-1].Start, "44% of 9 calls"
	})},
	{"few_windows_en", en(func(_ testing.TB, c *chart.Chart) { c.Windows = c.Windows[len(c.Windows)-9:] })},
	{"missing_es", es(func(_ testing.TB, c *chart.Chart) {
		for i := 150; i < 190; i++ {
			c.Windows[i].Counts = nil
		}
		c.Windows[len(c.Windows)-3].Counts = nil
		c.Windows = append(c.Windows[:215], c.Windows[218:]...)
	})},
	{"no_traffic_en", en(func(_ testing.TB, c *chart.Chart) {
		for i := range c.Windows {
			c.Windows[i].Counts = map[string]int64{"congestion": 0}
		}
		c.Label, c.Since = "", time.Time{}
	})},
	{"no_data_es", es(func(_ testing.TB, c *chart.Chart) { c.Windows, c.To, c.Label, c.Since = nil, end, "", time.Time{} })},
	{"volume_en", en(func(_ testing.TB, c *chart.Chart) {
		c.Results, c.Title, c.Label = nil, "Too few calls · Ventas Bogotá", "12 calls"
		c.Threshold, c.Usual = share(50), share(181)
		for i := range c.Windows[len(c.Windows)-6:] {
			c.Windows[len(c.Windows)-1-i].Counts = map[string]int64{"no_answer": 12}
		}
	})},
	{"hostile_es", es(func(_ testing.TB, c *chart.Chart) {
		long := strings.Repeat("número_no_existe_en_la_red_", 20)
		c.Title = "<!channel> " + strings.Repeat("Congestión & \x00\u202e\t", 30)
		c.Label = strings.Repeat("99,99 % ", 40)
		c.Results = []string{"congestion", long, "漢字 \U0001F600", "ñandú\nÁ", "congestion"}
		for i := range c.Windows {
			for k, name := range []string{long, "漢字 \U0001F600", "\x1b[31m", "", strings.Repeat("W", 300)} {
				c.Windows[i].Counts[name] = int64(i*k) % 60
			}
		}
		c.Words.Usual, c.Words.Share = strings.Repeat("W", 300), strings.Repeat("share ", 90)
		c.Words.Number = func(float64) string { return strings.Repeat("9", 60) }
	})},
	{"ten_seconds_en", en(func(_ testing.TB, c *chart.Chart) {
		c.Windows = day(end, c.Zone, 10*time.Second, 90)
		c.Framed, c.Since = c.Windows[len(c.Windows)-40].Window, c.Windows[len(c.Windows)-90].Start
		c.Words.Volume, c.Label = "Unconnected calls in 10 s", "60% of 7 calls"
	})},
	{"hours_es", es(func(_ testing.TB, c *chart.Chart) {
		c.Windows = day(end.Truncate(time.Hour), c.Zone, time.Hour, 2)
		c.Framed, c.Since = c.Windows[22].Window, c.Windows[22].Start
		c.Words.Volume, c.Label = "Llamadas no conectadas en 1 h", "58 % de 3.804 llamadas"
	})},
	{"clocks_forward_en", en(func(t testing.TB, c *chart.Chart) {
		shift(t, c, time.Date(2027, 3, 14, 21, 0, 0, 0, time.UTC), "America/New_York")
	})},
	{"clocks_back_en", en(func(t testing.TB, c *chart.Chart) {
		shift(t, c, time.Date(2026, 11, 1, 21, 0, 0, 0, time.UTC), "America/New_York")
	})},
	{"midnight_skipped_es", es(func(t testing.TB, c *chart.Chart) {
		shift(t, c, time.Date(2026, 9, 6, 16, 0, 0, 0, time.UTC), "America/Santiago")
	})},
}
