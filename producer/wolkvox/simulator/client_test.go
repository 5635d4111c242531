package simulator_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"unconnected/producer/wolkvox"
	"unconnected/producer/wolkvox/simulator"
)

// noon is a Wednesday in Bogotá; most tests run on a server whose clock stands there.
var noon = time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC)

// clock is a server's clock that a test moves. It is safe for concurrent use.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// start serves a simulator and returns it with a client and its clock, which
// stands at noon.
func start(t testing.TB, options simulator.Options, change ...func(*wolkvox.Options)) (*simulator.Simulator, *wolkvox.Client, *clock) {
	t.Helper()
	clock := &clock{now: noon}
	options.Clock = clock.read
	if options.Location == nil {
		options.Location = zone(t, "America/Bogota")
	}
	api := simulator.New(options)
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	settings := wolkvox.Options{
		BaseURL:  server.URL + "/api/v2",
		Token:    func() string { return simulator.DefaultToken },
		Location: options.Location,
	}
	for _, c := range change {
		c(&settings)
	}
	return api, wolkvox.New(settings), clock
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	location, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return location
}

// report asks for a span and ends the test on an error.
func report(t testing.TB, client *wolkvox.Client, from, to time.Time) wolkvox.Answer {
	t.Helper()
	answer, err := client.Report(context.Background(), from, to)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// wantKind checks how an error was classified; "" is no error.
func wantKind(t testing.TB, err error, want string) {
	t.Helper()
	got := ""
	var failed *wolkvox.Error
	if errors.As(err, &failed) {
		got = failed.Kind.String()
	}
	if got != want {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
}

// TestWindowsAddUpToTheTruth asks window by window, in all of the API's voices.
func TestWindowsAddUpToTheTruth(t *testing.T) {
	for name, quirks := range map[string]bool{"plain": false, "quirks": true} {
		t.Run(name, func(t *testing.T) {
			api, client, _ := start(t, simulator.Options{Quirks: quirks, Incidents: []simulator.Incident{
				{Start: noon.Add(-time.Hour), End: noon.Add(-30 * time.Minute), Result: "number_barred", Share: 0.2},
			}})
			sum := map[string]int64{}
			for from := noon.Add(-time.Hour); from.Before(noon); from = from.Add(5 * time.Minute) {
				answer := report(t, client, from, from.Add(5*time.Minute))
				for result, n := range answer.Counts {
					sum[result] += n
				}
			}
			truth := api.Truth(noon.Add(-time.Hour), noon)
			if !maps.Equal(sum, truth) {
				t.Errorf("windows add up to %v, the truth is %v", sum, truth)
			}
			whole := report(t, client, noon.Add(-time.Hour), noon)
			if !maps.Equal(whole.Counts, truth) {
				t.Errorf("the hour is %v, the truth is %v", whole.Counts, truth)
			}
			if most := api.MaxConcurrent(); most != 1 {
				t.Errorf("%d requests at a time", most)
			}
		})
	}
}

func TestEqualRequestsGetEqualAnswers(t *testing.T) {
	_, client, _ := start(t, simulator.Options{Quirks: true})
	for from := noon.Add(-time.Hour); from.Before(noon); from = from.Add(5 * time.Minute) {
		one, two := report(t, client, from, from.Add(5*time.Minute)), report(t, client, from, from.Add(5*time.Minute))
		for i := range one.Rows {
			if one.Rows[i] != two.Rows[i] {
				t.Errorf("%q, then %q", one.Rows[i], two.Rows[i])
			}
		}
	}
}

func TestTheFutureIsEmpty(t *testing.T) {
	api, client, clock := start(t, simulator.Options{})
	if answer := report(t, client, noon, noon.Add(time.Hour)); !answer.Empty {
		t.Errorf("calls from the future: %v", answer.Counts)
	}
	clock.set(noon.Add(time.Minute))
	answer := report(t, client, noon, noon.Add(time.Hour))
	if truth := api.Truth(noon, noon.Add(time.Minute)); !maps.Equal(answer.Counts, truth) {
		t.Errorf("after a minute %v, the truth is %v", answer.Counts, truth)
	}
	if !answer.Date.Equal(clock.read()) {
		t.Errorf("the Date header says %v", answer.Date)
	}
}

// TestRepeatedHour is the quirk that the producer has to undo: local times of
// the hour that repeats stand for both passes, once the second has begun.
func TestRepeatedHour(t *testing.T) {
	api, client, clock := start(t, simulator.Options{Location: zone(t, "America/New_York")})
	first := time.Date(2026, 11, 1, 5, 0, 0, 0, time.UTC) // 01:00 EDT
	second := first.Add(time.Hour)                        // 01:00 EST
	const window = 5 * time.Minute

	clock.set(first.Add(window))
	alone := report(t, client, first, first.Add(window))
	if truth := api.Truth(first, first.Add(window)); !maps.Equal(alone.Counts, truth) {
		t.Errorf("before the second pass %v, the truth is %v", alone.Counts, truth)
	}

	clock.set(second.Add(window))
	both := api.Truth(first, first.Add(window))
	for result, n := range api.Truth(second, second.Add(window)) {
		both[result] += n
	}
	for _, from := range []time.Time{first, second} {
		if answer := report(t, client, from, from.Add(window)); !maps.Equal(answer.Counts, both) {
			t.Errorf("from %v: %v, both passes have %v", from, answer.Counts, both)
		}
	}
}

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

// BenchmarkWindow is a request for five minutes, as the producer sends it.
func BenchmarkWindow(b *testing.B) {
	_, client, _ := start(b, simulator.Options{})
	b.ReportAllocs()
	for b.Loop() {
		report(b, client, noon.Add(-5*time.Minute), noon)
	}
}
