package e2e

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"unconnected/producer/wolkvox/simulator"
)

// up starts `unconnected up` on free ports, with no more environment than what is given.
func up(t *testing.T, dir string, env map[string]string, args ...string) *process {
	t.Helper()
	all := map[string]string{"LANG": "C", "HTTP_ADDR": "127.0.0.1:0"}
	for name, value := range env {
		all[name] = value
	}
	return spawn(t, []string{wolkvoxToken}, all, "unconnected", append([]string{"up", "--data", dir, "--listen", "127.0.0.1:0"}, args...)...)
}

var natsURL = regexp.MustCompile(`nats://127\.0\.0\.1:\d+`)

// natsOf is where the NATS server of `up` listens, as it says.
func natsOf(t *testing.T, p *process) string {
	t.Helper()
	p.awaitOutput("unconnected", "Try from a second terminal")
	return natsURL.FindString(p.stdout.String())
}

// TestUpDemo is what a newcomer sees: windows and an alert within seconds, its end within a minute, commands that work from
// a second terminal, and a clean end by Ctrl-C.
func TestUpDemo(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	p := up(t, dir, nil)
	url := natsOf(t, p)
	eventuallyWithin(t, 20*second, func() error {
		return contains(p.stdout.String(), "older windows were caught up", " unconnected calls: ", "╭", "Firing: Congestion")
	})
	p.awaitReady()
	same := map[string]string{"HTTP_ADDR": p.address()}
	spawn(t, nil, same, "unconnected", "up", "--healthcheck").exit(quickly, 0)
	second := map[string]string{"NATS_URL": url}
	tail := spawn(t, nil, second, "unconnected", "tail")
	tail.awaitOutput(" unconnected calls: ")
	tail.stop()
	eventuallyWithin(t, time.Minute, func() error { return contains(p.stdout.String(), "Resolved: Congestion") })
	requireTool(t, second, "no faults", "verify")
	requireTool(t, second, "congestion", "history", "--from", "-5m")
	p.signal(os.Interrupt)
	p.exit(quickly, 0)
	spawn(t, nil, same, "unconnected", "up", "--healthcheck").exit(quickly, 1)
	if _, err := os.Stat(filepath.Join(dir, "demo")); err != nil {
		t.Errorf("the demo's files are not where they should be: %v", err)
	}
}

// TestUpGoesOn: a second start goes on where the first stopped, without a gap.
func TestUpGoesOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := up(t, dir, nil)
	natsOf(t, p)
	p.awaitOutput(" unconnected calls: ")
	p.stop()
	p = up(t, dir, nil)
	env := map[string]string{"NATS_URL": natsOf(t, p)}
	p.awaitLog("history goes on where it ended; POLL_START is ignored")
	p.awaitOutput(" unconnected calls: ")
	requireTool(t, env, "no faults", "verify")
	p.stop()
}

// requireTool runs a command of unconnected that must succeed and print a text.
func requireTool(t *testing.T, env map[string]string, text string, args ...string) {
	t.Helper()
	tool := spawn(t, nil, env, "unconnected", args...)
	tool.exit(patience, 0)
	if err := contains(tool.stdout.String(), text); err != nil {
		t.Errorf("%q: %v", args, err)
	}
}

