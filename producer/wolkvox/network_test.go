package wolkvox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A test that waits for a time limit asks with a hasty client, and with a
// patient one for what must succeed; both share a transport, as in production.
const hastily = 100 * time.Millisecond

// pair returns a patient and a hasty client of the server at address.
func pair(address string, transport http.RoundTripper) (patient, hasty *Client) {
	share := func(o *Options) { o.Transport = transport }
	return newTestClient(address, share), newTestClient(address, share, func(o *Options) { o.Timeout = hastily })
}

// eventually waits for something that happens by itself, soon.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !happened(); {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
		<-time.After(time.Millisecond)
	}
}

// cable leads to a server and can be cut: then neither side hears of the other
// again, not even that it is gone. New connections are fine.
type cable struct {
	listener net.Listener
	laid     atomic.Int32 // connections so far

	mu    sync.Mutex // guards what follows
	cuts  []*atomic.Bool
	conns []net.Conn
}

func newCable(t *testing.T, server *httptest.Server) *cable {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{listener: listener}
	var relays sync.WaitGroup
	relays.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				_ = near.Close()
				return
			}
			c.laid.Add(1)
			cut := c.lay(near, far)
			relays.Go(func() { relay(far, near, cut) })
			relays.Go(func() { relay(near, far, cut) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		c.mu.Lock()
		for _, conn := range c.conns {
			_ = conn.Close()
		}
		c.mu.Unlock()
		relays.Wait()
	})
	return c
}

func (c *cable) address() string { return "http://" + c.listener.Addr().String() }

func (c *cable) lay(ends ...net.Conn) *atomic.Bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	cut := new(atomic.Bool)
	c.cuts, c.conns = append(c.cuts, cut), append(c.conns, ends...)
	return cut
}

// cut cuts all connections that there are.
func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cut := range c.cuts {
		cut.Store(true)
	}
}

func relay(to, from net.Conn, cut *atomic.Bool) {
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		if cut.Load() {
			if err != nil {
				return
			}
			continue
		}
		if _, failed := to.Write(buffer[:n]); err != nil || failed != nil {
			_ = to.Close()
			return
		}
	}
}

// TestHalfOpen: the other side vanishes without a word. The request ends at its
// time limit, and the next one does not try the dead connection again.
func TestHalfOpen(t *testing.T) {
	for name, cutAt := range map[string]string{"while idle": "idle", "before the answer": "request", "in the answer": "answer"} {
		t.Run(name, func(t *testing.T) {
			var line *cable
			var requests atomic.Int32
			line = newCable(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
				second := requests.Add(1) == 2
				if second && cutAt == "request" {
					line.cut()
				}
				fmt.Fprint(w, oneBusy[:20])
				_ = http.NewResponseController(w).Flush()
				if second && cutAt == "answer" {
					line.cut()
				}
				fmt.Fprint(w, oneBusy[20:])
			}))
			patient, hasty := pair(line.address(), NewTransport(1))
			if _, err := ask(patient); err != nil {
				t.Fatal(err)
			}
			if cutAt == "idle" {
				line.cut()
			}
			_, err := ask(hasty)
			if failed := failure(t, err); !failed.Timeout || failed.Kind != KindRetry {
				t.Errorf("got %v, timeout %v", failed, failed.Timeout)
			}
			if n := line.laid.Load(); n != 1 {
				t.Fatalf("%d connections, want 1 so far: the test proves nothing", n)
			}
			if _, err := ask(patient); err != nil {
				t.Errorf("afterwards: %v", err)
			}
			if n := line.laid.Load(); n != 2 {
				t.Errorf("%d connections, want a new one", n)
			}
		})
	}
}

// nameServer answers every question with the given code, or not at all if it is
// negative. It returns a transport that asks it.
func nameServer(t *testing.T, code int) *http.Transport {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() {
		question := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(question)
			if err != nil {
				return
			}
			if code < 0 {
				continue
			}
			question[2], question[3] = 0x81, 0x80|byte(code) // a response, recursion available
			_, _ = server.WriteTo(question[:n], from)
		}
	})
	t.Cleanup(func() {
		_ = server.Close()
		served.Wait()
	})
	transport := NewTransport(1)
	transport.Proxy = nil
	transport.DialContext = (&net.Dialer{Resolver: &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
		},
	}}).DialContext
	return transport
}

