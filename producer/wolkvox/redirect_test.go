package wolkvox

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// TestRedirectsElsewhere: nothing of ours goes to another host, another port,
// or out of TLS; not even a request without the token is sent there.
func TestRedirectsElsewhere(t *testing.T) {
	var arrived atomic.Int32
	record := func(http.ResponseWriter, *http.Request) { arrived.Add(1) }
	port, plain, secure := serve(t, record).URL, serve(t, record).URL, serveTLS(t, record).URL
	for name, c := range map[string]struct {
		secure bool // where we start from
		to     string
	}{
		"other port":       {false, port},
		"other host":       {false, strings.Replace(port, "127.0.0.1", "localhost", 1)},
		"https, elsewhere": {false, secure},
		"https to http":    {true, plain},
		"another scheme":   {false, "ftp://127.0.0.1"},
	} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			redirect := func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, c.to+"/api/v2/reports_manager.php", status)
			}
			transport, address := NewTransport(1), ""
			if c.secure {
				server := serveTLS(t, redirect)
				transport, address = trusting(server), server.URL
			} else {
				address = serve(t, redirect).URL
			}
			_, err := ask(newTestClient(address, func(o *Options) { o.Transport, o.Server = transport, "0011" }))
			if failed := failure(t, err); failed.Kind != KindRefused || failed.Hint != hintRedirect {
				t.Errorf("%s, %d: %v (%v), hint %q", name, status, failed, failed.Kind, failed.Hint)
			}
		}
	}
	if n := arrived.Load(); n != 0 {
		t.Errorf("%d requests went elsewhere", n)
	}
}

// TestRedirectsWithin the host are followed, on the same connection and with the token.
func TestRedirectsWithin(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		line := newCable(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Header.Get("wolkvox-token") != secret:
				t.Errorf("%s without the token", r.URL)
			case r.URL.Path != "/moved":
				http.Redirect(w, r, "/moved?"+r.URL.RawQuery, status)
				return
			}
			fmt.Fprint(w, oneBusy)
		}))
		if _, err := ask(newTestClient(line.address())); err != nil {
			t.Errorf("%d: %v", status, err)
		}
		if n := line.laid.Load(); n != 1 {
			t.Errorf("%d: %d connections", status, n)
		}
	}
}

// TestRedirectsInALoop end soon: each may cost one of the day's requests.
func TestRedirectsInALoop(t *testing.T) {
	var requests atomic.Int32
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		http.Redirect(w, r, r.URL.String(), http.StatusFound)
	})
	_, err := ask(newTestClient(server.URL))
	if failed := failure(t, err); failed.Kind != KindRetry || failed.Hint == "" {
		t.Errorf("got %v (%v), hint %q", failed, failed.Kind, failed.Hint)
	}
	if n := requests.Load(); n != 1+maxRedirects {
		t.Errorf("%d requests", n)
	}
}

func TestSameSite(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"https://h/a", "https://H/b", true},
		{"http://h/a", "https://h/a", true},
		{"https://h/a", "http://h/a", false},
		{"https://h/a", "https://h:8443/a", false},
		{"https://h/a", "https://g.h/a", false},
		{"https://h/a", "https://h:443/b", true},
		{"http://h:80/a", "https://h/a", true},
		{"http://h:8080/a", "https://h/a", false},
		{"http://h/a", "https://h:8443/a", false},
		{"http://h:8080/a", "http://h:8081/a", false},
	} {
		if got := sameSite(parseBase(c.from), parseBase(c.to)); got != c.want {
			t.Errorf("%s to %s: %v", c.from, c.to, got)
		}
	}
}
