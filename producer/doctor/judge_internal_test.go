package doctor

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/nats-io/nats.go"

	"unconnected/events"
	"unconnected/internal/diagnosis"
	"unconnected/internal/diagnosis/diagnosistest"
	"unconnected/internal/natsio"
	"unconnected/internal/natstest"
	"unconnected/producer"
	"unconnected/producer/access"
	"unconnected/producer/budget"
	"unconnected/producer/oplog"
	"unconnected/producer/wolkvox"
)

// verdict is what is wanted of a finding: its status and a part of what it says.
type verdict struct {
	status diagnosis.Status
	says   string
}

func (v verdict) check(t *testing.T, f diagnosis.Finding) {
	t.Helper()
	diagnosistest.Check(t, f, v.status, v.says)
}

// noon is 12:00 in Bogotá.
var noon = time.Date(2026, 11, 24, 17, 0, 0, 0, time.UTC)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	location, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return location
}

// lastAt is where the last calls were found, that began at a wall-clock time of noon's day.
func lastAt(clock string) span {
	t, err := time.Parse("2006-01-02 15:04", "2026-11-24 "+clock)
	if err != nil {
		panic(err)
	}
	return span{t, t.Add(6 * time.Minute)}
}

func TestJudgeZone(t *testing.T) {
	tests := []struct {
		name       string
		configured string
		f          zoneFacts
		want       verdict
	}{
		{"right", "America/Bogota", zoneFacts{recent: 100}, verdict{diagnosis.OK, "there it is 12:00"}},
		{"the operation's clock is ahead", "America/Mexico_City", zoneFacts{recent: 100, future: 4000, last: lastAt("11:55")},
			verdict{diagnosis.Failed, "UTC−05:00, as in America/Bogota"}},
		{"calls in the future are proof, even of few", "America/Mexico_City", zoneFacts{future: 1, last: lastAt("11:55")}, verdict{diagnosis.Failed, "11:55"}},
		{"behind, and people are calling at this time", "America/Caracas", zoneFacts{last: lastAt("11:56"), earlier: 20},
			verdict{diagnosis.Failed, "unless nobody is calling today"}},
		{"behind, but windows had calls when they were asked for", "America/Caracas", zoneFacts{last: lastAt("09:00"), earlier: 500, proof: windowOf(noon.Add(-26*time.Hour), 37)},
			verdict{diagnosis.Skipped, "no calls since about 09:00 to tell by; in America/Caracas it would be 13:00, and the window from 2026-11-23 11:00 had 37 calls when it was asked for → run it again"}},
		{"behind, or the end of a working day", "America/Caracas", zoneFacts{last: lastAt("11:56"), earlier: 19},
			verdict{diagnosis.Skipped, "if they are calling now: set WOLKVOX_TIMEZONE to the operation's zone: its clock is at UTC−05:00"}},
		{"a quiet night", "America/Bogota", zoneFacts{last: lastAt("03:00")}, verdict{diagnosis.Skipped, "no calls since about 03:00 to tell by, nor a week ago"}},
		{"a holiday", "America/Bogota", zoneFacts{searched: 8 * time.Hour}, verdict{diagnosis.Skipped, "no calls in the last 8h to tell by"}},
		{"no zone of ours has that clock", "America/Bogota", zoneFacts{future: 9, last: lastAt("22:44")}, verdict{diagnosis.Failed, "a zone that is at UTC+05:45 now"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.f.zone, test.f.now = zone(t, test.configured), noon
			test.want.check(t, judgeZone(test.f))
		})
	}
}

// windowOf is a window of five minutes with calls, asked for in time.
func windowOf(start time.Time, total int64) *events.Event {
	window := events.Window{Start: start, End: start.Add(5 * time.Minute)}
	return &events.Event{Timezone: "America/Bogota", Window: window, PolledAt: window.End.Add(90 * time.Second), Total: total}
}

