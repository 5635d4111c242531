package slack

import (
	"fmt"
	"strconv"
	"time"

	"unconnected/alerter/numeral"
)

// nbsp keeps a number and its sign on one line.
const nbsp = numeral.NoBreak

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

// day is a day with its weekday: Tuesday 24 Nov.
func (w *words) day(t time.Time) string { return w.weekdays[t.Weekday()] + " " + w.date(t) }

// sameDay tells whether two instants of one zone are on the same day.
func sameDay(a, b time.Time) bool { return a.Year() == b.Year() && a.YearDay() == b.YearDay() }

// hour is the time of day as it stands in a sentence: 10:12, las 10:12.
func (w *words) hour(t time.Time) string {
	form := w.hours[1]
	if t.Hour() == 1 {
		form = w.hours[0]
	}
	return fmt.Sprintf(form, clock(t))
}

// from is an instant after "since" or "until": 10:12, las 10:12, with the date where it is not that of the day around it.
func (w *words) from(t, around time.Time) string {
	if sameDay(t, around) {
		return w.hour(t)
	}
	return fmt.Sprintf(w.onDay, w.date(t), w.hour(t))
}

// Moment is an instant after "since" or "until" in a language: 10:12, las 10:12; with the date where it is not that of the day around
// it. Both are told in the zone of the first.
func Moment(language string, t, around time.Time) string {
	return wordsFor(language).from(t, around.In(t.Location()))
}

// at is an instant at which something happened: at 10:12, a las 10:12.
func (w *words) at(t, around time.Time) string {
	if sameDay(t, around) {
		return fmt.Sprintf(w.atHour, w.hour(t))
	}
	return w.from(t, around)
}

// exactly is an instant after "since" or "until" with all that belongs to it: 10:12, 22 Nov (America/Bogota, UTC−5).
func (w *words) exactly(t time.Time) string {
	return w.hour(t) + ", " + w.date(t) + " (" + zone(t) + ")"
}

// when is the time of day, and the date where it is not that of the day around it.
func (w *words) when(t, around time.Time) string {
	if sameDay(t, around) {
		return clock(t)
	}
	return w.date(t) + " " + clock(t)
}

// span is a window: 10:00–10:05.
func span(from, to time.Time) string {
	if from.Second() != 0 || to.Second() != 0 {
		return from.Format(time.TimeOnly) + "–" + to.Format(time.TimeOnly)
	}
	return clock(from) + "–" + clock(to)
}

// between is the time from one instant to another: From 09:55 to 10:30; From 22 Nov 09:55 to 23 Nov 09:50.
func (w *words) between(from, to time.Time) string {
	if sameDay(from, to) {
		return fmt.Sprintf(w.fromTo, w.hour(from), w.hour(to))
	}
	return fmt.Sprintf(w.fromDayTo, w.date(from), w.hour(from), w.date(to), w.hour(to))
}

// zone names the zone of t and its distance from UTC: America/Bogota, UTC−5.
func zone(t time.Time) string {
	name, text := t.Location().String(), Offset(t)
	if name == "Local" || name == "" || name == text {
		return text
	}
	return name + ", " + text
}

// Offset is the distance of t's zone from UTC: UTC−5.
func Offset(t time.Time) string {
	_, offset := t.Zone()
	if offset == 0 {
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
	return text
}

// plural is a count of things, in one form or the other. Many takes the number.
type plural struct{ one, many string }

// count is how many: 1 incident, 1,073 incidents.
func (w *words) count(p plural, n int64) string {
	if n == 1 {
		return p.one
	}
	return fmt.Sprintf(p.many, w.Decimal(float64(n), 0))
}

// shortened is text from outside as a part of a sentence: clean, and no longer than that many characters.
func shortened(text string, most int) string {
	return cutRunes(clean(text), most)
}