// TestUpCannotStart: what is in the way is said in a clear line, and is exit code 1.
func TestUpCannotStart(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	inUse := t.TempDir()
	natsOf(t, up(t, inUse, nil))
	file := filepath.Join(t.TempDir(), "file")
	writeFile(t, file, "")
	for name, test := range map[string]struct {
		dir, http string
		args      []string
		words     []string
	}{
		"NATS port taken":        {dir: t.TempDir(), args: []string{"--listen", taken.Addr().String()}, words: []string{"--listen", taken.Addr().String()}},
		"HTTP port taken":        {dir: t.TempDir(), http: taken.Addr().String(), words: []string{"HTTP_ADDR", taken.Addr().String(), "in use"}},
		"data directory in use":  {dir: inUse, words: []string{inUse, "another process uses this data directory", "--data"}},
		"a file in its place":    {dir: file, words: []string{file, "data directory can't be used"}},
		"below a file":           {dir: filepath.Join(file, "data"), words: []string{file, "data directory can't be used"}},
		"where nobody may write": {dir: "/proc/unconnected", words: []string{"/proc/unconnected", "data directory can't be used"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{"HTTP_ADDR": "127.0.0.1:0"}
			if test.http != "" {
				env["HTTP_ADDR"] = test.http
			}
			p := up(t, test.dir, env, test.args...)
			p.exit(quickly, 1)
			if err := contains(p.stderr.String(), test.words...); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestUpWithoutRoom: a history that the disk has no room for is exit code 1, with the variable that helps.
func TestUpWithoutRoom(t *testing.T) {
	t.Parallel()
	p := up(t, t.TempDir(), map[string]string{"HISTORY_MAX_BYTES": "900000GiB"})
	p.exit(2*quickly, 1)
	if err := contains(p.stderr.String(), "HISTORY_MAX_BYTES"); err != nil {
		t.Error(err)
	}
}

// TestUpWrongConfiguration: all problems of both halves at once, before anything is made.
func TestUpWrongConfiguration(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	p := up(t, dir, map[string]string{"POLL_WINDOW": "7m", "ALERT_MAX_AGE": "soon", "LOG_LEVEL": "loud", "WOLKVOX_TOKEN": wolkvoxToken})
	p.exit(quickly, 2)
	if err := contains("\n"+p.stderr.String(), "\nPOLL_WINDOW: ", "\nALERT_MAX_AGE: ", "\nLOG_LEVEL: "); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the data directory was made")
	}
}

// TestUpReal: with a token `up` polls the real API into a store of its own, cards come to the terminal, and a second start
// goes on.
func TestUpReal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, congestion(-20*second, -10*second))
	dir := t.TempDir()
	env := w.environment(map[string]string{"NATS_URL": "", "NATS_USER": "", "NATS_PASSWORD": "", "SLACK_TOKEN": "", "SLACK_CHANNEL": ""})
	p := spawn(t, w.secrets, env, "unconnected", "up", "--data", dir, "--listen", "127.0.0.1:0")
	url := natsOf(t, p)
	p.awaitOutput("╭", "Congestion", " unconnected calls: ")
	p.awaitReady()
	requireTool(t, map[string]string{"NATS_URL": url}, "no faults", "verify")
	if _, err := os.Stat(filepath.Join(dir, "demo")); err == nil {
		t.Error("there is a directory for the demo")
	}

	// A demo that somebody points at the real history ends at once, and leaves it alone.
	demo := spawn(t, nil, map[string]string{"NATS_URL": url, "HTTP_ADDR": "off"}, "unconnected", "up")
	demo.exit(quickly, 2)
	if err := contains(demo.stderr.String(), "simulated and real calls must not mix"); err != nil {
		t.Error(err)
	}
	p.signal(syscall.SIGTERM)
	p.exit(quickly, 0)
	p = spawn(t, w.secrets, env, "unconnected", "up", "--data", dir, "--listen", "127.0.0.1:0")
	p.awaitLog("history goes on where it ended; POLL_START is ignored")
	requireTool(t, map[string]string{"NATS_URL": natsOf(t, p)}, "no faults", "verify")
	requireOneAtATime(w, w.api)
	p.stop()
}

// TestRealNeverMixesWithDemo: a producer of real calls that finds a simulated history ends with code 2.
func TestRealNeverMixesWithDemo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	demo := up(t, t.TempDir(), nil)
	url := natsOf(t, demo)
	demo.awaitOutput(" unconnected calls: ")
	real := w.start("producer", map[string]string{"NATS_URL": url})
	real.exit(quickly, 2)
	if err := contains(real.stderr.String(), "simulated and real calls must not mix"); err != nil {
		t.Error(err)
	}
	requireTool(t, map[string]string{"NATS_URL": url}, "no faults", "verify")
}

// TestUpKilled: `up` is killed again and again; its embedded server loses nothing, and the history stays whole and true.
func TestUpKilled(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, simulator.Options{Latency: time.Millisecond, Incidents: []simulator.Incident{congestion(-20*second, -10*second)}})
	random, dir := dice(t), t.TempDir()
	env := w.environment(map[string]string{
		"NATS_URL": "", "NATS_USER": "", "NATS_PASSWORD": "", "POLL_START": "-10m", "HTTP_ADDR": "off",
	})
	for range 6 {
		begun := len(w.api.Ledger())
		p := spawn(t, w.secrets, env, "unconnected", "up", "--data", dir, "--listen", "127.0.0.1:0")
		killProducer(w, p, random, begun, 150, 300*time.Millisecond)
	}
	p := spawn(t, w.secrets, env, "unconnected", "up", "--data", dir, "--listen", "127.0.0.1:0")
	w.js = connectTo(t, natsOf(t, p))
	w.awaitLive()
	w.requireTrueLog(w.log())
	w.awaitStory()
	w.awaitToldInSlack()
	requirePostedOnce(t, w)
	requireOneAtATime(w, w.api)
	w.requireNoSecretStored(w.js)
	p.stop()
}

// TestUpSaysThatTheTokenIsMissing sets the server only, as who forgot the token does: that the demo runs must not pass unseen.
func TestUpSaysThatTheTokenIsMissing(t *testing.T) {
	t.Parallel()
	p := up(t, filepath.Join(t.TempDir(), "data"), map[string]string{"WOLKVOX_SERVER": "0011"})
	p.awaitOutput("WOLKVOX_SERVER is set, but WOLKVOX_TOKEN", "YOUR OPERATION IS NOT POLLED")
	p.signal(os.Interrupt)
	p.exit(quickly, 0)
}
