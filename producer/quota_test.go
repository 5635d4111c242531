package producer_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natsio"
	"unconnected/producer"
	"unconnected/producer/access"
	"unconnected/producer/budget"
	"unconnected/producer/wolkvox/simulator"
)

// quarters are windows of which a day has 96, so that ten days pass in a second.
var quarters = map[string]string{"POLL_WINDOW": "15m"}

// others send requests of their own with another token, such as a dashboard does. The answers don't interest them.
func (s *site) others(n int) {
	for range n {
		r := httptest.NewRequest(http.MethodGet, "/api/v2/information.php?api=other", nil)
		r.Header.Set("wolkvox-token", "others")
		s.api.ServeHTTP(httptest.NewRecorder(), r)
	}
}

// sharedQuota is a site with one licence, a thousand requests a day, for two tokens of ours and one of others.
func sharedQuota(t *testing.T, d *days, settings map[string]string) *site {
	t.Helper()
	s := overDays(t, d, simulator.Options{Licences: 1, Tokens: []string{simulator.DefaultToken, "two", "others"}}, quarters)
	all := map[string]string{"POLL_WINDOW": "15m", "POLL_SETTLE": "90s", "POLL_START": "now"}
	for name, value := range settings {
		all[name] = value
	}
	s.set(t, all)
	return s
}

// ours are the requests that we sent, by the API's ledger.
func (s *site) ours() (ours []simulator.Request) {
	for _, r := range s.api.Ledger() {
		if r.API != "other" {
			ours = append(ours, r)
		}
	}
	return ours
}

// localDay is the local day of an instant in Bogotá.
func localDay(at time.Time) string { return at.Add(-5 * time.Hour).Format(time.DateOnly) }

// midnight is the next local one in Bogotá.
func midnight(at time.Time) time.Time {
	return at.Add(-5 * time.Hour).Truncate(24 * time.Hour).Add(29 * time.Hour)
}

// perDay counts our requests of each whole local day: all, and those for the quota.
func (s *site) perDay() (all, reports map[string]int) {
	all, reports = make(map[string]int), make(map[string]int)
	for _, r := range s.ours() {
		all[localDay(r.At)]++
		if r.API == "token_info" {
			reports[localDay(r.At)]++
		}
	}
	return all, reports
}

// requireSilence checks that nothing was sent from the API's word that the quota is spent to the local midnight, by whom ever, but
// for what each of the other processes was about to send, and returns on how many days that was said.
func (s *site) requireSilence(t *testing.T, processes int) (spent int) {
	t.Helper()
	told := make(map[string]int)
	for _, r := range s.ours() {
		if told[localDay(r.At)] >= processes {
			t.Errorf("asked at %v, after it was said that the day's quota is spent", r.At)
		}
		if r.Status == http.StatusForbidden {
			told[localDay(r.At)]++
		}
	}
	return len(told)
}

// TestASpentQuota: on each of ten days others use up what there is in the middle of the day. Nothing is sent then until the day
// is over; after midnight it goes on by itself, and nothing is missing in the end.
func TestASpentQuota(t *testing.T) {
	t.Parallel()
	const length = 10
	d := newDays(t, "2026-11-10T05:00:00Z", length*24*time.Hour)
	begin := d.at
	s := sharedQuota(t, d, nil)
	for day := range length {
		noon := begin.Add(time.Duration(day)*24*time.Hour + 12*time.Hour)
		d.on(noon, func() { s.others(1000) })
		d.on(noon.Add(2*time.Hour), func() { s.requireSpent(t, d, midnight(noon)) })
		d.on(noon.Add(13*time.Hour), func() {
			if report := d.report(); !report.Ready || d.now().Sub(report.Operations[0].Checkpoint) > 20*time.Minute {
				t.Errorf("at %v, an hour into the new day: %+v", d.now(), report)
			}
		})
	}
	var book pages
	s.live(t, d, book.into)
	if n := s.requireSilence(t, 1); n != length {
		t.Errorf("the quota was spent on %d days", n)
	}
	log := s.checked(t)
	s.requireTruth(t, log, d.end)
	if n := book.count("the day's requests are spent; nothing is sent"); n < length || n > 2*length {
		t.Errorf("%d lines of the log say so", n)
	}
	if n := book.count("nothing is sent before 2026-11-1") + book.count("until=2026-11-1"); n < length {
		t.Errorf("%d lines of the log say until when", n)
	}
}

