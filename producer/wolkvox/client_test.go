package wolkvox

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata" // the tests name zones
)

// secret is the token of these tests. No error may contain it.
const secret = "Tok3n-with-digits"

// newTestClient returns a client of the server at address.
func newTestClient(address string, change ...func(*Options)) *Client {
	options := Options{BaseURL: address + "/api/v2", Token: func() string { return secret }}
	for _, c := range change {
		c(&options)
	}
	return New(options)
}

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// ask sends a report request about five minutes that do not matter.
func ask(client *Client) (Answer, error) {
	from := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	return client.Report(context.Background(), from, from.Add(5*time.Minute))
}

// failure is the error's inside; it ends the test when err is nil or of another type.
func failure(t *testing.T, err error) *Error {
	t.Helper()
	var failed *Error
	if !errors.As(err, &failed) {
		t.Fatalf("got %v, want an *Error", err)
	}
	return failed
}

const oneBusy = `{"code":200,"error":null,"msg":"1 records were found","data":[{"result":"BUSY","count":"1"}]}`

func TestRequest(t *testing.T) {
	bogota, err := time.LoadLocation("America/Bogota")
	if err != nil {
		t.Fatal(err)
	}
	var got *http.Request
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		fmt.Fprint(w, oneBusy)
	})
	client := newTestClient(server.URL, func(o *Options) { o.Server, o.Location = "0011", bogota })
	if _, err := ask(client); err != nil {
		t.Fatal(err)
	}
	const want = "/api/v2/reports_manager.php?api=cdr_6&date_end=20261122100459&date_ini=20261122100000"
	if got.Method != http.MethodGet || got.URL.String() != want {
		t.Errorf("%s %s, want GET %s", got.Method, got.URL, want)
	}
	for header, want := range map[string]string{"wolkvox-token": secret, "wolkvox_server": "0011"} {
		if got.Header.Get(header) != want {
			t.Errorf("%s: %q, want %q", header, got.Header.Get(header), want)
		}
	}
}

func TestBaseURL(t *testing.T) {
	for base, want := range map[string]string{
		"http://h/api/v2":       "http://h/api/v2/information.php?api=token_info",
		"http://h/api/v2/":      "http://h/api/v2/information.php?api=token_info",
		" https://h \n":         "https://h/information.php?api=token_info",
		"https://u:p@h/x?a=b#c": "https://u:p@h/x/information.php?api=token_info",
	} {
		client := New(Options{BaseURL: base})
		if got := client.address("information.php", map[string][]string{"api": {"token_info"}}); got != want {
			t.Errorf("%q leads to %q, want %q", base, got, want)
		}
	}
}

// TestRefusedUnasked is about requests that are not worth one of the day's.
func TestRefusedUnasked(t *testing.T) {
	token := func(s string) func() string { return func() string { return s } }
	for name, options := range map[string]Options{
		"no base URL":         {Token: token(secret)},
		"base URL not a URL":  {BaseURL: "http://[::1", Token: token(secret)},
		"base URL a path":     {BaseURL: "/api/v2", Token: token(secret)},
		"base URL of FTP":     {BaseURL: "ftp://h/api", Token: token(secret)},
		"no token":            {BaseURL: "http://127.0.0.1/api/v2"},
		"empty token":         {BaseURL: "http://127.0.0.1/api/v2", Token: token("")},
		"token over two line": {BaseURL: "http://127.0.0.1/api/v2", Token: token("a\nb")},
	} {
		t.Run(name, func(t *testing.T) {
			options.Transport = roundTrip(func(*http.Request) (*http.Response, error) {
				t.Error("a request was sent")
				return nil, errors.New("not reached")
			})
			_, err := ask(New(options))
			if failed := failure(t, err); failed.Kind != KindRefused || failed.Hint == "" {
				t.Errorf("got %v (%v), hint %q", failed, failed.Kind, failed.Hint)
			}
		})
	}
}

func TestEmptySpan(t *testing.T) {
	client := newTestClient("http://127.0.0.1")
	at := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	_, err := client.Report(context.Background(), at, at)
	if failed := failure(t, err); failed.Kind != KindRefused {
		t.Errorf("got %v", failed)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRotatedTokenIsSeen(t *testing.T) {
	var sent []string
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		sent = append(sent, r.Header.Get("wolkvox-token"))
		fmt.Fprint(w, oneBusy)
	})
	token := "first"
	client := newTestClient(server.URL, func(o *Options) { o.Token = func() string { return token } })
	for _, token = range []string{"first", "second"} {
		if _, err := ask(client); err != nil {
			t.Fatal(err)
		}
	}
	if len(sent) != 2 || sent[0] != "first" || sent[1] != "second" {
		t.Errorf("sent %q", sent)
	}
}

func TestGzip(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			t.Error("gzip was not asked for")
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		fmt.Fprint(z, oneBusy)
	})
	answer, err := ask(newTestClient(server.URL))
	if err != nil || answer.Total != 1 {
		t.Errorf("got %+v, %v", answer, err)
	}
}

// TestBodyLimit sends few bytes that decompress to many: the limit is on the latter.
func TestBodyLimit(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		fmt.Fprint(z, oneBusy, strings.Repeat(" ", 1<<20))
	})
	_, err := ask(newTestClient(server.URL, func(o *Options) { o.MaxBody = 64 << 10 }))
	if failed := failure(t, err); failed.Kind != KindRetry || !errors.Is(err, errTooLong) {
		t.Errorf("got %v", failed)
	}
	exact := newTestClient(serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, oneBusy) }).URL,
		func(o *Options) { o.MaxBody = int64(len(oneBusy)) })
	if _, err := ask(exact); err != nil {
		t.Errorf("an answer of exactly the limit: %v", err)
	}
}

func TestConnectionIsReused(t *testing.T) {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"code":404,"msg":"NO RECORDS WERE FOUND"}`)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	client := newTestClient(server.URL)
	for range 3 {
		if _, err := ask(client); err != nil {
			t.Fatal(err)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections for 3 requests one after another", n)
	}
}

// TestTimeout runs on a fake clock: a body that takes longer than the time limit is cut.
func TestTimeout(t *testing.T) {
	for name, respond := range map[string]roundTrip{
		"no answer": func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		},
		"slow body": func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(&drip{context: r.Context()})}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := newTestClient("http://h", func(o *Options) { o.Transport, o.Timeout = respond, 30*time.Second })
				begun := time.Now()
				_, err := ask(client)
				if failed := failure(t, err); !failed.Timeout || failed.Kind != KindRetry {
					t.Errorf("got %v", failed)
				}
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v does not wrap the cause", err)
				}
				if took := time.Since(begun); took != 30*time.Second {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

// drip is a body that gives a blank every second, for ever.
type drip struct{ context context.Context }

func (d *drip) Read(p []byte) (int, error) {
	select {
	case <-d.context.Done():
		return 0, d.context.Err()
	case <-time.After(time.Second):
		p[0] = ' '
		return 1, nil
	}
}

func TestCancelledIsNoTimeout(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	from := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	_, err := newTestClient(server.URL).Report(ctx, from, from.Add(time.Minute))
	if failed := failure(t, err); failed.Timeout || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, timeout %v", failed, failed.Timeout)
	}
}
