package producer_test

import (
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/natsio"
	"unconnected/producer"
	"unconnected/producer/wolkvox/simulator"
)

// secondly lets the site poll windows of a second, from some seconds ago on.
func (s *site) secondly(t testing.TB) {
	t.Helper()
	s.set(t, map[string]string{"POLL_WINDOW": "1s", "POLL_START": "-20s", "POLL_RECONCILE": "0", "WOLKVOX_TIMEOUT": "1s"})
}

// shows waits until the producer says that it can't do its job, in some words.
func shows(t testing.TB, p running, words ...string) {
	t.Helper()
	eventually(t, "it says "+strings.Join(words, ", "), func() bool {
		report := p.Report()
		for _, word := range words {
			if !strings.Contains(report.Reason, word) {
				return false
			}
		}
		return !report.Ready
	})
}

// goesOn waits until all windows that ended before now are in the log, and checks it.
func (s *site) goesOn(t testing.TB, p running) {
	t.Helper()
	now := time.Now()
	eventually(t, "it goes on", func() bool { return p.Report().Ready && s.checkpoint(t).After(now) })
	s.sound(t, events.DefaultOperation)
	s.alone(t)
}

// TestMemoryIsFlatWhileNATSIsAway: operations that can't store anything neither pile up what they have nor ask on and on.
func TestMemoryIsFlatWhileNATSIsAway(t *testing.T) {
	s := newSite(t, simulator.Options{})
	environ(t, map[string]string{"WOLKVOX_A_TOKEN": "a", "WOLKVOX_B_TOKEN": "b", "WOLKVOX_C_TOKEN": "c", "WOLKVOX_D_TOKEN": "d"})
	s.set(t, map[string]string{"POLL_WINDOW": "1s", "POLL_START": "-5s", "WOLKVOX_TOKEN": "", "WOLKVOX_OPERATIONS": "a,b,c,d"})
	s.api.SetTokens("a", "b", "c", "d")
	p := s.start(t)
	eventually(t, "ready", func() bool { return p.Report().Ready && p.state().State == "ok" })
	heap, routines := used()
	listen, asked := s.stopNATS(), len(s.api.Ledger())
	away := time.Now()
	eventually(t, "some time", func() bool { return time.Since(away) > 6*time.Second })
	after, routinesAfter := used() // without the server's, so that there is room
	if after > heap+4<<20 {
		t.Errorf("the heap grew from %d to %d kB", heap>>10, after>>10)
	}
	if routinesAfter > routines {
		t.Errorf("%d goroutines, %d before", routinesAfter, routines)
	}
	if n := len(s.api.Ledger()) - asked; n > 4*3 {
		t.Errorf("asked %d times for what can't be stored", n)
	}
	s.startNATS(t, listen)
	now := time.Now()
	for i, o := range p.Report().Operations {
		eventually(t, o.Operation+" has caught up", func() bool { return p.Report().Operations[i].Checkpoint.After(now) })
		s.sound(t, o.Operation)
	}
}

// used is how much of the heap is in use, and how many goroutines there are.
func used() (heap uint64, routines int) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, runtime.NumGoroutine()
}

// TestAStreamThatTakesNoMore: full, and not allowed to drop the oldest. Room made by hand is used.
func TestAStreamThatTakesNoMore(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.secondly(t)
	full := events.CallsStream(events.StreamOptions{})
	full.MaxBytes, full.Discard = 8<<10, jetstream.DiscardNew
	if _, err := s.js.CreateStream(t.Context(), full); err != nil {
		t.Fatal(err)
	}
	p := s.start(t)
	shows(t, p, "append default/", "maximum bytes exceeded")
	before, _ := s.log(t, events.DefaultOperation)
	full.MaxBytes = 1 << 30
	if _, err := s.js.UpdateStream(t.Context(), full); err != nil {
		t.Fatal(err)
	}
	s.goesOn(t, p)
	if after, _ := s.log(t, events.DefaultOperation); after[0].ID() != before[0].ID() {
		t.Errorf("the log began with %s, and begins with %s", before[0].ID(), after[0].ID())
	}
}

// TestASealedStream can't be opened again by anybody; people are told, and the API is not asked on and on.
func TestASealedStream(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.secondly(t)
	p := s.start(t)
	s.caughtUp(t)
	stream, err := s.js.Stream(t.Context(), events.StreamCalls)
	if err != nil {
		t.Fatal(err)
	}
	sealed := stream.CachedInfo().Config
	sealed.Sealed = true
	if _, err := s.js.UpdateStream(t.Context(), sealed); err != nil {
		t.Fatal(err)
	}
	shows(t, p, "append default/", "sealed")
	s.sound(t, events.DefaultOperation)
	if err := p.stop(); err != nil {
		t.Errorf("stopped with %v", err)
	}
}

