package simulator

import "time"

// wallClock is how requests write local times.
const wallClock = "20060102150405"

// span is a half-open range of Unix seconds.
type span struct{ from, to int64 }

// parseWall reads a wall-clock time as a count of seconds, as if clocks showed UTC.
func parseWall(s string) (int64, error) {
	t, err := time.Parse(wallClock, s)
	return t.Unix(), err
}

// instants returns when clocks in a zone show the wall-clock times first to
// last, both included: usually one span, two around or in an hour that repeats,
// none within an hour that is skipped.
func instants(location *time.Location, first, last int64) []span {
	const margin = 24 * 60 * 60 // wider than any zone's distance from UTC
	var spans []span
	end := last + margin
	for begin := first - margin; begin < end; {
		t := time.Unix(begin, 0).In(location)
		_, offset := t.Zone()
		until := end
		if _, change := t.ZoneBounds(); !change.IsZero() {
			until = min(end, change.Unix())
		}
		// Throughout [begin, until) clocks are ahead of UTC by offset.
		from, to := max(begin, first-int64(offset)), min(until, last+1-int64(offset))
		if from < to {
			spans = append(spans, span{from, to})
		}
		begin = until
	}
	return spans
}
