package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"unconnected/internal/natsio"
	"unconnected/producer/wolkvox/simulator"
)

// faults are the ways in which the API goes wrong, and what /readyz must say then.
var faults = map[string]struct {
	fault simulator.Fault
	state string
	words []string
}{
	"reset":       {simulator.Reset(), "retrying", nil},
	"truncated":   {simulator.Truncate(), "retrying", nil},
	"cut":         {simulator.Cut(), "retrying", nil},
	"hang":        {simulator.Hang(), "retrying", nil},
	"page":        {simulator.HTMLPage(), "retrying", []string{"WOLKVOX_BASE_URL"}},
	"proxy":       {simulator.Reply(404, "text/html", "<html>not here</html>", 0), "retrying", []string{"404"}},
	"unavailable": {simulator.Status(503), "retrying", []string{"503"}},
	"later":       {simulator.Reply(429, "text/plain", "slow down", time.Second), "retrying", []string{"429"}},
	"busy":        {simulator.TokenBusy(), "retrying", []string{"another program uses this token"}},
	"maintenance": {simulator.Maintenance(), "maintenance", []string{"403"}},
	"refused":     {simulator.WrongToken(), "refused", []string{"WOLKVOX_TOKEN"}},
	"quota":       {simulator.QuotaSpent(), "quota", []string{"the day's requests are spent"}},
}

// TestAPIFaults: one producer polls as many operations as there are ways for an API to go wrong, each from an API of its own.
// While they all go wrong /readyz gives the state and the reason of each, and none of them is asked like mad. When all is
// well again every log is whole and true.
func TestAPIFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	apis := make(map[string]*simulator.Simulator)
	env := map[string]string{
		"WOLKVOX_TOKEN": "", "WOLKVOX_OPERATIONS": strings.Join(slices.Sorted(maps.Keys(faults)), ","),
	}
	for name := range faults {
		api, url := serveAPI(t, simulator.Options{Seed: int64(len(apis))})
		apis[name] = api
		prefix := "WOLKVOX_" + strings.ToUpper(name)
		env[prefix+"_TOKEN"], env[prefix+"_BASE_URL"] = wolkvoxToken, url
	}
	producer := w.start("producer", env)
	producer.awaitReady()
	for name, api := range apis {
		w.awaitCheckpoint(name, time.Now().Add(-second))
		api.FailAll(faults[name].fault)
	}
	began := make(map[string]int)
	for name, api := range apis {
		began[name] = len(api.Ledger())
	}
	eventually(t, func() error { return faultsShown(producer) })
	for name, api := range apis {
		if asked := len(api.Ledger()) - began[name]; asked > 8 {
			t.Errorf("%s: asked %d times in a moment", name, asked)
		}
		api.FailAll(nil)
	}
	for name := range apis {
		if name != "quota" {
			w.awaitCheckpoint(name, time.Now().Add(-second))
		}
	}
	if reached, err := w.checkpoint("quota"); err != nil || time.Since(reached) < 2*second {
		t.Errorf("the operation without quota got as far as %v (%v)", reached, err)
	}
	producer.stop()
	w.forgetQuota() // a person has bought more requests
	producer = w.start("producer", env)
	w.awaitCheckpoint("quota", time.Now().Add(-second))
	producer.awaitReady()
	for name, api := range apis {
		requireTruth(w, api, w.logOf(name))
		requireOneAtATime(w, api)
	}
	w.verified()
}

// forgetQuota deletes what the programs know of the day's requests, which `unconnected streams apply --forget-quota` does.
func (w *world) forgetQuota() {
	w.t.Helper()
	bucket, err := w.js.KeyValue(w.t.Context(), natsio.BucketLeases)
	if err != nil {
		w.t.Fatal(err)
	}
	keys, err := bucket.ListKeysFiltered(w.t.Context(), "quota.*")
	if err != nil {
		w.t.Fatal(err)
	}
	for key := range keys.Keys() {
		if err := bucket.Purge(w.t.Context(), key); err != nil {
			w.t.Fatal(err)
		}
	}
}

// faultsShown is an error unless /readyz shows each operation's fault.
func faultsShown(p *process) error {
	r, err := p.readyz()
	if err != nil {
		return err
	}
	if r.Ready || len(r.Operations) != len(faults) {
		return fmt.Errorf("readyz: %+v", r)
	}
	for _, o := range r.Operations {
		want := faults[o.Operation]
		if o.State != want.state || o.Reason == "" {
			return fmt.Errorf("%s: state %q, reason %q, want %q", o.Operation, o.State, o.Reason, want.state)
		}
		if err := contains(o.Reason, want.words...); err != nil {
			return fmt.Errorf("%s: %w", o.Operation, err)
		}
	}
	return nil
}

// TestGarbageIsMissed: a window that keeps answering garbage is marked missed after POLL_GIVE_UP, the windows after it are
// stored, rules treat it as unknown, and verify lists it without calling it a fault.
func TestGarbageIsMissed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, congestion(-20*second, -10*second))
	w.api.Fail(simulator.Pass()) // the check of the zone
	for range 25 {               // past the incident
		w.api.Fail(simulator.Pass())
	}
	w.api.Fail(simulator.Garbage(), simulator.Garbage(), simulator.Garbage())
	producer := w.start("producer", map[string]string{"POLL_GIVE_UP": "1s"})
	w.start("alerter", nil)
	producer.awaitUnready([]string{"retrying"}, "count")
	w.awaitLive()
	producer.awaitReady()
	log := w.log()
	requireTruth(w, w.api, log)
	missed := 0
	for i := range log {
		if m := log[i].Missed; m != nil {
			missed++
			if m.Attempts < 2 || m.Reason == "" || log[i].Total != 0 {
				t.Errorf("the marker says %+v", m)
			}
		}
	}
	if missed != 1 {
		t.Errorf("%d windows were missed, want 1", missed)
	}
	stdout, _ := w.tool(0, "verify")
	if err := contains(stdout, "missed: 1 window", "no faults"); err != nil {
		t.Error(err)
	}
	stdout, _ = w.tool(0, "history")
	if err := contains(stdout, "missed: "); err != nil {
		t.Error(err)
	}
	w.awaitStory()
	w.awaitToldInSlack()
}

// TestTokenRotated: a token from a file is read again when the API refuses it, so that a person only has to change the file.
func TestTokenRotated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := t.TempDir() + "/token"
	writeFile(t, path, wolkvoxToken+"\n")
	producer := w.start("producer", map[string]string{"WOLKVOX_TOKEN": "", "WOLKVOX_TOKEN_FILE": path})
	w.awaitLive()
	const next = "the-next-secret-token-0815"
	w.api.SetTokens(next)
	producer.awaitUnready([]string{"refused"}, "token")
	writeFile(t, path, next+"\n")
	w.awaitLive()
	producer.awaitReady()
	w.requireTrueLog(w.log())
	if said := producer.stderr.String() + producer.answers.String(); strings.Contains(said, next) {
		t.Error("the new token shows")
	}
}
