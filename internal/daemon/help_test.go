package daemon_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"unconnected/internal/config"
	"unconnected/internal/daemon"
)

func TestHelp(t *testing.T) {
	p := start(t, "wait", nil, "--help")
	p.exit(0)
	const want = `sample does nothing, well.

It is here to be tested.

Usage: sample [--help | --version | --healthcheck]

  --help         print this
  --version      print the build
  --healthcheck  ask the daemon at HTTP_ADDR whether it is alive: exit code 0 if it is, 1 if not

Environment (empty means unset):

  LOG_LEVEL       the least level that is logged: debug, info, warn or error (default info)
  LOG_FORMAT      text, json, or auto: text on a terminal, JSON otherwise (default auto)
  HTTP_ADDR       where /healthz, /readyz and /metrics are served; off: nowhere (default
                  127.0.0.1:0)
  POLL_WINDOW     length of a window, which has to divide one hour; the grid of windows is aligned
                  to full hours in UTC (default 5m)
  WOLKVOX_TOKEN   token of the API; secret, or WOLKVOX_TOKEN_FILE with the path of a file
  ALERT_TIMEZONE  time zone of messages (default: the event's timezone)
`
	if got := p.stdout.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for line := range strings.Lines(p.stdout.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 100 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestCode(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want int
	}{
		{"nothing wrong", nil, 0},
		{"a failure", errors.New("disk full"), 1},
		{"usage", daemon.Usage(errors.New("simulated")), 2},
		{"usage, wrapped", fmt.Errorf("cob: %w", daemon.Usage(errors.New("simulated"))), 2},
		{"a code of its own", &daemon.ExitError{Code: 7, Err: errors.New("x")}, 7},
		{"configuration", config.Problems{{Name: "X", Text: "y"}}, 2},
	}
	for _, test := range tests {
		if got := daemon.Code(test.err); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}

func TestNewLogger(t *testing.T) {
	tests := []struct {
		config config.Log
		want   string
	}{
		{config.Log{Level: "warn", Format: "text"}, "level=WARN msg=w at=2026-11-22T15:00:00.000Z"},
		{config.Log{Level: "warn", Format: "json"}, `"level":"WARN","msg":"w","at":"2026-11-22T15:00:00Z"`},
		{config.Log{Level: "warn", Format: "auto"}, `"level":"WARN","msg":"w","at":"2026-11-22T15:00:00Z"`},
	}
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.FixedZone("", -5*3600))
	for _, test := range tests {
		var b bytes.Buffer
		log := daemon.NewLogger(test.config, &b)
		log.Info("i")
		log.Log(t.Context(), slog.LevelWarn, "w", "at", at)
		if got := b.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, test.want) {
			t.Errorf("%s: got %s, want %s", test.config.Format, got, test.want)
		}
	}
}
