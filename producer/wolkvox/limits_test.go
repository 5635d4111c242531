package wolkvox

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// allocated returns the bytes that were allocated meanwhile, freed or not, by
// both sides of the tests' connections.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

const (
	huge  = 256 << 20 // what the API documents as its longest answer
	limit = 1 << 20   // of the clients below
	flat  = 8 * limit // the most they may allocate: a buffer that doubles takes two limits in all
)

// flood sends n bytes in parts. It counts what the connection took.
func flood(w http.ResponseWriter, part []byte, n int64, sent *atomic.Int64) {
	for sent.Load() < n {
		written, err := w.Write(part)
		sent.Add(int64(written))
		if err != nil {
			return
		}
	}
}

// squeezed is a mebibyte of blanks, as gzip. Repeated, it is still one stream.
func squeezed(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(bytes.Repeat([]byte(" "), 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestHugeAnswer: 256 MB, in every way they can come, are cut off at the limit.
// Memory stays flat, the server is told (its connection is closed), and the
// next request uses another connection.
func TestHugeAnswer(t *testing.T) {
	blanks, bomb := bytes.Repeat([]byte(" "), 64<<10), squeezed(t)
	for name, c := range map[string]struct {
		header http.Header
		part   []byte
		n      int64 // bytes on the wire
		most   int64 // bytes that may be allocated
	}{
		"with its length": {http.Header{"Content-Length": {fmt.Sprint(huge)}}, blanks, huge, limit / 2},
		"in chunks":       {nil, blanks, huge, flat},
		"compressed":      {http.Header{"Content-Encoding": {"gzip"}}, bomb, int64(len(bomb)) * huge / limit, flat},
	} {
		t.Run(name, func(t *testing.T) {
			var sent, requests atomic.Int64
			gone := make(chan struct{})
			line := newCable(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if requests.Add(1) == 2 {
					fmt.Fprint(w, oneBusy)
					return
				}
				defer close(gone)
				for key := range c.header {
					w.Header().Set(key, c.header.Get(key))
				}
				flood(w, c.part, c.n, &sent)
			}))
			client := newTestClient(line.address(), func(o *Options) { o.MaxBody = limit })
			var err error
			bytes := allocated(func() { _, err = ask(client) })
			failed := failure(t, err)
			if failed.Kind != KindRetry || failed.Timeout || failed.Hint != hintNotAPI || !errors.Is(err, errTooLong) {
				t.Errorf("got %v (%v), hint %q", failed, failed.Kind, failed.Hint)
			}
			if bytes > c.most {
				t.Errorf("%d bytes allocated, want at most %d", bytes, c.most)
			}
			<-gone
			if sent.Load() > huge/4 {
				t.Errorf("the server could send %d bytes", sent.Load())
			}
			if _, err := ask(client); err != nil {
				t.Errorf("afterwards: %v", err)
			}
			if n := line.laid.Load(); n != 2 {
				t.Errorf("%d connections for two requests", n)
			}
		})
	}
}

// TestEndlessHeader: the header of an answer is limited, too.
func TestEndlessHeader(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		for i := range 100 {
			w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 1024))
		}
		fmt.Fprint(w, oneBusy)
	})
	_, err := ask(newTestClient(server.URL))
	if failed := failure(t, err); failed.Kind != KindRetry || failed.Hint != hintNotAPI {
		t.Errorf("got %v (%v), hint %q", failed, failed.Kind, failed.Hint)
	}
}

// TestSlowDrip: a body that comes byte by byte for ever is one time-out, takes
// no memory, and its connection is not used again.
func TestSlowDrip(t *testing.T) {
	var requests atomic.Int64
	line := newCable(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) != 2 {
			fmt.Fprint(w, oneBusy)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(huge))
		for r.Context().Err() == nil {
			_, err := w.Write([]byte(" "))
			if err != nil || http.NewResponseController(w).Flush() != nil {
				return
			}
			<-time.After(time.Millisecond)
		}
	}))
	patient, hasty := pair(line.address(), NewTransport(1))
	hasty.options.MaxBody = 2 * huge // not what ends it
	if _, err := ask(patient); err != nil {
		t.Fatal(err)
	}
	var err error
	bytes := allocated(func() { _, err = ask(hasty) })
	if failed := failure(t, err); failed.Kind != KindRetry || !failed.Timeout {
		t.Errorf("got %v (%v), timeout %v", failed, failed.Kind, failed.Timeout)
	}
	if bytes > flat {
		t.Errorf("%d bytes allocated, want at most %d", bytes, flat)
	}
	if _, err := ask(patient); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if n := line.laid.Load(); n != 2 {
		t.Errorf("%d connections for three requests", n)
	}
}
