package producer_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"unconnected/producer/wolkvox/simulator"
)

// BenchmarkCatchUp measures how fast windows are caught up, beside the bare serial GET rate of the same API in the same
// run, which no poller of one request at a time can beat.
func BenchmarkCatchUp(b *testing.B) {
	for _, latency := range []time.Duration{0, 20 * time.Millisecond} {
		b.Run("latency="+latency.String(), func(b *testing.B) {
			windows := 3600
			if latency > 0 {
				windows = 250
			}
			for b.Loop() {
				s := newSite(b, simulator.Options{Latency: latency})
				bare := serialRate(b, s.server.URL, 200)
				s.config = load(b, map[string]string{
					"WOLKVOX_BASE_URL": s.server.URL, "WOLKVOX_TOKEN": simulator.DefaultToken,
					"POLL_WINDOW": "1s", "POLL_SETTLE": "0s", "POLL_START": (time.Duration(-windows) * time.Second).String(),
				})
				target := time.Now().Add(-time.Second)
				began := time.Now()
				p := s.start(b)
				eventually(b, "the catch-up", func() bool { return !s.checkpoint(b).Before(target.Truncate(time.Second)) })
				rate := float64(windows) / time.Since(began).Seconds()
				if err := p.stop(); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(rate, "windows/s")
				b.ReportMetric(bare, "bareGET/s")
				b.ReportMetric(100*rate/bare, "%bare")
			}
		})
	}
}

// serialRate is how many windows a second a loop of GETs gets from the API.
func serialRate(b *testing.B, url string, n int) float64 {
	b.Helper()
	client := &http.Client{}
	began := time.Now()
	for i := range n {
		at := time.Now().Add(time.Duration(-i) * time.Second).UTC().Format("20060102150405")
		request, err := http.NewRequest(http.MethodGet, url+"/reports_manager.php?api=cdr_6&date_ini="+at+"&date_end="+at, nil)
		if err != nil {
			b.Fatal(err)
		}
		request.Header.Set("wolkvox-token", simulator.DefaultToken)
		response, err := client.Do(request)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
	return float64(n) / time.Since(began).Seconds()
}
