package wolkvox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

const proxyPassword = "pr0xy/pass"

// proxy is a real one: it forwards plain requests and opens tunnels, all to one
// server, whatever the name that was asked for.
type proxy struct {
	*httptest.Server
	to      *httptest.Server
	tunnels sync.WaitGroup

	asked  atomic.Pointer[string] // what was asked for last: an address or host:port
	login  atomic.Pointer[string] // the header that came with it
	leaked atomic.Bool            // a token was seen
}

func newProxy(t *testing.T, to *httptest.Server) *proxy {
	t.Helper()
	p := &proxy{to: to}
	p.Server = httptest.NewServer(p)
	t.Cleanup(func() {
		p.Close()
		to.CloseClientConnections()
		p.tunnels.Wait()
	})
	return p
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	asked, login := r.RequestURI, r.Header.Get("Proxy-Authorization")
	p.asked.Store(&asked)
	p.login.Store(&login)
	if r.Header.Get("wolkvox-token") != "" {
		p.leaked.Store(true)
	}
	if r.Method == http.MethodConnect {
		p.tunnel(w)
		return
	}
	onward := r.Clone(r.Context())
	onward.RequestURI, onward.URL.Host = "", p.to.Listener.Addr().String()
	response, err := http.DefaultTransport.RoundTrip(onward)
	if err != nil {
		http.Error(w, "no answer", http.StatusBadGateway)
		return
	}
	defer response.Body.Close()
	w.WriteHeader(response.StatusCode)
	_, _ = io.Copy(w, response.Body)
}

func (p *proxy) tunnel(w http.ResponseWriter) {
	far, err := net.Dial("tcp", p.to.Listener.Addr().String())
	if err != nil {
		http.Error(w, "no way", http.StatusBadGateway)
		return
	}
	near, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = far.Close()
		return
	}
	_, _ = io.WriteString(near, "HTTP/1.1 200 Connection established\r\n\r\n")
	never := new(atomic.Bool)
	p.tunnels.Go(func() { relay(far, near, never) })
	p.tunnels.Go(func() { relay(near, far, never) })
}

// through returns a transport that takes the proxy at address, with a login.
func through(t *testing.T, address string) *http.Transport {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	at.User = url.UserPassword("bob", proxyPassword)
	transport := NewTransport(1)
	transport.Proxy = http.ProxyURL(at)
	return transport
}

func TestThroughAProxy(t *testing.T) {
	login := "Basic " + base64.StdEncoding.EncodeToString([]byte("bob:"+proxyPassword))
	handler := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Proxy-Authorization") != "" && r.TLS != nil {
			t.Error("the server got the proxy's password")
		}
		fmt.Fprint(w, oneBusy)
	}
	plain, secure := newProxy(t, serve(t, handler)), serveTLS(t, handler)
	tunnel := newProxy(t, secure)
	for name, c := range map[string]struct {
		address, asked string
		proxy          *proxy
		leaks          bool // plain HTTP hides nothing from a proxy
	}{
		"http":  {"http://wv0011.example", "http://wv0011.example/api/v2/reports_manager.php", plain, true},
		"https": {"https://example.com", "example.com:443", tunnel, false},
	} {
		t.Run(name, func(t *testing.T) {
			transport := through(t, c.proxy.URL)
			transport.TLSClientConfig = trusting(secure).TLSClientConfig
			if _, err := ask(newTestClient(c.address, func(o *Options) { o.Transport = transport })); err != nil {
				t.Fatal(err)
			}
			if asked := *c.proxy.asked.Load(); !strings.HasPrefix(asked, c.asked) {
				t.Errorf("the proxy was asked for %s", asked)
			}
			if got := *c.proxy.login.Load(); got != login {
				t.Errorf("with the login %q", got)
			}
			if c.proxy.leaked.Load() != c.leaks {
				t.Errorf("the proxy saw the token: %v", !c.leaks)
			}
		})
	}
}

