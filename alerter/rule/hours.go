package rule

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"unconnected/alerter/baseline"
)

// Local is an instant on the clocks and calendars of a zone: what hours and holidays are compared with. Making one is
// the expensive part, so whoever judges several rules makes it once.
type Local struct {
	date    int   // 20061122
	minute  int   // of the week, from Sunday 00:00
	slot    int32 // see baseline.SlotOf
	holiday bool  // of the set that was asked; false when none was
}

// LocalOf is t in the zone of loc. Whether it is a holiday is not known yet, see [Set.LocalOf].
func LocalOf(t time.Time, loc *time.Location) Local {
	t = t.In(loc)
	_, offset := t.Zone()
	return Local{
		date: dateOf(t), minute: minuteOfWeek(t.Weekday(), t.Hour()*60+t.Minute()),
		slot: baseline.SlotOf(t.Unix(), offset),
	}
}

// LocalOf is t in the zone of loc, on the calendar of the set.
func (s *Set) LocalOf(t time.Time, loc *time.Location) Local {
	l := LocalOf(t, loc)
	l.holiday = s.dates[l.date]
	return l
}

// Holiday tells whether it is a holiday of the set that the time was looked up in.
func (l Local) Holiday() bool { return l.holiday }

// dateOf is a calendar day as one number: 20061122.
func dateOf(t time.Time) int {
	year, month, day := t.Date()
	return (year*100+int(month))*100 + day
}

const minutesPerDay, minutesPerWeek = 24 * 60, 7 * 24 * 60

func minuteOfWeek(day time.Weekday, minute int) int { return int(day)*minutesPerDay + minute }

// span is a part of the week, in minutes from Sunday 00:00. It is half-open, and one that ends at or before its start
// goes on over the end of the week.
type span struct{ from, to int }

func (s span) contains(minute int) bool {
	if s.from < s.to {
		return s.from <= minute && minute < s.to
	}
	return minute >= s.from || minute < s.to
}

// hours are the times of the week at which a rule applies. Nil means always.
type hours []span

func (h hours) contains(minute int) bool {
	return h == nil || slices.ContainsFunc(h, func(s span) bool { return s.contains(minute) })
}

var hoursRange = regexp.MustCompile(`^(?:([A-Za-z]+)(?:\s*-\s*([A-Za-z]+))?\s+)?(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})$`)

// parseHours reads "Mon-Sat 07:00-21:00, Sun 22:00-06:00". Days name the day on which a range begins; without days it
// begins every day. A range that ends at or before its start spans midnight.
func parseHours(text string) (hours, error) {
	var all hours
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		m := hoursRange.FindStringSubmatch(part)
		if m == nil {
			return nil, fmt.Errorf(`%q is not a range of hours; write "Mon-Sat 07:00-21:00", several separated by commas`, part)
		}
		days, err := parseDays(m[1], m[2])
		if err != nil {
			return nil, err
		}
		from, err := parseClock(m[3], m[4])
		if err != nil || from == minutesPerDay {
			return nil, fmt.Errorf("%q begins at no time of the day", part)
		}
		to, err := parseClock(m[5], m[6])
		if err != nil {
			return nil, fmt.Errorf("%q ends at no time of the day", part)
		}
		if from == to {
			return nil, fmt.Errorf("%q ends where it begins; a whole day is 00:00-24:00", part)
		}
		for _, day := range days {
			all = append(all, spanOf(day, from, to))
		}
	}
	return all, nil
}

func spanOf(day time.Weekday, from, to int) span {
	if to < from {
		to += minutesPerDay
	}
	return span{minuteOfWeek(day, from), minuteOfWeek(day, to) % minutesPerWeek}
}

// parseClock reads a time of the day as minutes from midnight; 24:00 is its end.
func parseClock(hour, minute string) (int, error) {
	h, _ := strconv.Atoi(hour) // two digits, says the pattern
	m, _ := strconv.Atoi(minute)
	if at := h*60 + m; m < 60 && at <= minutesPerDay {
		return at, nil
	}
	return 0, fmt.Errorf("%s:%s is no time of the day", hour, minute)
}

// parseDays are the days from first to last, over the end of the week if need be; all days when first is empty, one
// when last is.
func parseDays(first, last string) ([]time.Weekday, error) {
	if first == "" {
		first, last = "Sun", "Sat"
	}
	if last == "" {
		last = first
	}
	from, err := parseDay(first)
	if err != nil {
		return nil, err
	}
	to, err := parseDay(last)
	if err != nil {
		return nil, err
	}
	days := []time.Weekday{from}
	for day := from; day != to; {
		day = (day + 1) % 7
		days = append(days, day)
	}
	return days, nil
}

// parseDay reads the English name of a day or its first three letters.
func parseDay(name string) (time.Weekday, error) {
	for day := time.Sunday; day <= time.Saturday; day++ {
		full := day.String()
		if strings.EqualFold(name, full) || strings.EqualFold(name, full[:3]) {
			return day, nil
		}
	}
	return 0, fmt.Errorf("%q is no day; write Mon, Tue, Wed, Thu, Fri, Sat or Sun", name)
}
