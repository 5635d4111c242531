package e2e

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"unconnected/events"
	"unconnected/internal/natsio"
)

// settled is a world with a finished history: the producer has caught up and was stopped.
func settled(t *testing.T) (*world, []events.Event) {
	t.Helper()
	w := newWorld(t, congestion(-20*second, -10*second))
	producer := w.start("producer", map[string]string{"POLL_START": "-2m"})
	w.awaitLive()
	producer.stop()
	return w, w.log()
}

// TestHistoryFormats: the same windows as a table, as CSV and as JSON lines, whole and in part.
func TestHistoryFormats(t *testing.T) {
	t.Parallel()
	w, log := settled(t)

	table, _ := w.tool(0, "history")
	if lines := strings.Split(strings.TrimSpace(table), "\n"); len(lines) != len(log)+1 || !strings.Contains(lines[0], "congestion") {
		t.Errorf("the table has %d lines for %d windows, and begins %q", len(lines), len(log), lines[0])
	}

	text, _ := w.tool(0, "history", "--format", "csv")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != len(log)+1 {
		t.Fatalf("CSV: %d rows for %d windows, %v", len(rows), len(log), err)
	}
	column := slices.Index(rows[0], events.Congestion)
	for i := range log {
		row := rows[i+1]
		want := []string{"default", log[i].Window.Start.Format(time.RFC3339), log[i].Window.End.Format(time.RFC3339), "0", strconv.FormatInt(log[i].Total, 10)}
		if !slices.Equal(row[:5], want) || row[column] != strconv.FormatInt(log[i].Counts[events.Congestion], 10) {
			t.Fatalf("CSV row %q, want %q", row, want)
		}
	}

	for _, all := range [][]string{nil, {"--all"}} {
		text, _ := w.tool(0, append([]string{"history", "--format", "jsonl"}, all...)...)
		requireEvents(t, text, log)
	}
	middle := log[len(log)/2].Window.Start
	text, _ = w.tool(0, "history", "--format", "jsonl", "--to", middle.Format(time.RFC3339))
	requireEvents(t, text, log[:len(log)/2])
	text, _ = w.tool(0, "history", "--format", "jsonl", "--from", middle.Format(time.RFC3339))
	requireEvents(t, text, log[len(log)/2:])
	minute := time.Now().Add(-time.Minute)
	text, _ = w.tool(0, "history", "--format", "jsonl", "--from", "-1m")
	if first := decode(t, text)[0].Window.Start; first.Before(minute.Truncate(second)) || first.After(minute.Add(patience)) {
		t.Errorf("--from -1m begins with %v, a minute ago it was %v", first, minute)
	}
	text, _ = w.tool(0, "history", "--operation", "ventas")
	if err := contains(text, "no windows"); err != nil {
		t.Error(err)
	}
}

// decode reads one event's data a line.
func decode(t *testing.T, text string) []events.Event {
	t.Helper()
	var decoder events.Decoder
	var list []events.Event
	for line := range strings.Lines(text) {
		e, err := decoder.UnmarshalData([]byte(line))
		if err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		list = append(list, e)
	}
	if len(list) == 0 {
		t.Fatal("there is no event")
	}
	return list
}

func requireEvents(t *testing.T, text string, want []events.Event) {
	t.Helper()
	got := decode(t, text)
	if len(got) != len(want) {
		t.Fatalf("%d events, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i].ID() != want[i].ID() || !got[i].SameCounts(&want[i]) || got[i].Total != want[i].Total {
			t.Fatalf("event %d is %s %v, want %s %v", i, got[i].ID(), got[i].Counts, want[i].ID(), want[i].Counts)
		}
	}
}

// TestVerifyJSON: verify in numbers, for programs.
func TestVerifyJSON(t *testing.T) {
	t.Parallel()
	w, log := settled(t)
	text, _ := w.tool(0, "verify", "--json", "--operation", "default")
	var verdict struct {
		Operations []struct {
			Operation  string
			Windows    int
			Calls      int64
			Checkpoint time.Time
		}
		Faults, Missed []any
	}
	if err := json.Unmarshal([]byte(text), &verdict); err != nil {
		t.Fatal(err)
	}
	calls := int64(0)
	for i := range log {
		calls += log[i].Total
	}
	if len(verdict.Operations) != 1 || len(verdict.Faults)+len(verdict.Missed) > 0 {
		t.Fatalf("verify says %s", text)
	}
	if keys := fieldNames(t, text); !slices.Equal(keys, []string{"faults", "missed", "operations"}) {
		t.Errorf("the document has the fields %q", keys)
	}
	if o := verdict.Operations[0]; o.Windows != len(log) || o.Calls != calls || !o.Checkpoint.Equal(log[len(log)-1].Checkpoint) {
		t.Errorf("%d windows with %d calls, and verify says %+v", len(log), calls, o)
	}
}

