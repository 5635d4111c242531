package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/alerter/incident"
	"unconnected/events"
	"unconnected/internal/daemon"
)

// lastAction is the newest deed that ALERTS holds.
func lastAction(t *testing.T, js jetstream.JetStream) events.Action {
	t.Helper()
	stream, err := js.Stream(t.Context(), events.StreamAlerts)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := stream.GetMsg(t.Context(), stream.CachedInfo().State.LastSeq)
	if err != nil {
		t.Fatal(err)
	}
	action, err := events.DecodeRawAction(raw)
	if err != nil {
		t.Fatal(err)
	}
	return action
}

// TestSilence: add, list and expire, as people and as programs see them.
func TestSilence(t *testing.T) {
	js := newHistory(t)
	store(t, js, windowOf("ventas", 0))
	if text, err := runTool(t, "silence", "list"); err != nil || text != "nothing is silent\n" {
		t.Fatalf("%v:\n%s", err, text)
	}
	text, err := runTool(t, "silence", "add", "--operation", "ventas", "--rule", "CongestionSpike", "--rule", "BusyShift", "--for", "2h",
		"--reason", "the carrier works on it", "--by", "ana")
	if err != nil {
		t.Fatal(err)
	}
	id, _, _ := strings.Cut(text, " ")
	if !strings.Contains(text, "silent: ventas, CongestionSpike, BusyShift, until ") || !strings.Contains(text, "silence expire "+id) {
		t.Errorf("add says\n%s", text)
	}
	done := lastAction(t, js)
	if done.Action != events.Silenced || done.Operation != "ventas" || done.Key != id || done.By != "ana" ||
		done.Until.Sub(done.At) != 2*time.Hour || len(done.Rules) != 2 || done.Incident != "" {
		t.Errorf("recorded %+v", done)
	}

	listed := listSilences(t)
	if len(listed) != 1 || listed[0].ID != id || listed[0].Reason != "the carrier works on it" || !listed[0].Active(now()) {
		t.Errorf("listed %+v", listed)
	}
	text, err = runTool(t, "silence", "list")
	if err != nil || !strings.Contains(text, id) || !strings.Contains(text, "silent") || !strings.Contains(text, "CongestionSpike, BusyShift: the carrier") {
		t.Errorf("%v:\n%s", err, text)
	}
	requireNarrow(t, text)

	if text, err = runTool(t, "silence", "expire", id, "--by", "luis"); err != nil || text != id+"  ended: ventas, CongestionSpike, BusyShift\n" {
		t.Errorf("%v: %s", err, text)
	}
	if done = lastAction(t, js); done.Action != events.Unsilenced || done.Key != id || done.By != "luis" {
		t.Errorf("recorded %+v", done)
	}
	if listed := listSilences(t); len(listed) != 0 {
		t.Errorf("still listed: %+v", listed)
	}
	if listed := listSilences(t, "--all"); len(listed) != 1 || listed[0].Active(now()) {
		t.Errorf("listed with --all: %+v", listed)
	}
	if _, err := runTool(t, "silence", "expire", id, "--by", "luis"); err == nil || daemon.Code(err) != 1 {
		t.Errorf("ending it again: %v", err)
	}
}

