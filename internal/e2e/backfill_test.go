package e2e

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"unconnected/events"
	"unconnected/internal/natsio"
	"unconnected/producer/wolkvox/simulator"
)

// TestBackfillKilled: a backfill that is killed at random points, and begun again, stores every window once, while the
// producer goes on; the last run finds nothing to do.
func TestBackfillKilled(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, simulator.Options{Latency: 2 * time.Millisecond, Quirks: true})
	w.env["WOLKVOX_TIMEOUT"] = "1s" // what a killed one holds is free after twice that
	w.start("producer", map[string]string{"POLL_START": "-5s"})
	w.awaitLive()
	from := time.Now().Add(-12 * time.Minute).UTC().Format(time.RFC3339)
	random := dice(t)
	for range 4 {
		before := len(w.log())
		tool := w.start("unconnected", nil, "backfill", "--from", from)
		enough := before + 20 + random.IntN(60)
		eventually(t, func() error {
			if len(w.log()) < enough {
				return errNotYet
			}
			return nil
		})
		tool.kill()
	}
	w.tool(0, "backfill", "--from", from)
	text, _ := w.tool(0, "backfill", "--from", from, "--json")
	var again struct {
		Operations []struct{ Requests, Here int }
	}
	if err := json.Unmarshal([]byte(text), &again); err != nil {
		t.Fatal(err)
	}
	if o := again.Operations; len(o) != 1 || o[0].Requests != 0 || o[0].Here < 700 {
		t.Errorf("the last run says %s", text)
	}
	w.awaitLive()
	filled := 0
	for _, e := range w.log() {
		if truth := w.api.Truth(e.Window.Start, e.Window.End); e.Revision > 0 || !maps.Equal(e.Counts, truth) {
			t.Errorf("%s: %v, were %v", e.ID(), e.Counts, truth)
		}
		if e.Backfill {
			filled++
		}
	}
	if filled < 700 {
		t.Errorf("%d windows were filled", filled)
	}
	requireOneAtATime(w, w.api)
	w.verified()
}

// TestBackfillCommand: what it says without history, before it begins, and about an operation that is not configured.
func TestBackfillCommand(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, simulator.Options{Licences: 1})
	_, said := w.tool(1, "backfill", "--from", "-1h")
	if err := contains(said, "no history", "POLL_START"); err != nil {
		t.Error(err)
	}
	w.requireUntouched(t)
	w.start("producer", map[string]string{"POLL_START": "-2s"})
	w.awaitLive()
	asked := len(w.api.Ledger())
	text, _ := w.tool(0, "backfill", "--from", "-20h", "--dry-run")
	if err := contains(text, "default", "requests", "quota"); err != nil {
		t.Error(err)
	}
	if more := len(w.api.Ledger()) - asked; more > 20 {
		t.Errorf("a dry run took %d requests", more)
	}
	_, said = w.tool(2, "backfill", "--operation", "ventas")
	if err := contains(said, "--operation", "ventas", "default"); err != nil {
		t.Error(err)
	}
	p := w.start("unconnected", map[string]string{"WOLKVOX_TOKEN": ""}, "backfill")
	p.exit(patience, 2)
	if err := contains(p.stderr.String(), "WOLKVOX_TOKEN"); err != nil {
		t.Error(err)
	}
}

// TestVerifyAgainstTheAPI: a correction shows in the comparison, and a recheck mends it.
func TestVerifyAgainstTheAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	producer := w.start("producer", map[string]string{"POLL_START": "-2m"})
	w.awaitLive()
	producer.stop()
	text, _ := w.tool(0, "verify", "--against-api", "30")
	if err := contains(text, "compared with the API: 30 windows, 0 differences"); err != nil {
		t.Error(err)
	}
	start := w.log()[60].Window.Start
	w.api.Plant(simulator.Incident{Start: start, End: start.Add(5 * second), Result: events.Busy, Share: 0.9})
	text, _ = w.tool(1, "verify", "--against-api", "1000")
	if err := contains(text, "5 differences", "FAULT api (5)", "unconnected backfill --recheck --operation default"); err != nil {
		t.Errorf("%v in %s", err, text)
	}
	text, _ = w.tool(0, "backfill", "--recheck", "--from", start.Add(-time.Minute).Format(time.RFC3339))
	if !strings.Contains(text, "default") {
		t.Errorf("the recheck says %s", text)
	}
	w.api.FailAll(simulator.QuotaSpent())
	text, said := w.tool(1, "verify", "--against-api", "10")
	if err := contains(text+said, "no faults", "not compared with the API", "spent"); err != nil {
		t.Errorf("%v in %s %s", err, text, said)
	}
	w.api.FailAll(nil)
	w.tool(0, "streams", "apply", "--forget-quota")
	text, _ = w.tool(0, "verify", "--against-api", "1000", "--json")
	if err := contains(text, `"compared_with_api"`, `"different": 0`); err != nil {
		t.Errorf("%v in %s", err, text)
	}
}

// TestQuotaIsForgotten: a producer that waits for tomorrow goes on when a person says that more was bought.
func TestQuotaIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.api.FailAll(simulator.QuotaSpent())
	producer := w.start("producer", nil)
	eventually(t, func() error {
		if r, err := producer.readyz(); err != nil || r.State != "quota" {
			return errNotYet
		}
		return nil
	})
	producer.stop()
	w.api.FailAll(nil)
	w.tool(0, "streams", "apply", "--forget-quota")
	bucket, err := w.js.KeyValue(t.Context(), natsio.BucketLeases)
	if err != nil {
		t.Fatal(err)
	}
	if keys, err := bucket.Keys(t.Context()); err == nil && len(keys) > 0 {
		t.Errorf("the bucket still holds %q", keys)
	}
	w.start("producer", nil)
	w.awaitLive()
}
