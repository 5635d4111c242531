package incident_test

import (
	"testing"

	"unconnected/alerter/incident"
	"unconnected/events"
)

// TestRoutesOfDrills: a drill may name its channel; no other alert may, whatever its labels say.
func TestRoutesOfDrills(t *testing.T) {
	for _, c := range []struct {
		labels map[string]string
		want   string
	}{
		{map[string]string{events.LabelDrill: "true", events.LabelChannel: "#drills"}, "#drills"},
		{map[string]string{events.LabelDrill: "true"}, "#noc"},
		{map[string]string{events.LabelChannel: "#drills"}, "#noc"},
	} {
		inc := folded(with(fires("A", "critical", 0), func(a *events.Alert) { a.Labels = c.labels }))
		routes := incident.Routes(&inc, nil, func(string) string { return "#noc" })
		if _, ok := routes[c.want]; !ok || len(routes) != 1 {
			t.Errorf("%v is told in %v, want %s", c.labels, routes, c.want)
		}
	}
}