func TestProves(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*events.Event)
		want   bool
	}{
		"asked for in time":    {func(*events.Event) {}, true},
		"without calls":        {func(e *events.Event) { e.Total = 0 }, false},
		"caught up":            {func(e *events.Event) { e.PolledAt = e.Window.Start.Add(quarter) }, false},
		"as long as zones are": {func(e *events.Event) { e.Window.Start = e.PolledAt.Add(-quarter) }, false},
		"corrected":            {func(e *events.Event) { e.Revision = 1 }, false},
		"filled in":            {func(e *events.Event) { e.Backfill = true }, false},
		"missed":               {func(e *events.Event) { e.Missed = &events.Missed{} }, false},
		"of another zone":      {func(e *events.Event) { e.Timezone = "America/Caracas" }, false},
	} {
		e := windowOf(noon, 10)
		if test.change(e); proves(e, zone(t, "America/Bogota")) != test.want {
			t.Errorf("%s: %t", name, !test.want)
		}
	}
}

func TestOffsetOf(t *testing.T) {
	for clock, want := range map[string]time.Duration{
		"12:00": -5 * time.Hour, "11:53": -5 * time.Hour, "11:46": -5 * time.Hour, "11:45": -5*time.Hour - quarter,
		"17:00": 0, "16:50": 0, "17:01": quarter, "22:40": 5*time.Hour + 45*time.Minute,
	} {
		if got := offsetOf(lastAt(clock), noon); got != want {
			t.Errorf("last calls at %s: offset %s, want %s", clock, got, want)
		}
	}
}

// TestLatest looks for calls in every minute of a day.
func TestLatest(t *testing.T) {
	day := span{noon, noon.Add(26 * time.Hour)}
	for minute := 0; minute < 26*60; minute += 7 {
		call, asked := noon.Add(time.Duration(minute)*time.Minute+30*time.Second), 0
		got, err := latest(day, func(s span) (bool, error) {
			asked++
			return !call.Before(s.from) && call.Before(s.to), nil
		})
		if err != nil || call.Before(got.from) || !call.Before(got.to) || got.length() > resolution {
			t.Fatalf("the call at %v is looked for in %v–%v, %v", call, got.from, got.to, err)
		}
		if asked > 8 {
			t.Fatalf("%d requests", asked)
		}
	}
	failure := errors.New("away")
	if _, err := latest(day, func(span) (bool, error) { return false, failure }); err != failure {
		t.Errorf("%v, want the failure", err)
	}
}

func TestEveryCandidateIsAZone(t *testing.T) {
	for _, name := range candidates {
		zone(t, name)
	}
	if got := zonesAt(-5*time.Hour, noon); !slices.Equal(got, []string{"America/Bogota", "America/Lima", "America/Guayaquil"}) {
		t.Errorf("at −05:00: %q", got)
	}
	if got := zonesAt(-4*time.Hour, noon.AddDate(0, 8, 0)); !slices.Contains(got, "America/Caracas") || slices.Contains(got, "America/Bogota") {
		t.Errorf("at −04:00 in summer: %q", got)
	}
}

func TestJudgeQuota(t *testing.T) {
	tests := []struct {
		name      string
		info      wolkvox.TokenInfo
		day, rest int64
		want      verdict
	}{
		{"plenty", wolkvox.TokenInfo{Available: 900, AllToday: 100}, 313, 150, verdict{diagnosis.OK, "900 of 1000 requests are left today; polling needs 313"}},
		{"just enough", wolkvox.TokenInfo{Available: 150, AllToday: 850}, 313, 150, verdict{diagnosis.OK, ""}},
		{"not for the rest of the day", wolkvox.TokenInfo{Available: 149, AllToday: 851}, 313, 150, verdict{diagnosis.Warning, "rest of the day needs 150"}},
		{"never", wolkvox.TokenInfo{Available: 1000, AllToday: 0}, 8640, 10, verdict{diagnosis.Warning, "whole day needs 8640"}},
		{"what was used is not told", wolkvox.TokenInfo{Available: 200, AllToday: wolkvox.Unknown}, 313, 150, verdict{diagnosis.OK, "200 requests are left"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.want.check(t, judgeQuota(test.info, test.day, test.rest)) })
	}
}

