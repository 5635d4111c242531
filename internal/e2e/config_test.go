package e2e

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// wrong are the variables of the contract with a value that cannot be meant, by program.
var wrong = map[string]map[string]string{
	"producer": {
		"LOG_LEVEL": "loud", "LOG_FORMAT": "yaml", "HTTP_ADDR": "everywhere",
		"NATS_URL": "http://nats", "NATS_CREDS": "/no/such/file", "NATS_CA": "/no/such/ca", "NATS_CERT": "/no/such/cert",
		"NATS_KEY": "/no/such/key", "NATS_REPLICAS": "many",
		"HISTORY_MAX_AGE": "long", "HISTORY_MAX_BYTES": "2",
		"WOLKVOX_SERVER": "11", "WOLKVOX_OPERATION": "Ventas Bogotá", "WOLKVOX_TIMEZONE": "Bogota",
		"WOLKVOX_BASE_URL": "wolkvox.com", "WOLKVOX_TIMEOUT": "-1s", "WOLKVOX_TOKEN_FILE": "/no/such/token",
		"POLL_WINDOW": "7m", "POLL_SETTLE": "soon", "POLL_START": "yesterday", "POLL_RECONCILE": "90",
		"POLL_GIVE_UP": "0s", "POLL_DAILY_BUDGET": "-1",
	},
	"alerter": {
		"LOG_LEVEL": "loud", "LOG_FORMAT": "yaml", "HTTP_ADDR": "everywhere",
		"NATS_URL": "http://nats", "NATS_CREDS": "/no/such/file", "NATS_CA": "/no/such/ca", "NATS_CERT": "/no/such/cert",
		"NATS_KEY": "/no/such/key", "NATS_REPLICAS": "9", "NATS_PASSWORD_FILE": "/no/such/password",
		"HISTORY_MAX_AGE": "10", "HISTORY_MAX_BYTES": "big",
		"ALERT_RULES": "/no/such/rules.yaml", "ALERT_LANGUAGE": "fr", "ALERT_TIMEZONE": "Bogota",
		"ALERT_OPERATION_NAMES": "Ventas", "ALERT_REMIND": "often", "ALERT_MAX_AGE": "-1m", "ALERT_DIGEST": "7 o'clock",
		"ALERT_HEARTBEAT_URL": "heart-hush", "SLACK_TOKEN_FILE": "/no/such/token", "SLACK_APP_TOKEN_FILE": "/no/such/token",
		"SLACK_WEBHOOK_URL": "hook-hush", "SLACK_MENTION_CRITICAL": "everybody", "SLACK_API_URL": "slack",
	},
}

// TestWrongValues: every variable with a wrong value at once ends the program with code 2, one line for each on standard
// error naming it, and nothing else; the values of secrets do not show.
func TestWrongValues(t *testing.T) {
	t.Parallel()
	for program, env := range wrong {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			p := spawn(t, []string{"heart-hush", "hook-hush"}, env, program)
			p.exit(quickly, 2)
			requireProblems(t, p, slices.Sorted(maps.Keys(env))...)
		})
	}
}

// requireProblems wants exactly one line on standard error for each of the variables.
func requireProblems(t *testing.T, p *process, names ...string) {
	t.Helper()
	var got []string
	for line := range strings.Lines(p.stderr.String()) {
		name, text, _ := strings.Cut(line, ": ")
		if strings.TrimSpace(text) == "" {
			t.Errorf("%s: no problem of a variable: %q", p.name, line)
		}
		got = append(got, name)
	}
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, names) {
		t.Errorf("%s complains about\n%q, want\n%q", p.name, got, names)
	}
}

