// Package budget divides the day's requests that a server allows among those who want to send some. It is pure: what is
// known of the quota in, permission out.
//
// The quota is shared by all tokens of a server, so there is one [Ledger] per server, in a key-value bucket, changed by
// compare-and-set. A program reads it, decides, and writes it back; on a conflict it reads it again and decides anew:
//
//	b, err := budget.Open(settings, entry.Value())    // nil bytes: a new ledger
//	granted, until := b.Take(budget.Correction, 8, now)
//	bucket.Update(ctx, key, b.Encode(), entry.Revision())
//
// To write the ledger less often than once a request, take some requests at a time and give back what was not sent.
//
// # Who comes first
//
// Live windows, then corrections, then backfills. What the rest of the day's live windows of all operations will need is
// never given to the others, and what the corrections will need is never given to a backfill. Every poller notes in the
// ledger what it needs ([Budget.Note]), so that a program which knows only its own operation leaves room for all.
//
// # What is known of the quota
//
// POLL_DAILY_BUDGET, if set: a ceiling for what we send in a day, live windows included. Else the API's token report, less
// what we sent since; live windows are sent even when it says that nothing is left, because it may be wrong, and the API
// itself says when the quota is spent. If there is neither, there is no budget and everything is allowed.
//
// Once the API said that the quota is spent nothing is allowed until [Ledger.SpentUntil].
//
// # What if it is wrong?
//
// Programs that die with requests taken, a ledger that was lost, others who use the quota: the next report puts it right.
// A report is asked for at the start, after a change of the day, when half of what was left has been used, and every four
// hours while there is little to spare. It costs a request itself, which is counted.
//
// # Clocks
//
// The day is local to the zone of whoever opens the ledger first in it. A host's clock that was set back voids a day that
// now lies in the future.
package budget
