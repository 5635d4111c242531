package simulator

import (
	"context"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestLedgerIsBounded stands for a demo that runs for weeks.
func TestLedgerIsBounded(t *testing.T) {
	l := newLedger()
	for range 5 * remembered {
		entry, _ := l.arrive(Request{}, "token")
		l.depart(entry, "token", http.StatusOK)
	}
	if n := len(l.requests); n < remembered || n > 2*remembered {
		t.Errorf("%d requests are remembered", n)
	}
	if len(l.inFlight) != 0 || l.most != 1 {
		t.Errorf("%v in flight, %d at most", l.inFlight, l.most)
	}
}

// TestTruthBetweenSeconds: calls begin at whole seconds, so a span's fraction
// of a second decides only whether that beginning is inside.
func TestTruthBetweenSeconds(t *testing.T) {
	api := New(Options{})
	second := api.Truth(noon, noon.Add(time.Second))
	if total(second) == 0 {
		t.Fatal("a second without calls proves nothing")
	}
	if got := api.Truth(noon, noon.Add(time.Millisecond)); total(got) != total(second) {
		t.Errorf("its first millisecond has %v of %v", got, second)
	}
	if got := api.Truth(noon.Add(time.Millisecond), noon.Add(time.Second)); total(got) != 0 {
		t.Errorf("the rest of it has %v", got)
	}
}

func TestScaled(t *testing.T) {
	one := total(New(Options{}).Truth(noon, noon.Add(time.Hour)))
	ten := total(New(Options{Profile: AlwaysBusy().Scaled(10)}).Truth(noon, noon.Add(time.Hour)))
	if ratio := float64(ten) / float64(one); math.Abs(ratio-10) > 0.3 {
		t.Errorf("ten times the volume is %.1f times", ratio)
	}
}

// TestClientGoneDuringLatency: the request ends without an answer.
func TestClientGoneDuringLatency(t *testing.T) {
	api := New(Options{Latency: time.Hour, Licences: 1, Clock: func() time.Time { return noon }})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	request := httptest.NewRequest(http.MethodGet, "/information.php?api=token_info", nil).WithContext(ctx)
	request.Header.Set("wolkvox-token", DefaultToken)
	api.ServeHTTP(httptest.NewRecorder(), request)
	ledger := api.Ledger()
	if len(ledger) != 1 || !ledger[0].Done || ledger[0].Status != 0 {
		t.Errorf("ledger %+v", ledger)
	}
	// It has cost one all the same.
	if _, all := api.ledger.charge(noon.In(bogota()).Format(time.DateOnly), "other"); all != 2 {
		t.Errorf("%d requests have cost something, with this one", all)
	}
}
