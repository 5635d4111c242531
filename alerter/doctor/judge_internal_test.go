package doctor

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/rule"
	"unconnected/alerter/slack"
	"unconnected/alerter/slack/fakeslack"
	"unconnected/internal/diagnosis"
	"unconnected/internal/diagnosis/diagnosistest"
)

// verdict is what is wanted of a finding: its status and a part of what it says.
type verdict struct {
	status diagnosis.Status
	says   string
}

func (v verdict) check(t *testing.T, f diagnosis.Finding) {
	t.Helper()
	diagnosistest.Check(t, f, v.status, v.says)
}

func TestJudgeScopes(t *testing.T) {
	all := append(fakeslack.AllScopes(), "files:write", "commands")
	without := func(names ...string) []string {
		rest := []string{}
		for _, s := range all {
			if !strings.Contains(strings.Join(names, " "), s) {
				rest = append(rest, s)
			}
		}
		return rest
	}
	everything := workspace{public: true, private: true, byName: true, socket: true, operators: true}
	tests := []struct {
		name    string
		granted []string
		w       workspace
		want    verdict
	}{
		{"all", all, everything, verdict{diagnosis.OK, "chat:write"}},
		{"not told", nil, everything, verdict{diagnosis.Skipped, "does not say"}},
		{"nothing", []string{}, everything, verdict{diagnosis.Failed, "add chat:write, channels:history, groups:history, channels:read, groups:read, files:write, commands, users:read, usergroups:read"}},
		{"no posting", without("chat:write"), everything, verdict{diagnosis.Failed, "chat:write (nothing can be posted)"}},
		{"no history", without("channels:history"), everything, verdict{diagnosis.Warning, "may appear twice"}},
		{"private ones are not needed", without("groups:history", "groups:read"), workspace{public: true, byName: true}, verdict{diagnosis.OK, ""}},
		{"public ones are not needed", without("channels:history", "channels:read"), workspace{private: true, byName: true}, verdict{diagnosis.OK, ""}},
		{"ids need no reading", without("channels:read", "groups:read"), workspace{public: true, private: true}, verdict{diagnosis.OK, ""}},
		{"no pictures", without("files:write"), workspace{public: true}, verdict{diagnosis.Warning, "add files:write, and install it again"}},
		{"no commands without a socket", without("commands"), workspace{public: true}, verdict{diagnosis.OK, ""}},
		{"no commands with one", without("commands"), workspace{public: true, socket: true}, verdict{diagnosis.Warning, "slash command"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.want.check(t, judgeScopes(test.granted, test.w)) })
	}
}

// TestScopesAreTheAppsOwn: what is missed here is what the manifest asks for.
func TestScopesAreTheAppsOwn(t *testing.T) {
	var here, app []string
	for _, s := range scopes {
		here = append(here, s.name)
	}
	for _, s := range slack.Scopes() {
		app = append(app, s.Name)
	}
	if !slices.Equal(here, app) {
		t.Errorf("doctor looks for %v, the app asks for %v", here, app)
	}
}

func TestJudgeChannel(t *testing.T) {
	noc := target{"#noc", "SLACK_CHANNEL"}
	tests := []struct {
		name string
		c    slack.ChannelState
		err  error
		want verdict
	}{
		{"fine", slack.ChannelState{ID: "C1", Member: true}, nil, verdict{diagnosis.OK, "C1, public"}},
		{"private", slack.ChannelState{ID: "C1", Member: true, Private: true}, nil, verdict{diagnosis.OK, "private"}},
		{"not in it", slack.ChannelState{ID: "C1"}, nil, verdict{diagnosis.Failed, "/invite @unconnected"}},
		{"archived", slack.ChannelState{ID: "C1", Member: true, Archived: true}, nil, verdict{diagnosis.Failed, "archived"}},
		{"not seen", slack.ChannelState{}, slack.ErrNoChannel, verdict{diagnosis.Failed, "correct SLACK_CHANNEL"}},
		{"scope", slack.ChannelState{}, &slack.Error{Code: "missing_scope", Hint: "add the scope channels:read"}, verdict{diagnosis.Skipped, "channels:read"}},
		{"asked too often", slack.ChannelState{}, &slack.Error{Code: "ratelimited", RetryAfter: time.Minute}, verdict{diagnosis.Skipped, "again in a minute"}},
		{"away", slack.ChannelState{}, &slack.Error{Code: "timeout"}, verdict{diagnosis.Failed, "no answer of Slack: timeout"}},
		{"anything else", slack.ChannelState{}, errors.New("odd"), verdict{diagnosis.Failed, "odd"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := judgeChannel(noc, "unconnected", test.c, test.err)
			test.want.check(t, f)
			if f.Check != "channel #noc" {
				t.Errorf("is about %s", f.Check)
			}
		})
	}
}

