package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"unconnected/alerter/replay"
	"unconnected/alerter/rule"
)

// number writes the value of a rule: a share as a percentage.
func number(v float64, share bool) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case share:
		return trimmed(v*100, 1) + " %"
	}
	return trimmed(v, 2)
}

// whole writes a number of things: 16,128.
func whole(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// trimmed has at most so many decimals, and none that are zero.
func trimmed(v float64, decimals int) string {
	text := strconv.FormatFloat(v, 'f', decimals, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// optional writes a value that may be unknown.
func optional(v *float64, share bool) string {
	if v == nil {
		return "–"
	}
	return number(*v, share)
}

// span writes a duration for people: "35 min", "2 h 5 min", "3 d 4 h".
func span(d time.Duration) string {
	days, hours, minutes, seconds := d/(24*time.Hour), d/time.Hour%24, d/time.Minute%60, d/time.Second%60
	switch {
	case days > 0 && hours > 0:
		return fmt.Sprintf("%d d %d h", days, hours)
	case days > 0:
		return fmt.Sprintf("%d d", days)
	case hours > 0 && minutes > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes)
	case hours > 0:
		return fmt.Sprintf("%d h", hours)
	case minutes > 0 && seconds > 0:
		return fmt.Sprintf("%d min %d s", minutes, seconds)
	case minutes > 0:
		return fmt.Sprintf("%d min", minutes)
	}
	return fmt.Sprintf("%d s", seconds)
}

// zoneOf is the zone of a name, UTC when nobody knows it.
func zoneOf(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return time.UTC
	}
	return zone
}

const dayAndTime = "Mon 2 Jan 2006 15:04"

// until is the end of something that began: its time alone on the same day, or that it has not ended.
func until(start, end time.Time) string {
	switch {
	case end.IsZero():
		return "still firing"
	case start.Format(time.DateOnly) == end.Format(time.DateOnly):
		return end.Format("15:04")
	}
	return end.Format(dayAndTime)
}

// duration of an alert or incident; of one that fires still, up to now.
func duration(start, end, now time.Time) time.Duration {
	if end.IsZero() {
		end = now
	}
	return max(0, end.Sub(start))
}

// names joins the titles of an incident's rules, each once.
func names(i *replay.Incident, language string) string {
	var titles []string
	seen := map[*rule.Rule]bool{}
	for _, a := range i.Alerts {
		if !seen[a.Rule] {
			seen[a.Rule] = true
			titles = append(titles, a.Rule.Title(language))
		}
	}
	return strings.Join(titles, ", ")
}
