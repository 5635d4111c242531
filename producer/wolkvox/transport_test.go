package wolkvox

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// watched is a connection that tells when our side closes it.
type watched struct {
	net.Conn
	closed func()
}

func (w *watched) Close() error {
	w.closed()
	return w.Conn.Close()
}

// TestClosedWhileIdle: the server closes a connection that waits; the next
// request does not suffer for it.
func TestClosedWhileIdle(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, oneBusy) })
	var opened, closed atomic.Int32
	transport := NewTransport(1)
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		opened.Add(1)
		return &watched{Conn: conn, closed: sync.OnceFunc(func() { closed.Add(1) })}, err
	}
	client := newTestClient(server.URL, func(o *Options) { o.Transport = transport })
	for turn := range int32(3) {
		if _, err := ask(client); err != nil {
			t.Errorf("request %d: %v", turn+1, err)
		}
		server.CloseClientConnections()
		eventually(t, "our side noticed", func() bool { return closed.Load() == turn+1 })
	}
	if n := opened.Load(); n != 3 {
		t.Errorf("%d connections, want one for each request", n)
	}
}

// TestNothingIsSentTwice: on a kept connection that breaks before the answer,
// net/http would send a GET again by itself, though the server may be at work on it.
func TestNothingIsSentTwice(t *testing.T) {
	for name, spare := range map[string]bool{"a new connection": false, "another one at hand": true} {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int32
			var together sync.WaitGroup
			together.Add(2)
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				n := requests.Add(1)
				if spare && n <= 2 {
					together.Done()
					together.Wait() // so that two connections are needed
				}
				if n == 3 {
					panic(http.ErrAbortHandler)
				}
				fmt.Fprint(w, oneBusy)
			})
			client := newTestClient(server.URL, func(o *Options) { o.Transport = NewTransport(2) })
			var first sync.WaitGroup
			for range 2 {
				asking := func() {
					if _, err := ask(client); err != nil {
						t.Error(err)
					}
				}
				if first.Go(asking); !spare {
					first.Wait()
				}
			}
			first.Wait()
			_, err := ask(client)
			if failed := failure(t, err); failed.Kind != KindRetry || failed.Timeout || failed.Hint != hintBroken {
				t.Errorf("got %v, hint %q", failed, failed.Hint)
			}
			if _, err := ask(client); err != nil {
				t.Errorf("afterwards: %v", err)
			}
			if n := requests.Load(); n != 4 {
				t.Errorf("the server saw %d requests, want 4", n)
			}
		})
	}
}

// TestAtRest: many clients share what they send by, and once it has been idle
// for a while nothing of it is left.
func TestAtRest(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, oneBusy) })
	before := runtime.NumGoroutine()
	transport := NewTransport(2)
	if rest := transport.IdleConnTimeout; rest <= 0 || rest > time.Minute {
		t.Errorf("connections wait for %v", rest)
	}
	transport.IdleConnTimeout = 10 * time.Millisecond // the real one takes too long for a test
	var asking sync.WaitGroup
	for range 50 {
		client := newTestClient(server.URL, func(o *Options) { o.Transport = transport })
		asking.Go(func() {
			if _, err := ask(client); err != nil {
				t.Error(err)
			}
		})
	}
	asking.Wait()
	eventually(t, "no goroutines left", func() bool { return runtime.NumGoroutine() <= before })
}

// BenchmarkClients shows what a client costs once it has asked and its
// connection waits: by itself, and as one of many that share a transport.
func BenchmarkClients(b *testing.B) {
	const clients = 1000
	for name, shared := range map[string]bool{"own transport": false, "shared transport": true} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var transport *http.Transport
				if shared {
					transport = NewTransport(4)
				}
				measureClients(b, clients, transport)
			}
		})
	}
}

func measureClients(b *testing.B, clients int, transport *http.Transport) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, oneBusy)
	}))
	defer server.Close()
	goroutines, bytes := footprint()
	all := make([]*Client, clients)
	for i := range all {
		own := transport
		if own == nil {
			own = NewTransport(1)
		}
		defer own.CloseIdleConnections()
		all[i] = newTestClient(server.URL, func(o *Options) { o.Transport = own })
		if _, err := ask(all[i]); err != nil {
			b.Fatal(err)
		}
	}
	goroutinesAfter, bytesAfter := footprint()
	// The server's side of a connection is in this process, too: a goroutine and about 10 kB.
	b.ReportMetric(float64(goroutinesAfter-goroutines)/float64(clients), "goroutines/client")
	b.ReportMetric(float64(bytesAfter-bytes)/float64(clients), "B/client")
	runtime.KeepAlive(all)
}

// footprint returns the goroutines of this process and the bytes of heap and stacks in use.
func footprint() (goroutines int, bytes int64) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return runtime.NumGoroutine(), int64(m.HeapInuse + m.StackInuse)
}
