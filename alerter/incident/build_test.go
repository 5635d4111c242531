package incident_test

import (
	"time"

	"unconnected/alerter/incident"
	"unconnected/events"
)

// t0 is the start of the first window of every test.
var t0 = time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)

func minute(n int) time.Time { return t0.Add(time.Duration(n) * time.Minute) }

// alert is an event caused by the window that begins at that minute; its sequence and cause are the minute, too, so that a
// test reads as a story in minutes. It is stored ninety seconds after its window's end.
func alert(status, rule, severity string, at int) events.Alert {
	w := events.Window{Start: minute(at), End: minute(at + 5)}
	a := events.Alert{
		Operation: "default", Rule: rule, Severity: severity, Status: status,
		StartsAt: minute(0), Window: &w, Incident: "default/2026-11-22T15:00:00Z",
		Cause: events.Cause{Sequence: uint64(1000 + at)}, Sequence: uint64(100 + at), Stored: w.End.Add(90 * time.Second),
	}
	if status == events.Resolved {
		end := w.Start
		a.EndsAt, a.Reason = &end, events.ReasonCleared
	} else {
		a.StartsAt = w.Start
	}
	return a
}

func fires(rule, severity string, at int) events.Alert {
	return alert(events.Firing, rule, severity, at)
}
func resolves(rule, severity string, at int) events.Alert {
	return alert(events.Resolved, rule, severity, at)
}

// with changes an alert.
func with(a events.Alert, change func(*events.Alert)) events.Alert {
	change(&a)
	return a
}

// inStream gives the alerts sequences 1, 2, … in ALERTS.
func inStream(alerts ...events.Alert) []events.Alert {
	for i := range alerts {
		alerts[i].Sequence = uint64(i + 1)
	}
	return alerts
}

// folded is the incident that the alerts make; all must belong to it and count.
func folded(alerts ...events.Alert) incident.Incident {
	f := incident.NewFold()
	var inc incident.Incident
	for _, a := range inStream(alerts...) {
		var changed bool
		var err error
		if inc, changed, err = f.Apply(a); err != nil || !changed {
			panic("an alert of the test does not count: " + a.ID())
		}
	}
	return inc
}
