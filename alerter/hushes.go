package alerter

import (
	"slices"
	"time"

	"unconnected/alerter/incident"
	"unconnected/events"
)

// hushKept is for how long a silence counts that only ALERTS has told of. The bucket decides, and is heard of within moments.
const hushKept = 10 * time.Second

// hushes are silences that ALERTS has told of just now :: id → silence. What is stored behind them must find them in force, although
// the bucket that they are in is heard of by another way.
type hushes map[string]hush

type hush struct {
	incident.Silence
	noted time.Time
}

// note takes in what somebody did, if that was a moment ago.
func (h *hushes) note(a *events.Action, now time.Time) {
	switch {
	case a.Action == events.Unsilenced:
		delete(*h, a.Key)
	case a.Action == events.Silenced && now.Sub(a.Stored) < hushKept:
		s := incident.Silence{ID: a.Key, Operation: a.Operation, Rules: a.Rules, From: a.At, Until: *a.Until, By: a.By, Reason: a.Reason}
		if a.From != nil {
			s.From = *a.From
		}
		if *h == nil {
			*h = make(hushes)
		}
		(*h)[a.Key] = hush{s, now}
	}
}

// inForce are all silences: those of the bucket, and those that it is about to tell of. It must be called with mu held.
func (n *notifier) inForce(now time.Time) []incident.Silence {
	all := n.silences()
	for id, h := range n.hushes {
		switch {
		case now.Sub(h.noted) >= hushKept, slices.ContainsFunc(all, func(s incident.Silence) bool { return s.ID == id }):
			delete(n.hushes, id)
		default:
			all = append(all, h.Silence)
		}
	}
	return all
}