// TestWrongValuesOneByOne: each wrong value alone is enough.
func TestWrongValuesOneByOne(t *testing.T) {
	t.Parallel()
	base := map[string]map[string]string{
		"producer": {"WOLKVOX_TOKEN": wolkvoxToken, "WOLKVOX_SERVER": "0011"},
		"alerter":  {"LANG": "C"},
	}
	together := map[string]string{"NATS_CERT": "NATS_KEY", "NATS_KEY": "NATS_CERT", "NATS_PASSWORD_FILE": "NATS_USER"}
	for program, env := range wrong {
		for name, value := range env {
			t.Run(program+" "+name, func(t *testing.T) {
				t.Parallel()
				alone := maps.Clone(base[program])
				alone[name] = value
				if name == "WOLKVOX_TOKEN_FILE" {
					delete(alone, "WOLKVOX_TOKEN")
				}
				p := spawn(t, nil, alone, program)
				p.exit(quickly, 2)
				if got := p.stderr.String(); !strings.HasPrefix(got, name+": ") && !strings.Contains(got, "\n"+name+": ") {
					t.Errorf("%s is not named: %s", name, got)
				}
				if lines := strings.Count(p.stderr.String(), "\n"); lines > 1 && together[name] == "" {
					t.Errorf("one problem, %d lines: %s", lines, p.stderr.String())
				}
			})
		}
	}
}

// TestMissingAndContradictory: what is required, what excludes each other and what needs each other.
func TestMissingAndContradictory(t *testing.T) {
	t.Parallel()
	secretFile := filepath.Join(t.TempDir(), "secret")
	writeFile(t, secretFile, wolkvoxToken)
	empty := filepath.Join(t.TempDir(), "empty")
	writeFile(t, empty, "\n")
	good := map[string]string{"WOLKVOX_TOKEN": wolkvoxToken, "WOLKVOX_SERVER": "0011"}
	for name, test := range map[string]struct {
		program string
		env     map[string]string
		want    []string
	}{
		"nothing set":            {"producer", nil, []string{"WOLKVOX_SERVER", "WOLKVOX_TOKEN"}},
		"blank means unset":      {"producer", map[string]string{"WOLKVOX_SERVER": " ", "WOLKVOX_TOKEN": ""}, []string{"WOLKVOX_SERVER", "WOLKVOX_TOKEN"}},
		"token and file":         {"producer", and(good, "WOLKVOX_TOKEN_FILE", secretFile), []string{"WOLKVOX_TOKEN"}},
		"an empty token file":    {"producer", map[string]string{"WOLKVOX_SERVER": "0011", "WOLKVOX_TOKEN_FILE": empty}, []string{"WOLKVOX_TOKEN_FILE"}},
		"user without password":  {"producer", and(good, "NATS_USER", "me"), []string{"NATS_PASSWORD"}},
		"password without user":  {"alerter", map[string]string{"NATS_PASSWORD": natsPassword}, []string{"NATS_USER"}},
		"password and file":      {"alerter", map[string]string{"NATS_USER": "me", "NATS_PASSWORD": natsPassword, "NATS_PASSWORD_FILE": secretFile}, []string{"NATS_PASSWORD"}},
		"credentials and user":   {"alerter", map[string]string{"NATS_USER": "me", "NATS_PASSWORD": natsPassword, "NATS_CREDS": secretFile}, []string{"NATS_CREDS"}},
		"Slack without channel":  {"alerter", map[string]string{"SLACK_TOKEN": slackToken}, []string{"SLACK_CHANNEL"}},
		"both names of a token":  {"alerter", map[string]string{"SLACK_TOKEN": slackToken, "SLACK_BOT_TOKEN": slackToken, "SLACK_CHANNEL": "#noc"}, []string{"SLACK_TOKEN"}},
		"webhook and file":       {"alerter", map[string]string{"SLACK_WEBHOOK_URL": "https://hooks.slack.com/x", "SLACK_WEBHOOK_URL_FILE": secretFile}, []string{"SLACK_WEBHOOK_URL"}},
		"operation without":      {"producer", map[string]string{"WOLKVOX_OPERATIONS": "ventas,cob-1", "WOLKVOX_SERVER": "0011"}, []string{"WOLKVOX_COB_1_TOKEN", "WOLKVOX_VENTAS_TOKEN"}},
		"a token never falls":    {"producer", map[string]string{"WOLKVOX_OPERATIONS": "ventas,b", "WOLKVOX_SERVER": "0011", "WOLKVOX_B_TOKEN": wolkvoxToken}, []string{"WOLKVOX_VENTAS_TOKEN"}},
		"names that collide":     {"producer", map[string]string{"WOLKVOX_OPERATIONS": "cob-1,cob_1", "WOLKVOX_SERVER": "0011", "WOLKVOX_COB_1_TOKEN": wolkvoxToken}, []string{"WOLKVOX_OPERATIONS"}},
		"one token, two names":   {"producer", map[string]string{"WOLKVOX_OPERATIONS": "a,b", "WOLKVOX_SERVER": "0011", "WOLKVOX_A_TOKEN": wolkvoxToken, "WOLKVOX_B_TOKEN": wolkvoxToken}, []string{"WOLKVOX_B_TOKEN"}},
		"a window of two hours":  {"producer", and(good, "POLL_WINDOW", "2h"), []string{"POLL_WINDOW"}},
		"reconciling two days":   {"producer", and(good, "POLL_RECONCILE", "48h"), []string{"POLL_RECONCILE"}},
		"no history to be kept":  {"producer", and(good, "HISTORY_MAX_AGE", "0"), []string{"HISTORY_MAX_AGE"}},
		"a value with a newline": {"producer", and(good, "POLL_START", "a\nb"), []string{"POLL_START"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := spawn(t, []string{wolkvoxToken, slackToken, natsPassword}, test.env, test.program)
			p.exit(quickly, 2)
			requireProblems(t, p, test.want...)
		})
	}
}

