// Package incident is the life of an incident, as pure functions of values: no clock, no I/O.
//
// An incident is what one operation suffers at a time. The stream ALERTS says what happened: [Fold] gathers its
// transitions into an [Incident]. A [Record], one per incident and channel, says what was done about it in Slack. [Worth]
// decides whether a channel is told at all, and [Next] compares the two and names the one thing to do next. How bad it is in the
// newest window is in no stream: [Present] says it, where it is known.
//
// # At most once per transition, at least once per incident
//
// Before a post, the [Intent] to make it is stored; after it, the result. Whoever dies in between leaves an intent without
// a result, and whoever goes on waits until that attempt is over and looks whether the post arrived. Only what is not
// there is sent again. Edits may be repeated freely and need no intent.
//
//	loop:  a := Next(&inc, rec, caps, now)
//	       store(rec.Intend(a, …))                     compare-and-set; on a conflict read again and ask again
//	       receipt, err := do(a)
//	       store(rec.Done(a, receipt, …))              or Failed, NotFound, NoHistory
package incident
