package wolkvox

import (
	"net/http"
	"testing"
	"time"
)

func TestClockAhead(t *testing.T) {
	date := time.Date(2026, 11, 22, 15, 6, 30, 0, time.UTC)
	const ms = time.Millisecond
	for _, c := range []struct {
		name           string
		asked, arrived time.Duration // our clock, from the Date on
		want           time.Duration
	}{
		{"the same", 0, 50 * ms, 0},
		{"the Date's second is not over", 999 * ms, 1049 * ms, 0},
		{"just possible", 1000 * ms, 1050 * ms, 0},
		{"ahead by no less than that", 1001 * ms, 1050 * ms, ms},
		{"ahead by a minute", 61 * time.Second, 62 * time.Second, time.Minute},
		{"arrived in the Date's first instant", -50 * ms, 0, 0},
		{"behind by no less than that", -50 * ms, -ms, -ms},
		{"behind by a minute", -62 * time.Second, -time.Minute, -time.Minute},
		{"a slow answer tells less", -30 * time.Second, 30 * time.Second, 0},
		{"slow, and ahead all the same", 30 * time.Second, 90 * time.Second, 29 * time.Second},
		{"ours jumped forward meanwhile", 0, time.Hour, 0},
	} {
		answer := Answer{Date: date, RequestedAt: date.Add(c.asked), ReceivedAt: date.Add(c.arrived)}
		if got, known := answer.ClockAhead(); got != c.want || !known {
			t.Errorf("%s: %v (known %v), want %v", c.name, got, known, c.want)
		}
	}
	for name, answer := range map[string]Answer{
		"no Date":                  {RequestedAt: date, ReceivedAt: date},
		"no times of ours":         {Date: date},
		"ours set back meanwhile":  {Date: date, RequestedAt: date.Add(time.Hour), ReceivedAt: date.Add(-time.Hour)},
		"ours set right meanwhile": {Date: date, RequestedAt: date.Add(time.Hour), ReceivedAt: date.Add(time.Second)},
		"no time of arrival":       {Date: date, RequestedAt: date},
	} {
		if got, known := answer.ClockAhead(); got != 0 || known {
			t.Errorf("%s: %v (known %v), want unknown", name, got, known)
		}
	}
}

func TestServerDate(t *testing.T) {
	const written = "Sun, 22 Nov 2026 15:06:30 GMT"
	date := time.Date(2026, 11, 22, 15, 6, 30, 0, time.UTC)
	for _, c := range []struct {
		name   string
		header http.Header
		want   time.Time
	}{
		{"as usual", http.Header{"Date": {written}}, date},
		{"absent", nil, time.Time{}},
		{"unreadable", http.Header{"Date": {"yesterday"}}, time.Time{}},
		{"through a cache, fresh", http.Header{"Date": {written}, "Age": {"0"}}, date},
		{"from a cache", http.Header{"Date": {written}, "Age": {"17"}}, time.Time{}},
	} {
		if got := serverDate(c.header); !got.Equal(c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