// TestALostTail: messages at the end of the log are deleted by hand while the producer is away. It refuses to guess; when
// the loss is accepted it asks for the windows again.
func TestALostTail(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.secondly(t)
	loose := events.CallsStream(events.StreamOptions{})
	loose.DenyDelete, loose.DenyPurge = false, false
	loose.Duplicates = 100 * time.Millisecond // for so long the server takes what was deleted for stored
	stream, err := s.js.CreateStream(t.Context(), loose)
	if err != nil {
		t.Fatal(err)
	}
	p := s.start(t)
	s.caughtUp(t)
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	log, _ := s.log(t, events.DefaultOperation)
	for _, e := range log[len(log)-5:] {
		if err := stream.DeleteMsg(t.Context(), e.Sequence); err != nil {
			t.Fatal(err)
		}
	}
	asked := len(s.api.Ledger())
	p = s.start(t)
	shows(t, p, "the end of the log is lost", "unconnected streams apply --accept-loss default")
	if n := len(s.api.Ledger()) - asked; n > 0 {
		t.Errorf("asked %d times all the same", n)
	}
	marks, err := s.js.KeyValue(t.Context(), natsio.BucketMarks)
	if err != nil {
		t.Fatal(err)
	}
	if err := marks.Delete(t.Context(), events.DefaultOperation); err != nil { // as that command does
		t.Fatal(err)
	}
	s.goesOn(t, p)
}

// TestTheBucketOfTheLeasesIsDeleted while producers work: they make it anew.
func TestTheBucketOfTheLeasesIsDeleted(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.secondly(t)
	one, other := s.start(t), s.start(t)
	s.caughtUp(t)
	if err := s.js.DeleteKeyValue(t.Context(), natsio.BucketLeases); err != nil {
		t.Fatal(err)
	}
	s.goesOn(t, one)
	eventually(t, "the other is ready", func() bool { return other.Report().Ready })
	if _, err := s.js.KeyValue(t.Context(), natsio.BucketLeases); err != nil {
		t.Error(err)
	}
}

// TestABucketWithoutTimeToLive: made by hand, it would leave a token to a dead holder for ever. People are told what to do.
func TestABucketWithoutTimeToLive(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.secondly(t)
	if _, err := s.js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: natsio.BucketLeases}); err != nil {
		t.Fatal(err)
	}
	p := s.start(t)
	shows(t, p, natsio.BucketLeases, "per-key TTLs", "delete the bucket")
	if n := len(s.api.Ledger()); n > 0 {
		t.Errorf("asked %d times all the same", n)
	}
	if err := s.js.DeleteKeyValue(t.Context(), natsio.BucketLeases); err != nil {
		t.Fatal(err)
	}
	s.goesOn(t, p)
}

// TestReplicasCompareOnce: a period that has changed costs three producers as many requests as one.
func TestReplicasCompareOnce(t *testing.T) {
	t.Parallel()
	const window, period = 2 * time.Second, 4 * time.Second
	s := newSite(t, simulator.Options{Latency: 150 * time.Millisecond}) // so slow that equals take turns during a comparison
	s.set(t, map[string]string{"POLL_WINDOW": "2s", "POLL_START": "-4s", "POLL_RECONCILE": "4s"})
	var replicas []running
	for range 3 {
		replicas = append(replicas, s.start(t))
	}
	eventually(t, "a beginning", func() bool { return !s.checkpoint(t).IsZero() })
	asked := make(map[string]int)                            // how often for which span
	for tries := 0; len(asked) == 0 && tries < 10; tries++ { // on a busy machine the change may come after the comparison
		changed := time.Now().UTC().Truncate(period).Add(period)
		end := changed.Add(period)
		eventually(t, "the period is polled", func() bool { return !s.checkpoint(t).Before(end) })
		polled := len(s.api.Ledger())
		s.api.Plant(simulator.Incident{Start: changed, End: end, Result: events.Congestion, Share: 0.9})
		eventually(t, "it is compared", func() bool { return s.checkpoint(t).After(end.Add(period + 2*window)) })
		zone := s.config.TheOperations()[0].Zone
		from, to := changed.In(zone).Format("20060102150405"), end.In(zone).Format("20060102150405")
		for _, r := range s.api.Ledger()[polled:] {
			if r.From < from || r.To >= to || r.API != "cdr_6" {
				continue
			}
			if asked[r.From+r.To]++; asked[r.From+r.To] > 1 {
				t.Errorf("asked once more for %s to %s", r.From, r.To)
			}
		}
	}
	if len(asked) != 3 {
		t.Errorf("asked for %v, want the period and its two windows", asked)
	}
	for _, p := range replicas {
		if !p.Report().Ready {
			t.Errorf("reports %+v", p.Report())
		}
	}
	revisions := 0
	log, _ := s.log(t, events.DefaultOperation)
	for _, e := range log {
		revisions += min(e.Revision, 1)
	}
	if revisions != 2 {
		t.Errorf("%d revisions, want 2", revisions)
	}
	s.alone(t)
}

// TestAnOutageOfNATSIsSaidByTheConnection, once for the whole process, and by nobody else.
func TestAnOutageOfNATSIsSaidByTheConnection(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.secondly(t)
	s.config.MaxAge = config.Duration(24 * time.Hour) // of 400 days of such windows it would be said that there is no room
	var warnings lines
	p := s.start(t, func(o *producer.Options) {
		o.Log = slog.New(slog.NewTextHandler(&warnings, &slog.HandlerOptions{Level: slog.LevelWarn}))
	})
	s.caughtUp(t)
	for range 3 { // what it is about at that moment differs
		listen, asked := s.stopNATS(), time.Now()
		eventually(t, "it notices", func() bool { return !p.Report().Ready && time.Since(asked) > 1500*time.Millisecond })
		s.startNATS(t, listen)
		s.goesOn(t, p)
	}
	if said := warnings.String(); said != "" {
		t.Errorf("said, too:\n%s", said)
	}
}

// lines is what a log says. It is safe for concurrent use.
type lines struct {
	mu   sync.Mutex
	text strings.Builder // guarded by mu
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
