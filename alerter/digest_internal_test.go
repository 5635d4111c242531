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
	drill := inc("a", 3*time.Hour, 4*time.Hour)
	drill.Alerts[0].Latest.Labels = map[string]string{events.LabelDrill: "true"}
	all = append(all, drill)
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

// TestMidnight: where the clocks skip midnight, the day begins with the first instant that there is.
func TestMidnight(t *testing.T) {
	for _, test := range []struct{ zone, in, want string }{
		{"America/Bogota", "2026-11-24T12:00:00Z", "2026-11-24T05:00:00Z"},
		{"America/Santiago", "2026-09-06T12:00:00Z", "2026-09-06T04:00:00Z"},
		{"America/Santiago", "2026-09-07T12:00:00Z", "2026-09-07T03:00:00Z"},
		{"America/Santiago", "2026-09-06T03:59:00Z", "2026-09-05T04:00:00Z"},
		{"America/Santiago", "2026-04-05T12:00:00Z", "2026-04-05T04:00:00Z"},
		{"America/Havana", "2026-03-08T12:00:00Z", "2026-03-08T05:00:00Z"},
		{"America/Havana", "2026-11-01T12:00:00Z", "2026-11-01T04:00:00Z"},
		{"America/New_York", "2026-03-08T12:00:00Z", "2026-03-08T05:00:00Z"},
	} {
		zone, err := time.LoadLocation(test.zone)
		if err != nil {
			t.Fatal(err)
		}
		in, _ := time.Parse(time.RFC3339, test.in)
		if got := midnight(in.In(zone)).UTC().Format(time.RFC3339); got != test.want {
			t.Errorf("the day of %s in %s begins at %s, want %s", test.in, test.zone, got, test.want)
		}
	}
}

// TestTooEarly: the daily message waits a while for the last windows of the day that it is about.
func TestTooEarly(t *testing.T) {
	due := time.Date(2026, 11, 24, 0, 0, 0, 0, bogota)
	for name, test := range map[string]struct {
		reached map[string]time.Time
		after   time.Duration
		want    bool
	}{
		"all judged":                       {map[string]time.Time{"a": due, "b": due.Add(5 * time.Minute)}, 0, false},
		"the last window is to come":       {map[string]time.Time{"a": due.Add(-5 * time.Minute), "b": due}, time.Minute, true},
		"it has not come for a while":      {map[string]time.Time{"a": due.Add(-5 * time.Minute), "b": due}, digestPatience, false},
		"nothing is known of an operation": {map[string]time.Time{"a": due}, time.Minute, true},
	} {
		zones := map[string]*time.Location{"a": bogota, "b": bogota}
		if got := tooEarly(zones, test.reached, due, due.Add(test.after)); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// TestIsMissed: a day without a window is told of an operation that had some before, for as long as somebody may wait for them.
func TestIsMissed(t *testing.T) {
	from := time.Date(2026, 11, 24, 0, 0, 0, 0, bogota)
	waiting := []slack.DayIncident{{Rule: "DataMissing", Start: from.Add(-20 * 24 * time.Hour), Open: true}}
	for name, test := range map[string]struct {
		last time.Time // end of the newest window that was judged
		open []slack.DayIncident
		want bool
	}{
		"it stopped the evening before":          {from.Add(-time.Hour), nil, true},
		"it stopped at midnight":                 {from, nil, true},
		"it began today":                         {from.Add(30 * time.Hour), nil, false},
		"nothing was ever judged":                {time.Time{}, nil, false},
		"it stopped long ago":                    {from.Add(-8 * 24 * time.Hour), nil, false},
		"it stopped long ago, and is waited for": {from.Add(-20 * 24 * time.Hour), waiting, true},
	} {
		day := slack.Day{From: from, To: from.Add(24 * time.Hour), Last: test.last, Incidents: test.open}
		if got := isMissed(&day); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
