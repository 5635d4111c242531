package alerter_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"unconnected/alerter"
	"unconnected/internal/config"
)

// load reads the configuration from an environment that has these variables and none else of ours.
func load(t *testing.T, variables map[string]string) (*alerter.Config, error) {
	t.Helper()
	var c alerter.Config
	for _, name := range append(config.Names(&c), "LANG", "LC_ALL", "LC_MESSAGES") {
		t.Setenv(name, variables[name])
	}
	return &c, config.Load(&c)
}

func TestConfigWithoutVariables(t *testing.T) {
	c, err := load(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Alerts.Language != "en" || c.APIURL != "https://slack.com/api/" || c.Alerts.MaxAge.String() != "30m" || c.Remind.String() != "4h" {
		t.Errorf("the defaults are %+v", c)
	}
}

// TestEveryWrongVariable: each is a problem of its own that names the variable, and all come at once.
func TestEveryWrongVariable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(file, []byte("rules:\n  - alert: Bad\n    expr: share.congestoin > 0.2 && total > 5\n    fro: 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wrong := map[string]string{
		"ALERT_RULES":            file,
		"ALERT_LANGUAGE":         "fr",
		"ALERT_TIMEZONE":         "America/Bogata",
		"ALERT_OPERATION_NAMES":  "Default:Ventas",
		"ALERT_REMIND":           "often",
		"ALERT_MAX_AGE":          "-5m",
		"ALERT_DIGEST":           "25:00",
		"ALERT_HEARTBEAT_URL":    "secret-heartbeat",
		"SLACK_TOKEN":            "secret-token",
		"SLACK_CHANNEL":          "",
		"SLACK_WEBHOOK_URL":      "secret-webhook",
		"SLACK_MENTION_CRITICAL": "everybody",
		"SLACK_API_URL":          "slack.com",
		"NATS_REPLICAS":          "7",
		"HISTORY_MAX_AGE":        "long",
		"HISTORY_MAX_BYTES":      "big",
	}
	_, err := load(t, wrong)
	if err == nil {
		t.Fatal("it is accepted")
	}
	text := err.Error()
	for name := range wrong {
		if name == "SLACK_TOKEN" {
			continue // any text may be a token; with it the channel is required
		}
		if !regexp.MustCompile(`(?m)^` + name + `: `).MatchString(text) {
			t.Errorf("no problem names %s", name)
		}
	}
	for _, place := range []string{file + ":3:", file + ":4:"} {
		if !strings.Contains(text, place) {
			t.Errorf("no problem is at %s", place)
		}
	}
	if strings.Contains(text, "secret") {
		t.Errorf("a secret shows")
	}
	if t.Failed() {
		t.Log(text)
	}
}

func TestConfigProblems(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("token", []byte("secret-token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("empty", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		env   map[string]string
		names string // of the variables with problems
	}{
		{"a token", map[string]string{"SLACK_TOKEN": "xoxb-1", "SLACK_CHANNEL": "#noc"}, ""},
		{"the token's other name", map[string]string{"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_CHANNEL": "#noc"}, ""},
		{"a token from a file", map[string]string{"SLACK_TOKEN_FILE": "token", "SLACK_CHANNEL": "#noc"}, ""},
		{"both", map[string]string{"SLACK_TOKEN": "secret-token", "SLACK_TOKEN_FILE": "token", "SLACK_CHANNEL": "#noc"}, "SLACK_TOKEN"},
		{"no such file", map[string]string{"SLACK_TOKEN_FILE": "nothing", "SLACK_CHANNEL": "#noc"}, "SLACK_TOKEN_FILE"},
		{"a token without a channel", map[string]string{"SLACK_TOKEN": "secret-token"}, "SLACK_CHANNEL"},
		{"an app-level token as the bot's", map[string]string{"SLACK_TOKEN": "xapp-secret", "SLACK_CHANNEL": "#noc"}, "SLACK_TOKEN"},
		{"a bot token as the app's", map[string]string{"SLACK_TOKEN": "xoxb-1", "SLACK_CHANNEL": "#noc", "SLACK_APP_TOKEN": "xoxb-secret"}, "SLACK_APP_TOKEN"},
		{"webhook", map[string]string{"SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/secret"}, ""},
		{"webhook and token", map[string]string{"SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/secret", "SLACK_TOKEN": "secret-token", "SLACK_CHANNEL": "#noc"}, ""},
		{"no rules file", map[string]string{"ALERT_RULES": "nothing.yaml"}, "ALERT_RULES"},
		{"a directory without rules", map[string]string{"ALERT_RULES": "empty"}, "ALERT_RULES"},
		{"mentions", map[string]string{"SLACK_MENTION_CRITICAL": "@here,U012AB3CD,S012AB3CD"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := load(t, test.env)
			if (err == nil) != (test.names == "") || err != nil && !strings.HasPrefix(err.Error(), test.names) {
				t.Errorf("the error is %v, want problems of %q", err, test.names)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("a secret shows: %v", err)
			}
		})
	}
}

func TestLanguageFromTheLocale(t *testing.T) {
	for _, test := range []struct{ configured, all, lang, want string }{
		{"", "", "", "en"},
		{"", "", "es_CO.UTF-8", "es"},
		{"", "", "de_DE.UTF-8", "en"},
		{"", "C", "es_CO.UTF-8", "en"},
		{"", "es", "en_US", "es"},
		{"es", "", "en_US.UTF-8", "es"},
		{"EN", "", "es_CO.UTF-8", "en"},
	} {
		c, err := load(t, map[string]string{"ALERT_LANGUAGE": test.configured, "LC_ALL": test.all, "LANG": test.lang})
		if err != nil {
			t.Fatal(err)
		}
		if c.Alerts.Language != test.want {
			t.Errorf("%+v: the language is %s", test, c.Alerts.Language)
		}
	}
}
