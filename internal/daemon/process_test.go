package daemon_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"unconnected/internal/config"
	"unconnected/internal/daemon"
)

// The test binary is the program under test when this variable says what its Run does.
const behaviour = "DAEMON_TEST_RUN"

func TestMain(m *testing.M) {
	if run := os.Getenv(behaviour); run != "" {
		daemon.Main(sample(run))
	}
	os.Exit(m.Run())
}

type sampleConfig struct {
	Window config.Duration `envconfig:"POLL_WINDOW" default:"5m" desc:"length of a window, which has to divide one hour; the grid of windows is aligned to full hours in UTC"`
	Token  config.Secret   `envconfig:"WOLKVOX_TOKEN" required:"true" desc:"token of the API"`
	Zone   config.Location `envconfig:"ALERT_TIMEZONE" unset:"the event's timezone" desc:"time zone of messages"`
}

// sample is a small program whose Run does what its name says.
func sample(run string) daemon.Program {
	var cfg sampleConfig
	return daemon.Program{
		Name:     "sample",
		About:    "sample does nothing, well.\n\nIt is here to be tested.",
		Config:   &cfg,
		Defaults: map[string]string{"HTTP_ADDR": "127.0.0.1:0"},
		Run: func(ctx context.Context, d *daemon.Daemon) error {
			switch run {
			case "wait":
				d.Ready(func() daemon.Report { return daemon.Report{Ready: true, State: "ok"} })
				d.Log.Info("running", "token", cfg.Token)
				<-ctx.Done()
				return ctx.Err()
			case "hang":
				d.Log.Info("running")
				select {}
			case "fail":
				return errors.New("disk full")
			case "refuse":
				return daemon.Usage(errors.New("the log holds simulated history"))
			default:
				return nil
			}
		},
	}
}

// process is a sample running in a process of its own.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	lines  *bufio.Scanner // of standard error
	stdout bytes.Buffer
	stderr strings.Builder // the lines read so far
}

