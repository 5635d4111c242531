package doctor_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/diagnosis"
	"unconnected/internal/lease"
	"unconnected/internal/natsio"
	"unconnected/internal/natstest"
	"unconnected/producer"
	"unconnected/producer/access"
	"unconnected/producer/doctor"
	"unconnected/producer/wolkvox/simulator"
)

const token = "wx-secret-token-4711"

// noon is 12:00 in Bogotá, a Tuesday.
var noon = time.Date(2026, 11, 24, 17, 0, 0, 0, time.UTC)

// office is an API in Bogotá at an instant, for an operation that works from 07:00 to 21:00.
func office(at time.Time) simulator.Options {
	return simulator.Options{Tokens: []string{token}, Profile: simulator.ContactCentre(), Clock: func() time.Time { return at }, Licences: 5}
}

// options are those of a doctor of an API served by a handler.
func options(t *testing.T, handler http.Handler, at time.Time, zone string) doctor.Options {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return doctor.Options{
		Operation: producer.Operation{Name: "default", Token: config.NewSecret(token), Zone: location, BaseURL: server.URL + "/api/v2"},
		Window:    5 * time.Minute, Settle: 90 * time.Second, Reconcile: time.Hour, Timeout: 5 * time.Second,
		Now: func() time.Time { return at },
	}
}

// require wants a finding of a check, with a status and a part of what it says.
func require(t *testing.T, all diagnosis.Findings, check string, status diagnosis.Status, says string) {
	t.Helper()
	for _, f := range all {
		if strings.Contains(f.Detail+f.Next, token) {
			t.Errorf("the token is shown: %+v", f)
		}
	}
	for _, f := range all {
		if f.Check == check {
			if text := f.Detail + " → " + f.Next; f.Status != status || !strings.Contains(text, says) {
				t.Errorf("%s: %s %q, want %s and %q", check, f.Status, text, status, says)
			}
			return
		}
	}
	t.Errorf("nothing is said of %s: %+v", check, all)
}

func TestAHealthyOperation(t *testing.T) {
	t.Parallel()
	api := simulator.New(office(noon))
	found, requests := doctor.Examine(t.Context(), options(t, api, noon, "America/Bogota"))
	for _, check := range []string{"api", "token", "clock", "windows"} {
		require(t, found, check, diagnosis.OK, "")
	}
	require(t, found, "quota", diagnosis.OK, "4999 of 5000")
	require(t, found, "zone", diagnosis.OK, "there it is 12:00")
	if requests != 6 || len(api.Ledger()) != 6 {
		t.Errorf("%d requests, of which the API saw %d; want 6", requests, len(api.Ledger()))
	}
}

// TestZones asks an operation in Bogotá, and elsewhere, as if it were in many zones, at many times of the day.
func TestZones(t *testing.T) {
	t.Parallel()
	night := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC) // 03:00 in Bogotá
	tests := []struct {
		name, configured, real string
		at                     time.Time
		status                 diagnosis.Status
		says                   string
	}{
		{"an hour behind", "America/Mexico_City", "America/Bogota", noon, diagnosis.Failed, "UTC−05:00, as in America/Bogota"},
		{"an hour ahead", "America/Caracas", "America/Bogota", noon, diagnosis.Failed, "UTC−05:00, as in America/Bogota"},
		{"another continent", "Europe/Madrid", "America/Bogota", noon, diagnosis.Failed, "UTC−05:00"},
		{"the default, of an operation in Madrid", "America/Bogota", "Europe/Madrid", noon, diagnosis.Failed, "UTC+01:00, as in Europe/Madrid"},
		{"a half hour", "America/Bogota", "Asia/Kolkata", time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC), diagnosis.Failed, "UTC+05:30"},
		{"the westernmost", "America/Bogota", "Pacific/Midway", time.Date(2026, 11, 24, 23, 0, 0, 0, time.UTC), diagnosis.Failed, "UTC−11:00"},
		{"the easternmost", "America/Bogota", "Pacific/Kiritimati", time.Date(2026, 11, 24, 23, 0, 0, 0, time.UTC), diagnosis.Failed, "UTC+14:00"},
		{"right, at night", "America/Bogota", "America/Bogota", night, diagnosis.Skipped, "no calls since about 20:5"},
		{"right, in the easternmost zone", "Pacific/Kiritimati", "Pacific/Kiritimati", time.Date(2026, 11, 24, 23, 0, 0, 0, time.UTC), diagnosis.OK, ""},
		{"right, on a Sunday", "America/Bogota", "America/Bogota", time.Date(2026, 11, 22, 17, 0, 0, 0, time.UTC), diagnosis.Skipped, "no calls in the last 8h to tell by"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := office(test.at)
			location, err := time.LoadLocation(test.real)
			if err != nil {
				t.Fatal(err)
			}
			o.Location = location
			found, requests := doctor.Examine(t.Context(), options(t, simulator.New(o), test.at, test.configured))
			require(t, found, "zone", test.status, test.says)
			if requests > 18 {
				t.Errorf("%d requests", requests)
			}
		})
	}
}

