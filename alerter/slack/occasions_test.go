package slack

import (
	"fmt"
	"time"

	"unconnected/alerter/incident"
	"unconnected/events"
)

// occasions are the messages about people, groups, days and blindness.
var occasions = []struct {
	name    string
	message func(c *Composer) Message
}{
	{"firing-buttons", func(c *Composer) Message { c.Buttons = true; return root(c, incident.Mute{}, congested()) }},
	{"firing-acknowledged", func(c *Composer) Message {
		c.Buttons = true
		return root(c, incident.Mute{}, congested(), acknowledged(17, ""))
	}},
	{"firing-silenced", func(c *Composer) Message {
		c.Buttons = true
		mute := incident.Mute{Until: minute(240), By: "Ana Gómez", Reason: "mantenimiento de Claro"}
		return root(c, mute, congested(), acknowledged(17, "llamé a Claro"))
	}},
	{"firing-later", func(c *Composer) Message { c.Buttons = true; return later(c, incident.EditRoot, 630, 1020, 40) }},
	{"firing-calmer", func(c *Composer) Message { c.Buttons = true; return later(c, incident.EditRoot, 40, 900, 60) }},
	{"reminder-later", func(c *Composer) Message { c.Buttons = true; return later(c, incident.PostReminder, 410, 1000, 230) }},
	{"reminder-calmer", func(c *Composer) Message { return later(c, incident.PostReminder, 40, 900, 230) }},
	{"firing-drill", func(c *Composer) Message { c.Buttons = true; return root(c, incident.Mute{}, with(congested(), drill)) }},
	{"resolved-acknowledged", func(c *Composer) Message {
		over := spike(resolved("CongestionSpike", "critical", "congestion", 40, 31, 402))
		return root(c, incident.Mute{}, over[0], acknowledged(17, ""), over[1])
	}},
	{"resolved-drill", func(c *Composer) Message {
		over := spike(resolved("CongestionSpike", "critical", "congestion", 40, 31, 402))
		return root(c, incident.Mute{}, with(over[0], drill), with(over[1], drill))
	}},
	{"resolved-no-data", func(c *Composer) Message {
		return root(c, incident.Mute{}, noData(events.Firing, 20), with(noData(events.Resolved, 41), func(a *events.Alert) {
			end := minute(41)
			a.EndsAt, a.Reason, a.Cause.Tick = &end, events.ReasonCleared, minute(41).Unix()
		}))
	}},
	{"line-details", func(c *Composer) Message { c.Buttons = true; return lineOf(c, congested()) }},
	{"line-acknowledged", func(c *Composer) Message { return lineOf(c, congested(), acknowledged(17, "llamé a Claro")) }},
	{"line-silenced", func(c *Composer) Message { return lineOf(c, congested(), silenced("CongestionSpike")) }},
	{"line-silenced-all", func(c *Composer) Message { return lineOf(c, congested(), silenced()) }},
	{"line-silenced-later", func(c *Composer) Message {
		s, from := silenced("CongestionSpike"), minute(120)
		s.From = &from
		return lineOf(c, congested(), s)
	}},
	{"line-unsilenced", func(c *Composer) Message {
		s := silenced("CongestionSpike")
		return lineOf(c, congested(), s, events.Action{
			Action: events.Unsilenced, Operation: "default", Key: s.Key, By: "Luis Pérez", At: minute(95),
		})
	}},
	{"reminder", func(c *Composer) Message {
		c.Buttons = true
		inc := folded(spike(firing("BusyShift", "warning", "busy", 10, 236, 1073))...)
		return c.Reminder(&inc, minute(235), time.Time{})
	}},
	{"firing-silence-over", func(c *Composer) Message {
		inc := story(congested())
		return c.Root(&inc, minute(65), incident.Mute{}, minute(65))
	}},
	{"reminder-silence-over", func(c *Composer) Message {
		c.Buttons = true
		inc := story(congested(), silenced())
		return c.Reminder(&inc, minute(240), minute(240))
	}},
	{"reminder-no-data", func(c *Composer) Message {
		inc := folded(noData(events.Firing, 20))
		return c.Reminder(&inc, minute(260), time.Time{})
	}},
	{"group", func(c *Composer) Message { return c.Group("@group/x", operations(12, 0), minute(7), time.Time{}) }},
	{"group-late", func(c *Composer) Message { return c.Group("@group/x", operations(5, 0), minute(70), time.Time{}) }},
	{"group-opened-in-silence", func(c *Composer) Message { return c.Group("@group/x", operations(5, 0), minute(70), minute(70)) }},
	{"group-partly", func(c *Composer) Message { return c.Group("@group/x", operations(12, 4), minute(7), time.Time{}) }},
	{"group-resolved", func(c *Composer) Message { return c.Group("@group/x", operations(6, 6), minute(7), time.Time{}) }},
	{"group-later", func(c *Composer) Message {
		members := operations(3, 0)
		for i := range members {
			members[i] = members[i].WithPresent(stands(int64(600-100*i), 1000, 40))
		}
		a := incident.Action{Step: incident.EditRoot, Shows: 9, Present: minute(45)}
		return c.ComposeGroup(a, members, incident.Record{Incident: "@group/x", Root: incident.Root{PostedAt: minute(7)}}, minute(47))
	}},
	{"group-closed", func(c *Composer) Message {
		members := operations(4, 3)
		last := &members[3]
		evening := with(resolved("CongestionSpike", "critical", "congestion", 40, 310, 702), func(a *events.Alert) {
			a.Operation, a.Incident, a.Reason = last.Operation, last.ID, events.ReasonOutOfHours
		})
		members[3] = story(last.Transitions[0].Alert, evening)
		return c.Group("@group/x", members, minute(7), time.Time{})
	}},
	{"group-mixed", func(c *Composer) Message { return c.Group("@group/x", mixed(), minute(21), time.Time{}) }},
	{"group-reminder", func(c *Composer) Message {
		c.Buttons = true
		return c.GroupReminder("@group/x", operations(6, 2), minute(240), time.Time{})
	}},
	{"group-silence-over", func(c *Composer) Message {
		return c.GroupReminder("@group/x", operations(6, 2), minute(75), minute(74))
	}},
	{"digest-one", func(c *Composer) Message { return c.Digest("digest", days(1)) }},
	{"digest-quiet", func(c *Composer) Message {
		day := days(1)
		day[0].Incidents, day[0].Missed, day[0].Absent, day[0].Windows, day[0].Before = nil, 0, 0, 288, -1
		return c.Digest("digest", day)
	}},
	{"digest-no-data", func(c *Composer) Message { return c.Digest("digest", []Day{noDay(0)}) }},
	{"digest-no-answer", func(c *Composer) Message {
		day := noDay(0)
		day.Missed, day.Absent, day.Last, day.Incidents = 288, 0, time.Time{}, nil
		return c.Digest("digest", []Day{day})
	}},
	{"digest-many", func(c *Composer) Message { return c.Digest("digest", days(9)) }},
	{"digest-many-no-data", func(c *Composer) Message {
		some := days(9)
		some[4], some[7] = noDay(4), noDay(7)
		some[7].Incidents = nil
		return c.Digest("digest", some)
	}},
	{"digest-all-no-data", func(c *Composer) Message { return c.Digest("digest", []Day{noDay(0), noDay(1)}) }},
	{"blind", func(c *Composer) Message {
		c.Zone = zoneNamed("America/Bogota")
		return c.Blind("blind", minute(5), time.Time{}, "nats: no servers available for connection")
	}},
	{"blind-over", func(c *Composer) Message {
		c.Zone = zoneNamed("America/Bogota")
		return c.Blind("blind", minute(5), minute(41), "")
	}},
}