// start runs a sample. The environment is only what is given.
func start(t *testing.T, run string, env []string, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	p := &process{t: t, cmd: exec.CommandContext(ctx, os.Args[0], args...)}
	// The race detector would wait a second before each exit.
	p.cmd.Env = append([]string{behaviour + "=" + run, "GORACE=atexit_sleep_ms=0"}, env...)
	p.cmd.Stdout = &p.stdout
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.lines = bufio.NewScanner(stderr)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// logged waits for the log line with a message and returns its attributes.
func (p *process) logged(msg string) map[string]any {
	p.t.Helper()
	for p.lines.Scan() {
		p.stderr.WriteString(p.lines.Text() + "\n")
		record := map[string]any{}
		if json.Unmarshal(p.lines.Bytes(), &record) == nil && record["msg"] == msg {
			return record
		}
	}
	p.t.Fatalf("no line %q in\n%s", msg, p.stderr.String())
	return nil
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
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

// exit waits for the end and holds the exit code against the one wanted.
func (p *process) exit(want int) {
	p.t.Helper()
	for p.lines.Scan() {
		p.stderr.WriteString(p.lines.Text() + "\n")
	}
	err := p.cmd.Wait()
	if failed := (*exec.ExitError)(nil); err != nil && !errors.As(err, &failed) {
		p.t.Fatal(err)
	}
	if got := p.cmd.ProcessState.ExitCode(); got != want {
		p.t.Errorf("exit code %d, want %d\n%s", got, want, p.stderr.String())
	}
}

func TestExitCodes(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()

	const token = "WOLKVOX_TOKEN=hush"
	tests := []struct {
		name   string
		run    string
		env    []string
		args   []string
		code   int
		stderr []string // what it contains
		stdout string   // what it contains
	}{
		{name: "the work is done", run: "return", env: []string{token}, code: 0, stderr: []string{`"msg":"stopped"`}},
		{name: "the work failed", run: "fail", env: []string{token}, code: 1, stderr: []string{`"error":"disk full"`}},
		{name: "Run refuses", run: "refuse", env: []string{token}, code: 2, stderr: []string{"\nthe log holds simulated history\n"}},
		{
			name: "every configuration problem, a line each", run: "wait", code: 2,
			env:    []string{"POLL_WINDOW=soon", "LOG_LEVEL=loud", "HTTP_ADDR=here"},
			stderr: []string{"POLL_WINDOW: \"soon\" is", "LOG_LEVEL: \"loud\" is", "HTTP_ADDR: \"here\" is", "WOLKVOX_TOKEN: is not set"},
		},
		{
			name: "the port is taken", run: "wait", code: 1, env: []string{token, "HTTP_ADDR=" + taken.Addr().String()},
			stderr: []string{"HTTP_ADDR: " + taken.Addr().String() + " is in use"},
		},
		{
			name: "a misspelt variable is a warning", run: "return", code: 0, env: []string{token, "POLL_WINDOWS=5m", "SLACK_CHANNEL=#noc"},
			stderr: []string{`"level":"WARN","msg":"variable ignored","name":"POLL_WINDOWS","reason":"is not known; did you mean POLL_WINDOW?"`},
		},
		{name: "help", run: "wait", args: []string{"--help"}, code: 0, stdout: "POLL_WINDOW"},
		{name: "version", run: "wait", args: []string{"--version"}, code: 0, stdout: "sample "},
		{name: "an unknown flag", run: "wait", args: []string{"--verbose"}, code: 2, stderr: []string{`"--verbose"`, "sample --help"}},
		{name: "an argument", run: "wait", args: []string{"start"}, code: 2, stderr: []string{`"start"`}},
		{name: "an argument too many", run: "wait", args: []string{"--help", "me"}, code: 2, stderr: []string{`"me"`}},
		{name: "health check, nobody there", run: "wait", args: []string{"--healthcheck"}, code: 1, stderr: []string{"refused"}},
		{name: "health check, HTTP off", run: "wait", env: []string{"HTTP_ADDR=off"}, args: []string{"--healthcheck"}, code: 0},
		{name: "health check, wrong address", run: "wait", env: []string{"HTTP_ADDR=x"}, args: []string{"--healthcheck"}, code: 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := start(t, test.run, test.env, test.args...)
			p.exit(test.code)
			for _, want := range test.stderr {
				if !strings.Contains(p.stderr.String(), want) {
					t.Errorf("standard error is\n%s\nwant in it: %s", p.stderr.String(), want)
				}
			}
			if !strings.Contains(p.stdout.String(), test.stdout) {
				t.Errorf("standard output is\n%s\nwant in it: %s", p.stdout.String(), test.stdout)
			}
			if strings.Contains(p.stderr.String(), "hush") {
				t.Errorf("the secret shows:\n%s", p.stderr.String())
			}
		})
	}
}

func TestSignals(t *testing.T) {
	env := []string{"WOLKVOX_TOKEN=hush"}
	for _, s := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run("stopped by "+s.String(), func(t *testing.T) {
			p := start(t, "wait", env)
			if token := p.logged("running")["token"]; token != "[redacted]" {
				t.Errorf("the token is logged as %v", token)
			}
			p.signal(s)
			p.exit(0)
		})
	}
	t.Run("the second ends the process at once", func(t *testing.T) {
		p := start(t, "hang", env)
		p.logged("running")
		p.signal(syscall.SIGTERM)
		p.logged("stopping")
		defer p.insist(syscall.SIGTERM)()
		p.exit(1)
	})
	t.Run("one that comes twice at once is one", func(t *testing.T) {
		p := start(t, "wait", env)
		p.logged("running")
		p.signal(syscall.SIGTERM)
		p.signal(syscall.SIGTERM)
		p.exit(0)
	})
}

func TestHealthcheck(t *testing.T) {
	env := []string{"WOLKVOX_TOKEN=hush"}
	p := start(t, "wait", env)
	addr := p.logged("serving HTTP")["addr"].(string)
	start(t, "wait", []string{"HTTP_ADDR=" + addr}, "--healthcheck").exit(0)
	p.signal(syscall.SIGTERM)
	p.exit(0)
}
