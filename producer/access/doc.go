// Package access is the one way to the API: whoever wants to ask, in whichever process, goes through a [Gate], which lets
// one request at a time pass per token, and keeps the requests of a day within the quota.
//
//	gate := access.New(access.Options{Operation: "ventas", Client: client, Leases: keeper, Quota: quota, …})
//	defer gate.Leave(ctx)
//	fresh, err := gate.Enter(ctx, budget.Live, windowsBehind)
//	if fresh {
//		// somebody else may have asked, and appended, meanwhile: read the log again before asking
//	}
//	answer, err := gate.Report(ctx, from, to)
//
// Between Enter and the answer nobody else sends a request with this token. A run of requests keeps the token; Leave gives
// it to others. Live windows go before corrections, these before backfills: who holds the token for something less urgent
// finds at the next Enter that it was given away. See package lease.
//
// # After a time-out
//
// The server may still be at work on a request that ran into its time limit. So nothing is sent for half of the limit
// more, by anybody: the Gate keeps the token for so long. A request that was cut short because the program was stopped
// leaves the token to the end of its time to live.
//
// # The quota
//
// All tokens of a server share the day's requests. Their ledger is a key in the bucket of the leases (package budget);
// requests are taken from it before they are sent, some at a time while there is much to catch up.
package access
