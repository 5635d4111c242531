package slack

import (
	"fmt"
	"time"

	"unconnected/alerter/incident"
	"unconnected/events"
)

// t0 is the start of the first window of every test: ten in the morning in Bogotá.
var t0 = time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)

func minute(n int) time.Time { return t0.Add(time.Duration(n) * time.Minute) }

// firing is an event of the window that begins at that minute, in which n of total calls had the result.
func firing(rule, severity, result string, at int, n, total int64) events.Alert {
	w := events.Window{Start: minute(at), End: minute(at + 5)}
	value, threshold := float64(n)/float64(total), 0.2
	return events.Alert{
		Operation: "default", Rule: rule, Severity: severity, Status: events.Firing, StartsAt: minute(at - 5), Window: &w,
		Value: &value, Threshold: &threshold, Incident: "default/2026-11-22T14:55:00Z", Timezone: "America/Bogota",
		Observed: &events.Observed{Total: total, Counts: map[string]int64{result: n}},
		Cause:    events.Cause{Sequence: uint64(at)}, Stored: w.End.Add(90 * time.Second),
	}
}

func resolved(rule, severity, result string, at int, n, total int64) events.Alert {
	a := firing(rule, severity, result, at, n, total)
	end := minute(at - 10)
	a.Status, a.EndsAt, a.Reason, a.StartsAt = events.Resolved, &end, events.ReasonCleared, minute(-5)
	return a
}

func with(a events.Alert, change func(*events.Alert)) events.Alert {
	change(&a)
	return a
}

// folded is the incident that the alerts make.
func folded(alerts ...events.Alert) incident.Incident {
	f := incident.NewFold()
	var inc incident.Incident
	for i, a := range alerts {
		a.Sequence = uint64(i + 1)
		var changed bool
		var err error
		if inc, changed, err = f.Apply(a); err != nil || !changed {
			panic("an alert of the test does not count: " + a.ID())
		}
	}
	return inc
}

// composer writes in a language with what the built-in rules say of themselves.
func composer(language string) *Composer {
	names := map[string]string{"default": "Ventas Bogotá", "mx": "Ventas México"}
	for i, name := range places {
		names[fmt.Sprint("op", i)] = name
	}
	return &Composer{
		Language: language,
		Names:    names,
		Mention:  []string{"@here"},
		Rules: map[string]Rule{
			"CongestionSpike": {
				Title: map[string]string{"en": "Congestion", "es": "Congestión"}, Results: []string{"congestion"}, Share: true,
				Runbook: "https://wiki.example.com/congestion?a=1&b=2",
			},
			"ChannelUnavailableSpike": {
				Title: map[string]string{"en": "Channel unavailable", "es": "Canal no disponible"}, Results: []string{"chanunavail"}, Share: true,
			},
			"NetworkSideHalf": {
				Title:   map[string]string{"en": "Network side", "es": "Lado de la red"},
				Results: []string{"congestion", "chanunavail"}, Share: true,
			},
			"BusyShift":   {Title: map[string]string{"en": "Busy", "es": "Ocupado"}, Results: []string{"busy"}, Share: true, Mention: []string{"U012AB3CD"}},
			"DataMissing": {Title: map[string]string{"en": "No data", "es": "Sin datos"}, NoData: true},
		},
	}
}