// stands is how the alert of congested stands in the window that begins at a minute, in which n of total calls had the result.
func stands(n, total int64, at int) []incident.Present {
	a := with(firing("CongestionSpike", "critical", "congestion", at, n, total), func(a *events.Alert) {
		usual, threshold, peak, peakAt := 0.13118, 0.23118, 0.67, minute(25)
		a.Observed.Usual, a.Threshold, a.Observed.Peak, a.Observed.PeakAt = &usual, &threshold, &peak, &peakAt
	})
	return []incident.Present{{Alert: a, Quiet: n < total/10}}
}

// later is a message about congestion when it has gone on until the window that begins at a minute.
func later(c *Composer, step incident.Step, n, total int64, at int) Message {
	inc := story(congested())
	inc = inc.WithPresent(stands(n, total, at))
	a := incident.Action{Step: step, Shows: inc.Last().Sequence, Present: minute(at + 5)}
	return c.Compose(a, &inc, incident.Record{Root: incident.Root{PostedAt: minute(7)}}, incident.Wishes{}, minute(at+7))
}

// congested is a critical alert with what is usual.
func congested() events.Alert {
	return with(firing("CongestionSpike", "critical", "congestion", 0, 476, 1073), func(a *events.Alert) {
		usual, threshold := 0.13118, 0.23118
		a.Observed.Usual, a.Threshold = &usual, &threshold
	})
}

func drill(a *events.Alert) { a.Labels = map[string]string{"drill": "true"} }

func acknowledged(at int, reason string) events.Action {
	return events.Action{
		Action: events.Acknowledged, Operation: "default", Incident: "default/2026-11-22T14:55:00Z", Key: "click",
		By: "Ana Gómez", At: minute(at), Reason: reason,
	}
}

func silenced(rules ...string) events.Action {
	until := minute(240)
	return events.Action{
		Action: events.Silenced, Operation: "default", Rules: rules, Key: "silence", By: "Ana Gómez", At: minute(17), Until: &until,
		Reason: "mantenimiento de Claro",
	}
}

