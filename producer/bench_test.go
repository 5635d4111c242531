package producer_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"unconnected/internal/natsserver"
	"unconnected/internal/natstest"
	"unconnected/producer/wolkvox/simulator"
)

// BenchmarkCatchUp measures how fast windows are caught up, beside the bare serial GET rate of the same API in the same
// run, which no poller of one request at a time can beat. With sync, every append is on the disk before the next.
func BenchmarkCatchUp(b *testing.B) {
	for _, c := range []struct {
		name    string
		latency time.Duration
		sync    bool
		windows int
	}{{"latency=0", 0, false, 3600}, {"latency=0/sync", 0, true, 3600}, {"latency=20ms", 20 * time.Millisecond, false, 250}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				s := newSite(b, simulator.Options{Latency: c.latency})
				if c.sync {
					s.syncAlways(b)
				}
				bare := serialRate(b, s.server.URL, 200)
				s.config = load(b, map[string]string{
					"WOLKVOX_BASE_URL": s.server.URL, "WOLKVOX_TOKEN": simulator.DefaultToken,
					"POLL_WINDOW": "1s", "POLL_SETTLE": "0s", "POLL_START": (time.Duration(-c.windows) * time.Second).String(),
				})
				target := time.Now().Add(-time.Second)
				began := time.Now()
				p := s.start(b)
				eventually(b, "the catch-up", func() bool { return !s.checkpoint(b).Before(target.Truncate(time.Second)) })
				rate := float64(c.windows) / time.Since(began).Seconds()
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

// syncAlways starts the site's NATS server anew, so that it writes every message to the disk at once.
func (s *site) syncAlways(b *testing.B) {
	b.Helper()
	s.nats.Close()
	server, err := natsserver.Start(natsserver.Options{Dir: s.dir, Listen: "127.0.0.1:0"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(server.Close)
	s.nats = server
	_, s.js = natstest.Connect(b, server)
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
