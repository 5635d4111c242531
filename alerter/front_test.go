package alerter_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"unconnected/alerter/slack/fakeslack"
)

// front stands before a Slack and makes one request of a channel go wrong: the fake's own faults take whichever comes next.
type front struct {
	slack *fakeslack.Server
	url   string

	mu    sync.Mutex
	fault map[target]fakeslack.Fault // guarded by mu
	seen  map[target]int             // requests :: without the count → how many; guarded by mu
}

// target is the n-th request, from 1, to a method in a channel.
type target struct {
	channel, method string
	n               int
}

func newFront(t testing.TB, slack *fakeslack.Server) *front {
	f := &front{slack: slack, fault: make(map[target]fakeslack.Fault), seen: make(map[target]int)}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	f.url = server.URL + "/api/"
	return f
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	fault, planned := f.note(body, path.Base(r.URL.Path))
	if !planned {
		f.slack.ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	if fault.Handled {
		f.slack.ServeHTTP(answer, r)
	}
	if fault.Delay > 0 {
		select {
		case <-time.After(fault.Delay):
		case <-r.Context().Done():
		}
	}
	if fault.Drop {
		panic(http.ErrAbortHandler)
	}
	if fault.RetryAfter != "" {
		w.Header().Set("Retry-After", fault.RetryAfter)
	}
	if fault.Status != 0 {
		w.WriteHeader(fault.Status)
	}
	if fault.Body == "" {
		fault.Body = answer.Body.String()
	}
	_, _ = io.WriteString(w, fault.Body)
}

// note counts the request and takes the fault that is planned for it.
func (f *front) note(body []byte, method string) (fakeslack.Fault, bool) {
	form, _ := url.ParseQuery(string(body))
	f.mu.Lock()
	defer f.mu.Unlock()
	at := target{channel: form.Get("channel"), method: method}
	f.seen[at]++
	at.n = f.seen[target{channel: at.channel, method: method}]
	fault, planned := f.fault[at]
	return fault, planned
}

func (f *front) plan(at target, fault fakeslack.Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault[at] = fault
}

// requests counts the requests to a method in a channel.
func (f *front) requests(channel, method string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen[target{channel: channel, method: method}]
}

// scopesWithoutHistory are all but those that a look-up needs.
func scopesWithoutHistory() []string {
	var scopes []string
	for _, scope := range fakeslack.AllScopes() {
		if !strings.HasSuffix(scope, ":history") {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}
