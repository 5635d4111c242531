package wolkvox

import "unconnected/producer/wolkvox/result"

// The documented results of unconnected calls.
const (
	Busy        = result.Busy
	Cancel      = result.Cancel
	Chanunavail = result.Chanunavail // no channel could be had: trunk or carrier
	Congestion  = result.Congestion  // the network refused the call
	DoNotCall   = result.DoNotCall   // the number is on the blacklist
	NoAnswer    = result.NoAnswer
	TCPA        = result.TCPA // the customer was called as often as allowed in 24 hours
)

// Results lists the documented results in alphabetical order. Answer.Counts has
// all of them, always. Do not modify.
var Results = result.Documented

// Unnamed is the name of calls that were counted under a blank name, or under
// one without a single letter or digit of the Latin alphabet.
const Unnamed = result.Unnamed

// ResultName returns the name under which calls of a reported result are
// counted; see [result.Name].
func ResultName(reported string) string { return result.Name(reported) }
