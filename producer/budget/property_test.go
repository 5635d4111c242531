package budget_test

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"unconnected/producer/budget"
)

// TestOthersNeverEatTheReserve lets corrections and backfills take what they can, at random, while a random number of
// operations polls window by window. With nobody else on the quota, no live window is ever refused by the API, in any
// order and across days; and what was taken never exceeds the quota.
func TestOthersNeverEatTheReserve(t *testing.T) {
	classes := []budget.Class{budget.Correction, budget.Backfill}
	for seed := range uint64(24) {
		r := rand.New(rand.NewPCG(seed, 1))
		daily := []int64{0, 1}[r.IntN(2)]
		operations := 1 + r.IntN(3)
		quota := int64(operations*144) + 30 + r.Int64N(2000) // windows of ten minutes, and the margin
		b := open(t, daily*quota)
		var used, others int64 // of the day, as the API counts
		for now := at(t, midnight); now.Before(at(t, midnight).Add(72 * time.Hour)); now = now.Add(10 * time.Minute) {
			if now.Equal(b.Ledger.DayEnds) {
				used = 0
			}
			for i := range operations {
				b.Note(string(rune('a'+i)), budget.Need{Window: 600, Period: 3600, Checkpoint: now, Seen: now})
			}
			if b.ReportDue(now) {
				b.Asking(now)
				used++
				b.Reported(quota-used, used, now)
			}
			for range r.IntN(8) {
				n, until := b.Take(classes[r.IntN(2)], 1+r.Int64N(40), now)
				if n == 0 && !until.After(now) {
					t.Fatalf("seed %d: refused until %v, now it is %v", seed, until, now)
				}
				if r.IntN(5) == 0 {
					back := r.Int64N(n + 1)
					b.GiveBack(back, now, now)
					n -= back
				}
				used, others = used+n, others+n
			}
			for i := range operations {
				n, _ := b.Take(budget.Live, 1, now)
				used += n
				if n != 1 || used > quota {
					t.Fatalf("seed %d: a live window was refused at %v: %d of %d used", seed, now, used, quota)
				}
				b.Note(string(rune('a'+i)), budget.Need{Window: 600, Period: 3600, Checkpoint: now.Add(10 * time.Minute), Seen: now})
			}
			b = reopened(t, b)
		}
		if others == 0 && quota > int64(operations*(144+49))+100 {
			t.Errorf("seed %d: the others never got anything of %d", seed, quota)
		}
	}
}

func reopened(t *testing.T, b *budget.Budget) *budget.Budget {
	t.Helper()
	again, err := budget.Open(b.Settings, b.Encode())
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// TestAnyOrder does anything at any time, clocks included. What is left is never negative, nothing is allowed while the
// quota is spent, no wait is longer than a day, and a lower class never gets more than a higher one.
func TestAnyOrder(t *testing.T) {
	for seed := range uint64(80) {
		r := rand.New(rand.NewPCG(seed, 2))
		b, now := open(t, r.Int64N(3)*500), at(t, noon)
		for range 200 {
			now = now.Add(time.Duration(r.Int64N(int64(3*time.Hour))) - 20*time.Minute)
			anything(b, r, now)
			before := b.Encode()
			if left, _ := b.Left(now); left < 0 {
				t.Fatalf("seed %d: %d left", seed, left)
			}
			n := 1 + r.Int64N(30)
			live, until := b.Allow(budget.Live, n, now)
			corrections, _ := b.Allow(budget.Correction, n, now)
			backfills, _ := b.Allow(budget.Backfill, n, now)
			if live > n || live < corrections || corrections < backfills || backfills < 0 {
				t.Fatalf("seed %d: of %d, live get %d, corrections %d, backfills %d", seed, n, live, corrections, backfills)
			}
			if now.Before(b.Ledger.SpentUntil) && live > 0 {
				t.Fatalf("seed %d: %d allowed while the quota is spent", seed, live)
			}
			if live == 0 && (!until.After(now) || until.Sub(now) > 26*time.Hour) {
				t.Fatalf("seed %d: refused until %v, now it is %v", seed, until, now)
			}
			if forecast, ok := b.Forecast(now); ok && (forecast.Before(now) || forecast.After(b.Ledger.DayEnds)) {
				t.Fatalf("seed %d: forecast %v, now it is %v", seed, forecast, now)
			}
			b.Estimate(n, now)
			if turned := b.Encode(); !bytes.Equal(before, turned) && b.Ledger.Sent > 0 && bytes.Contains(before, []byte(`"day_ends":"`+b.Ledger.DayEnds.Format(time.RFC3339))) {
				t.Fatalf("seed %d: questions changed the ledger from %s to %s", seed, before, turned)
			}
			b = reopened(t, b)
		}
	}
}

func anything(b *budget.Budget, r *rand.Rand, now time.Time) {
	switch r.IntN(8) {
	case 0:
		b.Spent(now)
	case 1:
		b.Asking(now)
		b.Reported(r.Int64N(2000)-100, r.Int64N(2000)-100, now)
	case 2:
		b.Asking(now)
		b.Unreported(now)
	case 3:
		b.Note("ventas", budget.Need{Window: budget.Seconds(r.IntN(4000)), Period: budget.Seconds(r.IntN(90000)), Checkpoint: now, Seen: now})
	case 4:
		b.GiveBack(r.Int64N(50), now.Add(-time.Duration(r.Int64N(int64(48*time.Hour)))), now)
	default:
		b.Take(budget.Class(r.IntN(3)), r.Int64N(60), now)
	}
}

// FuzzLedger: whatever is in the bucket, a program can go on with it.
func FuzzLedger(f *testing.F) {
	b, now := open(f, 0), at(f, noon)
	b.Note("ventas", ventas(now))
	b.Asking(now)
	b.Reported(900, 100, now)
	b.Spent(now)
	f.Add(b.Encode(), int64(0), int64(0))
	f.Add([]byte(`{"sent":5,"quota":1000000000000,"day_ends":"2026-11-22T23:59:59-05:00"}`), int64(500), int64(3600))
	f.Add([]byte(`{"spent_until":"9999-12-31T23:59:59-23:59","operations":{"":{"window":1,"checkpoint":"0001-01-01T00:00:01Z"}}}`), int64(1), int64(-1))
	f.Add([]byte(`{"day_ends":"2026-11-23T05:00:00Z","sent":1,"spent_until":"2027-01-01T00:00:00Z"}`), int64(0), int64(-156))
	bogota := zone(f, "America/Bogota")
	f.Fuzz(func(t *testing.T, data []byte, daily, after int64) {
		b, err := budget.Open(budget.Settings{Daily: max(0, daily), Zone: bogota}, data)
		if err != nil {
			return
		}
		again, err := budget.Open(b.Settings, b.Encode())
		if err != nil || !bytes.Equal(again.Encode(), b.Encode()) {
			t.Fatalf("%s became %s, %v", data, b.Encode(), err)
		}
		now := time.Unix(1795366800+after%(400*24*3600), 0)
		for class := budget.Live; class <= budget.Backfill; class++ {
			if n, until := b.Take(class, 3, now); n < 0 || n > 3 || n == 0 && until.Sub(now) > 26*time.Hour {
				t.Errorf("took %d, until %v", n, until)
			}
		}
		if left, _ := b.Left(now); left < 0 {
			t.Errorf("%d left", left)
		}
		b.ReportDue(now)
		b.Forecast(now)
		b.Estimate(1000, now)
		if _, err := budget.Open(b.Settings, b.Encode()); err != nil {
			t.Errorf("what was written can't be read: %v", err)
		}
	})
}
