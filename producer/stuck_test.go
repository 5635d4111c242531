package producer_test

import (
	"strings"
	"testing"
	"time"

	"unconnected/events"
	"unconnected/internal/natsio"
	"unconnected/internal/natstest"
	"unconnected/producer/wolkvox/simulator"
)

// TestADiskThatIsFull: NATS is there and stores nothing. Whatever stream it noticed that by, /readyz says what to look for, and
// does not take it back while nothing has changed; when the server was started again, all goes on.
func TestADiskThatIsFull(t *testing.T) {
	for name, stream := range map[string]string{
		"the history": events.StreamCalls, "the leases": natsio.StreamOf(natsio.BucketLeases),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, simulator.Options{})
			s.secondly(t)
			natstest.CreateStreams(t, s.js)
			for _, bucket := range natsio.Buckets() {
				if _, err := natsio.EnsureBucket(t.Context(), s.js, bucket, 1); err != nil {
					t.Fatal(err)
				}
			}
			listen := s.stopNATS()
			s.startNATS(t, listen)
			natstest.Freeze(t, s.dir, stream)
			p := s.start(t)
			full := func() bool {
				r := p.Report()
				return !r.Ready && strings.Contains(r.Reason, "disk is full") && strings.Contains(r.Reason, "restart that server")
			}
			eventually(t, "it says that a disk may be full", full)
			for began := time.Now(); time.Since(began) < 3*time.Second; <-time.After(10 * time.Millisecond) { // that it waits for its turn is said after two
				if !full() {
					t.Fatalf("and then it reports %+v", p.Report())
				}
			}
			s.stopNATS()
			natstest.Thaw(t, s.dir, stream)
			s.startNATS(t, listen)
			s.goesOn(t, p)
		})
	}
}
