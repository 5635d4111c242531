package simulator_test

import (
	"context"
	"errors"
	"fmt"
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

// TestLateCallsAndCorrections is a day as the reconciler meets it, on a clock
// that a test moves: calls that appear late, and yesterday changed today.
func TestLateCallsAndCorrections(t *testing.T) {
	const window, settle, late = 5 * time.Minute, 90 * time.Second, 40 * time.Minute
	api, client, clock := start(t, simulator.Options{Late: simulator.Late{Share: 0.1, Most: late}})
	yesterday := noon.Add(-24 * time.Hour)
	differ := func(from time.Time) bool {
		answer := report(t, client, from, from.Add(window))
		return !maps.Equal(answer.Counts, api.Truth(from, from.Add(window)))
	}

	for from := noon; from.Before(noon.Add(time.Hour)); from = from.Add(window) {
		clock.set(from.Add(window + settle))
		if !differ(from) {
			t.Errorf("nothing is late in the window from %v", from)
		}
		clock.set(from.Add(window + late))
		if differ(from) {
			t.Errorf("something is missing for ever in the window from %v", from)
		}
	}

	before := report(t, client, yesterday, yesterday.Add(window))
	api.Plant(simulator.Incident{Start: yesterday.Add(time.Minute), End: yesterday.Add(2 * time.Minute), Result: "congestion", Share: 0.9})
	after := report(t, client, yesterday, yesterday.Add(window))
	if maps.Equal(before.Counts, after.Counts) || differ(yesterday) {
		t.Errorf("corrected from %v to %v", before.Counts, after.Counts)
	}

	// A correction of what is still settling: what is late of it stays late.
	recent := clock.read().Add(-window - settle)
	api.Plant(simulator.Incident{Start: recent, End: recent.Add(window), Result: "sip_503", Share: 0.5})
	if answer := report(t, client, recent, recent.Add(window)); answer.Counts["sip_503"] == 0 || !differ(recent) {
		t.Errorf("at once: %v", answer.Counts)
	}
	clock.set(recent.Add(window + late))
	if differ(recent) {
		t.Error("the correction never settled")
	}
}

// TestManyOperations: one address, a path for each.
func TestManyOperations(t *testing.T) {
	const operations = 300
	mux := http.NewServeMux()
	apis := make([]*simulator.Simulator, operations)
	token := func(i int) string { return fmt.Sprintf("token-%d", i) }
	for i := range apis {
		apis[i] = simulator.New(simulator.Options{
			Seed: int64(i), Tokens: []string{token(i)}, Clock: func() time.Time { return noon },
		})
		mux.Handle(fmt.Sprintf("/%d/", i), apis[i])
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	transport, bogota := wolkvox.NewTransport(1), zone(t, "America/Bogota")
	client := func(operation, as int) *wolkvox.Client {
		return wolkvox.New(wolkvox.Options{
			BaseURL: fmt.Sprintf("%s/%d/api/v2", server.URL, operation), Token: func() string { return token(as) },
			Location: bogota, Transport: transport,
		})
	}
	for i, api := range apis {
		answer := report(t, client(i, i), noon.Add(-10*time.Second), noon)
		if truth := api.Truth(noon.Add(-10*time.Second), noon); !maps.Equal(answer.Counts, truth) {
			t.Errorf("operation %d: %v, the truth is %v", i, answer.Counts, truth)
		}
	}
	_, err := client(1, 2).TokenInfo(context.Background())
	wantKind(t, err, "refused")
}

// BenchmarkWindow is a request for five minutes, as the producer sends it.
func BenchmarkWindow(b *testing.B) {
	_, client, _ := start(b, simulator.Options{})
	b.ReportAllocs()
	for b.Loop() {
		report(b, client, noon.Add(-5*time.Minute), noon)
	}
}
