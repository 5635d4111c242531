package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"unconnected/internal/daemon"
)

// TestExplainNames: a name that nothing has is refused with the nearest one, and not explained as if it were merely quiet.
func TestExplainNames(t *testing.T) {
	js := newHistory(t)
	store(t, js, windowOf("ventas", 0))
	fire(t, js, "ventas", "Theirs")
	for args, want := range map[string]string{
		"ventos CongestionSpike": "there is no operation ventos in the history; did you mean ventas?",
		"nobody CongestionSpike": "there is no operation nobody in the history; it has ventas",
		"ventas CongestionSpik":  "there is no rule CongestionSpik, and none of that name ever fired on ventas; did you mean CongestionSpike?",
		"ventas congestionspike": "did you mean CongestionSpike?",
		"ventas Their":           "did you mean Theirs?",
		"ventas Nothing":         "the rules are BusyShift, CancelShift, ",
	} {
		_, err := runTool(t, append([]string{"explain"}, strings.Fields(args)...)...)
		if daemon.Code(err) != 2 || !strings.Contains(err.Error(), want) {
			t.Errorf("explain %s: %v, want %q", args, err, want)
		}
	}
}

// TestHistoryNames: an operation that nothing is stored of is said, with the nearest name, and the others are shown.
func TestHistoryNames(t *testing.T) {
	js := newHistory(t)
	store(t, js, windowOf("ventas", 0))
	for args, want := range map[string]string{
		"ventos":          "there is no operation ventos in the history; did you mean ventas?",
		"ventas,otra":     "there is no operation otra in the history; it has ventas",
		"ventas":          "",
		"ventas --to -9h": "",
	} {
		var log bytes.Buffer
		_, err := runToolLogging(t, slog.New(slog.NewTextHandler(&log, nil)), append([]string{"history", "--operation"}, strings.Fields(args)...)...)
		if err != nil || !strings.Contains(log.String(), want) || want == "" && log.Len() > 0 {
			t.Errorf("history --operation %s: %v, logs %q, want %q", args, err, log.String(), want)
		}
	}
}