func fieldNames(t *testing.T, text string) []string {
	t.Helper()
	document := make(map[string]any)
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(document))
}

// TestVerifyGap: a window that is missing is told as a gap with the command that fills it, and once a backfill has filled it
// there is no fault.
func TestVerifyGap(t *testing.T) {
	t.Parallel()
	w, log := settled(t)
	hole := log[len(log)-1]
	hole.Window.Start, hole.Window.End = hole.Window.End, hole.Window.End.Add(second)
	next := hole
	next.Window.Start, next.Window.End = hole.Window.End, hole.Window.End.Add(second)
	next.Checkpoint = next.Window.End
	w.publish(next)
	text, _ := w.tool(1, "verify")
	want := fmt.Sprintf("unconnected backfill --operation default --from %s --to %s",
		hole.Window.Start.Format(time.RFC3339), hole.Window.End.Format(time.RFC3339))
	if err := contains(text, "FAULT gap (1)", want); err != nil {
		t.Errorf("%v in\n%s", err, text)
	}
	hole.Checkpoint, hole.Backfill = next.Checkpoint, true
	w.publish(hole)
	w.verified()
}

// publish stores an event as the producer would.
func (w *world) publish(e events.Event) {
	w.t.Helper()
	msg, err := events.Encode(&e)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.js.PublishMsg(w.t.Context(), msg); err != nil {
		w.t.Fatal(err)
	}
}

// TestTail: the newest window at once, then every one as it comes; from a time on with --from.
func TestTail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("producer", map[string]string{"POLL_START": "-5m"})
	w.awaitLive()
	newest, all := w.start("unconnected", nil, "tail"), w.start("unconnected", nil, "tail", "--from", "-4m")
	count := func(p *process) int { return strings.Count(p.stdout.String(), " unconnected calls: ") }
	eventually(t, func() error {
		if count(newest) < 3 || count(all) < 200 {
			return errNotYet
		}
		return nil
	})
	if n := count(newest); n > 60 {
		t.Errorf("tail shows %d windows, which are not the newest", n)
	}
	newest.stop()
	all.stop()
}

// TestRulesCommands: the built-in rules are printed as a file that is right.
func TestRulesCommands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text, _ := w.tool(0, "rules", "print")
	path := filepath.Join(t.TempDir(), "builtin.yaml")
	writeFile(t, path, text)
	text, _ = w.tool(0, "rules", "check", path)
	if err := contains(text, "CongestionSpike", "no problems"); err != nil {
		t.Error(err)
	}
	w.tool(1, "rules", "check", "/no/such/file.yaml")
	w.requireUntouched(t)
}

// TestStreamsCommands: plan says what is missing, apply makes it, and plan is content then.
func TestStreamsCommands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text, _ := w.tool(1, "streams", "plan")
	if err := contains(text, "CALLS  is missing", "ALERTS  is missing"); err != nil {
		t.Error(err)
	}
	text, _ = w.tool(0, "streams", "apply")
	if err := contains(text, "CALLS  is created", "bucket unconnected_marks  is created"); err != nil {
		t.Error(err)
	}
	text, _ = w.tool(0, "streams", "plan")
	if err := contains(text, "CALLS  is as it should be", "ALERTS  is as it should be"); err != nil {
		t.Error(err)
	}
	text, _ = w.tool(0, "streams", "apply")
	if err := contains(text, "CALLS  is as it should be", "bucket unconnected_marks  is there"); err != nil {
		t.Error(err)
	}
	w.tool(1, "streams", "apply", "--accept-loss", "ventas")
	w.tool(2, "streams", "apply", "--accept-loss", "Ventas!")
}