// requireSpent checks that readyz, status and metrics say that the quota is spent, and until when.
func (s *site) requireSpent(t *testing.T, d *days, until time.Time) {
	p := <-d.working
	defer func() { d.working <- p }()
	o := p.state()
	local := until.Add(-5 * time.Hour).Format("2006-01-02 15:04")
	if p.Report().Ready || o.State != string(producer.Quota) || !strings.Contains(o.Reason, local) || o.NextTry.Before(until) || o.NextTry.After(until.Add(2*time.Minute)) {
		t.Errorf("at %v it says %+v, want that nothing is sent before %s", d.now(), p.Report(), local)
	}
	if got := p.metric(t, "unconnected_quota_resumes_timestamp_seconds"); got != float64(until.Unix()) {
		t.Errorf("it resumes at %v, want %d", got, until.Unix())
	}
	if left := p.metric(t, "unconnected_quota_remaining_requests"); left != 0 {
		t.Errorf("%v requests left", left)
	}
	if at := p.metric(t, "unconnected_quota_exhaustion_timestamp_seconds"); at > float64(d.now().Unix()) {
		t.Errorf("it will be spent at %v", at)
	}
}

// TestASpentQuotaConcernsAll: two operations in two processes share a quota, and one of the two is told; both start anew
// meanwhile.
func TestASpentQuotaConcernsAll(t *testing.T) {
	t.Parallel()
	d := newDays(t, "2026-11-10T05:00:00Z", 0)
	s := sharedQuota(t, d, nil)
	second := *s
	second.set(t, map[string]string{
		"WOLKVOX_OPERATION": "ventas", "WOLKVOX_TOKEN": "two", "POLL_WINDOW": "15m", "POLL_SETTLE": "90s", "POLL_START": "now",
	})
	d.on(d.at.Add(14*time.Hour), func() { s.others(1000) })
	for _, hours := range []time.Duration{16, 3, 9, 8} {
		d.extend(hours * time.Hour)
		p := second.start(t, func(o *producer.Options) { o.Clock = d.host() })
		s.live(t, d)
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.requireSilence(t, 2); n != 1 {
		t.Errorf("the quota was spent on %d days", n)
	}
	for _, operation := range []string{events.DefaultOperation, "ventas"} {
		log, _ := s.log(t, operation)
		if behind := d.now().Sub(log[len(log)-1].Checkpoint); behind > 40*time.Minute {
			t.Errorf("%s is %v behind", operation, behind)
		}
	}
}

// TestADailyBudget: POLL_DAILY_BUDGET is never exceeded, corrections leave the live windows theirs, and what must be caught up
// is caught up with what days have to spare.
func TestADailyBudget(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		budget, start string
		most          int // requests a day
		corrections   [2]int
	}{
		"enough for some corrections": {"115", "now", 115, [2]int{5, 10}},
		"for live windows alone":      {"96", "now", 96, [2]int{0, 0}},
		"with much to catch up":       {"130", "-48h", 130, [2]int{0, 4}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDays(t, "2026-11-10T05:00:00Z", 72*time.Hour)
			s := sharedQuota(t, d, map[string]string{"POLL_DAILY_BUDGET": c.budget, "POLL_START": c.start})
			s.live(t, d)
			log := s.checked(t)
			s.requireTruth(t, log, d.end)
			all, reports := s.perDay()
			if len(all) < 3 || len(reports) > 0 {
				t.Errorf("requests by day: %v, for the quota: %v", all, reports)
			}
			polled := make(map[string]int)
			for _, e := range log {
				polled[localDay(e.PolledAt)]++
			}
			for day, n := range all {
				corrections := n - polled[day]
				whole := day != localDay(d.end) && day != "2026-11-10" // the first day's hours are compared from the second on
				if n > c.most || whole && (corrections < c.corrections[0] || corrections > c.corrections[1]) {
					t.Errorf("%s: %d requests, %d of them corrections", day, n, corrections)
				}
			}
			if missing := int(d.end.Sub(log[len(log)-1].Checkpoint) / (15 * time.Minute)); c.start == "now" && missing > 1 {
				t.Errorf("%d windows behind", missing)
			}
		})
	}
}