func listSilences(t *testing.T, args ...string) []incident.Silence {
	t.Helper()
	text, err := runTool(t, append([]string{"silence", "list", "--json"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	var list []incident.Silence
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return list
}

// TestSilenceAll: all operations, until tomorrow, by whoever is logged in.
func TestSilenceAll(t *testing.T) {
	newHistory(t)
	t.Setenv("USER", "luis")
	t.Setenv("ALERT_TIMEZONE", "America/Bogota")
	if _, err := runTool(t, "silence", "add", "--all", "--until", "tomorrow", "--reason", "moving"); err != nil {
		t.Fatal(err)
	}
	listed := listSilences(t)
	if len(listed) != 1 || listed[0].Operation != events.AllOperations || listed[0].By != "luis" || listed[0].Until.Format("15:04") != "12:00" {
		t.Errorf("listed %+v", listed)
	}
}

// refusedUsage is why a command is refused, by its flags or when it runs.
func refusedUsage(t *testing.T, args ...string) error {
	t.Helper()
	var cli commands
	parser, err := newParser(&cli)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil {
		return err // exit code 2 by definition
	}
	if _, err = runTool(t, args...); daemon.Code(err) != 2 {
		t.Errorf("%v ends with code %d", args, daemon.Code(err))
	}
	return err
}

// TestSilenceUsage: what is not clear is refused as usage, before anything is silent.
func TestSilenceUsage(t *testing.T) {
	js := newHistory(t)
	store(t, js, windowOf("ventas", 0))
	t.Setenv("USER", "luis")
	for args, want := range map[string]string{
		"--for 2h --reason x":                                                    "--operation NAME or --all",
		"--all --operation ventas --for 2h --reason x":                           "--operation NAME or --all",
		"--operation ventas --reason x":                                          "--for or --until",
		"--operation ventas --for 2h --until tomorrow --reason x":                "--for or --until",
		"--operation ventas --for 2h":                                            "--reason",
		"--operation Ventas! --for 2h --reason x":                                "--operation",
		"--operation ventas --until -2h --reason x":                              "not the end of a silence",
		"--operation ventas --until never --reason x":                            "not the end of a silence",
		"--operation ventas --for 60d --reason x":                                "at most 31 days",
		"--operation ventas --until 2020-01-01 --reason x":                       "in the future",
		"--operation ventas --until 2999-01-01 --reason x":                       "at most 31 days",
		"--operation ventas --for 2h --rule a.b --reason x":                      "is not a name",
		"--operation nobody --for 2h --reason x":                                 "no operation nobody in the history; it has ventas",
		"--operation ventos --for 2h --reason x":                                 "no operation ventos in the history; did you mean ventas?",
		"--operation ventas --for 2h --rule CongestionSpik --reason x":           "no rule CongestionSpik, and none of that name ever fired on ventas; did you mean CongestionSpike?",
		"--operation ventas --for 2h --rule Mine --reason x":                     "the rules are BusyShift, CancelShift, ",
		"--all --for 2h --rule BusyShift --rule Mine --reason x":                 "no rule Mine, and none of that name ever fired; the rules are ",
		"--operation ventas --for 2h --reason " + strings.Repeat("x", 301):       "longer than 300",
		"--operation ventas --for 2h --reason x --by " + strings.Repeat("x", 81): "longer than 80",
	} {
		err := refusedUsage(t, append([]string{"silence", "add"}, strings.Fields(args)...)...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("silence add %s: %v, want %q", args, err, want)
		}
	}
	if listed := listSilences(t); len(listed) != 0 {
		t.Errorf("silent all the same: %+v", listed)
	}
	if _, err := runTool(t, "silence", "add", "--operation", "ventas", "--for", "2h", "--reason", "a\nb"); daemon.Code(err) != 2 {
		t.Errorf("a line break: %v", err)
	}
}

// TestSilenceUnrecorded: without ALERTS it is in force all the same: its id is told, and the command fails.
func TestSilenceUnrecorded(t *testing.T) {
	js := newHistory(t)
	store(t, js, windowOf("ventas", 0))
	if err := js.DeleteStream(t.Context(), events.StreamAlerts); err != nil {
		t.Fatal(err)
	}
	text, err := runTool(t, "silence", "add", "--operation", "ventas", "--for", "1h", "--reason", "x", "--by", "ana")
	if daemon.Code(err) != 1 || !strings.Contains(err.Error(), "could not be recorded") || !strings.Contains(text, "silence expire ") {
		t.Errorf("%v:\n%s", err, text)
	}
	if listed := listSilences(t); len(listed) != 1 {
		t.Errorf("listed %+v", listed)
	}
}

// fire stores that a rule fires on an operation.
func fire(t *testing.T, js jetstream.JetStream, operation, rule string) {
	t.Helper()
	begin := now().Add(-time.Hour).Truncate(time.Minute)
	msg, err := events.EncodeAlert(&events.Alert{
		Operation: operation, Rule: rule, Severity: events.Critical, Status: events.Firing, StartsAt: begin,
		Window: &events.Window{Start: begin, End: begin.Add(time.Minute)}, Incident: operation + "/" + begin.Format(time.RFC3339),
		Timezone: "America/Bogota", Cause: events.Cause{Sequence: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.PublishMsg(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
}

// TestSilenceOfRules: what can be silenced is a rule of ALERT_RULES that is for the operation, or one that fired on it, whoever
// made it.
func TestSilenceOfRules(t *testing.T) {
	js := newHistory(t)
	store(t, js, windowOf("ventas", 0), windowOf("cob", 0))
	fire(t, js, "ventas", "Theirs")
	t.Setenv("USER", "luis")
	file := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(file, []byte("rules:\n  - {alert: Mine, expr: total > 5, operations: [ventas]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ALERT_RULES", file)
	for args, want := range map[string]string{
		"--operation ventas --rule Mine":      "",
		"--operation ventas --rule Theirs":    "",
		"--all --rule Mine --rule Theirs":     "",
		"--operation cob --rule Mine":         "the rule Mine is not for cob but for ventas",
		"--operation cob --rule Theirs":       "no rule Theirs, and none of that name ever fired on cob",
		"--operation ventas --rule Their":     "no rule Their, and none of that name ever fired on ventas; did you mean Theirs?",
		"--operation ventas --rule BusyShift": "(if the alerter has other rules, set ALERT_RULES as it does)",
	} {
		_, err := runTool(t, append([]string{"silence", "add", "--for", "1h", "--reason", "x"}, strings.Fields(args)...)...)
		switch {
		case want == "" && err != nil:
			t.Errorf("silence add %s: %v", args, err)
		case want != "" && (err == nil || daemon.Code(err) != 2 || !strings.Contains(err.Error(), want)):
			t.Errorf("silence add %s: %v, want %q", args, err, want)
		}
	}
	if listed := listSilences(t); len(listed) != 3 {
		t.Errorf("listed %+v", listed)
	}
}

// TestSilenceWithoutRules: where the rules can't be read, as on another machine than the alerter's, nobody is kept from silencing;
// whether it helps is said.
func TestSilenceWithoutRules(t *testing.T) {
	js := newHistory(t)
	store(t, js, windowOf("ventas", 0))
	fire(t, js, "ventas", "Theirs")
	t.Setenv("ALERT_RULES", filepath.Join(t.TempDir(), "rules.yaml"))
	for rule, want := range map[string]string{
		"Theirs": "", "Their": "whether there is a rule Their is not known, because ALERT_RULES can't be read here",
	} {
		var told bytes.Buffer
		text, err := runToolLogging(t, slog.New(slog.NewTextHandler(&told, nil)), "silence", "add", "--operation", "ventas", "--for", "1h", "--reason", "x", "--by", "ana", "--rule", rule)
		if err != nil || !strings.Contains(text, "silent: ventas, "+rule) || !strings.Contains(told.String(), want) || want == "" && told.Len() > 0 {
			t.Errorf("%s: %v\n%s\n%s", rule, err, text, &told)
		}
	}
}
