package slack

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// several tells of many operations: the sum, and one line each, where something happened first.
func (d *digest) several(m *Message, days []Day) {
	w := d.words
	var total, incidents, troubled, uneventful, empty int64
	for i := range days {
		total += days[i].Total
		if days[i].empty() {
			empty++
		}
		incidents += int64(len(days[i].Incidents))
		if len(days[i].Incidents) > 0 {
			troubled++
		} else if days[i].Missed+days[i].Absent == 0 {
			uneventful++
		}
	}
	summary := w.noIncidents
	if incidents > 0 {
		summary = fmt.Sprintf(w.incidentsIn, w.count(w.incidents, incidents), w.count(w.operations, troubled))
	}
	calls, without := w.count(w.calls, total), ""
	if empty > 0 {
		without = fmt.Sprintf(w.emptyFrom, w.count(w.operations, empty))
	}
	if empty == int64(len(days)) {
		calls, without = upperFirst(w.emptyDay), ""
	}
	m.Facts = []Fact{{Text: joined(calls, without, summary)}}
	if uneventful > 0 {
		text := fmt.Sprintf(w.uneventful, w.Decimal(float64(uneventful), 0), w.count(w.operations, int64(len(days))))
		m.Facts = append(m.Facts, Fact{Text: text})
	}
	for _, day := range d.byTrouble(days) {
		m.Others = append(m.Others, d.line(day))
	}
}

// byTrouble puts open incidents first, then the longest, then what is incomplete, then the names.
func (d *digest) byTrouble(days []Day) []*Day {
	type ranked struct {
		day     *Day
		open    int
		lasted  time.Duration
		missing float64 // part of the day
	}
	all := make([]ranked, len(days))
	for i := range days {
		r := ranked{day: &days[i], missing: days[i].missing()}
		for j := range days[i].Incidents {
			incident := &days[i].Incidents[j]
			r.lasted += incident.duration(&days[i])
			if incident.Open {
				r.open++
			}
		}
		all[i] = r
	}
	slices.SortStableFunc(all, func(a, b ranked) int {
		return cmp.Or(b.open-a.open, cmp.Compare(b.lasted, a.lasted), cmp.Compare(b.missing, a.missing),
			strings.Compare(d.name(a.day.Operation), d.name(b.day.Operation)))
	})
	sorted := make([]*Day, len(all))
	for i := range all {
		sorted[i] = all[i].day
	}
	return sorted
}

// missing is the part of the day that is not known.
func (day *Day) missing() float64 {
	missing := day.Missed + day.Absent
	if missing == 0 {
		return 0
	}
	return float64(missing) / float64(day.Windows+missing)
}

// line is one of several operations: 🔴 Ventas Bogotá · 23,412 (−12%) · network side 19% · 2 incidents, the longest 35 min.
func (d *digest) line(day *Day) string {
	w, mark := d.words, "✅"
	volume := w.Decimal(float64(day.Total), 0)
	if change, ok := changeOf(day.Total, day.Before); ok && change != 0 {
		volume += " (" + signed(w, change) + ")"
	}
	if day.empty() {
		volume = d.noData(day)
	}
	network, incidents, missing := "", "", ""
	if day.Total > 0 {
		network = fmt.Sprintf(w.compactNetwork, w.Percent(d.networkShare(day)))
	}
	if day.Missed+day.Absent > 0 {
		mark, missing = "⚠️", d.completeness(day)
	}
	if len(day.Incidents) > 0 {
		mark, incidents = "🟠", d.incidents(day)
	}
	if slices.ContainsFunc(day.Incidents, func(i DayIncident) bool { return i.Open }) {
		mark = "🔴"
	}
	return mark + " " + joined(shortened(d.name(day.Operation), limitName), volume, network, incidents, missing)
}

func (d *digest) networkShare(day *Day) float64 {
	n := int64(0)
	for result, count := range day.Counts {
		if sideOf(result) == 0 {
			n += count
		}
	}
	return share(n, day.Total)
}

// signed is a change with its sign: +5%, −12%.
func signed(w *words, change float64) string {
	if change > 0 {
		return "+" + w.Percent(change)
	}
	return w.Percent(change)
}
