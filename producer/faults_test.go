package producer_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"unconnected/events"
	"unconnected/producer"
	"unconnected/producer/wolkvox/simulator"
)

// TestEveryFaultPasses lets one request in the middle of a catch-up go wrong, in every way that there is.
func TestEveryFaultPasses(t *testing.T) {
	for name, c := range map[string]struct {
		fault   simulator.Fault
		state   producer.State // while waiting; empty when there is nothing to see
		says    string
		outcome string // of the request, in the metrics
	}{
		"500":                {simulator.Status(500), producer.Retrying, "500", "retry"},
		"502":                {simulator.Status(502), producer.Retrying, "502", "retry"},
		"503":                {simulator.Status(503), producer.Retrying, "503", "retry"},
		"429":                {simulator.Reply(429, "text/plain", "slow down", time.Second), producer.Retrying, "429", "retry"},
		"a page":             {simulator.HTMLPage(), producer.Retrying, "", "retry"},
		"a proxy's 404":      {simulator.Status(404), producer.Retrying, "404", "retry"},
		"no body":            {simulator.Reply(200, "application/json", "", 0), producer.Retrying, "", "retry"},
		"an error in a 200":  {simulator.Reply(200, "application/json", `{"code":"500","error":"X","msg":"OOPS"}`, 0), producer.Retrying, "OOPS", "retry"},
		"garbage":            {simulator.Garbage(), producer.Retrying, "", "garbage"},
		"maintenance":        {simulator.Maintenance(), producer.Maintenance, "MAINTENANCE", "maintenance"},
		"the token is busy":  {simulator.TokenBusy(), producer.Retrying, "SIMULTANEOUS", "token_busy"},
		"the token is wrong": {simulator.WrongToken(), producer.Refused, "WOLKVOX_TOKEN", "refused"},
		"the path is wrong":  {simulator.Reply(400, "application/json", `{"code":400,"error":"BAD REQUEST","msg":"THE API YOU WANT TO CONSULT DOES NOT EXIST"}`, 0), producer.Refused, "WOLKVOX_BASE_URL", "refused"},
		"no answer":          {simulator.Hang(), producer.Retrying, "", "retry"},
		"a slow answer":      {simulator.Drip(100 * time.Millisecond), producer.Retrying, "", "retry"},
		"half an answer":     {simulator.Cut(), producer.Retrying, "", "retry"},
		// These two may be asked again unseen, by net/http on a new connection.
		"a broken answer": {simulator.Truncate(), "", "", ""},
		"a reset":         {simulator.Reset(), "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, simulator.Options{})
			s.set(t, map[string]string{"WOLKVOX_TIMEOUT": "1s", "POLL_START": "-20m"})
			s.api.Fail(simulator.Pass(), simulator.Pass(), simulator.Pass(), c.fault)
			p := s.start(t)
			if c.state != "" {
				eventually(t, string(c.state), func() bool { return p.state().State == string(c.state) })
				o := p.state()
				if p.Report().Ready || !strings.Contains(o.Reason, c.says) || o.Reason == "" || o.Since.IsZero() || !o.NextTry.After(o.Since) {
					t.Errorf("reports %+v, want not ready and a reason with %q", p.Report(), c.says)
				}
			}
			s.caughtUp(t)
			eventually(t, "state ok again", func() bool { return p.Report().Ready && p.state().State == "ok" })
			if o := p.state(); o.Reason != "" {
				t.Errorf("ok, but %q", o.Reason)
			}
			if c.outcome != "" && p.metric(t, "unconnected_requests_total", "outcome", c.outcome) != 1 {
				t.Errorf("%v requests counted as %s", p.metric(t, "unconnected_requests_total", "outcome", c.outcome), c.outcome)
			}
			if log := s.sound(t, events.DefaultOperation); len(log) < 19 {
				t.Errorf("%d windows of 20 minutes", len(log))
			}
			s.alone(t)
		})
	}
}

// onlyAt is a fault for the requests whose window starts at a local time.
func onlyAt(from string, fault simulator.Fault) simulator.Fault {
	return func(w http.ResponseWriter, r *http.Request, answer http.HandlerFunc) {
		if r.URL.Query().Get("date_ini") == from {
			fault(w, r, answer)
			return
		}
		answer(w, r)
	}
}

func TestLastingGarbageIsAMissedWindow(t *testing.T) {
	row := `{"result": "` + strings.Repeat("x", 1000) + `", "count": "1"},`
	for name, fault := range map[string]simulator.Fault{
		"rows without counts": simulator.Garbage(),
		"more than a message holds": simulator.Reply(200, "application/json",
			`{"code": 200, "data": [`+strings.TrimSuffix(strings.Repeat(row, 2000), ",")+`]}`, 0),
	} {
		t.Run(name, func(t *testing.T) { lastingGarbage(t, fault) })
	}
}

