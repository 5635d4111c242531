package budget_test

import (
	"testing"
	"time"

	"unconnected/producer/budget"
)

func TestNeeds(t *testing.T) {
	now := at(t, noon)
	for name, c := range map[string]struct {
		needs map[string]budget.Need
		want  budget.Requests
	}{
		"nobody":                        {nil, budget.Requests{}},
		"half a day of five minutes":    {map[string]budget.Need{"ventas": ventas(now)}, budget.Requests{Live: 144, Corrections: 25}},
		"an hour to catch up":           {map[string]budget.Need{"ventas": ventas(now.Add(-time.Hour))}, budget.Requests{Live: 156, Corrections: 25}},
		"a window begun counts":         {map[string]budget.Need{"ventas": ventas(now.Add(-time.Second))}, budget.Requests{Live: 145, Corrections: 25}},
		"two operations":                {map[string]budget.Need{"ventas": ventas(now), "cobranza": {Window: 60, Checkpoint: now, Seen: now}}, budget.Requests{Live: 144 + 720, Corrections: 25}},
		"no history yet":                {map[string]budget.Need{"ventas": {Window: 300, Seen: now}}, budget.Requests{Live: 144}},
		"the end of the day is reached": {map[string]budget.Need{"ventas": {Window: 300, Checkpoint: at(t, tomorrow), Seen: now}}, budget.Requests{}},
		"no length: not noted":          {map[string]budget.Need{"ventas": {Seen: now}}, budget.Requests{}},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, 0)
			for operation, need := range c.needs {
				b.Note(operation, need)
			}
			if got := b.Needs(now); got != c.want {
				t.Errorf("Needs = %+v, want %+v", got, c.want)
			}
		})
	}
}

// TestForgotten: an operation whose producer is down is reckoned with for two days.
func TestForgotten(t *testing.T) {
	b, now := open(t, 0), at(t, noon)
	b.Note("ventas", ventas(now))
	if got := b.Needs(now.Add(24 * time.Hour)); got.Live != 288+144 {
		t.Errorf("after a day: %+v", got)
	}
	if got := b.Needs(now.Add(72 * time.Hour)); got.Live != 0 {
		t.Errorf("after three days: %+v", got)
	}
}

func TestForecast(t *testing.T) {
	for name, c := range map[string]struct {
		daily      int64
		left, used int64 // reported at noon; left < 0: no report
		sent       int64 // by noon
		operations int   // like ventas, up to date
		want       string
	}{
		"nothing known":                            {left: -1, operations: 1},
		"plenty":                                   {left: 4000, used: 1000, operations: 1},
		"just enough: 144 windows, 12 periods":     {left: 156, used: 0, operations: 1},
		"too little for the windows to come":       {left: 78, used: 0, operations: 1, want: "2026-11-22T23:00:00Z"},
		"two operations":                           {left: 156, used: 0, operations: 2, want: "2026-11-22T23:00:00Z"},
		"others use it: 1200 by noon":              {left: 678, used: 1200, operations: 1, want: "2026-11-22T23:00:00Z"},
		"what we sent is not others'":              {left: 678, used: 1200, sent: 1200, operations: 1},
		"a ceiling above what is needed":           {daily: 400, left: -1, sent: 150, operations: 1},
		"a ceiling below what is needed":           {daily: 200, left: -1, sent: 122, operations: 1, want: "2026-11-22T23:00:00Z"},
		"spent":                                    {daily: 100, left: -1, sent: 100, operations: 1, want: noon},
		"nobody said what it needs: by the past":   {daily: 500, left: -1, sent: 400, want: "2026-11-22T20:00:00Z"},
		"nobody said what it needs, it was little": {daily: 5000, left: -1, sent: 400},
	} {
		t.Run(name, func(t *testing.T) {
			b, now := open(t, c.daily), at(t, noon)
			b.Left(at(t, midnight).Add(-time.Second)) // the ledger is there when the day begins
			b.Left(at(t, midnight))
			b.Ledger.Sent = c.sent
			for i := range c.operations {
				b.Note(string(rune('a'+i)), ventas(now))
			}
			if c.left >= 0 {
				b.Reported(c.left, c.used, now)
			}
			got, ok := b.Forecast(now)
			if ok != (c.want != "") || ok && got.Sub(at(t, c.want)).Abs() > 2*time.Minute {
				t.Errorf("Forecast = %v, %v, want %q", got, ok, c.want)
			}
		})
	}
}

func TestEstimate(t *testing.T) {
	type e = budget.Estimate
	for name, c := range map[string]struct {
		daily, left, used int64
		n                 int64
		want              e
	}{
		"nothing known":                          {left: -1, n: 1000, want: e{Requests: 1000}},
		"today":                                  {left: 4179, used: 821, n: 4000, want: e{Requests: 4000, Known: true, Today: 4000, Daily: 4649, Days: 1}},
		"today and tomorrow":                     {left: 4179, used: 821, n: 4001, want: e{Requests: 4001, Known: true, Today: 4000, Daily: 4649, Days: 2}},
		"today and two whole days":               {left: 4179, used: 821, n: 4000 + 2*4649, want: e{Requests: 4000 + 2*4649, Known: true, Today: 4000, Daily: 4649, Days: 3}},
		"and one more":                           {left: 4179, used: 821, n: 4001 + 2*4649, want: e{Requests: 4001 + 2*4649, Known: true, Today: 4000, Daily: 4649, Days: 4}},
		"nothing to spare today":                 {left: 100, used: 4900, n: 1, want: e{Requests: 1, Known: true, Daily: 4649, Days: 2}},
		"never: the live windows need it all":    {left: 100, used: 200, n: 1, want: e{Requests: 1, Known: true}},
		"never, but for what today has to spare": {left: 200, used: 100, n: 21, want: e{Requests: 21, Known: true, Today: 21, Days: 1}},
		"a ceiling":                              {daily: 1000, left: -1, n: 1000, want: e{Requests: 1000, Known: true, Today: 821, Daily: 649, Days: 2}},
		"nothing to do":                          {left: 4179, used: 821, n: 0, want: e{Known: true, Today: 4000, Daily: 4649, Days: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			b, now := open(t, c.daily), at(t, noon)
			b.Note("ventas", ventas(now))
			if c.left >= 0 {
				b.Reported(c.left, c.used, now)
			}
			if got := b.Estimate(c.n, now); got != c.want {
				t.Errorf("Estimate = %+v, want %+v", got, c.want)
			}
		})
	}
}
