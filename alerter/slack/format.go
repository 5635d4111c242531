package slack

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// nbsp keeps a number and its sign on one line.
const nbsp = '\u00A0'

// number writes v with at most so many decimals, in groups of three: 1,073 and 1.073.
func (w *words) number(v float64, decimals int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	text := strconv.FormatFloat(math.Abs(v), 'f', decimals, 64)
	whole, fraction, _ := strings.Cut(text, ".")
	fraction = strings.TrimRight(fraction, "0")
	var b strings.Builder
	if v < 0 && strings.Trim(text, "0.") != "" {
		b.WriteString("−")
	}
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(w.groupMark)
		}
		b.WriteRune(digit)
	}
	if fraction != "" {
		b.WriteString(w.decimalMark + fraction)
	}
	return b.String()
}

// percent writes a share between 0 and 1 as people read it: whole, and with one decimal below ten.
func (w *words) percent(share float64) string {
	decimals := 0
	if math.Abs(share) < 0.0995 {
		decimals = 1
	}
	return w.number(share*100, decimals) + w.percentSign
}

// percentExact writes a share that somebody chose, so nothing is rounded away that matters.
func (w *words) percentExact(share float64) string {
	return w.number(share*100, 2) + w.percentSign
}

// duration is rounded to what matters: 45 s, 12 min, 3 h 20 min, 2 d 4 h.
func (w *words) duration(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < 2*time.Minute:
		return w.units(int(d.Round(time.Second)/time.Second), "s")
	case d < time.Hour-30*time.Second:
		return w.units(int(d.Round(time.Minute)/time.Minute), "min")
	case d < 24*time.Hour-30*time.Second:
		m := int(d.Round(time.Minute) / time.Minute)
		return w.twoUnits(m/60, "h", m%60, "min")
	}
	h := int(d.Round(time.Hour) / time.Hour)
	return w.twoUnits(h/24, "d", h%24, "h")
}

func (w *words) units(n int, unit string) string { return strconv.Itoa(n) + string(nbsp) + unit }

func (w *words) twoUnits(n int, unit string, rest int, small string) string {
	if rest == 0 {
		return w.units(n, unit)
	}
	return w.units(n, unit) + " " + w.units(rest, small)
}

// clock is the time of day, with seconds only where there are some.
func clock(t time.Time) string {
	if t.Second() != 0 {
		return t.Format("15:04:05")
	}
	return t.Format("15:04")
}

// date is a day without its year: 22 Nov.
func (w *words) date(t time.Time) string { return strconv.Itoa(t.Day()) + " " + w.months[t.Month()-1] }

// when is the time of day, and the date where it is not that of the day around it.
func (w *words) when(t, around time.Time) string {
	if t.Year() == around.Year() && t.YearDay() == around.YearDay() {
		return clock(t)
	}
	return w.date(t) + " " + clock(t)
}

// span is a window: 10:00–10:05.
func span(from, to time.Time) string { return clock(from) + "–" + clock(to) }

// zone names the zone of t and its distance from UTC: America/Bogota, UTC−5.
func zone(t time.Time) string {
	_, offset := t.Zone()
	name := t.Location().String()
	if offset == 0 && name == "UTC" {
		return "UTC"
	}
	sign := "+"
	if offset < 0 {
		sign, offset = "−", -offset
	}
	text := "UTC" + sign + strconv.Itoa(offset/3600)
	if minutes := offset % 3600 / 60; minutes != 0 {
		text += ":" + strconv.Itoa(minutes/10) + strconv.Itoa(minutes%10)
	}
	if name == "Local" || name == "" {
		return text
	}
	return name + ", " + text
}