// TestTimePasses while the API answers, or others have the token: calls that were made meanwhile are not in the future.
func TestTimePasses(t *testing.T) {
	t.Parallel()
	var passed atomic.Int64 // while the API answered
	now := func() time.Time { return noon.Add(time.Duration(passed.Load())) }
	api := office(noon)
	api.Profile, api.Clock = simulator.AlwaysBusy(), now
	simulated := simulator.New(api)
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		simulated.ServeHTTP(w, r)
		passed.Add(int64(150 * time.Second))
	})
	o := options(t, slow, noon, "America/Bogota")
	o.Now = now
	found, _ := doctor.Examine(t.Context(), o)
	require(t, found, "zone", diagnosis.OK, "the newest calls are from the last 15 minutes")
}

// TestADayThatEndsEarly: on the eve of a holiday nobody calls after nine. Whether that is a wrong zone, the history knows.
func TestADayThatEndsEarly(t *testing.T) {
	t.Parallel()
	const form, week = "20060102150405", 7 * 24 * time.Hour
	noon := noon.Add(time.Since(noon).Truncate(week)) // of late, since the history is read by when it was stored
	local := noon.Add(-5 * time.Hour)                 // as the API says it
	closing, sunday := local.Add(-3*time.Hour), local.AddDate(0, 0, -2)
	api := simulator.New(office(noon))
	early := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if end, err := time.Parse(form, q.Get("date_end")); err == nil && end.After(closing) {
			q.Set("date_end", closing.Format(form))
			if begin, err := time.Parse(form, q.Get("date_ini")); err == nil && !begin.Before(closing) {
				q.Set("date_ini", sunday.Format(form)) // nobody calls then
				q.Set("date_end", sunday.Add(time.Second).Format(form))
			}
			r.URL.RawQuery = q.Encode()
		}
		api.ServeHTTP(w, r)
	})
	access, _ := shared(t, 0)
	natstest.CreateStreams(t, access.JS)
	o := options(t, early, noon, "America/Bogota")
	o.Access = access
	found, _ := doctor.Examine(t.Context(), o)
	require(t, found, "zone", diagnosis.Failed, "unless nobody is calling today, a holiday for instance")

	window := events.Window{Start: noon.Add(-4 * time.Hour), End: noon.Add(-4*time.Hour + 5*time.Minute)}
	msg, err := events.Encode(&events.Event{
		Operation: "default", Timezone: "America/Bogota", Source: "//simulated/cdr_6", Window: window, Total: 12,
		Counts: map[string]int64{events.Busy: 12}, Reported: []events.Reported{{Result: "BUSY", Count: "12"}},
		PolledAt: window.End.Add(90 * time.Second), Checkpoint: window.End,
	})
	if err == nil {
		_, err = access.JS.PublishMsg(t.Context(), msg)
	}
	if err != nil {
		t.Fatal(err)
	}
	found, _ = doctor.Examine(t.Context(), o)
	require(t, found, "zone", diagnosis.Skipped, "08:00 had 12 calls when it was asked for")
}

// TestTheHostsClock: the API's clock counts, so that a wrong one here is not taken for a wrong zone.
func TestTheHostsClock(t *testing.T) {
	t.Parallel()
	for ahead, says := range map[time.Duration]string{-time.Hour: "1h behind", 3 * time.Hour: "3h ahead of"} {
		o := options(t, simulator.New(office(noon)), noon.Add(ahead), "America/Bogota")
		found, _ := doctor.Examine(t.Context(), o)
		require(t, found, "clock", diagnosis.Warning, says)
		require(t, found, "zone", diagnosis.OK, "there it is 12:00")
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	echo := simulator.Reply(http.StatusForbidden, "application/json", `{"code":403,"error":"FORBIDDEN","msg":"PLEASE VALIDATE TOKEN `+token+`"}`, 0)
	tests := []struct {
		name     string
		fault    simulator.Fault
		check    string
		status   diagnosis.Status
		says     string
		requests int
	}{
		{"wrong token", simulator.WrongToken(), "token", diagnosis.Failed, "WOLKVOX_TOKEN", 1},
		{"an answer that shows the token", echo, "token", diagnosis.Failed, "[redacted]", 1},
		{"quota", simulator.QuotaSpent(), "quota", diagnosis.Warning, "midnight", 1},
		{"maintenance", simulator.Maintenance(), "api", diagnosis.Warning, "wait", 1},
		{"somebody else", simulator.TokenBusy(), "token", diagnosis.Warning, "another program", 1},
		{"a proxy's page", simulator.HTMLPage(), "api", diagnosis.Failed, "WOLKVOX_BASE_URL", 1},
		{"nothing there", simulator.Status(http.StatusBadGateway), "api", diagnosis.Failed, "502", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			api := simulator.New(office(noon))
			api.FailAll(test.fault)
			found, requests := doctor.Examine(t.Context(), options(t, api, noon, "America/Bogota"))
			require(t, found, test.check, test.status, test.says)
			if requests != test.requests {
				t.Errorf("%d requests, want %d", requests, test.requests)
			}
		})
	}
}