// TestLossIsAccepted: a log that ends before a place which it had reached is refused, verify says so, and the command that
// the producer names lets it go on.
func TestLossIsAccepted(t *testing.T) {
	t.Parallel()
	w, log := settled(t)
	marks, err := w.js.KeyValue(t.Context(), natsio.BucketMarks)
	if err != nil {
		t.Fatal(err)
	}
	entry, err := marks.Get(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	mark := make(map[string]any)
	if err := json.Unmarshal(entry.Value(), &mark); err != nil {
		t.Fatal(err)
	}
	mark["sequence"] = log[len(log)-1].Sequence + 1000
	value, err := json.Marshal(mark)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := marks.Put(t.Context(), "default", value); err != nil {
		t.Fatal(err)
	}
	text, _ := w.tool(1, "verify")
	if err := contains(text, "FAULT lost (1)", "the log ends at sequence", "streams apply --accept-loss"); err != nil {
		t.Error(err)
	}
	producer := w.start("producer", nil)
	producer.awaitUnready([]string{"refused"}, "unconnected streams apply --accept-loss default")
	w.tool(0, "streams", "apply", "--accept-loss", "default")
	w.awaitLive()
	producer.awaitReady()
	w.requireTrueLog(w.log())
	w.verified()
}

// TestSimulate: the page of the simulated API has a command to try, and what that asks for is answered.
func TestSimulate(t *testing.T) {
	t.Parallel()
	p := spawn(t, nil, nil, "unconnected", "simulate", "--addr", "127.0.0.1:0", "--seed", "3", "--quirks", "--licences", "1")
	p.awaitOutput("simulated API on http://")
	base := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(p.stdout.String())
	_, page := ask(t, base+"/", "")
	address := strings.ReplaceAll(regexp.MustCompile(`http://[^']*cdr_6[^']*`).FindString(page), "&amp;", "&")
	status, body := ask(t, address, "simulated")
	if err := contains(body, `"data"`, `"result"`, `"count"`); err != nil || status != http.StatusOK {
		t.Errorf("%s: %d %v", address, status, err)
	}
	if status, body := ask(t, address, "wrong"); status != http.StatusForbidden {
		t.Errorf("a wrong token: %d %s", status, body)
	}
	p.stop()
}

func ask(t *testing.T, address, token string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("wolkvox-token", token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// TestToolsWithoutNATS: every command that needs NATS says where it looked for it, and ends with code 1.
func TestToolsWithoutNATS(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.broker.stop()
	for _, command := range []string{"history", "verify", "tail", "backtest", "explain default Congestion", "streams plan", "streams apply"} {
		_, stderr := w.tool(1, strings.Fields(command)...)
		if err := contains(stderr, w.broker.url(), "NATS_URL"); err != nil {
			t.Errorf("%s: %v", command, err)
		}
	}
	w.broker.start()
	for _, command := range []string{"history", "verify", "tail", "backtest", "explain default Congestion"} { // NATS is there, and has nothing
		if _, stderr := w.tool(1, strings.Fields(command)...); stderr == "" {
			t.Errorf("%s says nothing", command)
		}
	}
}

// TestNATSWantsAPassword: with the right password everything works; with a wrong one the programs say so and wait, the
// tools end with code 1, and no password shows.
func TestNATSWantsAPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	guarded, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
		Username: "tester", Password: natsPassword,
	})
	if err != nil {
		t.Fatal(err)
	}
	guarded.Start()
	t.Cleanup(func() { guarded.Shutdown(); guarded.WaitForShutdown() })
	eventually(t, func() error {
		if !guarded.ReadyForConnections(second) {
			return errNotYet
		}
		return nil
	})
	w.env["NATS_URL"] = guarded.ClientURL()
	const wrongPassword = "wrong-but-secret-all-the-same"
	w.secrets = append(w.secrets, wrongPassword)
	bad := map[string]string{"NATS_PASSWORD": wrongPassword}
	for _, p := range []*process{w.start("producer", bad), w.start("alerter", bad)} {
		p.awaitUnready([]string{"retrying", "starting"}, "uthorization")
		p.stop()
	}
	w.start("unconnected", bad, "verify").exit(quickly, 1)
	producer := w.start("producer", nil)
	producer.awaitReady()
	w.start("alerter", nil).awaitReady()
	eventually(t, func() error {
		p := w.start("unconnected", nil, "verify")
		<-p.done
		return contains(p.stdout.String(), "no faults")
	})
}
