package budget

import "time"

// The rhythm of asking for the token report.
const (
	tightRhythm  = 4 * time.Hour // while less than twice what the rest of the day needs seems to be left: others may use it up
	retryRhythm  = time.Hour     // after a report could not be had, doubled with each failure
	mostRetries  = 5             // doublings
	usedAtLeast  = 50            // requests since the last report, before half of what was left counts
	askingRhythm = 10 * time.Minute
)

// ReportDue tells whether to ask the API for a token report now. Whoever does first notes it with [Budget.Asking]. When
// only the live windows' reserve is left, nobody asks again: they are sent anyhow, and nothing else is.
func (b *Budget) ReportDue(now time.Time) bool {
	l := &b.Ledger
	l.turn(now, b.Zone)
	switch {
	case b.Daily > 0, now.Before(l.SpentUntil), now.Before(b.nextReport()):
		return false
	case l.Report.At.IsZero():
		return true
	}
	left, _ := b.Left(now)
	if left <= b.reserve(Correction, now) {
		return false
	}
	if used := l.Sent - l.Report.Sent; used >= usedAtLeast && used >= l.Report.Left/2 {
		return true
	}
	needs := b.Needs(now)
	expected, _ := b.expected(now)
	tight := expected < 2*(needs.Live+needs.Corrections)
	return tight && now.Sub(l.Report.At) >= tightRhythm
}

// nextReport is the earliest instant at which a report may be asked for again.
func (b *Budget) nextReport() time.Time {
	asked := b.Ledger.Asked
	switch {
	case asked.At.IsZero():
		return asked.At
	case asked.Failures == 0:
		return asked.At.Add(askingRhythm)
	}
	return asked.At.Add(retryRhythm << min(asked.Failures-1, mostRetries))
}

// Asking notes that a report is being asked for, and counts the request. Write the ledger before sending it, so that one
// program asks and not all. Should the asker die, that counts as a failure.
func (b *Budget) Asking(now time.Time) {
	l := &b.Ledger
	l.turn(now, b.Zone)
	l.Asked = Asked{At: now.UTC(), Failures: min(l.Asked.Failures+1, 1000)}
	l.Sent = min(l.Sent+1, most)
}

// Reported notes the API's report: requests left today for all tokens, and those used today by all tokens; used is negative
// if the report does not tell. What programs have taken and not sent yet is not in the report, and counts as left until
// the next one: take handfuls that are smaller than the margin.
func (b *Budget) Reported(left, used int64, now time.Time) {
	l := &b.Ledger
	l.turn(now, b.Zone)
	left = min(max(0, left), most/2)
	l.Report = Report{At: now.UTC(), Left: left, Sent: l.Sent}
	l.Asked.Failures = 0
	l.Warned = false
	l.Quota = max(l.Quota, left)
	if used >= 0 {
		l.Quota = left + min(used, most/2)
	}
}

// Unreported notes that the API gave no report. It returns true if the operator is to be warned that there is no budget:
// once, while nothing is known of the quota.
func (b *Budget) Unreported(now time.Time) (warn bool) {
	_, known := b.Left(now)
	if known || b.Ledger.Warned {
		return false
	}
	b.Ledger.Warned = true
	return true
}
