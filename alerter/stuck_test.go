package alerter_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"unconnected/alerter"
	"unconnected/internal/config"
	"unconnected/internal/daemon"
	"unconnected/internal/natsio"
	"unconnected/internal/natstest"
)

// TestADiskThatIsFull: NATS is there, windows can be read, and nothing is stored: nobody can be on duty. /readyz says what to look
// for, and people are told that nothing is watched, until the server was started again.
func TestADiskThatIsFull(t *testing.T) {
	t.Parallel()
	for name, stream := range map[string]string{
		"the leases": natsio.StreamOf(natsio.BucketLeases), "how far it got": natsio.StreamOf(natsio.BucketAlerter),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			running := natstest.ServerIn(t, dir, "127.0.0.1:0")
			w := newWorld(t)
			w.useNATS(running)
			for _, bucket := range natsio.Buckets() {
				if _, err := natsio.EnsureBucket(t.Context(), w.js, bucket, 1); err != nil {
					t.Fatal(err)
				}
			}
			w.play("default", "q")
			again := func() {
				running.Close()
				running = natstest.ServerIn(t, dir, strings.TrimPrefix(running.URL(), "nats://"))
				w.server = running
			}
			again()
			natstest.Freeze(t, dir, stream)
			w.blind, w.pace = 1500*time.Millisecond, 10*time.Millisecond
			p := w.launch()
			p.reports("that a disk may be full", func(r daemon.Report) bool {
				return !r.Ready && strings.Contains(r.Reason, "disk is full") && strings.Contains(r.Reason, "restart that server")
			})
			shows := func(what, want string) {
				eventually(t, what, func() (bool, string) {
					got := fmt.Sprint(w.blindMessages())
					return got == want, got
				})
			}
			shows("that nothing is watched", "[open]")
			if root := string(w.slack.Roots("#noc")[0].Blocks); !strings.Contains(root, "disk is full") {
				t.Errorf("it does not say what to look for: %s", root)
			}
			running.Close()
			natstest.Thaw(t, dir, stream)
			again()
			p.judged(w)
			shows("that it is over", "[over]")
		})
	}
}

// TestAUserWhomNATSDoesNotKnow: the reason says what to do, once.
func TestAUserWhomNATSDoesNotKnow(t *testing.T) {
	t.Parallel()
	refusing, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true, Username: "alerter", Password: "right"})
	if err != nil {
		t.Fatal(err)
	}
	refusing.Start()
	t.Cleanup(func() { refusing.Shutdown(); refusing.WaitForShutdown() })
	if !refusing.ReadyForConnections(patience) {
		t.Fatal("the server does not start")
	}
	w := newQuietWorld(t)
	p := w.launchAt(func(log *slog.Logger) *nats.Conn {
		settings := config.NATS{URL: config.List{refusing.ClientURL()}, User: "alerter", Password: config.NewSecret("wrong")}
		conn, err := natsio.Connect("alerter", &settings, log)
		if err != nil {
			t.Fatal(err)
		}
		return conn
	})
	const advice = "NATS does not let this user in: NATS_CREDS, or NATS_USER and NATS_PASSWORD"
	p.reports("what to do", func(r daemon.Report) bool { return !r.Ready && strings.Contains(r.Reason, advice) })
	if notes := fmt.Sprint(p.Report().Notes); strings.Contains(notes, advice) {
		t.Errorf("it says so again: %s", notes)
	}
}

// TestAClaimThatDoesNotRunOut: it is told by one clock, the server's.
func TestAClaimThatDoesNotRunOut(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t)
	bucket, err := natsio.EnsureBucket(t.Context(), w.js, natsio.BucketLeases, 1)
	if err != nil {
		t.Fatal(err)
	}
	if overdue, err := alerter.Overdue(t.Context(), w.js); err != nil || overdue != 0 {
		t.Errorf("without a claim: %v, %v", overdue, err)
	}
	if _, err := bucket.Put(t.Context(), natsio.KeyDuty, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "that it should have run out", func() (bool, string) {
		overdue, err := alerter.OverdueAfter(t.Context(), w.js, 100*time.Millisecond)
		return err == nil && overdue > 0, fmt.Sprint(overdue, err)
	})
	if overdue, err := alerter.OverdueAfter(t.Context(), w.js, time.Hour); err != nil || overdue != 0 {
		t.Errorf("of one that is fresh: %v, %v", overdue, err)
	}
}
