package e2e

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"unconnected/events"
)

// told is a world in which an incident has come and gone, and whose producer and alerter have stopped.
func told(t *testing.T) (*world, []events.Alert) {
	t.Helper()
	w := newWorld(t, congestion(-20*second, -10*second))
	producer, alerter := w.start("producer", nil), w.start("alerter", nil)
	alerts := w.awaitStory()
	w.awaitLive()
	producer.stop()
	alerter.stop()
	return w, alerts
}

// storedAlerts is the data of the messages in ALERTS, one a line.
func (w *world) storedAlerts(alerts []events.Alert) string {
	w.t.Helper()
	stream, err := w.js.Stream(w.t.Context(), events.StreamAlerts)
	if err != nil {
		w.t.Fatal(err)
	}
	var lines strings.Builder
	for i := range alerts {
		msg, err := stream.GetMsg(w.t.Context(), alerts[i].Sequence)
		if err != nil {
			w.t.Fatal(err)
		}
		lines.WriteString(string(msg.Data) + "\n")
	}
	return lines.String()
}

// TestBacktestIsWhatHappened: judged again, from the stream or from an export, history gives the very transitions that the
// alerter stored, byte for byte.
func TestBacktestIsWhatHappened(t *testing.T) {
	t.Parallel()
	w, alerts := told(t)
	want := w.storedAlerts(alerts)
	if got, _ := w.tool(0, "backtest", "--json"); got != want {
		t.Errorf("from the stream\n%s\nstored is\n%s", got, want)
	}
	export := filepath.Join(t.TempDir(), "history.jsonl")
	text, _ := w.tool(0, "history", "--format", "jsonl")
	writeFile(t, export, text)
	w.broker.stop() // an export needs no NATS
	if got, _ := w.tool(0, "backtest", "--json", "--input", export); got != want {
		t.Errorf("from the export\n%s\nstored is\n%s", got, want)
	}
	middle := alerts[1].Window.Start.Add(second).Format(time.RFC3339)
	first, _ := w.tool(0, "backtest", "--json", "--input", export, "--to", middle)
	second, _ := w.tool(0, "backtest", "--json", "--input", export, "--from", middle)
	if first+second != want || first == "" || second == "" {
		t.Errorf("in two parts\n%s\n%s", first, second)
	}
	if got, _ := w.tool(0, "backtest", "--json", "--input", export, "--operation", "ventas"); got != "" {
		t.Errorf("of another operation: %s", got)
	}
}

// TestBacktestForPeople: a table, two sets of rules side by side, thresholds, and a page.
func TestBacktestForPeople(t *testing.T) {
	t.Parallel()
	w, _ := told(t)
	dir := t.TempDir()
	other, page := filepath.Join(dir, "other.yaml"), filepath.Join(dir, "report.html")
	writeFile(t, other, strings.ReplaceAll(rules, "0.50", "0.99"))
	text, _ := w.tool(0, "backtest", "--rules", w.env["ALERT_RULES"], "--against", other, "--suggest", "2000", "--report", page)
	if err := contains(text, "1 incident, 0 of them alone", "Congestion, Deep", "thresholds for at most 2000 alerts a week", "extrapolation"); err != nil {
		t.Errorf("%v in\n%s", err, text)
	}
	written, err := os.ReadFile(page)
	if err != nil || !strings.HasPrefix(string(written), "<!doctype html>") || strings.Count(string(written), "<svg") != 2 {
		t.Errorf("the report: %v %.200s", err, written)
	}
	text, _ = w.tool(0, "backtest", "--rules", "builtin", "--against", other, "--json")
	for line := range strings.Lines(text) {
		var alert struct{ Rules, Rule string }
		if err := json.Unmarshal([]byte(line), &alert); err != nil || alert.Rules != "builtin" && alert.Rules != other {
			t.Errorf("%v in %s", err, line)
		}
	}
	text, _ = w.tool(0, "backtest", "--from", "2001-01-01", "--to", "2001-01-02")
	if err := contains(text, "no windows"); err != nil {
		t.Error(err)
	}
}

// TestBacktestMistakes: what cannot work is said, with the code for it, and no half page is left.
func TestBacktestMistakes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := t.TempDir()
	bad, badRules := filepath.Join(dir, "bad.jsonl"), filepath.Join(dir, "bad.yaml")
	writeFile(t, bad, "{}\n\nnot json\n")
	writeFile(t, badRules, "rules: [{alert: A, expr: nonsense > 1}]\n")
	for _, c := range []struct {
		code int
		args []string
		says []string
	}{
		{2, []string{"--rules", "/no/such.yaml", "--against", badRules, "--input", bad}, []string{"--rules", "no such file", "--against", "bad.yaml:1:26: expr: unknown name nonsense"}},
		{2, []string{"--input", "/no/such.jsonl"}, []string{"--input", "no such file"}},
		{1, []string{"--input", bad}, []string{"line 1: ", "line 3: the data is not JSON"}},
		{2, []string{"--suggest", "-1"}, []string{"--suggest"}},
		{2, []string{"--suggest", "1", "--json"}, []string{"--suggest"}},
		{2, []string{"--operation", "No Name"}, []string{"--operation"}},
		{1, nil, []string{"no history"}},
	} {
		_, stderr := w.tool(c.code, append([]string{"backtest"}, c.args...)...)
		if err := contains(stderr, c.says...); err != nil {
			t.Errorf("%q: %v", c.args, err)
		}
	}
	good := filepath.Join(dir, "empty.jsonl")
	writeFile(t, good, "")
	w.tool(1, "backtest", "--input", good, "--report", filepath.Join(dir, "none", "report.html"))
	w.tool(1, "backtest", "--input", good, "--report", dir)
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(dir), ".backtest-*")); err != nil || len(left) > 0 {
		t.Errorf("left over: %v %v", left, err)
	}
}

