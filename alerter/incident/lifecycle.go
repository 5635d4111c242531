package incident

import (
	"time"

	"unconnected/events"
)

// ReopenWithin is how long after an incident was closed an alert that begins to fire still belongs to it, measured from
// the end of the window (or the tick) that closed it to the end of the window that fires.
const ReopenWithin = 10 * time.Minute

// ID is the incident of the alerts that one cause makes fire, which are opening; there must be at least one. published
// are the last messages on all alert subjects of the operation :: rule → alert.
//
//   - While any alert of the operation fires, its incident is open and new alerts join it.
//   - Otherwise the incident that was closed last re-opens, if that is no longer ago than [ReopenWithin].
//   - Otherwise a new one opens: <operation>/<earliest starts_at of opening, RFC 3339 in UTC>.
//
// Nothing but published messages decides, so that whoever dies between publishing two alerts of one cause, and asks
// again with the first of them in published, is told the same.
func ID(operation string, published map[string]events.Alert, opening []events.Alert) string {
	if open := openID(published); open != "" {
		return open
	}
	if id, closed := lastClosed(published); id != "" && near(opening[0].At(), closed) {
		return id
	}
	earliest := opening[0].StartsAt
	for _, a := range opening[1:] {
		if a.StartsAt.Before(earliest) {
			earliest = a.StartsAt
		}
	}
	return operation + "/" + earliest.UTC().Format(time.RFC3339)
}

// near tells whether what fires at an instant belongs to what was closed at another. A tick closes a little after the end
// of the window it follows; what fires long before the closing is history that is told anew.
func near(fires, closed time.Time) bool {
	since := fires.Sub(closed)
	return since <= ReopenWithin && since >= -time.Hour
}

// openID is the incident of the alerts that fire, or "". There is one at a time; should a log hold several, the first by
// name keeps the answer from depending on the map's order.
func openID(published map[string]events.Alert) string {
	open := ""
	for _, a := range published {
		if a.Status == events.Firing && (open == "" || a.Incident < open) {
			open = a.Incident
		}
	}
	return open
}

// lastClosed is the incident of the alert that was resolved last, and when that was.
func lastClosed(published map[string]events.Alert) (id string, at time.Time) {
	for _, a := range published {
		later := a.At().Compare(at)
		if id == "" || later > 0 || later == 0 && a.Incident > id {
			id, at = a.Incident, a.At()
		}
	}
	return id, at
}
