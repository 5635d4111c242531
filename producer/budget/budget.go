package budget

import (
	"encoding/json"
	"time"
)

// Class is what a request is for. Lower classes come first.
type Class uint8

// The classes of requests.
const (
	Live       Class = iota // windows as time passes, caught up ones included
	Correction              // of windows that are in the log
	Backfill                // of windows before the checkpoint
)

// String is the class for logs and metrics.
func (c Class) String() string { return [...]string{"live", "correction", "backfill"}[c] }

// Settings are what the operator says about a server.
type Settings struct {
	Daily int64          // POLL_DAILY_BUDGET: requests that we may send in a day; 0: as many as the API's report says
	Zone  *time.Location // of the server's day
}

// Budget is a ledger with the settings to read it by. It must not be used by two goroutines at a time.
type Budget struct {
	Settings
	Ledger Ledger
}

// Open reads a ledger; no bytes are a new one. On an error, which wraps [ErrDamaged], the budget is that of a new ledger
// and may be used.
func Open(s Settings, data []byte) (*Budget, error) {
	b := &Budget{Settings: s}
	if len(data) == 0 {
		return b, nil
	}
	var err error
	b.Ledger, err = decode(data)
	return b, err
}

// Encode is the ledger as the bucket holds it.
func (b *Budget) Encode() []byte {
	data, err := json.Marshal(b.Ledger)
	if err != nil {
		panic("budget: a ledger can't be encoded: " + err.Error()) // only years after 9999 do that
	}
	return data
}

// Left is how many requests may still be sent today by anybody; false when nothing is known of the quota.
func (b *Budget) Left(now time.Time) (int64, bool) {
	l := &b.Ledger
	l.turn(now, b.Zone)
	switch {
	case now.Before(l.SpentUntil):
		return 0, true
	case b.Daily > 0:
		return max(0, b.Daily-l.Sent), true
	case !l.Report.At.IsZero():
		return max(0, l.Report.Left-(l.Sent-l.Report.Sent)), true
	case l.Quota > 0: // yesterday's; today nobody asked yet
		return max(0, l.Quota-l.Sent), true
	}
	return 0, false
}

// day is how many requests a whole day has; 0 when that is not known.
func (b *Budget) day() int64 {
	if b.Daily > 0 {
		return b.Daily
	}
	return b.Ledger.Quota
}

// Allow tells how many of n requests of a class may be sent now. If none, it also tells from when on it is worth asking
// again: until then only a new report, or what others give back, can change the answer.
func (b *Budget) Allow(class Class, n int64, now time.Time) (allowed int64, until time.Time) {
	l := &b.Ledger
	l.turn(now, b.Zone)
	if now.Before(l.SpentUntil) {
		return 0, l.SpentUntil
	}
	left, known := b.Left(now)
	if !known || class == Live && b.Daily == 0 {
		return max(0, n), time.Time{}
	}
	if allowed = min(n, left-b.reserve(class, now)); allowed > 0 {
		return allowed, time.Time{}
	}
	return 0, l.DayEnds
}

// Take is Allow, and counts what it allows as sent. Ask before each request, or take some at a time.
func (b *Budget) Take(class Class, n int64, now time.Time) (taken int64, until time.Time) {
	taken, until = b.Allow(class, n, now)
	taken = min(taken, most-b.Ledger.Sent)
	b.Ledger.Sent += taken
	return taken, until
}

// GiveBack returns requests taken at an instant of the past and not sent. Those of another day are void.
func (b *Budget) GiveBack(n int64, taken, now time.Time) {
	l := &b.Ledger
	l.turn(now, b.Zone)
	if n > 0 && !taken.Before(l.Since) {
		l.Sent = max(l.Report.Sent, l.Sent-n)
	}
}

// Spent notes that the API said the quota is spent, and returns [Ledger.SpentUntil]. What a report says later does not
// shorten that: the API refused, and a token may have a limit of its own.
func (b *Budget) Spent(now time.Time) time.Time {
	b.Ledger.turn(now, b.Zone)
	b.Ledger.SpentUntil = SpentUntil(now, b.Zone)
	return b.Ledger.SpentUntil
}