func rulesOf(t *testing.T, text string) *rule.Set {
	t.Helper()
	set, err := rule.Parse("rules.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestJudgeRule(t *testing.T) {
	known := map[string]*past{
		"ventas":   {results: map[string]bool{"busy": true, "voicemail": true}},
		"cobranza": {results: map[string]bool{"busy": true, "fax": true}},
	}
	tests := []struct {
		name, rule string
		want       string // empty: nothing is found
	}{
		{"documented results may never have been", `{alert: A, expr: "share.congestion > 0.5 && total > 50"}`, ""},
		{"seen", `{alert: A, expr: 'share["voicemail"] > 0.5 && total > 50'}`, ""},
		{"never seen", `{alert: A, expr: 'share["voice_mail"] > 0.5 && total > 50'}`, "voice_mail"},
		{"seen at another operation only", `{alert: A, operations: [ventas], expr: 'share["fax"] > 0.5 && total > 50'}`, "fax"},
		{"no such operation", `{alert: A, operations: ["vnetas*"], expr: "total > 50"}`, "is for vnetas*, and the history has only cobranza, ventas"},
		{"a pattern", `{alert: A, operations: ["v*"], expr: "total > 50"}`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			set := rulesOf(t, "rules:\n  - "+test.rule+"\n")
			found := judgeRule(set.Rules[0], known)
			if test.want == "" && len(found) > 0 || test.want != "" && len(found) != 1 {
				t.Fatalf("%+v, want %q", found, test.want)
			}
			if test.want != "" {
				verdict{diagnosis.Warning, test.want}.check(t, found[0])
			}
			if found := judgeRule(set.Rules[0], nil); len(found) > 0 {
				t.Errorf("without a history: %+v", found)
			}
		})
	}
	for _, r := range rule.Builtin().Rules {
		if found := judgeRule(r, known); len(found) > 0 {
			t.Errorf("the pack: %+v", found)
		}
	}
}

func TestJudgeLearning(t *testing.T) {
	verdict{diagnosis.OK, "36 windows with calls, 720 calls"}.check(t, judgeLearning("ventas", &past{windows: 36, calls: 720}))
	verdict{diagnosis.Warning, "backfill"}.check(t, judgeLearning("ventas", &past{windows: 35, calls: 100000}))
	verdict{diagnosis.Warning, "backfill"}.check(t, judgeLearning("ventas", &past{windows: 2000, calls: 719}))
}

func TestJudgeWork(t *testing.T) {
	tests := []struct {
		name  string
		w     work
		asked bool
		want  verdict
	}{
		{"at work", work{known: true, onDuty: "alerter@host"}, true, verdict{diagnosis.OK, "alerter@host judges"}},
		{"a moment behind", work{known: true, behind: 3, waiting: time.Second, onDuty: "alerter@host"}, true, verdict{diagnosis.OK, "3 messages behind"}},
		{"far behind", work{known: true, behind: 300, waiting: time.Hour, onDuty: "alerter@host"}, true, verdict{diagnosis.Warning, "the oldest of 1h ago"}},
		{"its claim runs out", work{known: true, onDuty: "alerter@host", overdue: 5 * time.Second}, true, verdict{diagnosis.OK, "judges"}},
		{"no claim runs out", work{known: true, behind: 300, waiting: time.Hour, onDuty: "alerter@host", overdue: time.Minute}, true,
			verdict{diagnosis.Failed, "alerter@host had its turn until 1m0s ago, and NATS has not let that run out: it does not store → look at the disk"}},
		{"not running", work{known: true}, true, verdict{diagnosis.Warning, "no alerter is running"}},
		{"never run", work{}, true, verdict{diagnosis.Warning, "no alerter has judged"}},
		{"begins", work{onDuty: "alerter@host"}, true, verdict{diagnosis.OK, "judges"}},
		{"not asked who is there", work{known: true}, false, verdict{diagnosis.OK, "0 messages behind"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.want.check(t, judgeWork(test.w, test.asked)) })
	}
}

func TestTargets(t *testing.T) {
	set := rulesOf(t, "rules:\n  - {alert: A, expr: total > 1, channel: '#ventas'}\n  - {alert: B, expr: total > 2, channel: '#noc'}\n  - {alert: C, expr: total > 3}\n")
	s := slackSettings("#noc")
	got := targets(&s, set)
	if len(got) != 2 || got[0] != (target{"#noc", "SLACK_CHANNEL"}) || got[1] != (target{"#ventas", "rule A"}) {
		t.Errorf("%+v", got)
	}
}
