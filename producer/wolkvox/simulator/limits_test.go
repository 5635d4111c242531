package simulator_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"unconnected/producer/wolkvox"
	"unconnected/producer/wolkvox/simulator"
)

func TestQuota(t *testing.T) {
	api, client, clock := start(t, simulator.Options{Licences: 1, Tokens: []string{simulator.DefaultToken, "other"}})
	info, err := client.TokenInfo(context.Background())
	if err != nil || info.Available != 999 || info.UsedToday != 1 || info.AllToday != 1 || info.Limit != 1000 {
		t.Fatalf("at first: %+v, %v", info, err)
	}
	other := httptest.NewRequest(http.MethodGet, "/api/v2/information.php?api=token_info", nil)
	other.Header.Set("wolkvox-token", "other")
	for range 998 {
		api.ServeHTTP(httptest.NewRecorder(), other)
	}
	info, err = client.TokenInfo(context.Background())
	if err != nil || info.Available != 0 || info.UsedToday != 2 || info.AllToday != 1000 {
		t.Errorf("in the end: %+v, %v", info, err)
	}
	_, err = client.Report(context.Background(), noon.Add(-time.Minute), noon)
	wantKind(t, err, "quota")

	clock.set(time.Date(2026, 11, 19, 4, 59, 59, 0, time.UTC)) // still the 18th in Bogotá
	_, err = client.TokenInfo(context.Background())
	wantKind(t, err, "quota")
	clock.set(time.Date(2026, 11, 19, 5, 0, 0, 0, time.UTC))
	_, err = client.TokenInfo(context.Background())
	wantKind(t, err, "")
}

// TestEveryRequestCosts: whatever it returns, and even if nobody waits for it.
func TestEveryRequestCosts(t *testing.T) {
	api, client, _ := start(t, simulator.Options{Licences: 1})
	report(t, client, noon.Add(-time.Minute), noon)
	for _, fault := range []simulator.Fault{
		simulator.Status(http.StatusBadGateway), simulator.Maintenance(), simulator.TokenBusy(), simulator.Garbage(),
	} {
		api.Fail(fault)
		if _, err := client.Report(context.Background(), noon.Add(-time.Minute), noon); err == nil {
			t.Error("no error")
		}
	}
	report(t, client, noon, noon.Add(time.Minute)) // no records
	info, err := client.TokenInfo(context.Background())
	if err != nil || info.UsedToday != 7 || info.Available != 993 {
		t.Errorf("%+v, %v; want 7 used", info, err)
	}

	asked := map[string]int{}
	for _, request := range api.Ledger() {
		asked[request.API]++
	}
	if asked["cdr_6"] != 6 || asked["token_info"] != 1 {
		t.Errorf("the ledger has %v", asked)
	}
}

// TestQuotaAroundMidnight: requests that cross there do not give a spent quota back.
func TestQuotaAroundMidnight(t *testing.T) {
	_, client, clock := start(t, simulator.Options{Licences: 1})
	midnight := time.Date(2026, 11, 19, 5, 0, 0, 0, time.UTC) // in Bogotá
	for _, c := range []struct {
		after     time.Duration
		used, all int64
	}{{-time.Second, 1, 999}, {0, 1, 999}, {-time.Second, 2, 998}, {0, 2, 998}} {
		clock.set(midnight.Add(c.after))
		info, err := client.TokenInfo(context.Background())
		if err != nil || info.UsedToday != c.used || info.Available != c.all {
			t.Errorf("%v after midnight: %+v, %v; want %d used", c.after, info, err, c.used)
		}
	}
}

func TestTokens(t *testing.T) {
	token := "old"
	api, client, _ := start(t, simulator.Options{Tokens: []string{"old"}}, func(o *wolkvox.Options) {
		o.Token = func() string { return token }
	})
	_, err := client.TokenInfo(context.Background())
	wantKind(t, err, "")
	api.SetTokens("new")
	_, err = client.TokenInfo(context.Background())
	wantKind(t, err, "refused")
	token = "new"
	_, err = client.TokenInfo(context.Background())
	wantKind(t, err, "")
}