// and is a map with more pairs.
func and(m map[string]string, pairs ...string) map[string]string {
	more := maps.Clone(m)
	for i := 0; i < len(pairs); i += 2 {
		more[pairs[i]] = pairs[i+1]
	}
	return more
}

// TestWrongRulesFile: every mistake in a rules file is a problem with its file and line, by the alerter and by the tool.
func TestWrongRulesFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := filepath.Join(t.TempDir(), "rules.yaml")
	writeFile(t, path, `rules:
  - alert: One
    expr: share.congestion > 0.2
  - alert: Two
    expr: total >
  - alert: Three
    expr: total > 5
    colour: red
  - alert: Three
    expr: count.congestoin > 5
    severity: terrible
`)
	p := w.start("alerter", map[string]string{"ALERT_RULES": path})
	p.exit(quickly, 2)
	for _, line := range []string{":3", ":5", ":8", ":9", ":10", ":11"} {
		if err := contains(p.stderr.String(), "ALERT_RULES: "+path+line); err != nil {
			t.Error(err)
		}
	}
	stdout, _ := w.tool(1, "rules", "check", path)
	if err := contains(stdout, path+":3", path+":5", path+":8"); err != nil {
		t.Error(err)
	}
	w.requireUntouched(t)
}

// TestNothingIsConnectedBeforeTheConfigurationIsRight: with one wrong value neither NATS nor the API nor Slack hears of the
// program.
func TestNothingIsConnectedBeforeTheConfigurationIsRight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("producer", map[string]string{"POLL_WINDOW": "7m"}).exit(quickly, 2)
	w.start("alerter", map[string]string{"ALERT_MAX_AGE": "soon"}).exit(quickly, 2)
	w.requireUntouched(t)
}

// requireUntouched wants nobody to have heard of any program.
func (w *world) requireUntouched(t *testing.T) {
	t.Helper()
	for name := range w.js.StreamNames(t.Context()).Name() {
		t.Errorf("the stream %s was made", name)
	}
	if asked := len(w.api.Ledger()) + len(w.slack.Requests()); asked > 0 {
		t.Errorf("API and Slack were asked %d times", asked)
	}
}