func lastingGarbage(t *testing.T, fault simulator.Fault) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.set(t, map[string]string{"POLL_GIVE_UP": "500ms", "POLL_START": "-20m"})
	zone := s.config.TheOperations()[0].Zone
	bad := time.Now().Add(-10 * time.Minute).Truncate(time.Minute)
	s.api.FailAll(onlyAt(bad.In(zone).Format("20060102150405"), fault))
	p := s.start(t)
	s.caughtUp(t)
	var missed []events.Event
	for _, e := range s.sound(t, events.DefaultOperation) {
		if e.Missed != nil {
			missed = append(missed, e)
		}
	}
	if len(missed) != 1 || !missed[0].Window.Start.Equal(bad) || missed[0].Missed.Attempts < 2 || missed[0].Missed.Reason == "" {
		t.Errorf("missed %+v, want the window at %v alone", missed, bad)
	}
	if n := p.metric(t, "unconnected_missed_windows_total"); n != 1 {
		t.Errorf("%v missed windows counted", n)
	}
	eventually(t, "state ok", func() bool { return p.Report().Ready && p.state().State == "ok" })
}

func TestANewTokenInTheFileIsTried(t *testing.T) {
	s := newSite(t, simulator.Options{Tokens: []string{"the-new-one"}})
	file := filepath.Join(t.TempDir(), "token")
	write := func(token string) {
		if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("the-old-one")
	environ(t, map[string]string{"WOLKVOX_TOKEN_FILE": file})
	s.set(t, map[string]string{"WOLKVOX_TOKEN": ""})
	p := s.start(t)
	eventually(t, "refused", func() bool { return p.state().State == "refused" })
	if report := p.Report(); report.Ready || !strings.Contains(report.Reason, "WOLKVOX_TOKEN") || strings.Contains(report.Reason, "the-old-one") {
		t.Errorf("reports %+v", report)
	}
	write("the-new-one")
	s.caughtUp(t)
	s.sound(t, events.DefaultOperation)
	if n := p.metric(t, "unconnected_requests_total", "outcome", "refused"); n > 2 {
		t.Errorf("%v requests with the old token", n)
	}
}

func TestASpentQuotaWaitsForTheLocalMidnight(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	// A zone in which it is about noon: near midnight things are different.
	zones := map[bool]string{true: "Etc/GMT+6", false: "Etc/GMT-6"}
	name := zones[time.Now().UTC().Hour() >= 12]
	s.set(t, map[string]string{"WOLKVOX_TIMEZONE": name})
	s.api.Fail(simulator.Pass(), simulator.QuotaSpent())
	p := s.start(t)
	eventually(t, "quota", func() bool { return p.state().State == "quota" })
	o := p.state()
	y, m, d := time.Now().In(s.config.TheOperations()[0].Zone).Date()
	midnight := time.Date(y, m, d+1, 0, 0, 0, 0, s.config.TheOperations()[0].Zone)
	if late := o.NextTry.Sub(midnight); late < 0 || late > time.Minute {
		t.Errorf("next try at %v, local midnight is at %v", o.NextTry, midnight)
	}
	if !strings.Contains(o.Reason, midnight.Format("2006-01-02 15:04")) || p.Report().Ready {
		t.Errorf("reports %+v", p.Report())
	}
	if err := p.stop(); err != nil { // at once, not at midnight
		t.Fatal(err)
	}
	if asked := s.asked(); len(asked) != 2 {
		t.Errorf("%d requests, want one answered and one refused", len(asked))
	}
}

// TestASpentBudgetIsNamed: it is our own limit then, not the API's word.
func TestASpentBudgetIsNamed(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.set(t, map[string]string{"POLL_DAILY_BUDGET": "3", "POLL_START": "-1h"})
	p := s.start(t)
	eventually(t, "quota", func() bool { return p.state().State == "quota" })
	if o := p.state(); !strings.Contains(o.Reason, "POLL_DAILY_BUDGET") {
		t.Errorf("reports %+v", o)
	}
}

func TestTheWrongZoneIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{Location: time.UTC})
	p := s.start(t, real) // which takes the clock for Bogotá's
	eventually(t, "refused", func() bool { return p.state().State == "refused" })
	if report := p.Report(); report.Ready || !strings.Contains(report.Reason, "WOLKVOX_TIMEZONE=America/Bogota") {
		t.Errorf("reports %+v", report)
	}
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	if log, _ := s.tryLog(t); len(log) > 0 {
		t.Errorf("%d windows of the wrong hours", len(log))
	}
}

func TestTheRightZoneIsAskedForOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	for range 2 {
		s.set(t, map[string]string{"POLL_START": "-10m"})
		p := s.start(t, real)
		s.caughtUp(t)
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	}
	log := s.sound(t, events.DefaultOperation)
	hours := 0
	for _, r := range s.api.Ledger() {
		if r.API == "cdr_6" && (r.From[:10] != r.To[:10] || r.From[10:12] != r.To[10:12]) {
			hours++
		}
	}
	if hours != 1 {
		t.Errorf("%d requests for the coming hour, want 1 for a new history", hours)
	}
	if !strings.HasPrefix(log[0].Source, "//127.0.0.1:") {
		t.Errorf("source %s", log[0].Source)
	}
}
