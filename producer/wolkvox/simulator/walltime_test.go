package simulator

import (
	"slices"
	"testing"
	"time"
)

func TestInstants(t *testing.T) {
	hour := func(day, hour, minute int) int64 {
		return time.Date(2026, 11, day, hour, minute, 0, 0, time.UTC).Unix()
	}
	spring := func(hour, minute int) int64 {
		return time.Date(2026, 3, 8, hour, minute, 0, 0, time.UTC).Unix()
	}
	april := func(hour, minute int) int64 {
		return time.Date(2026, 4, 4, hour, minute, 0, 0, time.UTC).Unix()
	}
	for _, c := range []struct {
		name, zone  string
		first, last string
		want        []span
	}{
		{"no daylight saving", "America/Bogota", "20261101100000", "20261101100459", []span{{hour(1, 15, 0), hour(1, 15, 5)}}},
		{"one second", "America/Bogota", "20261101100000", "20261101100000", []span{{hour(1, 15, 0), hour(1, 15, 0) + 1}}},
		{"backwards", "America/Bogota", "20261101100000", "20261101095959", nil},
		// New York, 1 November: from 06:00 UTC on, 01:00 to 02:00 comes a second time.
		{"repeated", "America/New_York", "20261101010000", "20261101010459",
			[]span{{hour(1, 5, 0), hour(1, 5, 5)}, {hour(1, 6, 0), hour(1, 6, 5)}}},
		{"around the repeated hour", "America/New_York", "20261101000000", "20261101025959",
			[]span{{hour(1, 4, 0), hour(1, 6, 0)}, {hour(1, 6, 0), hour(1, 8, 0)}}},
		{"into the repeated hour", "America/New_York", "20261101000000", "20261101012959",
			[]span{{hour(1, 4, 0), hour(1, 5, 30)}, {hour(1, 6, 0), hour(1, 6, 30)}}},
		// New York, 8 March: 02:00 to 03:00 does not exist.
		{"skipped", "America/New_York", "20260308020000", "20260308025959", nil},
		{"around the skipped hour", "America/New_York", "20260308013000", "20260308032959",
			[]span{{spring(6, 30), spring(7, 0)}, {spring(7, 0), spring(7, 30)}}},
		// Havana changes at midnight: the hour before 05:00 UTC on 1 November comes again.
		{"repeated midnight", "America/Havana", "20261031235500", "20261101000459",
			[]span{{hour(1, 3, 55), hour(1, 4, 5)}, {hour(1, 5, 0), hour(1, 5, 5)}}},
		// Lord Howe goes back by half an hour on 5 April, at 15:00 UTC on the 4th.
		{"repeated half hour", "Australia/Lord_Howe", "20260405013000", "20260405015959",
			[]span{{april(14, 30), april(15, 0)}, {april(15, 0), april(15, 30)}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			location, err := time.LoadLocation(c.zone)
			if err != nil {
				t.Fatal(err)
			}
			first, _ := parseWall(c.first)
			last, _ := parseWall(c.last)
			if got := instants(location, first, last); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
