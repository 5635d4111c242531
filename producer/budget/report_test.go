package budget_test

import (
	"testing"
	"time"

	"unconnected/producer/budget"
)

func TestReportDue(t *testing.T) {
	const h = time.Hour
	for name, c := range map[string]struct {
		daily int64
		left  int64         // as reported at noon; -1: never asked; -2: asked in vain
		sent  int64         // since
		after time.Duration // noon
		want  bool
	}{
		"at the start":                                 {left: -1, want: true},
		"just asked":                                   {left: 4000, after: time.Minute},
		"plenty: not again today":                      {left: 4000, after: 11 * h},
		"after the change of the day":                  {left: 4000, after: 12 * h, want: true},
		"half of it is used":                           {left: 4000, sent: 2000, after: h, want: true},
		"not yet half":                                 {left: 4000, sent: 1999, after: h},
		"half of very little":                          {left: 60, sent: 40, after: h},
		"little is left: every four hours":             {left: 300, after: 4 * h, want: true},
		"little is left: not more often":               {left: 300, after: 4*h - time.Second},
		"only the reserve is left: it changes nothing": {left: 120, after: 4 * h},
		"half is used within moments":                  {left: 400, sent: 300, after: time.Minute},
		"in vain: not at once":                         {left: -2, after: 59 * time.Minute},
		"in vain: after an hour":                       {left: -2, after: h, want: true},
		"a ceiling is configured":                      {daily: 100, left: -1},
		"a ceiling is configured, the day changed":     {daily: 100, left: -1, after: 12 * h},
	} {
		t.Run(name, func(t *testing.T) {
			b, now := open(t, c.daily), at(t, noon)
			b.Note("ventas", ventas(now))
			if c.left != -1 {
				b.Asking(now)
			}
			if c.left >= 0 {
				b.Reported(c.left, 1000, now)
			}
			b.Left(now)
			b.Ledger.Sent += c.sent
			if got := b.ReportDue(now.Add(c.after)); got != c.want {
				t.Errorf("ReportDue = %v", got)
			}
		})
	}
}

// TestReportsAreRare counts them over a month of an operation with a quota of a thousand, asked every five minutes.
func TestReportsAreRare(t *testing.T) {
	for name, c := range map[string]struct {
		quota int64
		fails bool
		most  int // in 30 days
	}{
		"plenty":                {5000, false, 31},
		"a small quota":         {1000, false, 30 * 3},
		"hardly enough":         {350, false, 30 * 6},
		"there is never a word": {0, true, 30},
	} {
		t.Run(name, func(t *testing.T) {
			b, asked := open(t, 0), 0
			for now := at(t, midnight); now.Before(at(t, midnight).Add(30 * 24 * time.Hour)); now = now.Add(5 * time.Minute) {
				b.Note("ventas", ventas(now))
				b.Take(budget.Live, 1, now)
				if !b.ReportDue(now) {
					continue
				}
				asked++
				b.Asking(now)
				if c.fails {
					b.Unreported(now)
				} else {
					b.Reported(c.quota-b.Ledger.Sent, b.Ledger.Sent, now)
				}
			}
			t.Logf("%d in 30 days", asked)
			if asked > c.most || asked == 0 {
				t.Errorf("asked %d times in 30 days, want at most %d", asked, c.most)
			}
		})
	}
}

// TestOnlyOneAsks: what one program noted before it asked, the others see.
func TestOnlyOneAsks(t *testing.T) {
	mine, now := open(t, 0), at(t, noon)
	if !mine.ReportDue(now) {
		t.Fatal("no report is due at the start")
	}
	mine.Asking(now)
	theirs, err := budget.Open(mine.Settings, mine.Encode())
	if err != nil || theirs.ReportDue(now.Add(time.Second)) {
		t.Errorf("a second program would ask, too (%v)", err)
	}
	if theirs.Ledger.Sent != 1 {
		t.Errorf("%d requests counted for the report", theirs.Ledger.Sent)
	}
}

func TestOneWarning(t *testing.T) {
	b, now := open(t, 0), at(t, noon)
	b.Asking(now)
	if !b.Unreported(now) {
		t.Error("no warning that nothing is known of the quota")
	}
	if b.Asking(now.Add(time.Hour)); b.Unreported(now.Add(time.Hour)) {
		t.Error("a second warning")
	}
	b.Reported(100, 900, now.Add(2*time.Hour))
	if b.Unreported(now.Add(24 * time.Hour)) {
		t.Error("a warning, though yesterday's quota is known")
	}
}

func TestWithoutUse(t *testing.T) {
	b, now := open(t, 0), at(t, noon)
	b.Reported(700, -1, now) // the report does not tell what all tokens used
	if left, known := b.Left(at(t, tomorrow)); left != 700 || !known {
		t.Errorf("tomorrow %d left, known: %v; want what is known at least", left, known)
	}
}
