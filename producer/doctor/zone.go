package doctor

import (
	"fmt"
	"strings"
	"time"

	"unconnected/events"
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
	proof    *events.Event  // a window that shows that calls were not late in this zone, see [proves]; nil when none is known
}

// likely is from how many calls on their absence a week later is no chance.
const likely = 20

const zoneVariable = "WOLKVOX_TIMEZONE"

// judgeZone tells whether the configured zone is the operation's, when there are calls to tell by. Calls in its future are proof
// that it is not. Where calls end before its present, either the zone is wrong or nobody is calling: at night, on a holiday, or
// because something is broken. That a week ago calls did not end there speaks for the former, unless windows of this zone had
// calls when they were asked for.
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
		return diagnosis.Skip(check, again,
			"no calls in the last %s to tell by; in %s it would be %s", diagnosis.Lasting(f.searched), f.zone, there)
	case f.proof != nil:
		return diagnosis.Skip(check, again,
			"no calls since about %s to tell by; in %s it would be %s, and the window from %s had %d calls when it was asked for",
			f.last.from.Format("15:04"), f.zone, there, f.proof.Window.Start.In(f.zone).Format("2006-01-02 15:04"), f.proof.Total)
	case f.earlier >= likely:
		return diagnosis.Fail(check, suggestion(&f)+"; unless nobody is calling today, a holiday for instance",
			"%s says that it is %s there, but the last calls are from about %s, and a week ago there were calls after that",
			f.zone, there, f.last.from.Format("15:04"))
	}
	return diagnosis.Skip(check, again+"; if they are calling now: "+suggestion(&f),
		"no calls since about %s to tell by, nor a week ago at that time; in %s it would be %s", f.last.from.Format("15:04"), f.zone, there)
}

// again is how to find out what could not be told.
const again = "run it again while people are calling"

// proves tells whether a window shows that an operation's clock is not behind the zone's: all of the window was over for less than
// zones differ when it was asked for, and it had calls.
func proves(e *events.Event, zone *time.Location) bool {
	return e.Revision == 0 && !e.Backfill && e.Missed == nil && e.Total > 0 && e.Timezone == zone.String() &&
		e.PolledAt.Sub(e.Window.Start) < quarter
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
