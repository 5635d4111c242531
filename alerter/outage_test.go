package alerter_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"unconnected/alerter/incident"
	"unconnected/events"
)

// testAfterAnOutage: what opened one after the other while Slack was away is one message when it is back, not a flood of them.
func testAfterAnOutage(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		refuse   func(http.ResponseWriter)
		outcome  string
		attempts float64 // before Slack is back
	}{
		"refused": {func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"ok":false,"error":"asleep"}`)) }, "undelivered", 14},
		// Each post is looked for in vain, most of them more than once.
		"unavailable": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }, "ambiguous", 14 + 14 + 10},
		"cut off":     {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, "ambiguous", 14 + 14 + 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.pace = 20 * time.Millisecond
			s := newSleeper(t, w.slack, test.refuse)
			w.useSlack(s.url)
			p := w.start()
			names := operations(14)
			for _, name := range names {
				before := s.requests("chat.postMessage")
				w.play(name, "c")
				eventually(t, "an attempt", func() (bool, string) { return s.requests("chat.postMessage") > before, "" })
			}
			eventually(t, "attempts in vain", func() (bool, string) {
				n := p.metric(fmt.Sprintf(`unconnected_notifications_total{outcome=%q}`, test.outcome))
				return n >= test.attempts, fmt.Sprint(n)
			})
			s.awake.Store(true)
			eventually(t, "all is told", func() (bool, string) {
				seen := make(map[string]int)
				for _, m := range w.slack.Messages("#noc") {
					seen[transitionOf(&m)]++
				}
				for _, a := range w.stored() {
					if n := seen[a.ID()]; n != 1 {
						return false, fmt.Sprintf("the opening of %s is told %d times", a.Operation, n)
					}
				}
				return len(w.stored()) == len(names), ""
			})
			if roots, _ := w.roots("#noc"); len(roots) > 5 { // one or two, but on a busy machine
				t.Errorf("the channel is flooded with %d messages", len(roots))
			}
		})
	}
}

// sleeper stands before a Slack that refuses everything until it is awake.
type sleeper struct {
	url   string
	awake atomic.Bool
	seen  sync.Map // method → *atomic.Int64
}

func newSleeper(t testing.TB, slack http.Handler, refuse func(http.ResponseWriter)) *sleeper {
	s := new(sleeper)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.count(path.Base(r.URL.Path)).Add(1)
		if s.awake.Load() {
			slack.ServeHTTP(w, r)
			return
		}
		refuse(w)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL + "/api/"
	return s
}

func (s *sleeper) count(method string) *atomic.Int64 {
	n, _ := s.seen.LoadOrStore(method, new(atomic.Int64))
	return n.(*atomic.Int64)
}

func (s *sleeper) requests(method string) int64 { return s.count(method).Load() }

// testGroupsLeftBehind: groups that whoever died had not posted yet are one message of whoever comes after, wherever it died while
// it put them together.
func testGroupsLeftBehind(t *testing.T) {
	t.Parallel()
	const a, b = "@group/op00/x", "@group/op05/x"
	for name, left := range map[string]struct {
		first, second []int // the members, as the two groups' records have them
		claims        string
	}{
		"both are whole":                     {[]int{0, 1, 2, 3, 4}, []int{5, 6, 7, 8, 9}, "aaaaabbbbb"},
		"the second was dissolved":           {[]int{0, 1, 2, 3, 4}, nil, "aaaaabbbbb"},
		"some of its members were claimed":   {[]int{0, 1, 2, 3, 4}, nil, "aaaaaaabbb"},
		"all of its members were claimed":    {[]int{0, 1, 2, 3, 4}, nil, "aaaaaaaaaa"},
		"all have come together":             {[]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, nil, "aaaaaaaaaa"},
		"one of three has only been claimed": {nil, []int{5, 6, 7, 8, 9}, "a----bbbbb"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.pace = 20 * time.Millisecond
			w.useSlack("http://127.0.0.1:1/api/") // nobody is there
			p := w.start()
			for _, name := range operations(10) {
				w.play(name, "c")
			}
			p.judged(w)
			p.stop()
			bucket, err := w.js.KeyValue(t.Context(), "unconnected_notices")
			if err != nil {
				t.Fatal(err)
			}
			put := func(rec incident.Record) {
				rec.Channel = "#noc"
				value, err := json.Marshal(rec)
				if err == nil {
					_, err = bucket.Put(t.Context(), incident.Key(rec.Incident, rec.Channel), value)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			stored := w.stored()
			slices.SortFunc(stored, func(a, b events.Alert) int { return strings.Compare(a.Operation, b.Operation) })
			for i, claim := range left.claims {
				put(incident.Record{Incident: stored[i].Incident, Root: incident.Root{Group: map[rune]string{'a': a, 'b': b}[claim]}})
			}
			for id, members := range map[string][]int{a: left.first, b: left.second} {
				rec := incident.Record{Incident: id}
				for _, i := range members {
					rec.Members = append(rec.Members, stored[i].Incident)
				}
				put(rec)
			}
			w.useSlack(w.slack.APIURL())
			w.start()
			eventually(t, "all is told", func() (bool, string) {
				roots, threads := w.roots("#noc")
				return len(roots) > 0 && threads == 10, fmt.Sprintf("%d roots, %d in threads", len(roots), threads)
			})
			if roots, _ := w.roots("#noc"); len(roots) != 1 || !strings.Contains(roots[0].Text, "10 operations") {
				t.Errorf("the channel shows %d messages, the first is %s", len(roots), roots[0].Text)
			}
		})
	}
}
