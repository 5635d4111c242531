package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"unconnected/internal/config"
)

// brokenListener is a port that the system takes away.
type brokenListener struct {
	net.Listener
	err error
}

func (l brokenListener) Accept() (net.Conn, error) { return nil, l.err }

// TestServerFails: a daemon that nobody can ask any more ends, rather than work on unseen.
func TestServerFails(t *testing.T) {
	listener, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := errors.New("gone")
	d := &Daemon{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()}
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := d.serveOn(brokenListener{listener, gone}, cancel)
	<-ctx.Done()
	stop()
	if cause := context.Cause(ctx); !errors.Is(cause, gone) || cause.Error() != "serving HTTP: gone" {
		t.Errorf("got %v", cause)
	}
}

func TestReachable(t *testing.T) {
	tests := map[config.HTTPAddr]string{
		":8081":          "localhost:8081",
		"0.0.0.0:8081":   "localhost:8081",
		"[::]:8081":      "localhost:8081",
		"127.0.0.1:8081": "127.0.0.1:8081",
		"[::1]:8081":     "[::1]:8081",
		"node7:8081":     "node7:8081",
	}
	for addr, want := range tests {
		if got := Reachable(string(addr)); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}

func TestRevisionOf(t *testing.T) {
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "25af53b"}
	clean, modified := debug.BuildSetting{Key: "vcs.modified", Value: "false"}, debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	tests := []struct {
		settings []debug.BuildSetting
		want     string
	}{
		{nil, ""},
		{[]debug.BuildSetting{modified}, ""},
		{[]debug.BuildSetting{revision, clean}, " revision 25af53b"},
		{[]debug.BuildSetting{revision, modified}, " revision 25af53b (modified)"},
	}
	for _, test := range tests {
		if got := revisionOf(test.settings); got != test.want {
			t.Errorf("%v: %q, want %q", test.settings, got, test.want)
		}
	}
}

func TestWrap(t *testing.T) {
	tests := []struct {
		text string
		want []string
	}{
		{"", []string{""}},
		{"one", []string{"one"}},
		{" one\n two ", []string{"one two"}},
		{"one two three", []string{"one two", "three"}},
		{"Bogotá Mé x", []string{"Bogotá Mé", "x"}},
		{strings.Repeat("x", 12) + " y", []string{strings.Repeat("x", 12), "y"}},
	}
	for _, test := range tests {
		if got := wrap(test.text, 9); !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, want %q", test.text, got, test.want)
		}
	}
}
