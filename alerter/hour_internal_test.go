package alerter

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"unconnected/alerter/slack/fakeslack"
	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/daemon"
	"unconnected/internal/natstest"
)

// hours is a notifier with its records in NATS, a Slack, and a clock that both go by, which moves only when there is nothing to do.
// It takes the place of what works on a channel's queue.
type hours struct {
	t     *testing.T
	begin time.Time
	clock atomic.Pointer[time.Time]
	slack *fakeslack.Server
	n     *notifier
	q     *queue
	last  uint64           // sequence of the last alert
	fault *fakeslack.Fault // of the first request of each job; nil while Slack works
	jobs  int
}

func newHours(t *testing.T) *hours {
	t.Helper()
	h := &hours{t: t, begin: time.Now().UTC().Truncate(time.Second)}
	h.set(h.begin)
	var err error
	if h.slack, err = fakeslack.Start(fakeslack.Options{Now: h.now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.slack.Close() })
	conn, js := natstest.Connect(t, natstest.Server(t))
	natstest.CreateStreams(t, js)
	c := &Config{Slack: Slack{Token: config.NewSecret(fakeslack.DefaultToken), Channel: "#noc", APIURL: h.slack.APIURL()}}
	c.Replicas, c.Alerts.Language, c.Alerts.MaxAge = 1, "en", config.Duration(30*time.Minute)
	if problems := c.Validate(); len(problems) > 0 {
		t.Fatal(problems)
	}
	a := New(c, Options{Log: slog.New(slog.DiscardHandler), Conn: conn, Metrics: prometheus.NewRegistry(), Output: io.Discard})
	ctx, cancel := context.WithCancel(context.Background())
	s, err := a.open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	h.n, h.q = s.notifier, newQueue("#noc")
	h.n.now, h.n.picture, h.n.caughtUp, h.n.queues["#noc"] = h.now, func(string, string) {}, true, h.q
	done := make(chan struct{})
	go func() { defer close(done); _ = s.duty.run(ctx) }()
	t.Cleanup(func() { cancel(); <-done; s.duty.close(context.Background()) })
	for deadline := time.Now().Add(time.Minute); !s.duty.has(); <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not get on duty")
		}
	}
	return h
}

func (h *hours) now() time.Time { return *h.clock.Load() }

func (h *hours) set(now time.Time) { h.clock.Store(&now) }

// minute is so many minutes from the beginning.
func (h *hours) minute(n int) time.Time { return h.begin.Add(time.Duration(n) * time.Minute) }

// alert makes a rule fire on an operation, or resolves it, in the window that ends now.
func (h *hours) alert(operation, rule, severity, status string) {
	h.t.Helper()
	h.last++
	window := events.Window{Start: h.now().Add(-5 * time.Minute), End: h.now()}
	value := 0.4
	a := events.Alert{
		Operation: operation, Rule: rule, Severity: severity, Status: status, StartsAt: window.Start, Window: &window, Value: &value,
		Incident: operation + "/" + h.begin.Format(time.RFC3339), Timezone: "America/Bogota", Summary: "unusual",
		Cause: events.Cause{Sequence: h.last}, Sequence: h.last, Stored: h.now(),
	}
	if status == events.Resolved {
		a.StartsAt, a.EndsAt, a.Reason = h.begin, &window.Start, events.ReasonCleared
	}
	h.n.mu.Lock()
	defer h.n.mu.Unlock()
	if _, changed, err := h.n.fold.Apply(a); err != nil || !changed {
		h.t.Fatalf("an alert of the test does not count: %v", err)
	}
	h.n.read, h.q.pending[a.Incident] = h.last, true
}

// until lets the notifier work up to an instant.
func (h *hours) until(end time.Time) {
	h.t.Helper()
	for h.now().Before(end) {
		job, wait := h.n.next(h.q, h.now())
		switch {
		case !h.n.duty.has():
			<-time.After(time.Millisecond) // the machine stood still; the lease comes back
		case job != nil:
			if h.jobs++; h.jobs > 5000 {
				h.t.Fatal("it does not come to an end")
			}
			if h.fault != nil {
				h.slack.Fail("*", *h.fault)
			}
			h.n.do(h.t.Context(), h.q, job)
			h.set(h.now().Add(time.Second)) // the pace of a channel
		case wait.IsZero() || wait.After(end):
			h.set(end)
		case wait.After(h.now()):
			h.set(wait)
		default:
			h.set(h.now().Add(time.Millisecond))
		}
	}
}

// shown is what the channel shows, a line per message: its place and headline.
func (h *hours) shown() (lines []string) {
	for _, m := range h.slack.Messages("#noc") {
		place := "line "
		switch {
		case m.IsRoot():
			place = "root "
		case m.Broadcast:
			place = "line* "
		}
		text, _, _ := strings.Cut(m.Text, " · ")
		lines = append(lines, place+strings.ReplaceAll(text, "\u00a0", " "))
	}
	return lines
}

