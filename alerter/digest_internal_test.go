package alerter

import (
	"testing"
	"time"

	"unconnected/alerter/incident"
	"unconnected/alerter/slack"
	"unconnected/events"
)

var bogota = time.FixedZone("America/Bogota", -5*3600)

func TestSummarise(t *testing.T) {
	from := time.Date(2026, 11, 24, 0, 0, 0, 0, bogota)
	window := func(hour int, busy int64) events.Event {
		start := from.Add(time.Duration(hour) * time.Hour)
		e := events.Event{Window: events.Window{Start: start, End: start.Add(time.Hour)}}
		if busy < 0 {
			e.Missed = &events.Missed{Reason: "garbage", Attempts: 3}
			return e
		}
		e.Total, e.Counts = busy, map[string]int64{events.Busy: busy}
		return e
	}
	for name, test := range map[string]struct {
		windows []events.Event
		want    slack.Day
	}{
		"nothing":         {nil, slack.Day{Absent: 1}},
		"a part":          {[]events.Event{window(0, 3), window(1, 4)}, slack.Day{Total: 7, Windows: 2, Absent: 22}},
		"one missed":      {[]events.Event{window(0, 3), window(1, -1)}, slack.Day{Total: 3, Windows: 1, Missed: 1, Absent: 22}},
		"without a call":  {[]events.Event{window(0, 0)}, slack.Day{Windows: 1, Absent: 23}},
		"one gap between": {[]events.Event{window(0, 1), window(2, 1)}, slack.Day{Total: 2, Windows: 2, Absent: 22}},
	} {
		day := slack.Day{From: from, To: from.Add(24 * time.Hour)}
		summarise(&day, test.windows)
		if day.Total != test.want.Total || day.Windows != test.want.Windows || day.Missed != test.want.Missed || day.Absent != test.want.Absent {
			t.Errorf("%s: %+v, want %+v", name, day, test.want)
		}
		if day.Counts[events.Busy] != test.want.Total {
			t.Errorf("%s: counts %v", name, day.Counts)
		}
	}
}

func TestDayIncidents(t *testing.T) {
	from := time.Date(2026, 11, 24, 0, 0, 0, 0, bogota)
	to := from.Add(24 * time.Hour)
	inc := func(operation string, start, end time.Duration) incident.Incident {
		i := incident.Incident{Operation: operation, Start: from.Add(start), Alerts: []incident.State{{Latest: events.Alert{Rule: "Busy"}}}}
		if i.Open = end == 0; !i.Open {
			i.End = from.Add(end)
		}
		return i
	}
	all := []incident.Incident{
		inc("a", 26*time.Hour, 0), inc("a", 20*time.Hour, 0), inc("a", 23*time.Hour, 25*time.Hour), inc("a", time.Hour, 2*time.Hour),
		inc("a", -2*time.Hour, time.Hour), inc("a", -2*time.Hour, 0-time.Minute), inc("b", time.Hour, 0),
	}
	got := dayIncidents(all, "a", from, to)
	if len(got) != 4 || !got[0].Start.Equal(from.Add(-2*time.Hour)) || got[1].Open || !got[2].Open || !got[3].Open {
		t.Errorf("%+v", got)
	}
}

func TestMostCommonZone(t *testing.T) {
	lima := time.FixedZone("America/Lima", -5*3600)
	for want, zones := range map[string]map[string]*time.Location{
		"UTC":            nil,
		"America/Bogota": {"a": lima, "b": bogota, "c": bogota},
		"America/Lima":   {"a": lima, "b": bogota},
	} {
		if got := mostCommon(zones); got.String() != want {
			t.Errorf("%v, want %s", got, want)
		}
	}
}
