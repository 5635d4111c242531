package incident_test

import (
	"testing"
	"time"

	"unconnected/alerter/incident"
	"unconnected/events"
)

func TestTheIncidentOfAlertsThatBeginToFire(t *testing.T) {
	at := func(clock string) time.Time {
		t.Helper()
		v, err := time.Parse(time.RFC3339, "2026-11-22T"+clock+":00Z")
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	// message is an alert that a window which ends at end made fire or resolved.
	message := func(rule, status, id, starts, end string) events.Alert {
		return events.Alert{
			Operation: "default", Rule: rule, Status: status, Incident: id, StartsAt: at(starts),
			Window: &events.Window{Start: at(end).Add(-5 * time.Minute), End: at(end)},
		}
	}
	firing := func(rule, id, starts, end string) events.Alert { return message(rule, events.Firing, id, starts, end) }
	resolved := func(rule, id, starts, end string) events.Alert {
		return message(rule, events.Resolved, id, starts, end)
	}
	byTick := func(a events.Alert) events.Alert {
		a.Cause.Tick, a.Window = a.Window.End.Unix(), nil
		return a
	}
	inBogota := func(a events.Alert) events.Alert {
		a.StartsAt = a.StartsAt.In(time.FixedZone("-05", -5*3600))
		return a
	}
	const first = "default/2026-11-22T10:00:00Z"
	for _, c := range []struct {
		name      string
		published []events.Alert
		opening   []events.Alert
		want      string
	}{
		{"the first of all", nil,
			[]events.Alert{firing("A", "", "15:00", "15:10")}, "default/2026-11-22T15:00:00Z"},
		{"several at once: the earliest start", nil,
			[]events.Alert{firing("A", "", "15:05", "15:10"), firing("B", "", "15:00", "15:10")}, "default/2026-11-22T15:00:00Z"},
		{"it is named in UTC", nil,
			[]events.Alert{inBogota(firing("A", "", "15:00", "15:10"))}, "default/2026-11-22T15:00:00Z"},
		{"one joins those that fire", []events.Alert{firing("A", first, "10:00", "10:10")},
			[]events.Alert{firing("B", "", "15:00", "15:10")}, first},
		{"one joins although another has ended",
			[]events.Alert{firing("A", first, "10:00", "10:10"), resolved("C", first, "10:00", "14:00")},
			[]events.Alert{firing("B", "", "15:00", "15:10")}, first},
		{"published of the same cause", []events.Alert{firing("A", first, "10:00", "10:10")},
			[]events.Alert{firing("B", "", "10:05", "10:10")}, first},
		{"ten minutes after closing it re-opens", []events.Alert{resolved("A", first, "10:00", "15:00")},
			[]events.Alert{firing("B", "", "15:00", "15:10")}, first},
		{"later it is another", []events.Alert{resolved("A", first, "10:00", "15:00")},
			[]events.Alert{firing("B", "", "15:05", "15:15")}, "default/2026-11-22T15:05:00Z"},
		{"history that is told anew does not re-open what came after it", []events.Alert{resolved("A", first, "10:00", "15:00")},
			[]events.Alert{firing("B", "", "06:00", "06:10")}, "default/2026-11-22T06:00:00Z"},
		{"a tick that closed a little later than the window that fires", []events.Alert{byTick(resolved("A", first, "10:00", "15:07"))},
			[]events.Alert{firing("B", "", "15:00", "15:05")}, first},
		{"the end of the firing window counts, not the start of the alert",
			[]events.Alert{resolved("A", first, "10:00", "15:00")},
			[]events.Alert{firing("B", "", "14:00", "15:15")}, "default/2026-11-22T14:00:00Z"},
		{"the last to be resolved closed it",
			[]events.Alert{resolved("A", first, "10:00", "14:00"), resolved("B", first, "10:05", "15:00")},
			[]events.Alert{firing("A", "", "15:00", "15:10")}, first},
		{"of several incidents the last re-opens", []events.Alert{
			resolved("A", "default/2026-11-22T11:00:00Z", "11:00", "15:00"), resolved("B", first, "10:00", "10:30")},
			[]events.Alert{firing("B", "", "15:00", "15:10")}, "default/2026-11-22T11:00:00Z"},
		{"closed by a tick", []events.Alert{byTick(resolved("A", first, "10:00", "15:02"))},
			[]events.Alert{firing("B", "", "15:00", "15:10")}, first},
		{"closed by a tick after the newest window", []events.Alert{byTick(resolved("A", first, "10:00", "15:12"))},
			[]events.Alert{firing("B", "", "15:00", "15:10")}, first},
		{"opened by a tick", nil, []events.Alert{byTick(firing("A", "", "15:00", "15:10"))}, "default/2026-11-22T15:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			published := map[string]events.Alert{}
			for _, a := range c.published {
				published[a.Rule] = a
			}
			if got := incident.ID("default", published, c.opening); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			// Whoever died after publishing the first asks again for the rest.
			if len(c.opening) > 1 {
				one := c.opening[0]
				one.Incident = c.want
				published[one.Rule] = one
				if got := incident.ID("default", published, c.opening[1:]); got != c.want {
					t.Errorf("after a crash: got %s, want %s", got, c.want)
				}
			}
		})
	}
}
