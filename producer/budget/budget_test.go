package budget_test

import (
	"errors"
	"reflect"
	"testing"
	"time"
	_ "time/tzdata"

	"unconnected/producer/budget"
)

func at(t testing.TB, text string) time.Time {
	t.Helper()
	instant, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return instant.UTC()
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	location, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return location
}

// The local day of all tests, in Bogota.
const (
	midnight = "2026-11-22T05:00:00Z"
	noon     = "2026-11-22T17:00:00Z"
	tomorrow = "2026-11-23T05:00:00Z"
)

func open(t testing.TB, daily int64) *budget.Budget {
	t.Helper()
	b, err := budget.Open(budget.Settings{Daily: daily, Zone: zone(t, "America/Bogota")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// ventas needs a request every five minutes, and comparisons every hour.
func ventas(checkpoint time.Time) budget.Need {
	return budget.Need{Window: 300, Period: 3600, Checkpoint: checkpoint, Seen: checkpoint}
}

// TestAllow: at noon, 144 windows of the day are still to come, whose reserve is 144 + 10; corrections may need 25.
func TestAllow(t *testing.T) {
	type want struct {
		allowed int64
		until   string // "" when allowed
	}
	for name, c := range map[string]struct {
		daily    int64
		left     int64 // that the report said at noon; -1: no report
		sent     int64 // since
		spent    bool
		class    budget.Class
		n        int64
		want     want
		twoPolls bool // a second operation on the server
	}{
		"nothing known: live":                           {left: -1, class: budget.Live, n: 1, want: want{1, ""}},
		"nothing known: backfill":                       {left: -1, class: budget.Backfill, n: 50, want: want{50, ""}},
		"plenty: backfill":                              {left: 4000, class: budget.Backfill, n: 50, want: want{50, ""}},
		"plenty: some of many":                          {left: 200, class: budget.Correction, n: 50, want: want{46, ""}},
		"the reserve is left: correction":               {left: 154, class: budget.Correction, n: 1, want: want{0, tomorrow}},
		"one more than the reserve: correction":         {left: 155, class: budget.Correction, n: 5, want: want{1, ""}},
		"one more than the reserve: backfill":           {left: 155, class: budget.Backfill, n: 5, want: want{0, tomorrow}},
		"corrections' needs are left: backfill":         {left: 179, class: budget.Backfill, n: 5, want: want{0, tomorrow}},
		"one more than corrections need: backfill":      {left: 180, class: budget.Backfill, n: 5, want: want{1, ""}},
		"the reserve is there for: live":                {left: 20, class: budget.Live, n: 1, want: want{1, ""}},
		"nothing left by the report: live all the same": {left: 0, class: budget.Live, n: 1, want: want{1, ""}},
		"what was sent since counts":                    {left: 200, sent: 46, class: budget.Correction, n: 1, want: want{0, tomorrow}},
		"two operations need twice as much":             {left: 300, class: budget.Correction, n: 1, want: want{0, tomorrow}, twoPolls: true},
		"the API said it is spent: live":                {left: 4000, spent: true, class: budget.Live, n: 1, want: want{0, tomorrow}},
		"the API said it is spent: backfill":            {left: 4000, spent: true, class: budget.Backfill, n: 1, want: want{0, tomorrow}},
		"a ceiling: live below it":                      {daily: 10, left: -1, sent: 9, class: budget.Live, n: 5, want: want{1, ""}},
		"a ceiling: live at it":                         {daily: 10, left: -1, sent: 10, class: budget.Live, n: 1, want: want{0, tomorrow}},
		"a ceiling counts more than a report":           {daily: 10, left: 4000, sent: 9, class: budget.Correction, n: 1, want: want{0, tomorrow}},
		"none of none":                                  {left: 4000, class: budget.Live, n: 0, want: want{0, ""}},
	} {
		t.Run(name, func(t *testing.T) {
			b, now := open(t, c.daily), at(t, noon)
			b.Note("ventas", ventas(now))
			if c.twoPolls {
				b.Note("cobranza", ventas(now))
			}
			if c.left >= 0 {
				b.Asking(now)
				b.Reported(c.left, -1, now)
			}
			b.Left(now)
			b.Ledger.Sent += c.sent
			if c.spent {
				b.Spent(now)
			}
			got, until := b.Allow(c.class, c.n, now)
			if got != c.want.allowed {
				t.Errorf("allowed %d, want %d", got, c.want.allowed)
			}
			if c.want.until != "" && !until.Equal(at(t, c.want.until)) || c.want.until == "" && !until.IsZero() {
				t.Errorf("until %v, want %q", until, c.want.until)
			}
		})
	}
}

func TestTakeAndGiveBack(t *testing.T) {
	b, now := open(t, 100), at(t, noon)
	if n, _ := b.Take(budget.Live, 60, now); n != 60 {
		t.Fatalf("took %d of 60", n)
	}
	if n, _ := b.Take(budget.Live, 60, now); n != 40 {
		t.Fatalf("took %d of the 40 left", n)
	}
	b.GiveBack(15, now, now.Add(time.Minute))
	if left, _ := b.Left(now.Add(time.Minute)); left != 15 {
		t.Errorf("%d left after 15 were given back", left)
	}
	b.Take(budget.Live, 20, at(t, tomorrow))
	b.GiveBack(15, now, at(t, tomorrow))
	if left, _ := b.Left(at(t, tomorrow)); left != 80 {
		t.Errorf("%d left tomorrow: what was taken today is void", left)
	}
}

// TestAnotherDay: the quota is given anew at local midnight.
func TestAnotherDay(t *testing.T) {
	b := open(t, 0)
	b.Asking(at(t, noon))
	b.Reported(500, 4500, at(t, noon))
	b.Take(budget.Live, 100, at(t, noon))
	if left, known := b.Left(at(t, "2026-11-23T04:59:59Z")); left != 400 || !known {
		t.Errorf("before midnight: %d left, known: %v", left, known)
	}
	if left, known := b.Left(at(t, tomorrow).Add(time.Hour)); left != 5000 || !known {
		t.Errorf("after midnight: %d left, known: %v; want a day's quota", left, known)
	}
	want := budget.Ledger{DayBegan: at(t, tomorrow), DayEnds: at(t, "2026-11-24T05:00:00Z"), Since: at(t, tomorrow)}
	if l := b.Ledger; !l.DayBegan.Equal(want.DayBegan) || !l.DayEnds.Equal(want.DayEnds) || !l.Since.Equal(want.Since) || l.Sent != 0 {
		t.Errorf("the ledger of the new day is %+v", l)
	}
}

// TestClocks: what a wrong clock wrote does not last.
func TestClocks(t *testing.T) {
	for name, c := range map[string]struct {
		wrong, right string
		wantSent     int64 // of the 7 sent by the wrong clock
	}{
		"a year ahead":          {"2027-11-22T17:00:00Z", noon, 0},
		"a day ahead":           {"2026-11-23T17:00:00Z", noon, 0},
		"an hour ahead":         {"2026-11-22T18:00:00Z", noon, 7},
		"an hour behind":        {"2026-11-22T16:00:00Z", noon, 7},
		"back across midnight":  {"2026-11-22T05:00:30Z", "2026-11-22T04:59:30Z", 7},
		"a year behind":         {"2025-11-22T17:00:00Z", noon, 0},
		"1970, then the truth":  {"1970-01-01T00:00:00Z", noon, 0},
		"forward into tomorrow": {noon, "2026-11-23T17:00:00Z", 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, 100)
			b.Take(budget.Live, 7, at(t, c.wrong))
			if left, _ := b.Left(at(t, c.right)); left != 100-c.wantSent {
				t.Errorf("%d left, want %d", left, 100-c.wantSent)
			}
			b.Spent(at(t, c.wrong))
			n, until := b.Allow(budget.Live, 1, at(t, c.right))
			if wait := until.Sub(at(t, c.right)); n == 0 && wait > 26*time.Hour {
				t.Errorf("nothing for %v", wait)
			}
		})
	}
}

// TestAskedByAWrongClock: a report that was asked for in the future does not keep others from asking now.
func TestAskedByAWrongClock(t *testing.T) {
	b := open(t, 0)
	b.Asking(at(t, "2027-11-22T17:00:00Z"))
	if !b.ReportDue(at(t, noon)) {
		t.Error("no report is due")
	}
}

func TestSpentUntil(t *testing.T) {
	for name, c := range map[string]struct{ zone, now, want string }{
		"at noon":                           {"America/Bogota", noon, tomorrow},
		"a second before midnight":          {"America/Bogota", "2026-11-23T04:59:59Z", tomorrow},
		"the server's day is still the old": {"America/Bogota", "2026-11-23T05:00:30Z", "2026-11-23T05:05:30Z"},
		"within the first hour":             {"America/Bogota", "2026-11-23T05:59:59Z", "2026-11-23T06:04:59Z"},
		"after it":                          {"America/Bogota", "2026-11-23T06:00:00Z", "2026-11-24T05:00:00Z"},
		"a day of 25 hours":                 {"America/New_York", "2026-11-01T06:00:00Z", "2026-11-02T05:00:00Z"},
		"a day of 23 hours":                 {"America/New_York", "2026-03-08T06:30:00Z", "2026-03-09T04:00:00Z"},
		"00:00 does not exist":              {"America/Santiago", "2026-09-05T15:00:00Z", "2026-09-06T04:00:00Z"},
		"the first hour after that":         {"America/Santiago", "2026-09-06T04:10:00Z", "2026-09-06T04:15:00Z"},
		"00:00 comes twice":                 {"America/Havana", "2026-11-01T05:30:00Z", "2026-11-02T05:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := budget.SpentUntil(at(t, c.now), zone(t, c.zone)); !got.Equal(at(t, c.want)) || got.Location() != time.UTC {
				t.Errorf("SpentUntil = %v, want %s", got, c.want)
			}
		})
	}
}

