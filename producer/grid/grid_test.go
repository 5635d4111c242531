package grid_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"unconnected/events"
	"unconnected/producer/grid"
)

func at(t testing.TB, text string) time.Time {
	t.Helper()
	instant, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return instant.UTC()
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	location, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return location
}

func window(t testing.TB, start, end string) events.Window {
	t.Helper()
	return events.Window{Start: at(t, start), End: at(t, end)}
}

// lengths divide an hour: the shortest, the longest, those that people choose, and odd ones.
func lengths() []time.Duration {
	var all []time.Duration
	for _, s := range []int{5, 9, 16, 25, 60, 90, 144, 240, 300, 720, 900, 1200, 1800, 3600} {
		all = append(all, time.Duration(s)*time.Second)
	}
	return all
}

func TestAlign(t *testing.T) {
	for name, c := range map[string]struct {
		t      string
		length time.Duration
		want   string
	}{
		"on a boundary":      {"2026-11-22T15:05:00Z", 5 * time.Minute, "2026-11-22T15:05:00Z"},
		"just after":         {"2026-11-22T15:05:00.000000001Z", 5 * time.Minute, "2026-11-22T15:05:00Z"},
		"just before":        {"2026-11-22T15:09:59.999999999Z", 5 * time.Minute, "2026-11-22T15:05:00Z"},
		"in another zone":    {"2026-11-22T15:07:00+05:30", time.Hour, "2026-11-22T09:00:00Z"},
		"hour of an odd one": {"2026-11-22T15:59:59Z", 720 * time.Second, "2026-11-22T15:48:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := grid.Align(at(t, c.t), c.length); !got.Equal(at(t, c.want)) || got.Location() != time.UTC {
				t.Errorf("Align = %v, want %s in UTC", got, c.want)
			}
		})
	}
}

func TestNext(t *testing.T) {
	const m = time.Minute
	for name, c := range map[string]struct {
		checkpoint       string
		length, previous time.Duration
		start, end       string
	}{
		"same length":                       {"2026-11-22T15:05:00Z", 5 * m, 5 * m, "2026-11-22T15:05:00Z", "2026-11-22T15:10:00Z"},
		"a new history":                     {"2026-11-22T15:05:00Z", 5 * m, 0, "2026-11-22T15:05:00Z", "2026-11-22T15:10:00Z"},
		"shorter at once":                   {"2026-11-22T15:05:00Z", m, 5 * m, "2026-11-22T15:05:00Z", "2026-11-22T15:06:00Z"},
		"longer where the grids meet":       {"2026-11-22T15:15:00Z", 15 * m, 5 * m, "2026-11-22T15:15:00Z", "2026-11-22T15:30:00Z"},
		"longer: the old until they meet":   {"2026-11-22T15:05:00Z", 15 * m, 5 * m, "2026-11-22T15:05:00Z", "2026-11-22T15:10:00Z"},
		"neither divides the other":         {"2026-11-22T15:12:00Z", 5 * m, 12 * m, "2026-11-22T15:12:00Z", "2026-11-22T15:24:00Z"},
		"on neither grid":                   {"2026-11-22T15:07:13Z", 5 * m, m, "2026-11-22T15:07:13Z", "2026-11-22T15:10:00Z"},
		"on neither grid, previous unknown": {"2026-11-22T15:07:13Z", 5 * m, 0, "2026-11-22T15:07:13Z", "2026-11-22T15:10:00Z"},
		"previous is no length":             {"2026-11-22T15:07:13Z", 5 * m, -m, "2026-11-22T15:07:13Z", "2026-11-22T15:10:00Z"},
		"checkpoint in another zone":        {"2026-11-22T10:05:00-05:00", 5 * m, 5 * m, "2026-11-22T15:05:00Z", "2026-11-22T15:10:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			got, want := grid.Next(at(t, c.checkpoint), c.length, c.previous), window(t, c.start, c.end)
			if !got.Equal(want) {
				t.Errorf("Next = %v, want %v", got, want)
			}
		})
	}
}

// TestNextCoversEveryInstantOnce changes the length of the windows from any to any other in the middle of an hour.
func TestNextCoversEveryInstantOnce(t *testing.T) {
	start := at(t, "2026-11-22T15:00:00Z")
	for _, old := range lengths() {
		for _, length := range lengths() {
			checkpoint, previous := start.Add(min(3*old, time.Hour-old)), old
			changed := false
			for checkpoint.Before(start.Add(2 * time.Hour)) {
				w := grid.Next(checkpoint, length, previous)
				if !w.Start.Equal(checkpoint) || !w.End.After(w.Start) {
					t.Fatalf("%v → %v: after %v comes %v", old, length, checkpoint, w)
				}
				if changed && w.Length() != length {
					t.Fatalf("%v → %v: back to %v at %v", old, length, w.Length(), w)
				}
				changed = w.Length() == length
				if w.Length() != length && w.Length() != old {
					t.Fatalf("%v → %v: a window of %v at %v", old, length, w.Length(), w)
				}
				checkpoint, previous = w.End, w.Length()
			}
			if !changed {
				t.Errorf("%v → %v: still the old length after two hours", old, length)
			}
		}
	}
}

