package incident

import "time"

// NextNotice is what to do next about a message of its own, which is about no incident: post it once, and find it when nobody
// knows whether it was. Its [Record] has the notice's id in place of an incident's.
func NextNotice(rec Record, caps Caps, now time.Time) Action {
	switch t := rec.Trouble; {
	case rec.Root.Posted, rec.Root.Gone:
		return Action{}
	case t != nil && now.Before(t.Until):
		return Action{Step: Wait, Until: t.Until}
	}
	post := Action{Step: PostRoot, Sequence: 1, Shows: 1, Transition: rec.Incident, Plain: rec.Plain}
	return orLookUp(post, rec.Root.Intent, caps, now)
}
