package e2e

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"unconnected/events"
	"unconnected/internal/natsio"
)

var (
	operationsFlag = flag.Int("operations", 12, "operations of TestThousand; from 1000 on what it measures is held against what it should be")
	daysFlag       = flag.Int("days", 1, "days of history of each operation of TestThousand; 37 are all that is remembered")
	steadyFlag     = flag.Duration("steady", 2*time.Second, "for how long TestThousand measures what the alerter takes while windows come")
)

// What an alerter may take with a thousand operations and the built-in rules; with more, in proportion.
const (
	mostProcessor = 2   // percent of one, while windows come
	mostResident  = 200 // MB
	mostRestart   = 10  // seconds until it is ready again
)

// TestThousand is one alerter with many operations. It is started on their history, killed, started after an hour of windows,
// stopped and started again: each time it must have judged every window, and an incident is told once. What it takes of time,
// processor and memory is logged.
func TestThousand(t *testing.T) {
	t.Parallel()
	m := newMany(t)
	end := time.Now().Truncate(fleetWindow).Add(-2 * fleetWindow) // so that the windows that come then are over
	fleet := newFleet(t, m.js, *operationsFlag, *daysFlag, end)
	fleet.fill(end.Add(-time.Hour))

	alerter, took := m.begin(fleet)
	t.Logf("first start with %d operations and %d windows: %v, %s", *operationsFlag, fleet.stored, took, m.usage(alerter))
	m.awaitSnapshots(fleet)
	t.Logf("at most %s resident", peak(alerter))
	alerter.kill()
	fleet.fill(end)
	alerter, took = m.begin(fleet)
	t.Logf("killed, and an hour of windows since: %v, %s", took, m.usage(alerter))
	m.hold(max(0, took.ready-leaseTTL).Seconds(), "s longer than the lease of the one that was killed", mostRestart)

	loud := fleet.loud()
	m.steady(alerter, fleet, loud)
	m.awaitSurge(loud)
	t.Logf("at most %s resident", peak(alerter))
	alerter.stop()
	alerter, took = m.begin(fleet)
	t.Logf("stopped: %v, %s", took, m.usage(alerter))
	m.hold(took.judging.Seconds(), "s until all was judged", mostRestart)
	m.steady(alerter, fleet, nil)
	m.awaitSurge(loud)
	t.Logf("at most %s resident", peak(alerter))
	alerter.stop()
}

// many is a NATS server and an alerter with the built-in rules, without Slack.
type many struct {
	*world
	client http.Client
}

func newMany(t *testing.T) *many {
	t.Helper()
	b := newBroker(t)
	m := &many{world: &world{t: t, broker: b, js: connectTo(t, b.url())}, client: http.Client{Timeout: patience}}
	room := int64(64<<20 + *operationsFlag*(*daysFlag+8)*48*2000) // a day of old windows is 48, of others six times that
	m.env = map[string]string{
		"LANG": "C", "HTTP_ADDR": "127.0.0.1:0", "NATS_URL": b.url(),
		"HISTORY_MAX_BYTES": strconv.FormatInt(room, 10), "HISTORY_MAX_AGE": "400d",
	}
	calls := events.CallsStream(events.StreamOptions{MaxAge: 400 * 24 * time.Hour, MaxBytes: room})
	if _, err := m.js.CreateStream(t.Context(), calls); err != nil {
		t.Fatal(err)
	}
	return m
}

// start is how long an alerter took.
type start struct {
	ready   time.Duration // until /readyz says so
	judging time.Duration // until it is on duty, too, and has judged every window
}

func (s start) String() string {
	return fmt.Sprintf("ready after %v, all judged after %v", s.ready.Round(10*time.Millisecond), s.judging.Round(10*time.Millisecond))
}

// begin starts an alerter and waits until it has judged everything. It asks seldom, because the answer about thousands of
// operations takes a while, too.
func (m *many) begin(fleet *fleet) (alerter *process, took start) {
	m.t.Helper()
	began := time.Now()
	alerter = m.start("alerter", nil)
	limit := patience + time.Duration(fleet.stored)*time.Millisecond
	for {
		err := m.judges(alerter, fleet, began, &took)
		if err == nil {
			return alerter, took
		}
		elapsed := time.Since(began)
		if elapsed > limit*slow {
			m.t.Fatalf("after %v still: %v", elapsed, err)
		}
		pause(min(max(elapsed/50, 2*time.Millisecond), time.Second))
	}
}

// judges is an error until an alerter is on duty and has judged everything, and notes how long that took.
func (m *many) judges(alerter *process, fleet *fleet, began time.Time, took *start) error {
	r, err := m.readyz(alerter)
	switch {
	case err != nil:
		return err
	case !r.Ready:
		return fmt.Errorf("not ready: %s", r.Reason)
	case took.ready == 0:
		took.ready = time.Since(began)
	}
	if strings.Contains(fmt.Sprint(r.Notes), "standing by") {
		return errors.New("not on duty")
	}
	took.judging = time.Since(began)
	return fleet.judged(&r)
}

// readyz is that of a process whose answers are too large to be kept.
func (m *many) readyz(p *process) (r readiness, err error) {
	body, err := m.get(p, "/readyz")
	if err == nil {
		err = json.Unmarshal(body, &r)
	}
	return r, err
}