func TestDueAndBehind(t *testing.T) {
	const length, settle = 5 * time.Minute, 90 * time.Second
	w := window(t, "2026-11-22T15:00:00Z", "2026-11-22T15:05:00Z")
	if got, want := grid.Due(w, settle), at(t, "2026-11-22T15:06:30Z"); !got.Equal(want) {
		t.Errorf("Due = %v, want %v", got, want)
	}
	for name, c := range map[string]struct {
		now  string
		want int
	}{
		"before the end":           {"2026-11-22T15:04:00Z", 0},
		"ended, not settled":       {"2026-11-22T15:06:29.999Z", 0},
		"settled":                  {"2026-11-22T15:06:30Z", 1},
		"the next not yet":         {"2026-11-22T15:11:29Z", 1},
		"two":                      {"2026-11-22T15:11:30Z", 2},
		"a day":                    {"2026-11-23T15:01:30Z", 288},
		"a clock that went back":   {"2026-11-22T14:00:00Z", 0},
		"exactly at the log's end": {"2026-11-22T15:00:00Z", 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := grid.Behind(w.Start, at(t, c.now), length, settle); got != c.want {
				t.Errorf("Behind = %d, want %d", got, c.want)
			}
		})
	}
}

func TestNextMidnight(t *testing.T) {
	for name, c := range map[string]struct{ zone, now, want string }{
		"no daylight saving":                 {"America/Bogota", "2026-11-22T15:00:00Z", "2026-11-23T05:00:00Z"},
		"one second before":                  {"America/Bogota", "2026-11-23T04:59:59Z", "2026-11-23T05:00:00Z"},
		"at midnight: the next one":          {"America/Bogota", "2026-11-23T05:00:00Z", "2026-11-24T05:00:00Z"},
		"UTC day and local day differ":       {"America/Bogota", "2026-11-23T03:00:00Z", "2026-11-23T05:00:00Z"},
		"last day of a year":                 {"America/Bogota", "2027-01-01T04:00:00Z", "2027-01-01T05:00:00Z"},
		"New York, a day of 25 hours":        {"America/New_York", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"},
		"New York, a day of 23 hours":        {"America/New_York", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"},
		"Santiago, 00:00 does not exist":     {"America/Santiago", "2026-09-05T15:00:00Z", "2026-09-06T04:00:00Z"},
		"Santiago, last second before":       {"America/Santiago", "2026-09-06T03:59:59Z", "2026-09-06T04:00:00Z"},
		"Santiago, 23:00 comes twice":        {"America/Santiago", "2026-04-05T02:30:00Z", "2026-04-05T04:00:00Z"},
		"Santiago, in the second 23:00":      {"America/Santiago", "2026-04-05T03:30:00Z", "2026-04-05T04:00:00Z"},
		"Havana, 00:00 does not exist":       {"America/Havana", "2026-03-08T03:00:00Z", "2026-03-08T05:00:00Z"},
		"Havana, 00:00 comes twice: first":   {"America/Havana", "2026-11-01T03:00:00Z", "2026-11-01T04:00:00Z"},
		"Havana, within the first hour":      {"America/Havana", "2026-11-01T04:30:00Z", "2026-11-02T05:00:00Z"},
		"Havana, within the same hour again": {"America/Havana", "2026-11-01T05:30:00Z", "2026-11-02T05:00:00Z"},
		"Lord Howe, a day of 24 and a half":  {"Australia/Lord_Howe", "2026-04-04T14:00:00Z", "2026-04-05T13:30:00Z"},
		"Apia, a day that never was":         {"Pacific/Apia", "2011-12-30T05:00:00Z", "2011-12-30T10:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			got := grid.NextMidnight(at(t, c.now), zone(t, c.zone))
			if want := at(t, c.want); !got.Equal(want) || got.Location() != time.UTC {
				t.Errorf("NextMidnight = %v, want %v", got, want)
			}
		})
	}
}

// TestNextMidnightBeginsANewDay walks through two years by hours.
func TestNextMidnightBeginsANewDay(t *testing.T) {
	for _, name := range []string{"America/Bogota", "America/Santiago", "America/Havana", "America/New_York", "Australia/Lord_Howe"} {
		location := zone(t, name)
		for now := at(t, "2026-01-01T00:00:00Z"); now.Year() < 2028; now = now.Add(time.Hour) {
			midnight := grid.NextMidnight(now, location)
			if wait := midnight.Sub(now); wait <= 0 || wait > 25*time.Hour {
				t.Fatalf("%s: %v after %v", name, wait, now)
			}
			if midnight.In(location).Day() == midnight.Add(-time.Second).In(location).Day() {
				t.Fatalf("%s: no day begins at %v", name, midnight.In(location))
			}
			if midnight.Add(-time.Second).In(location).Day() != now.In(location).Day() {
				t.Fatalf("%s: a whole day lies between %v and %v", name, now, midnight)
			}
		}
	}
}