// TestCorrectionsLeaveLiveWindowsTheirs: others leave little more than a day's live windows need.
func TestCorrectionsLeaveLiveWindowsTheirs(t *testing.T) {
	t.Parallel()
	d := newDays(t, "2026-11-10T04:30:00Z", 78*time.Hour)
	s := sharedQuota(t, d, nil)
	for day := range 3 {
		d.on(instant(t, "2026-11-10T05:00:00Z").Add(time.Duration(day)*24*time.Hour), func() { s.others(1000 - 115) })
	}
	s.live(t, d)
	if n := s.requireSilence(t, 1); n != 0 {
		t.Errorf("the quota was spent on %d days", n)
	}
	log := s.checked(t)
	s.requireTruth(t, log, d.end)
	all, _ := s.perDay()
	for _, day := range []string{"2026-11-11", "2026-11-12"} {
		if n := all[day]; n > 115 || n < 100 {
			t.Errorf("%s: %d requests, of 115", day, n)
		}
	}
	for _, e := range log {
		if late := e.PolledAt.Sub(e.Window.End); late > 2*time.Minute {
			t.Errorf("%v was polled %v after its end", e.Window, late)
		}
	}
}

// TestTheQuotaIsAskedForRarely, and each request is counted, those for the quota included.
func TestTheQuotaIsAskedForRarely(t *testing.T) {
	t.Parallel()
	d := newDays(t, "2026-11-10T05:00:00Z", 71*time.Hour)
	s := sharedQuota(t, d, nil)
	s.live(t, d)
	all, reports := s.perDay()
	for day, n := range all {
		if reports[day] < 1 || reports[day] > 2 {
			t.Errorf("%s: asked %d times for the quota", day, reports[day])
		}
		if ledger := s.ledger(t); day == localDay(ledger.DayBegan) && (ledger.Sent != int64(n) || ledger.Quota != 1000) {
			t.Errorf("%s: %d requests, and the ledger says %+v", day, n, ledger)
		}
	}
	if last := s.ledger(t); localDay(last.DayBegan) != "2026-11-12" {
		t.Errorf("the ledger is of %v", last.DayBegan)
	}
}

// ledgerKey is the key of the only ledger.
func (s *site) ledgerKey(t *testing.T) (jetstream.KeyValue, string) {
	t.Helper()
	bucket, err := s.js.KeyValue(t.Context(), natsio.BucketLeases)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := bucket.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if strings.HasPrefix(key, access.KeyPrefix) {
			return bucket, key
		}
	}
	t.Fatalf("no ledger among %v", keys)
	return nil, ""
}

// ledger is the ledger of requests as it is stored.
func (s *site) ledger(t *testing.T) (l budget.Ledger) {
	t.Helper()
	bucket, key := s.ledgerKey(t)
	entry, err := bucket.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(entry.Value(), &l); err != nil {
		t.Fatal(err)
	}
	return l
}

