package alerter_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natsio"
)

// TestProducerStatus: what the producer says of itself fires and ends alerts between windows, with its reason, once, also over
// a restart of the alerter.
func TestProducerStatus(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t)
	w.rules(`rules:
  - alert: Stuck
    expr: status("quota", "refused")
    severity: critical
    summary: "{{.Status.State}}: {{.Status.Reason}}"
`)
	bucket, err := natsio.EnsureBucket(t.Context(), w.js, natsio.BucketStatus, 1)
	if err != nil {
		t.Fatal(err)
	}
	p := w.start()
	w.play("default", "qqq")
	p.judged(w)
	w.status(bucket, "quota", "the day's requests are spent")
	w.awaitStatuses("firing")
	p.stop()

	p = w.start()
	w.play("default", "q")
	p.judged(w)
	w.status(bucket, "ok", "")
	w.awaitStatuses("firing", "resolved")
	for _, a := range w.stored() {
		if a.Window != nil || a.Cause.Tick == 0 || a.Value != nil {
			t.Errorf("a tick caused it: %+v", a)
		}
	}
	if got := w.stored()[0].Summary; got != "quota: the day's requests are spent" {
		t.Errorf("the summary is %q", got)
	}
	eventually(t, "that people are told", func() (bool, string) {
		shown := w.cards.String()
		return strings.Contains(shown, "Resolved") && strings.Contains(shown, "the day's requests are spent"), shown
	})
}

func (w *world) status(bucket jetstream.KeyValue, state, reason string) {
	w.t.Helper()
	value := fmt.Sprintf(`{"operation":"default","state":%q,"reason":%q,"since":%q}`, state, reason, time.Now().UTC().Format(time.RFC3339Nano))
	if _, err := bucket.Put(w.t.Context(), "default", []byte(value)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) awaitStatuses(want ...string) {
	w.t.Helper()
	eventually(w.t, "alert events", func() (bool, string) {
		var got []string
		for _, a := range w.stored() {
			got = append(got, a.Status)
		}
		return strings.Join(got, " ") == strings.Join(want, " "), fmt.Sprint(got)
	})
}

// TestNoTickWithoutARule: who has no rule on ticks does not need the producer's bucket.
func TestNoTickWithoutARule(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t)
	p := w.start()
	w.play("default", "qcq")
	p.judged(w)
	if _, err := w.js.KeyValue(t.Context(), natsio.BucketStatus); err == nil {
		t.Error("the bucket was made")
	}
	if got := len(w.stored()); got != 2 || w.stored()[0].Status != events.Firing {
		t.Errorf("got %d alerts", got)
	}
}