func TestThreeAtATimeAreTooMany(t *testing.T) {
	api, client, _ := start(t, simulator.Options{})
	arrived, leave := make(chan struct{}), make(chan struct{})
	wait := func(w http.ResponseWriter, r *http.Request, answer http.HandlerFunc) {
		arrived <- struct{}{}
		<-leave
		answer(w, r)
	}
	api.Fail(wait, wait)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			_, err := client.TokenInfo(context.Background())
			wantKind(t, err, "")
		})
		<-arrived
	}
	_, err := client.TokenInfo(context.Background())
	wantKind(t, err, "token_busy")
	close(leave)
	both.Wait()
	if most := api.MaxConcurrent(); most != 3 {
		t.Errorf("at most %d at a time, want 3", most)
	}
	ledger := api.Ledger()
	for i, request := range ledger {
		if request.InFlight != i+1 || !request.Done || request.API != "token_info" {
			t.Errorf("request %d: %+v", i, request)
		}
	}
}

func TestRefusals(t *testing.T) {
	api, _, _ := start(t, simulator.Options{})
	for _, c := range []struct {
		name, token, query string
		want               int
	}{
		{"no token", "", "api=cdr_6&date_ini=20261118110000&date_end=20261118110459", 401},
		{"wrong token", "wrong", "api=cdr_6&date_ini=20261118110000&date_end=20261118110459", 403},
		{"no parameters", simulator.DefaultToken, "", 400},
		{"no dates", simulator.DefaultToken, "api=cdr_6", 400},
		{"no end", simulator.DefaultToken, "api=cdr_6&date_ini=20261118110000", 400},
		{"date of another form", simulator.DefaultToken, "api=cdr_6&date_ini=2026-11-18&date_end=2026-11-19", 400},
		{"unknown report", simulator.DefaultToken, "api=cdr_99&date_ini=20261118110000&date_end=20261118110459", 400},
		{"31 days", simulator.DefaultToken, "api=cdr_6&date_ini=20261018120000&date_end=20261118115959", 200},
		{"31 days and a second", simulator.DefaultToken, "api=cdr_6&date_ini=20261018120000&date_end=20261118120000", 400},
		{"the future", simulator.DefaultToken, "api=cdr_6&date_ini=20261119110000&date_end=20261119110459", 404},
		{"five minutes", simulator.DefaultToken, "api=cdr_6&date_ini=20261118110000&date_end=20261118110459", 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			request := httptest.NewRequest(http.MethodGet, "/api/v2/reports_manager.php?"+c.query, nil)
			request.Header.Set("wolkvox-token", c.token)
			recorder := httptest.NewRecorder()
			api.ServeHTTP(recorder, request)
			if recorder.Code != c.want {
				t.Errorf("status %d, want %d: %s", recorder.Code, c.want, recorder.Body)
			}
		})
	}
}

// TestScriptsKnowTheirOwnReports: the right report of the wrong script is none.
func TestScriptsKnowTheirOwnReports(t *testing.T) {
	api := simulator.New(simulator.Options{})
	const span = "&date_ini=20261118110000&date_end=20261118110459"
	for target, want := range map[string]int{
		"/api/v2/reports_manager.php?api=cdr_6" + span:      200,
		"/api/v2/information.php?api=cdr_6" + span:          400,
		"/api/v2/information.php?api=token_info":            200,
		"/api/v2/reports_manager.php?api=token_info" + span: 400,
	} {
		request := httptest.NewRequest(http.MethodGet, target, nil)
		request.Header.Set("wolkvox-token", simulator.DefaultToken)
		recorder := httptest.NewRecorder()
		api.ServeHTTP(recorder, request)
		if recorder.Code != want {
			t.Errorf("%s: %d, want %d", target, recorder.Code, want)
		}
	}
}

// TestTokenInfoQuirks: in any voice its numbers are text and can be read.
func TestTokenInfoQuirks(t *testing.T) {
	for seed := range int64(20) {
		api, client, _ := start(t, simulator.Options{Seed: seed, Quirks: true, Licences: 2})
		info, err := client.TokenInfo(context.Background())
		if err != nil || info.Limit != 2000 || info.Available != 1999 {
			t.Errorf("seed %d: %+v, %v", seed, info, err)
		}
		request := httptest.NewRequest(http.MethodGet, "/api/v2/information.php?api=token_info", nil)
		request.Header.Set("wolkvox-token", simulator.DefaultToken)
		recorder := httptest.NewRecorder()
		api.ServeHTTP(recorder, request)
		var body struct{ Data []map[string]string }
		if err := json.Unmarshal(recorder.Body.Bytes(), &body); err != nil || len(body.Data) != 1 {
			t.Errorf("seed %d: %v in %s", seed, err, recorder.Body)
		}
	}
}