// TestNoReportOfTheQuota: without one there is no budget and one warning, and everything else goes on.
func TestNoReportOfTheQuota(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]simulator.Fault{
		"not found": simulator.Status(404),
		"no API":    simulator.Reply(400, "application/json", `{"code":400,"error":"BAD REQUEST","msg":"THE API YOU WANT TO CONSULT DOES NOT EXIST"}`, 0),
		"garbage":   simulator.Garbage(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDays(t, "2026-11-10T05:00:00Z", 0)
			s := sharedQuota(t, d, nil)
			s.api.FailAll(func(w http.ResponseWriter, r *http.Request, answer http.HandlerFunc) {
				if r.URL.Query().Get("api") == "token_info" {
					fault(w, r, answer)
					return
				}
				answer(w, r)
			})
			var book pages
			for range 2 { // a ledger that says that it warned is believed by the next process
				d.extend(24 * time.Hour)
				s.live(t, d, book.into)
			}
			if n := book.count("nothing is known of the day's quota"); n != 1 {
				t.Errorf("warned %d times", n)
			}
			if report := d.report(); !report.Ready {
				t.Errorf("it says %+v", report)
			}
			log := s.checked(t)
			s.requireTruth(t, log, d.end)
			all, reports := s.perDay()
			if day := "2026-11-11"; all[day]-reports[day] < 96+24 || reports[day] > 5 {
				t.Errorf("%s: %d requests, %d for the quota", day, all[day], reports[day])
			}
			p := <-d.working
			if left := p.metric(t, "unconnected_quota_remaining_requests"); left != -1 { // no series
				t.Errorf("%v requests left of a quota that is not known", left)
			}
		})
	}
}

// TestAForecast warns in time, once a day, and says when the quota will be spent.
func TestAForecast(t *testing.T) {
	t.Parallel()
	d := newDays(t, "2026-11-10T04:00:00Z", 48*time.Hour)
	s := sharedQuota(t, d, nil)
	var book pages
	for day := range 2 {
		begin := instant(t, "2026-11-10T05:00:00Z").Add(time.Duration(day) * 24 * time.Hour)
		for hour := range 24 { // which leaves some hundred too few
			d.on(begin.Add(time.Duration(hour)*time.Hour), func() { s.others(41) })
		}
		d.on(begin.Add(13*time.Hour), func() {
			p := <-d.working
			defer func() { d.working <- p }()
			at := time.Unix(int64(p.metric(t, "unconnected_quota_exhaustion_timestamp_seconds")), 0)
			if at.Before(begin.Add(18*time.Hour)) || at.After(begin.Add(24*time.Hour)) {
				t.Errorf("at %v it says that the quota will be spent at %v", d.now(), at.UTC())
			}
			if n := book.count("the day's quota will not last"); n != day+1 {
				t.Errorf("on day %d it has warned %d times", day, n)
			}
		})
	}
	s.live(t, d, book.into)
	s.requireSilence(t, 1)
	if n := book.count("the day's quota will not last"); n != 2 {
		t.Errorf("warned %d times in two days", n)
	}
}

// TestADamagedLedger is begun anew, with a warning each.
func TestADamagedLedger(t *testing.T) {
	t.Parallel()
	damages := []string{"", "null and void", `{"sent":-5}`, `{"sent":1,"report":{"left":1,"sent":9}}`}
	d := newDays(t, "2026-11-10T05:00:00Z", 12*time.Hour)
	s := sharedQuota(t, d, nil)
	var book pages
	for i, damage := range damages {
		d.on(d.at.Add(time.Duration(i+1)*time.Hour), func() {
			bucket, key := s.ledgerKey(t)
			if _, err := bucket.Put(t.Context(), key, []byte(damage)); err != nil {
				t.Error(err)
			}
		})
	}
	d.on(d.at.Add(time.Duration(len(damages)+1)*time.Hour), func() {
		bucket, key := s.ledgerKey(t)
		if err := bucket.Purge(t.Context(), key); err != nil {
			t.Error(err)
		}
	})
	s.live(t, d, book.into)
	if n := book.count("the ledger of the day's requests is damaged"); n != len(damages)-1 { // empty is new, not damaged
		t.Errorf("warned %d times", n)
	}
	log := s.checked(t)
	s.requireTruth(t, log, d.end)
	if len(log) < 12*4-1 {
		t.Errorf("%d windows", len(log))
	}
	if l := s.ledger(t); l.Quota != 1000 || l.Report.At.IsZero() {
		t.Errorf("the ledger is %+v", l)
	}
}