// TestSpentEndsByItself: nothing is sent before midnight, everything after, whatever a report says meanwhile.
func TestSpentEndsByItself(t *testing.T) {
	b, now := open(t, 0), at(t, noon)
	b.Asking(now)
	until := b.Spent(now.Add(time.Second))
	b.Reported(200, 800, now.Add(2*time.Second))
	if left, known := b.Left(now.Add(time.Hour)); left != 0 || !known || b.ReportDue(now.Add(11*time.Hour)) {
		t.Errorf("%d left while the quota is spent, or a report is due", left)
	}
	if n, _ := b.Allow(budget.Live, 1, until.Add(-time.Second)); n != 0 {
		t.Error("allowed a second before the quota is given anew")
	}
	if n, _ := b.Allow(budget.Live, 1, until); n != 1 {
		t.Error("not allowed when the quota is given anew")
	}
}

func TestLedgerSurvives(t *testing.T) {
	b, now := open(t, 0), at(t, noon)
	b.Note("ventas", ventas(now))
	b.Asking(now)
	b.Reported(900, 100, now)
	b.Take(budget.Correction, 3, now)
	b.Spent(now)
	again, err := budget.Open(b.Settings, b.Encode())
	if err != nil || !reflect.DeepEqual(again.Ledger, b.Ledger) {
		t.Errorf("%+v became %+v, %v", b.Ledger, again.Ledger, err)
	}
}

func TestDamagedLedgers(t *testing.T) {
	for name, data := range map[string]string{
		"no JSON":                      "\x00\x01",
		"cut short":                    `{"sent": 5, "quo`,
		"another type":                 `[1, 2]`,
		"negative":                     `{"sent": -1}`,
		"more than there can be":       `{"sent": 9223372036854775807}`,
		"a fraction":                   `{"sent": 1.5}`,
		"no time":                      `{"sent": 1, "day_ends": "tomorrow"}`,
		"more before the report":       `{"sent": 1, "report": {"at": "2026-11-22T17:00:00Z", "left": 5, "sent": 2}}`,
		"windows of no length":         `{"operations": {"ventas": {"window": 0}}}`,
		"windows of a day":             `{"operations": {"ventas": {"window": 86400}}}`,
		"periods of a negative length": `{"operations": {"ventas": {"window": 300, "period": -1}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			b, err := budget.Open(budget.Settings{Daily: 100, Zone: time.UTC}, []byte(data))
			if !errors.Is(err, budget.ErrDamaged) {
				t.Fatalf("error %v", err)
			}
			if n, _ := b.Take(budget.Live, 1, at(t, noon)); n != 1 {
				t.Error("the new ledger can't be used")
			}
		})
	}
}
