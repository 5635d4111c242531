package alerter

import (
	"maps"
	"slices"
	"time"

	"unconnected/alerter/evaluate"
	"unconnected/alerter/incident"
	"unconnected/events"
)

// stand notes how the alerts of an operation stand that fire, for their messages. Of those that the newest window has made fire
// their events say it.
func (e *evaluator) stand(operation *evaluate.Operation) {
	var present []incident.Present
	if e.duty.has() && e.isCaughtUp() && e.firesSince(operation) {
		for _, p := range operation.Firing(e.language) {
			if last := e.published[operation.Name()][p.Alert.Rule]; last.Status == events.Firing {
				p.Alert.Incident = last.Incident
				present = append(present, incident.Present{Alert: p.Alert, Quiet: p.Quiet, At: time.Now().UTC()})
			}
		}
	}
	e.progress.stand(operation.Name(), present)
}

// firesSince tells whether an alert of the operation fires since before the newest window.
func (e *evaluator) firesSince(operation *evaluate.Operation) bool {
	for _, a := range e.published[operation.Name()] {
		if a.Status == events.Firing && a.At().Before(operation.Window().End) {
			return true
		}
	}
	return false
}

// stand notes how the alerts of an operation stand that fire; what was known of the same window stays.
func (p *progress) stand(operation string, present []incident.Present) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(present) == 0 {
		delete(p.present, operation)
		return
	}
	if known := p.present[operation]; len(known) > 0 && known[0].Alert.At().Equal(present[0].Alert.At()) {
		for i := range present {
			present[i].At = known[0].At
		}
	} else {
		p.fresh[present[0].Alert.Incident] = true
	}
	p.present[operation] = present
}

// standing is how the alerts of an operation stand that fire.
func (p *progress) standing(operation string) []incident.Present {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.present[operation]
}

// takeFresh are the incidents of which something new is known since it was asked the last time.
func (p *progress) takeFresh() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	fresh := slices.Sorted(maps.Keys(p.fresh))
	clear(p.fresh)
	return fresh
}
