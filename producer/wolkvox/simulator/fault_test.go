package simulator_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"unconnected/producer/wolkvox"
	"unconnected/producer/wolkvox/simulator"
)

// TestFaults lets each fault happen once to a real client.
func TestFaults(t *testing.T) {
	for name, c := range map[string]struct {
		fault   simulator.Fault
		want    string // kind of the error
		timeout bool
	}{
		"pass":        {simulator.Pass(), "", false},
		"maintenance": {simulator.Maintenance(), "maintenance", false},
		"token busy":  {simulator.TokenBusy(), "token_busy", false},
		"quota":       {simulator.QuotaSpent(), "quota", false},
		"wrong token": {simulator.WrongToken(), "refused", false},
		"garbage":     {simulator.Garbage(), "garbage", false},
		"html":        {simulator.HTMLPage(), "retry", false},
		"proxy's 404": {simulator.Status(http.StatusNotFound), "retry", false},
		"503":         {simulator.Status(http.StatusServiceUnavailable), "retry", false},
		"429":         {simulator.Reply(http.StatusTooManyRequests, "text/plain", "", time.Minute), "retry", false},
		"reset":       {simulator.Reset(), "retry", false},
		"truncate":    {simulator.Truncate(), "retry", false},
		"cut":         {simulator.Cut(), "retry", false},
		"flood":       {simulator.Flood(wolkvox.DefaultMaxBody + 1), "retry", false},
		"slow":        {simulator.Slow(time.Millisecond), "", false},
		"hang":        {simulator.Hang(), "retry", true},
		"drip":        {simulator.Drip(time.Hour), "retry", true},
	} {
		t.Run(name, func(t *testing.T) {
			limit := func(o *wolkvox.Options) {
				if c.timeout {
					o.Timeout = 50 * time.Millisecond
				}
			}
			api, client, _ := start(t, simulator.Options{}, limit)
			api.Fail(c.fault)
			_, err := client.Report(context.Background(), noon.Add(-time.Minute), noon)
			wantKind(t, err, c.want)
			var failed *wolkvox.Error
			if errors.As(err, &failed) && failed.Timeout != c.timeout {
				t.Errorf("timeout %v, want %v", failed.Timeout, c.timeout)
			}
		})
	}
}

func TestFaultsTakeTurns(t *testing.T) {
	api, client, _ := start(t, simulator.Options{})
	api.FailAll(simulator.Maintenance())
	api.Fail(simulator.Garbage(), simulator.Pass())
	for _, want := range []string{"garbage", "", "maintenance", "maintenance"} {
		_, err := client.Report(context.Background(), noon.Add(-time.Minute), noon)
		wantKind(t, err, want)
	}
	api.FailAll(nil)
	_, err := client.Report(context.Background(), noon.Add(-time.Minute), noon)
	wantKind(t, err, "")
	if n := len(api.Ledger()); n != 5 {
		t.Errorf("%d requests in the ledger, want 5", n)
	}
}

// TestLatency measures from below only: how late a timer fires is not ours to promise.
func TestLatency(t *testing.T) {
	const latency = 20 * time.Millisecond
	_, client, _ := start(t, simulator.Options{Latency: latency})
	answer := report(t, client, noon.Add(-time.Minute), noon)
	if took := answer.ReceivedAt.Sub(answer.RequestedAt); took < latency {
		t.Errorf("answered after %v", took)
	}
}

// TestPage does what the page tells people to do.
func TestPage(t *testing.T) {
	server := httptest.NewServer(simulator.New(simulator.Options{}))
	t.Cleanup(server.Close)
	page, _ := get(t, server.URL+"/")
	_, after, found := strings.Cut(page, "'"+server.URL)
	path, _, _ := strings.Cut(after, "'")
	if !found {
		t.Fatalf("no address to try in %s", page)
	}
	answer, status := get(t, server.URL+strings.ReplaceAll(path, "&amp;", "&"))
	if status != http.StatusOK || !strings.Contains(answer, "NO ANSWER") {
		t.Errorf("status %d: %s", status, answer)
	}
	if _, status := get(t, server.URL+"/favicon.ico"); status != http.StatusNotFound {
		t.Errorf("an unknown page: %d", status)
	}
}

func get(t *testing.T, address string) (body string, status int) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("wolkvox-token", simulator.DefaultToken)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw), response.StatusCode
}

// TestFloodLength: as many bytes as asked for.
func TestFloodLength(t *testing.T) {
	for _, n := range []int64{0, 1, 64 << 10, 64<<10 + 1} {
		recorder := httptest.NewRecorder()
		simulator.Flood(n)(recorder, nil, nil)
		if got := int64(recorder.Body.Len()); got != n {
			t.Errorf("%d bytes, want %d", got, n)
		}
	}
}

// TestSlowOutlivesTheClient: who asks again right after a time-out is a second
// request at the same time.
func TestSlowOutlivesTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := simulator.New(simulator.Options{})
		api.Fail(simulator.Slow(time.Minute))
		ask := func(ctx context.Context) {
			request := httptest.NewRequest(http.MethodGet, "/information.php?api=token_info", nil).WithContext(ctx)
			request.Header.Set("wolkvox-token", simulator.DefaultToken)
			api.ServeHTTP(httptest.NewRecorder(), request)
		}
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		var slow sync.WaitGroup
		slow.Go(func() { ask(gone) })
		synctest.Wait()
		ask(context.Background())
		slow.Wait()
		ask(context.Background())
		for i, want := range []int{1, 2, 1} {
			if got := api.Ledger()[i].InFlight; got != want {
				t.Errorf("request %d is one of %d, want %d", i+1, got, want)
			}
		}
	})
}