func TestJudgeFailure(t *testing.T) {
	api := func(kind wolkvox.Kind, status int) error {
		return &wolkvox.Error{Kind: kind, Op: "cdr_6", Status: status, Hint: "the hint"}
	}
	_, js := natstest.Connect(t, natstest.Server(t))
	tests := []struct {
		name     string
		err      error
		check    string
		hopeless bool
		want     verdict
	}{
		{"token", api(wolkvox.KindRefused, 403), "token", true, verdict{diagnosis.Failed, "the hint"}},
		{"no token", api(wolkvox.KindRefused, 401), "token", true, verdict{diagnosis.Failed, "the hint"}},
		{"address", api(wolkvox.KindRefused, 0), "api", true, verdict{diagnosis.Failed, "the hint"}},
		{"unknown report", api(wolkvox.KindRefused, 400), "api", false, verdict{diagnosis.Failed, "the hint"}},
		{"network", api(wolkvox.KindRetry, 0), "api", true, verdict{diagnosis.Failed, "the hint"}},
		{"maintenance", api(wolkvox.KindMaintenance, 403), "api", true, verdict{diagnosis.Warning, "wait"}},
		{"somebody else", api(wolkvox.KindTokenBusy, 403), "token", true, verdict{diagnosis.Warning, "the hint"}},
		{"quota", api(wolkvox.KindQuota, 403), "quota", true, verdict{diagnosis.Warning, "spent"}},
		{"garbage", api(wolkvox.KindGarbage, 200), "zone", false, verdict{diagnosis.Warning, "report it"}},
		{"slow", fmt.Errorf("zone: %w", errLate), "zone", true, verdict{diagnosis.Skipped, "too long"}},
		{"a producer", &turnError{"producer@host"}, "token", true, verdict{diagnosis.Warning, "producer@host has the token"}},
		{"nothing left for checks", &access.NoBudgetError{Class: budget.Backfill, Until: noon}, "quota", true, verdict{diagnosis.Warning, "2026-11-24T17:00:00Z"}},
		{"NATS", errors.New("ledger of requests: away"), "zone", true, verdict{diagnosis.Failed, "NATS"}},
		{"NATS does not store", natsio.Explain(js, nats.ErrTimeout), "zone", true, verdict{diagnosis.Failed, "not asked: NATS is connected but does not store or answer in time: probably a server's disk is full, or a cluster has no majority → free space and restart that server"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := judgeFailure("zone", test.err)
			test.want.check(t, f)
			if f.Check != test.check || hopeless(test.err) != test.hopeless {
				t.Errorf("is about %s, hopeless %t", f.Check, hopeless(test.err))
			}
		})
	}
}

func TestJudgeReached(t *testing.T) {
	verdict{diagnosis.OK, "wv0011.wolkvox.com answers, in 210ms"}.check(t, judgeReached("wv0011.wolkvox.com", 210*time.Millisecond))
	verdict{diagnosis.Warning, "takes 12s"}.check(t, judgeReached("wv0011.wolkvox.com", 12*time.Second))
}

// TestNoRequestBeginsLate: one that would not end in time is not sent, since cutting it short would keep the token from others.
func TestNoRequestBeginsLate(t *testing.T) {
	a := asker{now: time.Now, until: time.Now()}
	if _, err := a.report(t.Context(), noon, noon.Add(time.Hour)); !errors.Is(err, errLate) || a.sent != 0 {
		t.Errorf("%v, %d sent", err, a.sent)
	}
}

func TestJudgeClock(t *testing.T) {
	verdict{diagnosis.OK, "agree"}.check(t, judgeClock(-45*time.Second, true, 45*time.Second))
	verdict{diagnosis.Warning, "46s ahead of"}.check(t, judgeClock(46*time.Second, true, 45*time.Second))
	verdict{diagnosis.Warning, "1h behind"}.check(t, judgeClock(-time.Hour, true, 45*time.Second))
	verdict{diagnosis.Skipped, "do not tell"}.check(t, judgeClock(0, false, 45*time.Second))
}

func answer(counts map[string]int64) wolkvox.Answer {
	a := wolkvox.Answer{Counts: counts}
	for _, n := range counts {
		a.Total += n
	}
	return a
}

