package producer

import (
	"errors"
	"strings"
	"testing"
	"time"

	"unconnected/producer/wolkvox"
)

func TestJudge(t *testing.T) {
	bogota, err := time.LoadLocation("America/Bogota")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC) // 10:00 in Bogotá
	const timeout = 75 * time.Second
	for name, c := range map[string]struct {
		err     wolkvox.Error
		attempt int
		at      time.Time
		state   State
		wait    time.Duration
		says    string
	}{
		"a fault, first":            {wolkvox.Error{Kind: wolkvox.KindRetry, Status: 503}, 1, now, Retrying, time.Second, "503"},
		"a fault, second":           {wolkvox.Error{Kind: wolkvox.KindRetry}, 2, now, Retrying, 2 * time.Second, ""},
		"a fault, sixth":            {wolkvox.Error{Kind: wolkvox.KindRetry}, 6, now, Retrying, 32 * time.Second, ""},
		"a fault, seventh":          {wolkvox.Error{Kind: wolkvox.KindRetry}, 7, now, Retrying, time.Minute, ""},
		"a fault, for days":         {wolkvox.Error{Kind: wolkvox.KindRetry}, 100_000, now, Retrying, time.Minute, ""},
		"garbage, first":            {wolkvox.Error{Kind: wolkvox.KindGarbage}, 1, now, Retrying, time.Second, ""},
		"garbage, later":            {wolkvox.Error{Kind: wolkvox.KindGarbage}, 50, now, Retrying, time.Minute, ""},
		"the token is busy":         {wolkvox.Error{Kind: wolkvox.KindTokenBusy}, 1, now, Retrying, time.Second, ""},
		"the token stays busy":      {wolkvox.Error{Kind: wolkvox.KindTokenBusy}, 50, now, Retrying, 5 * time.Minute, ""},
		"maintenance":               {wolkvox.Error{Kind: wolkvox.KindMaintenance, Msg: "DISABLED"}, 1, now, Maintenance, time.Second, "DISABLED"},
		"a long maintenance":        {wolkvox.Error{Kind: wolkvox.KindMaintenance}, 50, now, Maintenance, 5 * time.Minute, ""},
		"refused":                   {wolkvox.Error{Kind: wolkvox.KindRefused, Hint: "check the token"}, 1, now, Refused, 5 * time.Second, "check the token"},
		"refused for long":          {wolkvox.Error{Kind: wolkvox.KindRefused}, 50, now, Refused, 5 * time.Minute, ""},
		"Retry-After is longer":     {wolkvox.Error{Kind: wolkvox.KindRetry, RetryAfter: 90 * time.Second}, 1, now, Retrying, 90 * time.Second, ""},
		"Retry-After is shorter":    {wolkvox.Error{Kind: wolkvox.KindRetry, RetryAfter: time.Second}, 7, now, Retrying, time.Minute, ""},
		"Retry-After of a year":     {wolkvox.Error{Kind: wolkvox.KindRetry, RetryAfter: 9000 * time.Hour}, 1, now, Retrying, time.Hour, ""},
		"Retry-After in the past":   {wolkvox.Error{Kind: wolkvox.KindRetry, RetryAfter: -time.Hour}, 1, now, Retrying, time.Second, ""},
		"a time-out":                {wolkvox.Error{Kind: wolkvox.KindRetry, Timeout: true}, 1, now, Retrying, timeout / 2, ""},
		"a time-out, long failing":  {wolkvox.Error{Kind: wolkvox.KindRetry, Timeout: true}, 9, now, Retrying, time.Minute, ""},
		"the quota":                 {wolkvox.Error{Kind: wolkvox.KindQuota}, 1, now, Quota, 14*time.Hour + time.Minute, "2026-11-23 00:00 -05"},
		"the quota, tried before":   {wolkvox.Error{Kind: wolkvox.KindQuota}, 9, now, Quota, 14*time.Hour + time.Minute, ""},
		"the quota, at the end":     {wolkvox.Error{Kind: wolkvox.KindQuota}, 1, now.Add(14*time.Hour - 1), Quota, time.Minute + 1, ""},
		"the quota, a day begun":    {wolkvox.Error{Kind: wolkvox.KindQuota}, 1, now.Add(14*time.Hour + time.Minute), Quota, 5 * time.Minute, "soon"},
		"the quota, an hour begun":  {wolkvox.Error{Kind: wolkvox.KindQuota}, 1, now.Add(15*time.Hour + 1), Quota, 23*time.Hour + time.Minute - 1, "2026-11-24 00:00"},
		"the quota and Retry-After": {wolkvox.Error{Kind: wolkvox.KindQuota, RetryAfter: time.Second}, 1, now, Quota, 14*time.Hour + time.Minute, ""},
	} {
		t.Run(name, func(t *testing.T) {
			v := judge(&c.err, c.attempt, c.at, bogota, timeout, 0)
			if v.state != c.state || v.wait != c.wait {
				t.Errorf("judged %s, wait %v; want %s, %v", v.state, v.wait, c.state, c.wait)
			}
			if !strings.Contains(v.reason, c.says) || v.reason == "" {
				t.Errorf("the reason %q does not say %q", v.reason, c.says)
			}
		})
	}
}

func TestJitter(t *testing.T) {
	for _, kind := range wolkvox.Kinds {
		err := &wolkvox.Error{Kind: kind, Err: errors.New("x")}
		now := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
		most := judge(err, 3, now, time.UTC, time.Minute, 0).wait
		least := judge(err, 3, now, time.UTC, time.Minute, 0.999).wait
		if least >= most || kind != wolkvox.KindQuota && least < most*3/4 {
			t.Errorf("%v: jitter makes %v of %v", kind, least, most)
		}
	}
	spread := &wolkvox.Error{Kind: wolkvox.KindRetry, RetryAfter: 30 * time.Second}
	if wait := judge(spread, 1, time.Now(), time.UTC, time.Minute, 0.999).wait; wait < 30*time.Second {
		t.Errorf("jitter shortens Retry-After to %v", wait)
	}
}

func TestSpread(t *testing.T) {
	const settle, window = 90 * time.Second, 5 * time.Minute
	if got := spread(0, 1, settle, window); got != 0 {
		t.Errorf("one operation alone waits %v", got)
	}
	for _, n := range []int{2, 10, 1000, 100_000} {
		last := time.Duration(-1)
		for i := range n {
			got := spread(i, n, settle, window)
			if got < last || got >= settle {
				t.Fatalf("%d of %d: %v after %v", i, n, got, last)
			}
			last = got
		}
		if n == 1000 && last < 20*time.Second {
			t.Errorf("a thousand operations within %v", last)
		}
	}
	if got := spread(999, 1000, settle, 10*time.Second); got >= 5*time.Second {
		t.Errorf("%v of a window of 10 s", got)
	}
	if got := spread(1, 2, 0, window); got != 0 {
		t.Errorf("%v without a settle time", got)
	}
}
