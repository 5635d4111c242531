package doctor

import (
	"fmt"
	"strings"
	"time"

	"unconnected/internal/diagnosis"
)

// zoneFacts are what the API said about what time it is there.
type zoneFacts struct {
	zone     *time.Location // that is configured
	now      time.Time      // by the API's clock
	recent   int64          // calls in the quarter of an hour before now, in the configured zone
	future   int64          // calls from a little after now to as late as it can be anywhere
	last     span           // where the last calls are; zero when recent calls tell enough, or there are none
	searched time.Duration  // before now, in the configured zone
	earlier  int64          // calls a week before, in the half hour that follows the last calls
}

// likely is from how many calls on their absence a week later is no chance.
const likely = 20

const zoneVariable = "WOLKVOX_TIMEZONE"

// judgeZone tells whether the configured zone is the operation's. Calls in its future are proof that it is not. Where calls
// end before its present, either the zone is wrong or nobody is calling: that a week ago calls did not end there tells
// the two apart.
func judgeZone(f zoneFacts) diagnosis.Finding {
	const check = "zone"
	there := f.now.In(f.zone).Format("15:04")
	switch {
	case f.future > 0:
		return diagnosis.Fail(check, suggestion(&f), "%s says that it is %s there, but there are calls from about %s",
			f.zone, there, f.last.from.Format("15:04"))
	case f.recent > 0:
		return diagnosis.Ok(check, "%s: there it is %s, and the newest calls are from the last 15 minutes", f.zone, there)
	case f.last == span{}:
		return diagnosis.Warn(check, "run it again while people are calling",
			"cannot tell whether %s is right (there it would be %s): no calls in the last %s", f.zone, there, diagnosis.Lasting(f.searched))
	}
	gap := localNow(f.now, f.zone).Sub(f.last.from)
	if f.earlier >= likely {
		return diagnosis.Fail(check, suggestion(&f)+"; unless nobody is calling today, a holiday for instance",
			"%s says that it is %s there, but the last calls are from about %s, and a week ago there were calls after that",
			f.zone, there, f.last.from.Format("15:04"))
	}
	return diagnosis.Warn(check, "run it again while people are calling; if they are calling now: "+suggestion(&f),
		"cannot tell whether %s is right: there it would be %s, and the last calls are from about %s, %s before",
		f.zone, there, f.last.from.Format("15:04"), diagnosis.Lasting(gap))
}

// suggestion says which zones have the clock that the last calls show.
func suggestion(f *zoneFacts) string {
	offset := offsetOf(f.last, f.now)
	zones := zonesAt(offset, f.now)
	if len(zones) == 0 {
		return fmt.Sprintf("set %s to a zone that is at UTC%s now", zoneVariable, sign(offset))
	}
	return fmt.Sprintf("set %s to the operation's zone: its clock is at UTC%s, as in %s", zoneVariable, sign(offset), strings.Join(zones, ", "))
}

// quarter is what offsets of zones are multiples of.
const quarter = 15 * time.Minute

// offsetOf is how far a clock is ahead of UTC that has just passed the last calls.
func offsetOf(last span, now time.Time) time.Duration {
	ahead := last.from.Sub(now.UTC())
	offset := ahead.Truncate(quarter)
	if ahead > offset {
		offset += quarter
	}
	return offset
}

func sign(offset time.Duration) string {
	s, minutes := "+", int(offset/time.Minute)
	if minutes < 0 {
		s, minutes = "−", -minutes
	}
	return fmt.Sprintf("%s%02d:%02d", s, minutes/60, minutes%60)
}

// candidates are zones of operations, the likeliest of each offset first.
var candidates = []string{
	"America/Bogota", "America/Lima", "America/Guayaquil", "America/Panama", "America/Mexico_City", "America/Guatemala",
	"America/Costa_Rica", "America/Caracas", "America/La_Paz", "America/Santo_Domingo", "America/Santiago", "America/Asuncion",
	"America/Argentina/Buenos_Aires", "America/Montevideo", "America/Sao_Paulo", "America/New_York", "America/Chicago",
	"America/Tijuana", "America/Los_Angeles", "Europe/Madrid", "UTC",
}

// mostZones are named in a suggestion.
const mostZones = 3

func zonesAt(offset time.Duration, now time.Time) []string {
	var zones []string
	for _, name := range candidates {
		location, err := time.LoadLocation(name)
		if err != nil || len(zones) == mostZones {
			continue
		}
		if _, seconds := now.In(location).Zone(); time.Duration(seconds)*time.Second == offset {
			zones = append(zones, name)
		}
	}
	return zones
}

// localNow is what clocks in a zone show, written as if it were UTC, in whole seconds.
func localNow(now time.Time, zone *time.Location) time.Time {
	_, offset := now.In(zone).Zone()
	return now.UTC().Add(time.Duration(offset) * time.Second).Truncate(time.Second)
}