// TestUnknownVariables: a variable that begins like ours and that nobody reads is warned about, with the nearest name.
func TestUnknownVariables(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := map[string]string{"POLL_WINDOWS": "5m", "WOLKVOX_TOKN": "hush-hush", "ALERT_RULE": "x", "SLACK_CHANEL": "x"}
	for _, program := range []string{"producer", "alerter"} {
		p := w.start(program, env)
		p.awaitLog("serving HTTP")
		p.stop()
		for _, want := range []string{"did you mean POLL_WINDOW?", "did you mean WOLKVOX_TOKEN?", "did you mean ALERT_RULES?", "did you mean SLACK_CHANNEL?"} {
			if err := contains(p.stderr.String(), want); err != nil {
				t.Errorf("%s: %v", program, err)
			}
		}
		if strings.Contains(p.stderr.String(), "hush-hush") {
			t.Errorf("%s shows what may be a secret", program)
		}
	}
}

// TestHelpAndVersion: --help lists every variable of the contract with its default, --version the build; anything else on
// the command line is wrong usage.
func TestHelpAndVersion(t *testing.T) {
	t.Parallel()
	defaults := map[string][]string{
		"producer": {
			"default info", "127.0.0.1:8081", "nats://127.0.0.1:4222", "default 1)", "default 400d", "default 2GiB", "default default",
			"America/Bogota", "https://wv{server}.wolkvox.com/api/v2", "default 75s", "default 5m", "default 90s", "default now",
			"default 1h",
		},
		"alerter": {"127.0.0.1:8082", "default 4h", "default 30m", "https://slack.com/api/", "built-in pack", "SLACK_BOT_TOKEN"},
	}
	for program, texts := range defaults {
		help := spawn(t, nil, nil, program, "--help")
		help.exit(quickly, 0)
		words := strings.Join(strings.Fields(help.stdout.String()), " ")
		for name := range wrong[program] {
			texts = append(texts, name)
		}
		for _, text := range texts {
			if !strings.Contains(words, text) {
				t.Errorf("%s --help does not mention %q", program, text)
			}
		}
		version := spawn(t, nil, nil, program, "--version")
		version.exit(quickly, 0)
		if !strings.HasPrefix(version.stdout.String(), program+" ") {
			t.Errorf("--version says %q", version.stdout.String())
		}
	}
	for _, test := range [][]string{
		{"producer", "--verbose"}, {"producer", "start"}, {"alerter", "-x"}, {"alerter", "--help", "me"},
		{"unconnected"}, {"unconnected", "dance"}, {"unconnected", "up", "--fast"}, {"unconnected", "history", "--format", "xml"},
		{"unconnected", "history", "--from", "soon"}, {"unconnected", "history", "--operation", "Ventas!"},
		{"unconnected", "simulate", "--timezone", "Bogota"}, {"unconnected", "simulate", "--late", "2"}, {"unconnected", "verify", "it"},
		{"unconnected", "rules"}, {"unconnected", "up", "--listen", "nowhere", "--data", t.TempDir()},
	} {
		p := spawn(t, nil, map[string]string{"HTTP_ADDR": "off"}, test[0], test[1:]...)
		p.exit(quickly, 2)
		if p.stderr.String() == "" {
			t.Errorf("%q says nothing", test)
		}
	}
	spawn(t, nil, nil, "unconnected", "--help").exit(quickly, 0)
	spawn(t, nil, nil, "unconnected", "--version").exit(quickly, 0)
}

// TestTakenPort: an HTTP port in use is exit code 1, with a line that names the variable.
func TestTakenPort(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.start("alerter", nil)
	first.awaitLog("serving HTTP")
	for _, program := range []string{"producer", "alerter"} {
		p := w.start(program, map[string]string{"HTTP_ADDR": first.address()})
		p.exit(quickly, 1)
		if err := contains(p.stderr.String(), "HTTP_ADDR: "+first.address()+" is in use"); err != nil {
			t.Error(err)
		}
	}
}
