package alerter_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"unconnected/internal/config"
	"unconnected/internal/daemon"
)

// TestHeartbeat: the dead man's switch is told at once when the alerter is ready, and not while it is not.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	var pings atomic.Int32
	monitor := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Path == "/ping/secret" {
			pings.Add(1)
		}
	}))
	t.Cleanup(monitor.Close)
	w := newQuietWorld(t)
	w.config.HeartbeatURL = config.NewSecret(monitor.URL + "/ping/secret")
	w.start()
	eventually(t, "a ping", func() (bool, string) { return pings.Load() == 1, fmt.Sprint(pings.Load()) })
	standby := w.start() // it is ready, too, but does not judge
	standby.reports("that it stands by", standsBy)

	refused := newWorld(t)
	refused.slack.SetToken("another")
	refused.config.HeartbeatURL = w.config.HeartbeatURL
	p := refused.launch()
	p.reports("that the token is refused", func(r daemon.Report) bool { return r.State == "refused" })
	p.stop()
	if n := pings.Load(); n > 2 { // neither it nor the one that stands by tells; one may have left before Slack answered
		t.Errorf("%d pings", n)
	}
}

// TestHeartbeatFails: it is logged once, without the address.
func TestHeartbeatFails(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"500": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"cut": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"loops": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"/again", http.StatusFound)
		},
		"wrong scheme": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "ftp:"+r.URL.Path, http.StatusFound) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			monitor := httptest.NewServer(handler)
			t.Cleanup(monitor.Close)
			w := newQuietWorld(t)
			w.config.HeartbeatURL = config.NewSecret(monitor.URL + "/ping/secret")
			p := w.start()
			eventually(t, "a warning", func() (bool, string) {
				return strings.Contains(w.logs.String(), "dead man's switch"), w.logs.String()
			})
			w.expectNoSecrets(p, "/ping/secret")
		})
	}
}

// TestNothingIsLeftBehind: when Run has returned, none of its goroutines is at work. It is not parallel: others would be.
func TestNothingIsLeftBehind(t *testing.T) {
	w := newWorld(t)
	p := w.start()
	w.play("default", "qc")
	w.expectChannel("#noc", "root 🔴 default/Congestion/2/firing")
	p.stop()
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for goroutine := range strings.SplitSeq(string(stacks), "\n\n") {
		waiting := strings.Contains(goroutine, "testing.(*T).Parallel") // a test of the package itself, for its turn
		if strings.Contains(goroutine, "unconnected/alerter.") && !waiting {
			t.Errorf("still at work:\n%s", goroutine)
		}
	}
}
