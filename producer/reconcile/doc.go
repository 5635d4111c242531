// Package reconcile finds what the API corrected after a window was stored, with few requests. It is pure: what the log
// holds and what the API answers in, requests and changes out.
//
// # How
//
// Closed spans of time are asked for as a whole and compared, result by result, with the sum of their windows in the log.
// Only where the two differ is a span halved and asked for again, down to single windows, whose own answers become
// revisions. Spans are periods of a fixed length, each once, when it has been closed for as long as it is itself; and the
// local day, once, the next morning:
//
//	schedule := reconcile.Schedule{Period: time.Hour, Window: 5 * time.Minute, Zone: bogota}
//	for job, ok := schedule.Next(progress); ok && job.Ready(checkpoint, now); job, ok = schedule.Next(progress) {
//		check := schedule.Begin(job, windowsOf(job.Span))
//		for request, more := check.Next(); more; request, more = check.Next() {
//			if change, changed := check.Answer(ask(request.Span)); changed {
//				publish(change)
//			}
//		}
//		progress = check.Advance(progress)
//	}
//
// # What it costs
//
// An unchanged day costs one request a period and one for the day: 25 with periods of an hour. One changed window among
// the n of a span costs at most 1 + 2·⌈log₂ n⌉ requests, the span's own included: 9 in an hour of twelve. Never more than
// 2n−1, and no window is asked for alone twice.
//
// # What is inferred, and what is not
//
// Total and first half give the second half by subtraction. If that differs from the log, the second half is halved at
// once, without asking for its total. If it does not differ, its total is asked for all the same: calls recorded between
// the two answers may have made it look unchanged. So an inference can cost requests, but never hide a change.
//
// # What if calls come late meanwhile?
//
// What a window alone answers last is published, and that is the end of it: each step asks for fewer windows than the one
// before. What comes still later is found by the day's comparison, or by a recheck.
//
// # What if the process dies?
//
// The span is begun again. What was published is in the log by then, equals the API's answer, and is not asked for again
// alone.
//
// # What stays unseen
//
// Changes that cancel out per result among windows that are compared as one sum. After a span was compared its windows add
// up to what the API says of it as a whole; a recheck of every window finds the rest.
//
// # What is left out
//
// Windows in a local hour that the clocks repeat, since the API answers for both passes together; windows marked ambiguous;
// windows that share time with another (`verify` reports them); windows that still can't be had. What lies between them is
// compared in as many parts as that leaves.
package reconcile