func TestJudgeWindows(t *testing.T) {
	hour := span{noon, noon.Add(time.Hour)}
	tests := []struct {
		name                 string
		whole, first, second map[string]int64
		want                 verdict
	}{
		{"they add up", map[string]int64{"busy": 3, "cancel": 1}, map[string]int64{"busy": 2, "cancel": 0}, map[string]int64{"busy": 1, "cancel": 1}, verdict{diagnosis.OK, "4 calls"}},
		{"a call counted twice", map[string]int64{"busy": 3}, map[string]int64{"busy": 2}, map[string]int64{"busy": 2}, verdict{diagnosis.Failed, "2 and 2 calls, the whole has 3"}},
		{"a call lost", map[string]int64{"busy": 3}, map[string]int64{"busy": 1}, map[string]int64{"busy": 1}, verdict{diagnosis.Failed, "twice, or not at all"}},
		{"another result", map[string]int64{"busy": 3}, map[string]int64{"busy": 1}, map[string]int64{"cancel": 2}, verdict{diagnosis.Failed, ""}},
		{"no calls", nil, nil, nil, verdict{diagnosis.Skipped, "no calls"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.want.check(t, judgeWindows(&sums{answer(test.whole), answer(test.first), answer(test.second)}, hour))
		})
	}
}

func TestJudgeLog(t *testing.T) {
	last := func(ago time.Duration) *events.Event {
		end := noon.Add(-ago)
		return &events.Event{Operation: "ventas", Source: "//wv0011.wolkvox.com/cdr_6", Checkpoint: end, Window: events.Window{Start: end.Add(-5 * time.Minute), End: end}}
	}
	tests := []struct {
		name string
		f    logFacts
		want verdict
	}{
		{"up to date", logFacts{last: last(6 * time.Minute)}, verdict{diagnosis.OK, "6m ago"}},
		{"late, but not behind", logFacts{last: last(18 * time.Minute)}, verdict{diagnosis.OK, ""}},
		{"behind", logFacts{last: last(19 * time.Minute)}, verdict{diagnosis.Warning, "start the producer"}},
		{"behind, and catching up", logFacts{last: storedAt(last(19*time.Hour), noon.Add(-time.Second))}, verdict{diagnosis.OK, "being caught up"}},
		{"empty", logFacts{}, verdict{diagnosis.Warning, "start the producer"}},
		{"lost", logFacts{last: last(time.Minute), lost: &oplog.Mark{Checkpoint: noon}}, verdict{diagnosis.Failed, "--accept-loss ventas"}},
		{"simulated beside real", logFacts{last: last(time.Minute), source: oplog.SourceSimulated}, verdict{diagnosis.Failed, "must not mix"}},
		{"the same source", logFacts{last: last(time.Minute), source: "//wv0012.wolkvox.com/cdr_6"}, verdict{diagnosis.OK, ""}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.f.operation, test.f.now, test.f.settle = "ventas", noon, 90*time.Second
			test.want.check(t, judgeLog(&test.f))
		})
	}
}

func storedAt(e *events.Event, at time.Time) *events.Event { e.Stored = at; return e }

func TestJudgeStatus(t *testing.T) {
	said := func(state producer.State, reason string) logFacts {
		return logFacts{status: &producer.Status{State: state, Reason: reason, Since: noon, NextTry: noon.Add(time.Hour)}}
	}
	tests := []struct {
		name string
		f    logFacts
		want verdict
	}{
		{"nothing", logFacts{}, verdict{diagnosis.Skipped, "none"}},
		{"ok", said(producer.OK, ""), verdict{diagnosis.OK, "ok since 2026-11-24T17:00:00Z"}},
		{"catching up", said(producer.CatchingUp, ""), verdict{diagnosis.OK, "catching up"}},
		{"refused", said(producer.Refused, "PLEASE VALIDATE TOKEN"), verdict{diagnosis.Failed, "PLEASE VALIDATE TOKEN"}},
		{"quota", said(producer.Quota, "spent"), verdict{diagnosis.Warning, "at 2026-11-24T18:00:00Z"}},
		{"maintenance", said(producer.Maintenance, "off"), verdict{diagnosis.Warning, "by itself"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.want.check(t, judgeStatus(&test.f)) })
	}
}