// TestWithoutATokenReport: a server may not know it; the rest is checked all the same.
func TestWithoutATokenReport(t *testing.T) {
	t.Parallel()
	api := simulator.New(office(noon))
	api.Fail(simulator.Reply(http.StatusBadRequest, "application/json",
		`{"code":400,"error":"BAD REQUEST","msg":"THE API YOU WANT TO CONSULT DOES NOT EXIST"}`, 0))
	found, _ := doctor.Examine(t.Context(), options(t, api, noon, "America/Bogota"))
	require(t, found, "quota", diagnosis.Warning, "DOES NOT EXIST")
	require(t, found, "token", diagnosis.OK, "accepted")
	require(t, found, "zone", diagnosis.OK, "")
}

// TestEndsThatCountOtherwise: an API whose ranges end before their last second.
func TestEndsThatCountOtherwise(t *testing.T) {
	t.Parallel()
	o := office(noon)
	o.Profile = simulator.AlwaysBusy()
	api := simulator.New(o)
	exclusive := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if end, err := time.Parse("20060102150405", q.Get("date_end")); err == nil {
			q.Set("date_end", end.Add(-time.Second).Format("20060102150405"))
			r.URL.RawQuery = q.Encode()
		}
		api.ServeHTTP(w, r)
	})
	found, _ := doctor.Examine(t.Context(), options(t, exclusive, noon, "America/Bogota"))
	require(t, found, "windows", diagnosis.Failed, "report it")
	require(t, found, "zone", diagnosis.OK, "")
}

// shared is what programs share about tokens, on a server of the test's own.
func shared(t *testing.T, daily int64) (*doctor.Access, *lease.Keeper) {
	t.Helper()
	server := natstest.Server(t)
	keeper := func(name string) (*lease.Keeper, *doctor.Access) {
		_, js := natstest.Connect(t, server)
		k, err := lease.New(t.Context(), js, lease.Options{Bucket: natsio.BucketLeases, Name: name, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(k.Close)
		bucket, err := js.KeyValue(t.Context(), natsio.BucketLeases)
		if err != nil {
			t.Fatal(err)
		}
		return k, &doctor.Access{JS: js, Leases: k, Ledgers: bucket, Daily: daily}
	}
	other, _ := keeper("producer@elsewhere")
	_, access := keeper("doctor@here")
	return access, other
}

// TestTheTokenIsWaitedFor, taken in turn, and given back.
func TestTheTokenIsWaitedFor(t *testing.T) {
	t.Parallel()
	api := simulator.New(office(noon))
	o := options(t, api, noon, "America/Bogota")
	var other *lease.Keeper
	o.Access, other = shared(t, 0)
	held := other.Lease(lease.Key(o.Operation.API(), token), access.TTL(o.Timeout), lease.Live)
	if err := held.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	done := make(chan diagnosis.Findings)
	go func() { found, _ := doctor.Examine(t.Context(), o); done <- found }()
	select {
	case found := <-done:
		t.Fatalf("it did not wait: %+v", found)
	case <-time.After(300 * time.Millisecond):
	}
	if n := len(api.Ledger()); n > 0 {
		t.Fatalf("%d requests were sent while another had the token", n)
	}
	if err := held.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	found := <-done
	require(t, found, "zone", diagnosis.OK, "")
	eventuallyFree(t, held)
	if api.MaxConcurrent() != 1 {
		t.Errorf("%d requests at a time", api.MaxConcurrent())
	}
}

func eventuallyFree(t *testing.T, l *lease.Lease) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); l.Other() != ""; {
		if time.Now().After(deadline) {
			t.Fatalf("%s keeps the token", l.Other())
		}
		<-time.After(10 * time.Millisecond)
	}
}

// TestTheQuotaIsKeptForLiveWindows: when only these are left, no request is spent on checks.
func TestTheQuotaIsKeptForLiveWindows(t *testing.T) {
	t.Parallel()
	api := simulator.New(office(noon))
	o := options(t, api, noon, "America/Bogota")
	o.Access, _ = shared(t, 3)
	found, requests := doctor.Examine(t.Context(), o)
	require(t, found, "quota", diagnosis.Warning, "2026-11-25T05:00:00Z")
	if requests != 0 || len(api.Ledger()) != 0 {
		t.Errorf("%d requests were sent", requests)
	}
}
