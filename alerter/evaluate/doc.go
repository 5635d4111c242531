// Package evaluate turns the messages of an operation's log into the states of its alerts, and these into the transitions
// that must be published. It has no clock and does no input or output (but for the zone of an event, which the standard
// library may look up in the system's files): what happens follows from the messages, the times at which they were
// stored and the rules. So live alerting, a restart and a backtest are the same code and give the same transitions.
//
//	operation := evaluate.New("default", rules, evaluate.Options{MaxAge: 30 * time.Minute})
//	for ev := range log { // in the order in which it was stored
//		operation.Apply(ev)
//		for _, alert := range operation.Transitions(published, events.Cause{Sequence: ev.Sequence}, "en") {
//			publish(alert)
//			published[alert.Rule] = alert
//		}
//	}
//
// # The life of an alert
//
// Live windows follow each other. Each gets a verdict from each rule (see [rule.Verdict]).
//
//   - It fires when `for: n of m` is met: n of the last m windows held, counting from the last resolution. Windows that
//     are unknown do not hold, but take a place. It started with the earliest window that counted.
//   - It is cleared by `keep` quiet windows in a row; it ended with the start of the first. Any other window, an unknown
//     one too, begins the row anew.
//   - It ends with no_traffic when for an hour all windows were known and had no calls, or too few for the rule's volume
//     bound. While that is so nothing fires.
//   - It fires with a single window in which `at_once` holds.
//   - It ends with rebased after 48 hours, if the rule compares with what is usual: from then on what it saw is.
//   - Out of its hours, or on a holiday, a rule does not fire and its alert ends; windows there do not count afterwards.
//
// # What is usual
//
// Each operation has a [rule.History] for the functions of its rules. A window that is part of an alert which compares
// with what is usual does not become usual, nor does one of a holiday. A backfilled window from before what is remembered
// becomes usual, and is not judged.
//
// # Ticks
//
// Rules on missing and status are judged by [Operation.Tick], with the time and what is known of the producer passed in. A
// backtest has no ticks and leaves them out. Whether such a rule fires is undecided after a restart until its condition
// or its opposite is seen, and until then what is published stands.
//
// # What else may stand in a log
//
// A missed marker, an ambiguous window and a hole in the log are windows of which nothing is known.
//
// A revision and a backfill change what is remembered of a window; then the newest live window is judged again with what
// is known now. This can clear an alert, but makes one fire only if the correction was stored within [Options].MaxAge of
// the end of the newest window. What it changed counts for the windows that follow in any case.
//
// Windows that came before, that overlap others, that lie more than a day after their storing, and corrections of windows
// nobody remembers any more change nothing.
// An hour is remembered, or as many windows as `for` and `keep` look back.
//
// # Snapshots
//
// [Operation.AppendBinary] writes what an operation knows, and [Operation.UnmarshalBinary] goes on from there: with the messages
// that follow it gives the transitions of an operation that has seen all of them. A snapshot holds for the same [Fingerprint]
// only.
package evaluate
