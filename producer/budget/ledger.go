package budget

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"unconnected/producer/grid"
)

// Ledger is what is known of the requests of one server on one local day. All instants are in UTC. The zero Ledger is
// that of a server about which nothing is known. Its JSON is what the bucket holds.
type Ledger struct {
	DayBegan time.Time `json:"day_began,omitzero"` // local midnight
	DayEnds  time.Time `json:"day_ends,omitzero"`  // the next one, when the quota is given anew
	Since    time.Time `json:"since,omitzero"`     // Sent counts from here on: DayBegan, or when the ledger was begun
	Sent     int64     `json:"sent"`               // requests that all our programs sent, or took and may still send

	Quota  int64  `json:"quota,omitempty"`  // requests of a whole day for all tokens, by the last report of any day; 0: not known
	Report Report `json:"report,omitzero"`  // the last one of this day
	Asked  Asked  `json:"asked,omitzero"`   // for a report
	Warned bool   `json:"warned,omitempty"` // that nothing is known of the quota; once a ledger

	// SpentUntil is when the API, which said that the quota is spent, is asked again.
	SpentUntil time.Time `json:"spent_until,omitzero"`

	// Operations is what the pollers of this server need: operation → need.
	Operations map[string]Need `json:"operations,omitempty"`
}

// Report is the API's word on what was left. The zero Report is none.
type Report struct {
	At   time.Time `json:"at,omitzero"`
	Left int64     `json:"left"` // requests for all tokens together, this one counted
	Sent int64     `json:"sent"` // Ledger.Sent at that time
}

// Asked is when a report was asked for last, whatever came of it.
type Asked struct {
	At       time.Time `json:"at,omitzero"`
	Failures int       `json:"failures,omitempty"` // in a row
}

// Need is what the poller of an operation sends in a day.
type Need struct {
	Window     Seconds   `json:"window"`           // length of its windows
	Period     Seconds   `json:"period,omitempty"` // of its corrections; 0: none
	Checkpoint time.Time `json:"checkpoint"`       // up to where its log is complete
	Seen       time.Time `json:"seen"`             // when it said so
}

// Seconds is a duration in whole seconds.
type Seconds int64

// Duration is s as a [time.Duration].
func (s Seconds) Duration() time.Duration { return time.Duration(s) * time.Second }

// most bounds every number of a ledger, so that no sum of them can overflow: a trillion.
const most = 1_000_000_000_000

// ErrDamaged is wrapped by errors about bytes that are no ledger. Begin a new one: the next report puts it right.
var ErrDamaged = errors.New("the ledger of requests is damaged")

// decode reads what [Budget.Encode] wrote.
func decode(data []byte) (Ledger, error) {
	var l Ledger
	err := json.Unmarshal(data, &l)
	if err == nil {
		err = l.check()
	}
	if err != nil {
		return Ledger{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return l, nil
}

func (l *Ledger) check() error {
	for _, n := range []int64{l.Sent, l.Quota, l.Report.Left, l.Report.Sent, int64(l.Asked.Failures)} {
		if n < 0 || n > most {
			return fmt.Errorf("%d is no number of requests", n)
		}
	}
	if l.Report.Sent > l.Sent {
		return fmt.Errorf("%d requests were sent before the report, %d in all", l.Report.Sent, l.Sent)
	}
	for operation, need := range l.Operations {
		if !need.plausible() {
			return fmt.Errorf("operation %.80q can't need windows of %d s, periods of %d s", operation, need.Window, need.Period)
		}
	}
	return nil
}

func (n Need) plausible() bool {
	return n.Window >= 1 && n.Window <= 3600 && n.Period >= 0 && n.Period <= 86400
}

// longestDay is more than any local day has.
const longestDay = 26 * time.Hour

// forget is how long after its last word an operation's need is still reckoned with: its producer may be down, and will
// catch up.
const forget = 48 * time.Hour

// turn begins a new day when the old one is over, or when it lies in a future that a wrong clock had made.
func (l *Ledger) turn(now time.Time, zone *time.Location) {
	if l.SpentUntil.Sub(now) > longestDay {
		l.SpentUntil = time.Time{}
	}
	if now.Before(l.DayEnds) && l.DayEnds.Sub(now) <= longestDay {
		return
	}
	began, since := midnight(now, zone), now.UTC()
	if l.DayEnds.Equal(began) { // the ledger was there when the day began
		since = began
	}
	l.DayBegan, l.DayEnds, l.Since = began, grid.NextMidnight(now, zone), since
	l.Sent, l.Report = 0, Report{}
	if l.Asked.At.After(now) {
		l.Asked = Asked{}
	}
	for operation, need := range l.Operations {
		if now.Sub(need.Seen) > forget || need.Seen.Sub(now) > longestDay {
			delete(l.Operations, operation)
		}
	}
}

// midnight is the beginning of the local day that now lies in, in UTC.
func midnight(now time.Time, zone *time.Location) time.Time {
	at := grid.NextMidnight(now.Add(-longestDay), zone)
	for next := grid.NextMidnight(at, zone); !next.After(now); next = grid.NextMidnight(at, zone) {
		at = next
	}
	return at
}

// earlyHour is how long after our midnight the server's day may still be the old one.
const earlyHour = time.Hour

// again is how soon the API is asked in the early hour.
const again = 5 * time.Minute

// SpentUntil is when to ask the API again that said at now that the day's quota is spent: at the next local midnight, in
// UTC. In the first hour of a day it means that the server's day has not changed yet, and waiting for our next midnight
// would cost a whole day: then soon.
func SpentUntil(now time.Time, zone *time.Location) time.Time {
	if now.Sub(midnight(now, zone)) < earlyHour {
		return now.Add(again).UTC()
	}
	return grid.NextMidnight(now, zone)
}
