package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long anything that is bound to happen may take on a busy machine.
const patience = 100 * time.Second

// eventually asks again until there is no error, and fails the test when there still is one after patience.
func eventually(t testing.TB, condition func() error) {
	t.Helper()
	eventuallyWithin(t, patience, condition)
}

// slow is by how much the programs may take longer under the race detector.
var slow = map[bool]time.Duration{false: 1, true: 3}[raceEnabled()]

func eventuallyWithin(t testing.TB, limit time.Duration, condition func() error) {
	t.Helper()
	limit *= slow
	deadline := time.Now().Add(limit)
	for wait := 2 * time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %v still: %v", limit, err)
		}
		pause(wait)
	}
}

// pause lets a span pass: between two questions, or before what is to happen at a random point in time.
func pause(d time.Duration) { <-time.After(d) }

// output is what a process wrote. It is safe for concurrent use.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(part []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(part)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// process is a program that runs, or ran.
type process struct {
	t              testing.TB
	name           string
	cmd            *exec.Cmd
	stdout, stderr output
	answers        output        // what it answered over HTTP
	done           chan struct{} // closed when it has ended and its output is complete
}

// spawn starts a program with exactly this environment. When the test ends it is killed, if it still runs, and whatever it
// said is searched for the secrets.
func spawn(t testing.TB, secrets []string, env map[string]string, program string, args ...string) *process {
	t.Helper()
	p := &process{t: t, name: program, done: make(chan struct{})}
	p.cmd = exec.Command(filepath.Join(binaries, program), args...)
	p.cmd.Dir = t.TempDir()
	p.cmd.Env = []string{"GORACE=atexit_sleep_ms=0"} // the race detector would wait a second before each exit
	for name, value := range env {
		p.cmd.Env = append(p.cmd.Env, name+"="+value)
	}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // the code is in ProcessState
	}()
	t.Cleanup(func() { p.finish(secrets) })
	return p
}

func (p *process) finish(secrets []string) {
	if p.running() && p.address() != "" {
		_, _ = p.get("/metrics") // kept in answers
		_, _ = p.get("/readyz")
	}
	title := p.title()
	p.kill()
	said := p.stdout.String() + p.stderr.String() + p.answers.String() + title
	for _, secret := range secrets {
		if at := strings.Index(said, secret); at >= 0 {
			p.t.Errorf("%s shows a secret: …%s…", p.name, said[max(0, at-200):min(len(said), at+len(secret)+40)])
		}
	}
	for _, bad := range []string{"WARNING: DATA RACE", "panic: ", "fatal error: "} {
		if at := strings.Index(p.stderr.String(), bad); at >= 0 {
			p.t.Errorf("%s: %s", p.name, p.stderr.String()[at:])
		}
	}
	if p.t.Failed() {
		const most = 6000
		out, err := p.stdout.String(), p.stderr.String()
		p.t.Logf("%s %s (%v)\n--- standard output ends\n%s\n--- standard error ends\n%s", p.name, p.cmd.Args[1:], p.cmd.ProcessState,
			out[max(0, len(out)-most):], err[max(0, len(err)-most):])
	}
}

// title is the command line as everybody on the machine sees it, which the program may have changed.
func (p *process) title() string {
	title, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.cmd.Process.Pid))
	if err != nil { // it has ended, or the system has no such files
		return strings.Join(p.cmd.Args, " ")
	}
	return string(title)
}

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// kill is SIGKILL; it returns when the process is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Errorf("%s to %s: %v", s, p.name, err)
	}
}

// insist sends s again and again until the returned func is called: signals that follow the first at once count as one.
func (p *process) insist(s os.Signal) (stop func()) {
	done := make(chan struct{})
	go func() {
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				_ = p.cmd.Process.Signal(s) // it may be gone, as it should
			}
		}
	}()
	return func() { close(done) }
}

// exit awaits the end of the process and holds its exit code against the one wanted.
func (p *process) exit(limit time.Duration, want int) {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(limit * slow):
		p.t.Fatalf("%s has not ended after %v", p.name, limit)
	}
	if got := p.cmd.ProcessState.ExitCode(); got != want {
		p.t.Errorf("%s ended with code %d, want %d\n%s", p.name, got, want, p.stderr.String())
	}
}

// stop ends the process as an init system does, and wants a clean end.
func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	p.exit(quickly, 0)
}

// quickly is how long a program may take to stop: container engines lose patience after ten seconds.
const quickly = 8 * time.Second

// logged returns the attributes of the first log line with a message, or nil.
func (p *process) logged(msg string) map[string]any {
	for line := range strings.Lines(p.stderr.String()) {
		record := map[string]any{}
		if json.Unmarshal([]byte(line), &record) == nil && record["msg"] == msg {
			return record
		}
	}
	return nil
}

// awaitLog awaits a line with a message in the log.
func (p *process) awaitLog(msg string) map[string]any {
	p.t.Helper()
	var record map[string]any
	eventually(p.t, func() error {
		if record = p.logged(msg); record == nil {
			return fmt.Errorf("%s has not logged %q", p.name, msg)
		}
		return nil
	})
	return record
}

// awaitOutput awaits texts in the standard output, in any order.
func (p *process) awaitOutput(texts ...string) {
	p.t.Helper()
	eventually(p.t, func() error {
		for _, text := range texts {
			if !strings.Contains(p.stdout.String(), text) {
				return fmt.Errorf("%s has not printed %q", p.name, text)
			}
		}
		return nil
	})
}

// address is where the process serves HTTP, empty while it does not.
func (p *process) address() string {
	if record := p.logged("serving HTTP"); record != nil {
		addr, _ := record["addr"].(string)
		return addr
	}
	return ""
}

// get asks for a path and returns the status with the body.
func (p *process) get(path string) (int, string) {
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Get("http://" + p.address() + path)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	_, _ = p.answers.Write(body) // never fails
	return resp.StatusCode, string(body)
}

// readiness is the answer to /readyz.
type readiness struct {
	Status     int    `json:"-"`
	Ready      bool   `json:"ready"`
	State      string `json:"state"`
	Reason     string `json:"reason"`
	Notes      []string
	Operations []struct {
		Operation, State, Reason string
		Checkpoint               time.Time
	}
}

func (p *process) readyz() (r readiness, err error) {
	status, body := p.get("/readyz")
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		return r, fmt.Errorf("%s /readyz: %d %s", p.name, status, body)
	}
	r.Status = status
	if r.Ready != (status == http.StatusOK) {
		return r, fmt.Errorf("%s /readyz: status %d contradicts %s", p.name, status, body)
	}
	return r, nil
}

// awaitReady awaits a /readyz with status 200.
func (p *process) awaitReady() {
	p.t.Helper()
	eventually(p.t, func() error {
		r, err := p.readyz()
		if err == nil && !r.Ready {
			err = fmt.Errorf("%s is not ready: %+v", p.name, r)
		}
		return err
	})
}

// awaitUnready awaits a /readyz with status 503, one of the states, and all of the words in the reason.
func (p *process) awaitUnready(states []string, words ...string) {
	p.t.Helper()
	eventually(p.t, func() error {
		r, err := p.readyz()
		if err != nil {
			return err
		}
		if r.Ready || !slices.Contains(states, r.State) {
			return fmt.Errorf("%s is %+v, want one of %v", p.name, r, states)
		}
		return contains(r.Reason, words...)
	})
}

// contains is an error unless all words occur in a text.
func contains(text string, words ...string) error {
	for _, word := range words {
		if !strings.Contains(text, word) {
			return errors.New(word + " is not in: " + text)
		}
	}
	return nil
}