func TestNameIsNotFound(t *testing.T) {
	const host = "wv9999.wolkvox.example"
	for name, c := range map[string]struct {
		code int
		hint string
	}{
		"no such host":         {3, hintName},
		"the server has a bug": {2, hintName},
		"silence":              {-1, hintConnect},
	} {
		t.Run(name, func(t *testing.T) {
			patient, hasty := pair("https://"+host, nameServer(t, c.code))
			client := patient
			if c.code < 0 {
				client = hasty
			}
			_, err := ask(client)
			failed := failure(t, err)
			if failed.Kind != KindRetry || failed.Hint != c.hint || !strings.Contains(err.Error(), host) {
				t.Errorf("got %v (%v), hint %q", failed, failed.Kind, failed.Hint)
			}
			if failed.Timeout {
				t.Error("the server is taken to be at work on a request that it never saw")
			}
		})
	}
}

// TestNoConnection: what never reached the server leaves nothing to rest for.
func TestNoConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, hasty := pair("https://"+listener.Addr().String(), NewTransport(1))
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	for name, client := range map[string]*Client{
		"TLS hangs": hasty,
		"refused":   newTestClient("http://" + closed.Addr().String()),
	} {
		_, err := ask(client)
		failed := failure(t, err)
		if failed.Kind != KindRetry || failed.Timeout || failed.Hint != hintConnect {
			t.Errorf("%s: %v, timeout %v, hint %q", name, failed, failed.Timeout, failed.Hint)
		}
		if !strings.Contains(err.Error(), "127.0.0.1:") {
			t.Errorf("%s: %v does not say where", name, err)
		}
	}
}

// serveTLS is a server whose certificate is valid for example.com and 127.0.0.1
// and signed by itself.
func serveTLS(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it logs what these tests do to it
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// trusting returns a transport that accepts the server's certificate and finds
// the server under any name.
func trusting(server *httptest.Server) *http.Transport {
	transport := NewTransport(1)
	transport.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}
	return transport
}

func TestCertificate(t *testing.T) {
	var asked atomic.Int32
	server := serveTLS(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		fmt.Fprint(w, oneBusy)
	})
	known := trusting(server)
	if _, err := ask(newTestClient("https://example.com", func(o *Options) { o.Transport = known })); err != nil {
		t.Fatalf("a good certificate: %v", err)
	}
	for name, c := range map[string]struct {
		address   string
		transport http.RoundTripper
		says      string
	}{
		"of an authority that we do not know": {server.URL, NewTransport(1), "unknown authority"},
		"for another name":                    {"https://wv0011.example", known, "not wv0011.example"},
	} {
		_, err := ask(newTestClient(c.address, func(o *Options) { o.Transport = c.transport }))
		failed := failure(t, err)
		if failed.Kind != KindRetry || failed.Hint != hintCertificate || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v (%v), hint %q", name, failed, failed.Kind, failed.Hint)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("%d requests arrived, want 1", n)
	}
	plain := serve(t, func(http.ResponseWriter, *http.Request) {})
	_, err := ask(newTestClient(strings.Replace(plain.URL, "http", "https", 1)))
	if failed := failure(t, err); failed.Kind != KindRetry || failed.Hint != hintScheme {
		t.Errorf("no TLS there: %v (%v), hint %q", failed, failed.Kind, failed.Hint)
	}
}

// TestCancelledWithCause: the cause of a group's end hides that it was an end.
func TestCancelledWithCause(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	reason := errors.New("another task failed")
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel(reason)
		<-r.Context().Done()
	})
	from := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	_, err := newTestClient(server.URL).Report(ctx, from, from.Add(time.Minute))
	if failed := failure(t, err); failed.Hint != "" || !errors.Is(err, context.Canceled) || !errors.Is(err, reason) {
		t.Errorf("got %v, hint %q", failed, failed.Hint)
	}
}