// TestProxyFaults: what a proxy does wrong is expected to pass, says that it is
// the proxy, and never shows its password, even if the proxy does.
func TestProxyFaults(t *testing.T) {
	says := func(status int) string {
		return serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			fmt.Fprintf(w, "<html>%s %s %s</html>", r.Header.Get("Proxy-Authorization"), proxyPassword, url.QueryEscape(proxyPassword))
		}).URL
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	for name, c := range map[string]struct{ address, proxy, hint string }{
		"another login, https":  {"https://wv0011.example", says(407), hintProxyLogin},
		"another login, http":   {"http://wv0011.example", says(407), hintProxyLogin},
		"502, https":            {"https://wv0011.example", says(502), hintProxy},
		"502, http":             {"http://wv0011.example", says(502), hintProxy},
		"not allowed, https":    {"https://wv0011.example", says(403), hintProxy},
		"a page, http":          {"http://wv0011.example", says(200), hintProxy},
		"no TLS in the tunnel":  {"https://wv0011.example", newProxy(t, serve(t, func(http.ResponseWriter, *http.Request) {})).URL, hintScheme},
		"not there, https":      {"https://wv0011.example", "http://" + closed.Addr().String(), hintProxyAway},
		"not there, http":       {"http://wv0011.example", "http://" + closed.Addr().String(), hintProxyAway},
		"its name is not known": {"https://wv0011.example", "http://proxy.example:3128", hintProxyAway},
	} {
		t.Run(name, func(t *testing.T) {
			transport := through(t, c.proxy)
			if strings.Contains(c.proxy, "proxy.example") {
				transport.DialContext = nameServer(t, 3).DialContext
			}
			_, err := ask(newTestClient(c.address, func(o *Options) { o.Transport = transport }))
			failed := failure(t, err)
			if failed.Kind != KindRetry || failed.Hint != c.hint {
				t.Errorf("got %v (%v), hint %q", failed, failed.Kind, failed.Hint)
			}
			checkNoSecret(t, err, secret, proxyPassword, url.QueryEscape(proxyPassword),
				base64.StdEncoding.EncodeToString([]byte("bob:"+proxyPassword)))
		})
	}
}

func TestProxyAddressIsNoUse(t *testing.T) {
	transport := NewTransport(1)
	transport.Proxy = func(*http.Request) (*url.URL, error) {
		return nil, errors.New("invalid proxy address http://bob:" + proxyPassword + "@h:port")
	}
	_, err := ask(newTestClient("https://wv0011.example", func(o *Options) { o.Transport = transport }))
	if failed := failure(t, err); failed.Kind != KindRefused || failed.Hint != hintProxyAddress {
		t.Errorf("got %v (%v), hint %q", failed, failed.Kind, failed.Hint)
	}
	checkNoSecret(t, err, proxyPassword)
}

// TestProxyFromEnvironment runs itself as another process, since net/http reads
// the environment once: there the default transport asks https://example.com.
func TestProxyFromEnvironment(t *testing.T) {
	const child, server = "WOLKVOX_TEST_CHILD", "WOLKVOX_TEST_SERVER"
	if authority := os.Getenv(child); authority != "" {
		askFromChild(t, authority, os.Getenv(server))
		return
	}
	target := serveTLS(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, oneBusy) })
	authority := filepath.Join(t.TempDir(), "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: target.Certificate().Raw})
	if err := os.WriteFile(authority, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		variables []string
		taken     bool
	}{
		"HTTPS_PROXY": {[]string{"HTTPS_PROXY=%s"}, true},
		"lower case":  {[]string{"https_proxy=%s"}, true},
		"HTTP_PROXY":  {[]string{"HTTP_PROXY=%s"}, false}, // is not for https
		"NO_PROXY":    {[]string{"HTTPS_PROXY=%s", "NO_PROXY=other.example,example.com"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := newProxy(t, target)
			command := exec.Command(os.Args[0], "-test.run=^TestProxyFromEnvironment$", "-test.v")
			command.Env = []string{
				child + "=" + authority, server + "=" + target.Listener.Addr().String(),
				"GORACE=atexit_sleep_ms=0", // or the race detector ends each child with a second's rest
			}
			for _, v := range c.variables {
				command.Env = append(command.Env, strings.Replace(v, "%s", proxy.URL, 1))
			}
			if out, err := command.CombinedOutput(); err != nil || !strings.Contains(string(out), "answered") {
				t.Fatalf("%v: %s", err, out)
			}
			if taken := proxy.asked.Load() != nil; taken != c.taken {
				t.Errorf("the proxy was taken: %v", taken)
			}
		})
	}
}

// askFromChild finds the server under any name but the proxy's, which is an
// address of this machine.
func askFromChild(t *testing.T, authority, server string) {
	raw, err := os.ReadFile(authority)
	if err != nil {
		t.Fatal(err)
	}
	transport := NewTransport(1)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(raw) {
		t.Fatal("no certificate")
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if !strings.HasPrefix(address, "127.0.0.1:") {
			address = server
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	if _, err := ask(newTestClient("https://example.com", func(o *Options) { o.Transport = transport })); err != nil {
		t.Fatal(err)
	}
	t.Log("answered")
}
