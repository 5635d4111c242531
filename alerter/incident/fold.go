package incident

import (
	"fmt"
	"slices"
	"time"

	"unconnected/events"
)

// Fold gathers the transitions of the stream ALERTS into incidents. Hand it every alert event in the order of the
// stream, beginning anywhere: what is handed in twice, or comes after something later, changes nothing.
//
// Use [NewFold]. A Fold is not safe for concurrent use.
type Fold struct {
	incidents map[string]*Incident // :: incident id → all its transitions
	last      uint64               // the highest sequence handed in
}

// NewFold returns a Fold that knows of no incident.
func NewFold() *Fold { return &Fold{incidents: make(map[string]*Incident)} }

// Apply takes in one alert event, with its Sequence and Stored set, and returns the incident it belongs to as it is now.
// changed is false for what has been applied before and for the end of something that does not fire. An event that
// breaks the contract is refused with an error, and no incident changes.
func (f *Fold) Apply(a events.Alert) (inc Incident, changed bool, err error) {
	behind := a.Sequence <= f.last
	f.last = max(f.last, a.Sequence)
	if err := a.Validate(); err != nil {
		return Incident{}, false, fmt.Errorf("alert %s at sequence %d: %w", a.ID(), a.Sequence, err)
	}
	known := f.incidents[a.Incident]
	if known == nil {
		known = &Incident{ID: a.Incident, Operation: a.Operation}
	}
	if known.Operation != a.Operation {
		return Incident{}, false, fmt.Errorf("alert %s at sequence %d: its incident %s belongs to the operation %s",
			a.ID(), a.Sequence, a.Incident, known.Operation)
	}
	if behind || !known.add(a) {
		return known.clone(), false, nil
	}
	f.incidents[a.Incident] = known
	return known.clone(), true, nil
}

// Act takes in what somebody did, with its Sequence and Stored set, and returns the ids of the incidents that it means
// something for: the one it names, or those that are open and that it covers. It means nothing for an incident that is over.
func (f *Fold) Act(a events.Action) []string {
	behind := a.Sequence <= f.last
	f.last = max(f.last, a.Sequence)
	if behind || a.Validate() != nil {
		return nil
	}
	if a.Incident != "" {
		if known := f.incidents[a.Incident]; known != nil && known.act(a) {
			return []string{a.Incident}
		}
		return nil
	}
	var ids []string
	for id, known := range f.incidents {
		if known.act(a) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Last is the highest sequence handed in, refused ones included; zero before the first. Read on from the next.
func (f *Fold) Last() uint64 { return f.last }

// Get returns the incident of that id as it is now.
func (f *Fold) Get(id string) (Incident, bool) {
	inc, ok := f.incidents[id]
	if !ok {
		return Incident{}, false
	}
	return inc.clone(), true
}

// All returns every incident held, the most urgent first (see [Incident.Compare]).
func (f *Fold) All() []Incident {
	all := make([]Incident, 0, len(f.incidents))
	for _, inc := range f.incidents {
		all = append(all, inc.clone())
	}
	sortByUrgency(all)
	return all
}

// Forget drops the incidents that closed before t and returns their ids, so that memory does not grow with history. An
// incident that is open is never dropped.
func (f *Fold) Forget(t time.Time) []string {
	var dropped []string
	for id, inc := range f.incidents {
		if !inc.Open && inc.ClosedAt.Before(t) {
			delete(f.incidents, id)
			dropped = append(dropped, id)
		}
	}
	return dropped
}