// TestExplain: the windows behind the last transition, and behind an earlier one; what other rules no longer explain; and
// what never happened.
func TestExplain(t *testing.T) {
	t.Parallel()
	w, alerts := told(t)
	firing := alerts[slices.IndexFunc(alerts, func(a events.Alert) bool { return a.Rule == "Congestion" && a.Status == events.Firing })]

	text, _ := w.tool(0, "explain", "default", "Congestion")
	if err := contains(text, "Congestion on default: resolved (cleared)", "3 of 3", "share.congestion < 0.4 true (share.congestion = ", "2 of 2 windows; keep 3"); err != nil {
		t.Errorf("%v in\n%s", err, text)
	}
	at := firing.At().Format(time.RFC3339)
	text, _ = w.tool(0, "explain", "default", "Congestion", "--at", at, "--json")
	var x struct {
		Explained  bool
		Transition struct{ Status, Incident string }
		Windows    []struct {
			Sequence uint64
			Expr     string
			Window   events.Window
			Count    struct {
				Held   int
				Firing bool
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &x); err != nil {
		t.Fatal(err)
	}
	last := x.Windows[len(x.Windows)-1]
	if !x.Explained || x.Transition.Status != "firing" || last.Sequence != firing.Cause.Sequence || last.Expr != "true" || last.Count.Held != 2 || !last.Count.Firing {
		t.Errorf("%s", text)
	}
	other := filepath.Join(t.TempDir(), "other.yaml")
	writeFile(t, other, strings.ReplaceAll(rules, "0.50", "0.99"))
	text, _ = w.tool(1, "explain", "default", "Congestion", "--at", at, "--rules", other)
	if err := contains(text, "not explained: ", "rules have changed since"); err != nil {
		t.Errorf("%v in\n%s", err, text)
	}
	text, _ = w.tool(1, "explain", "default", "Congestion", "--rules", "builtin")
	if err := contains(text, "the rules of today have no rule Congestion"); err != nil {
		t.Errorf("%v in\n%s", err, text)
	}
	text, _ = w.tool(0, "explain", "default", "NetworkSideHalf", "--rules", "builtin", "--at", at)
	if err := contains(text, "no transition is stored", "share.chanunavail"); err != nil {
		t.Errorf("%v in\n%s", err, text)
	}
	_, stderr := w.tool(2, "explain", "default", "Nothing")
	if err := contains(stderr, "there is no rule Nothing", "Congestion, Deep"); err != nil {
		t.Error(err)
	}
	_, stderr = w.tool(2, "explain", "ventas", "Congestion")
	if err := contains(stderr, "there is no operation ventas in the history; it has default"); err != nil {
		t.Error(err)
	}
	w.tool(2, "explain", "Not-A-Name", "Congestion")
	w.tool(2, "explain", "default")
}

// TestRulesTest: tests of rules pass and fail with what differs, for people and for build servers; wrong files are told.
func TestRulesTest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		writeFile(t, path, text)
		return path
	}
	write("rules.yaml", rules)
	good := write("good.yaml", "rules: rules.yaml\nwindow: 1s\ntests:\n  - name: two windows\n    only: [Congestion]\n"+
		"    series: {total: 200x8, congestion: 10x3 120x2 10x3}\n    expect:\n      - {rule: Congestion, status: firing, window: 5, value: 60%}\n"+
		"      - {rule: Congestion, status: resolved, window: 8, reason: cleared}\n")
	bad := write("bad.yaml", "rules: builtin\ntests:\n  - {name: never, series: {congestion: 60x3}, expect: none}\n")
	wrong := write("wrong.yaml", "rules: rules.yaml\ntest: []\n")
	junit := filepath.Join(dir, "junit.xml")

	text, _ := w.tool(0, "rules", "test", good)
	if err := contains(text, "ok    two windows", "1 tests, 0 failed", "rules without a test: Deep"); err != nil {
		t.Errorf("%v in\n%s", err, text)
	}
	text, _ = w.tool(1, "rules", "test", good, bad, "--junit", junit)
	if err := contains(text, "FAIL  never", "bad.yaml:3", "is not expected"); err != nil {
		t.Errorf("%v in\n%s", err, text)
	}
	written, err := os.ReadFile(junit)
	if err != nil {
		t.Fatal(err)
	}
	var suites struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
	}
	if err := xml.Unmarshal(written, &suites); err != nil || suites.Tests != 2 || suites.Failures != 1 {
		t.Errorf("%v %s", err, written)
	}
	_, stderr := w.tool(2, "rules", "test", good, wrong, filepath.Join(dir, "none.yaml"))
	if err := contains(stderr, `wrong.yaml:2:1: unknown key "test"; did you mean tests?`, "none.yaml: no such file"); err != nil {
		t.Error(err)
	}
	w.tool(2, "rules", "test")
	w.requireUntouched(t)
}
