package layout

import (
	"slices"
	"testing"
)

// longest is how many lines a production file may have. About 400 are wanted.
const longest = 450

func TestImports(t *testing.T) {
	table := rows(t)
	for _, s := range sources(t) {
		if s.test() {
			continue
		}
		for _, imported := range s.imports {
			if why := violation(table, s.pkg, imported); why != "" {
				t.Errorf("%s imports %s: %s", s.name, imported, why)
			}
		}
	}
}

func TestLength(t *testing.T) {
	for _, s := range sources(t) {
		if !s.test() && s.lines > longest {
			t.Errorf("%s has %d lines, more than %d", s.name, s.lines, longest)
		}
	}
}

// TestViolation holds the rules as they are read from the table against imports that nobody should write.
func TestViolation(t *testing.T) {
	const (
		nats  = "github.com/nats-io/nats.go"
		slack = "github.com/slack-go/slack"
	)
	tests := []struct {
		pkg, imported string
		allowed       bool
	}{
		{"events", "time", true},
		{"events", nats + "/jetstream", true},
		{"events", "golang.org/x/text/unicode/norm", true},
		{"events", "unconnected/producer/grid", false},
		{"events", "unconnected/internal/config", false},
		{"events", "github.com/spf13/cobra", false},
		{"producer/grid", "time", true},
		{"producer/grid", nats, false},
		{"producer/grid", "unconnected/events", true},
		{"producer/grid", "unconnected/producer/wolkvox", false},
		{"producer/oplog", "unconnected/events", true},
		{"producer/oplog", "unconnected/producer/grid", true},
		{"producer/oplog", "unconnected/producer", false},
		{"producer", "unconnected/producer/wolkvox", true},
		{"producer", "unconnected/internal/natsio", true},
		{"producer", "unconnected/alerter/rule", false},
		{"alerter/rule", nats, false},
		{"alerter/evaluate", slack, false},
		{"alerter/evaluate", "unconnected/alerter/rule", true},
		{"alerter/incident", slack + "/slackevents", false},
		{"alerter/incident", "unconnected/alerter/slack", false},
		{"alerter/slack", slack, true},
		{"alerter/slack/chart", "golang.org/x/image/vector", true},
		{"alerter/slack/chart", "unconnected/events", true},
		{"alerter/slack/chart", "unconnected/alerter/incident", false},
		{"alerter/slack/chart", slack, false},
		{"alerter/notlisted", "unconnected/producer/grid", false},
		{"alerter/notlisted", "unconnected/internal/config", true},
		{"internal/config", "unconnected/events", false},
		{"internal/daemon", "unconnected/internal/config", true},
		{"cmd/unconnected", "unconnected/alerter", true},
		{"cmd/unconnected", "testing", false},
		{"internal/natsio", "unconnected/internal/natstest", false},
		{"internal/natsio", "net/http/httptest", false},
		{"internal/natstest", "testing", true},
		{"cmd/unconnected", "unconnected/alerter/slack/fakeslack", true},
		{"cmd/alerter", "unconnected/alerter/slack/fakeslack", false},
		{"alerter", "unconnected/alerter/slack/fakeslack", false},
		{"alerter/slack", "unconnected/alerter/slack/fakeslack", false},
		{"alerter/slack/fakeslack", "unconnected/alerter/slack/fakeslack/mrkdwn", true},
		{"alerter/slack/fakeslack", "testing", false},
	}
	table := rows(t)
	for _, test := range tests {
		if why := violation(table, test.pkg, test.imported); (why == "") != test.allowed {
			t.Errorf("%s imports %s: allowed %t, want %t %s", test.pkg, test.imported, why == "", test.allowed, why)
		}
	}
}

func TestParseRows(t *testing.T) {
	const text = "| package | may import |\n| --- | --- |\n" +
		"| `a` | the contract | nothing of ours |\n" +
		"| `b/c` | pure: the fold | `a`, `b/*` |\n" +
		"| `cmd/*` | mains | everything |\n"
	want := []row{
		{pkg: "a", may: []string{}},
		{pkg: "b/c", pure: true, may: []string{"a", "b/*"}},
		{pkg: "cmd/*"},
	}
	equal := func(x, y row) bool {
		return x.pkg == y.pkg && x.pure == y.pure && (x.may == nil) == (y.may == nil) && slices.Equal(x.may, y.may)
	}
	if got := parseRows(text); !slices.EqualFunc(got, want, equal) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