// story is the incident of alerts and actions in their order.
func story(what ...any) incident.Incident {
	f := incident.NewFold()
	id := ""
	for i, one := range what {
		switch e := one.(type) {
		case events.Alert:
			e.Sequence, id = uint64(i+1), e.Incident
			if _, changed, err := f.Apply(e); err != nil || !changed {
				panic(fmt.Sprint("an alert of the test does not count: ", e.ID(), err))
			}
		case events.Action:
			e.Sequence = uint64(i + 1)
			if len(f.Act(e)) == 0 {
				panic("an action of the test does not count: " + e.ID())
			}
		}
	}
	inc, _ := f.Get(id)
	return inc
}

func root(c *Composer, mute incident.Mute, what ...any) Message {
	inc := story(what...)
	return c.Root(&inc, minute(7), mute, time.Time{})
}

func lineOf(c *Composer, what ...any) Message {
	inc := story(what...)
	return c.Line(&inc, minute(7), time.Time{})
}

// places are what people call the operations of a group.
var places = []string{
	"Ventas Bogotá", "Cobranza", "Soporte Norte", "Retención", "Encuestas", "Ventas Cali", "Ventas Medellín", "Bienvenida",
	"Cartera", "Fidelización", "Agenda médica", "Citas",
}

// operations are the incidents of that many operations, of which some are over and one is taken care of.
func operations(n, over int) []incident.Incident {
	var members []incident.Incident
	for i := range n {
		operation := fmt.Sprint("op", i)
		at := func(a *events.Alert) { a.Operation, a.Incident = operation, operation+"/2026-11-22T14:55:00Z" }
		value := 0.2 + float64(i%7)*0.05
		what := []any{with(congested(), func(a *events.Alert) { at(a); a.Value = &value })}
		switch {
		case i < over:
			what = append(what, with(resolved("CongestionSpike", "critical", "congestion", 40, 31, 402), at))
		case i == over+1:
			by := acknowledged(17, "")
			by.Operation, by.Incident = operation, operation+"/2026-11-22T14:55:00Z"
			what = append(what, by)
		}
		members = append(members, story(what...))
	}
	return members
}

// mixed are incidents of different kinds and in different zones.
func mixed() []incident.Incident {
	members := operations(3, 0)
	in := func(operation, zone string) func(a *events.Alert) {
		return func(a *events.Alert) { a.Operation, a.Incident, a.Timezone = operation, operation+"/x", zone }
	}
	return append(members,
		story(with(firing("BusyShift", "warning", "busy", 0, 500, 1073), in("mx", "America/Mexico_City"))),
		story(with(firing("BusyShift", "warning", "busy", 5, 400, 1073), in("op3", "America/Bogota"))),
		story(with(noData(events.Firing, 20), in("op4", "America/Bogota"))))
}

// days are the yesterdays of that many operations.
func days(n int) []Day {
	var days []Day
	from := time.Date(2026, 11, 24, 0, 0, 0, 0, zoneNamed("America/Bogota"))
	at := func(hour, minute int) time.Time { return from.Add(time.Duration(hour*60+minute) * time.Minute) }
	peak := 0.51
	for i := range n {
		name := "default"
		if i > 0 {
			name = fmt.Sprint("op", i)
		}
		day := Day{
			Operation: name, From: from, To: from.AddDate(0, 0, 1), Total: 23412 - int64(i*1500), Before: 26604 - int64(i*1800), Windows: 288,
			Counts: map[string]int64{"no_answer": 14200 - int64(i*1500), "congestion": 4214, "busy": 2800, "cancel": 1170, "chanunavail": 281, "r_603_decline": 747},
		}
		switch i {
		case 0:
			day.Windows, day.Missed, day.Absent = 284, 3, 1
			day.Incidents = []DayIncident{
				{Rule: "CongestionSpike", Start: at(9, 55), End: at(10, 30), Peak: &peak},
				{Rule: "BusyShift", Start: at(22, 10), Open: true},
			}
		case 3:
			day.Incidents = []DayIncident{{Rule: "DataMissing", Start: at(-1, 40), End: at(0, 20)}}
		case 5:
			day.Windows, day.Absent = 200, 88
		}
		days = append(days, day)
	}
	return days
}

// noDay is the yesterday of the i-th operation if no window of it came.
func noDay(i int) Day {
	day := days(i + 1)[i]
	day.Total, day.Counts, day.Windows, day.Missed, day.Absent = 0, nil, 0, 0, 1
	day.Last = day.From.Add(-75*time.Minute - time.Duration(i)*24*time.Hour)
	day.Incidents = []DayIncident{{Rule: "DataMissing", Start: day.Last.Add(15 * time.Minute), Open: true}}
	return day
}