func (m *many) get(p *process, path string) ([]byte, error) {
	resp, err := m.client.Get("http://" + p.address() + path)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// usage is what a process has taken so far.
type usage struct {
	processor time.Duration
	resident  float64 // bytes now
}

func (u usage) String() string {
	return fmt.Sprintf("%v of a processor, %.0f MB resident", u.processor.Round(10*time.Millisecond), u.resident/(1<<20))
}

// peak is the most memory that a process has had resident, as Linux counts it.
func peak(p *process) string {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return "not known on this system"
	}
	_, most, _ := strings.Cut(string(status), "VmHWM:")
	most, _, _ = strings.Cut(most, "\n")
	return strings.TrimSpace(most)
}

// usage reads what a process says of itself, as Prometheus does.
func (m *many) usage(p *process) (u usage) {
	m.t.Helper()
	body, err := m.get(p, "/metrics")
	if err != nil {
		m.t.Fatal(err)
	}
	for line := range strings.Lines(string(body)) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		value, err := strconv.ParseFloat(text, 64)
		switch {
		case err != nil:
		case name == "process_cpu_seconds_total":
			u.processor = time.Duration(value * float64(time.Second))
		case name == "process_resident_memory_bytes":
			u.resident = value
		}
	}
	if u.processor == 0 || u.resident == 0 {
		m.t.Fatalf("%s does not say what it takes", p.name)
	}
	return u
}

// steady lets windows come as they do when each operation has one in five minutes, and measures what that takes of the
// alerter, which is asked how it is as Prometheus and an orchestrator ask. In the first window of loud half of the calls meet
// congestion.
func (m *many) steady(p *process, fleet *fleet, loud *member) {
	m.t.Helper()
	before, began, stored := m.usage(p), time.Now(), fleet.stored
	window := time.NewTicker(min(fleetWindow/time.Duration(len(fleet.members)), *steadyFlag/20))
	defer window.Stop()
	scrape, probe := time.NewTicker(15*time.Second), time.NewTicker(10*time.Second)
	defer scrape.Stop()
	defer probe.Stop()
	if loud != nil {
		fleet.store(loud, 0.5)
	}
	for over := time.After(*steadyFlag); ; {
		select {
		case <-over:
			m.compare(p, fleet.stored-stored, before, m.usage(p), time.Since(began))
			return
		case <-window.C:
			behind := slices.MinFunc(fleet.members, func(a, b *member) int { return a.next.Compare(b.next) })
			fleet.store(behind, behind.shares[0])
		case <-scrape.C:
			m.usage(p)
		case <-probe.C:
			if _, err := m.readyz(p); err != nil {
				m.t.Error(err)
			}
		}
	}
}

// compare holds what was taken against what it should be.
func (m *many) compare(p *process, windows int, before, after usage, span time.Duration) {
	m.t.Helper()
	m.t.Logf("steady: %d windows in %v", windows, span.Round(time.Second))
	m.hold(100*(after.processor-before.processor).Seconds()/span.Seconds(), "% of a processor", mostProcessor)
	m.hold(after.resident/(1<<20), "MB resident", mostResident)
}

// hold logs a number and, from a thousand operations on, holds it against the most that it may be with a thousand. What fewer
// take is mostly what the program takes without any.
func (m *many) hold(got float64, unit string, most float64) {
	m.t.Helper()
	m.t.Logf("%.2f %s", got, unit)
	if most *= float64(*operationsFlag) / 1000; *operationsFlag >= 1000 && got > most {
		m.t.Errorf("%.2f %s, want at most %.2f", got, unit, most)
	}
}

// awaitSnapshots waits until all operations have one, which takes a minute. A short history is read again in less.
func (m *many) awaitSnapshots(fleet *fleet) {
	m.t.Helper()
	if fleet.stored < 100_000 {
		return
	}
	eventuallyWithin(m.t, 2*patience+time.Duration(*operationsFlag)*10*time.Millisecond, func() error {
		bucket, err := m.js.KeyValue(m.t.Context(), natsio.BucketSnapshots)
		if err != nil {
			return err
		}
		status, err := bucket.Status(m.t.Context())
		if err != nil {
			return err
		}
		if int(status.Values()) < *operationsFlag {
			return fmt.Errorf("%d operations have snapshots, want all %d", status.Values(), *operationsFlag)
		}
		return nil
	})
}

// awaitSurge waits until what is wrong with loud is stored, and wants nothing to be stored twice.
func (m *many) awaitSurge(loud *member) {
	m.t.Helper()
	eventually(m.t, func() error {
		_, alerts, err := m.alerts()
		if err != nil {
			return err
		}
		last := make(map[string]string) // operation and rule → status
		surged := false
		for _, a := range alerts {
			key := a.Operation + " " + a.Rule
			if last[key] == a.Status {
				m.t.Errorf("%s is %s twice", key, a.Status)
			}
			last[key] = a.Status
			surged = surged || a.Operation == loud.name && a.Rule == "CongestionSurge" && a.Status == events.Firing
		}
		if !surged {
			return fmt.Errorf("nobody is told of the surge of %s, only of %v", loud.name, last)
		}
		return nil
	})
}