func (h *hours) report() daemon.Report {
	r := reporting{Report: daemon.Report{Ready: true, State: "ok"}}
	h.n.report(&r)
	return r.Report
}

// TestSlackAwayForAnHour: whatever Slack answers, or does not, for an hour: the channel shows each incident once afterwards, with
// all that happened to it, and Slack was not flooded with attempts.
func TestSlackAwayForAnHour(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]fakeslack.Fault{
		"500":                             fakeslack.Status(500),
		"503 although it arrived":         fakeslack.StatusAfter(503),
		"no answer":                       fakeslack.DropBefore(),
		"no answer although it arrived":   fakeslack.DropAfter(),
		"429 with Retry-After":            fakeslack.TooMany(30),
		"429 without":                     fakeslack.TooMany(-1),
		"ok:false without a word":         fakeslack.RefuseSilently(),
		"fatal_error although it arrived": fakeslack.RefuseAfter("fatal_error"),
		"wrong JSON":                      fakeslack.Garbage("{"),
		"the token is refused":            fakeslack.Refuse("invalid_auth"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHours(t)
			h.fault = &fault
			h.alert("ventas", "CongestionSpike", events.Critical, events.Firing)
			h.until(h.minute(5))
			h.alert("cob", "BusyShift", events.Warning, events.Firing)
			h.until(h.minute(10))
			if r := h.report(); r.Ready || !strings.Contains(r.Reason, "#noc") {
				t.Errorf("after ten minutes it reports %+v", r)
			}
			h.alert("ventas", "BusyShift", events.Warning, events.Firing)
			h.until(h.minute(30))
			h.alert("ventas", "BusyShift", events.Warning, events.Resolved)
			h.until(h.minute(50))
			h.alert("ventas", "CongestionSpike", events.Critical, events.Resolved)
			h.until(h.minute(60))
			attempts := h.jobs

			h.fault = nil
			h.until(h.minute(70))
			want := []string{
				"line 🟢 Over: Busy",
				"line* ✅ Resolved: Congestion, peak 40%",
				"line* 🟠 Getting worse: Busy 40%",
				"root ✅ Resolved: Congestion, peak 40%",
				"root 🟠 Firing: Busy 40%",
			}
			if got := h.shown(); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
				t.Errorf("the channel shows\n%s", strings.Join(got, "\n"))
			}
			for _, m := range h.slack.Messages("#noc") {
				if !m.IsRoot() && !strings.Contains(m.Text, "late") {
					t.Errorf("it does not say that it comes late: %s", m.Text)
				}
			}
			if attempts > 250 {
				t.Errorf("%d attempts in an hour", attempts)
			}
			if r := h.report(); !r.Ready {
				t.Errorf("when Slack is back it reports %+v", r)
			}
		})
	}
}

// TestManyWhileSlackIsAway: what opened meanwhile, in twelve operations, does not come one by one when Slack is back: at most the
// most urgent has a message of its own, and all others have one. What arrived is not told again.
func TestManyWhileSlackIsAway(t *testing.T) {
	t.Parallel()
	const many = 12
	for name, test := range map[string]struct {
		fault fakeslack.Fault
		roots int // at the most
	}{
		"429":                           {fakeslack.TooMany(-1), 2},
		"500":                           {fakeslack.Status(500), 2},
		"the token is refused":          {fakeslack.Refuse("invalid_auth"), 2},
		"no answer although it arrived": {fakeslack.DropAfter(), many},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHours(t)
			var log bytes.Buffer
			h.n.log, h.fault = slog.New(slog.NewTextHandler(&log, nil)), &test.fault
			for i := range many {
				h.alert(fmt.Sprint("op", i), "CongestionSpike", events.Critical, events.Firing)
				h.until(h.now().Add(4 * time.Minute))
			}
			h.until(h.minute(60))
			if lines := strings.Count(log.String(), "\n"); lines > h.jobs {
				t.Errorf("%d lines in the log of %d attempts", lines, h.jobs)
			}
			h.fault = nil
			h.until(h.minute(62))
			if roots := len(h.slack.Roots("#noc")); roots > test.roots {
				t.Errorf("%d messages:\n%s", roots, strings.Join(h.shown(), "\n"))
			}
			told := make(map[string]int)
			for _, m := range h.slack.Messages("#noc") {
				told[string(m.Metadata)]++
			}
			groups := 0
			for transition, n := range told {
				if n > 1 {
					t.Errorf("%s is told %d times", transition, n)
				}
				if strings.Contains(transition, "@group/") {
					groups++
				}
			}
			if len(told)-groups != many {
				t.Errorf("%d of %d are told:\n%s", len(told)-groups, many, strings.Join(h.shown(), "\n"))
			}
		})
	}
}
