package config_test

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"unconnected/internal/config"
)

type groups struct {
	config.Log
	config.HTTP
	config.NATS
	config.History
}

func TestGroups(t *testing.T) {
	file := write(t, "x")
	tests := []struct {
		name string
		env  map[string]string
		want []string // the beginnings of the problems
	}{
		{name: "defaults"},
		{name: "a cluster", env: map[string]string{"NATS_URL": "nats://a:4222, tls://u:p@b:4222,c:4222", "NATS_REPLICAS": "3"}},
		{name: "user and password", env: map[string]string{"NATS_USER": "u", "NATS_PASSWORD_FILE": file}},
		{name: "certificate and key", env: map[string]string{"NATS_CERT": file, "NATS_KEY": file, "NATS_CA": file}},
		{name: "a user alone", env: map[string]string{"NATS_USER": "u"}, want: []string{"NATS_PASSWORD: is not set, but NATS_USER is"}},
		{name: "a password alone", env: map[string]string{"NATS_PASSWORD": "hush"}, want: []string{"NATS_USER: is not set, but NATS_PASSWORD is"}},
		{name: "a key alone", env: map[string]string{"NATS_KEY": file}, want: []string{"NATS_CERT: is not set, but NATS_KEY is"}},
		{
			name: "two ways to log in", want: []string{"NATS_CREDS: is set as well as NATS_USER"},
			env: map[string]string{"NATS_CREDS": file, "NATS_USER": "u", "NATS_PASSWORD": "hush"},
		},
		{
			name: "files that are not there", env: map[string]string{"NATS_CA": "/no/ca", "NATS_CREDS": "/no/creds"},
			want: []string{`NATS_CREDS: "/no/creds" cannot be read`, `NATS_CA: "/no/ca" cannot be read`},
		},
		{
			name: "a password's file that is not there: that alone", env: map[string]string{"NATS_USER": "u", "NATS_PASSWORD_FILE": "/no/password"},
			want: []string{`NATS_PASSWORD_FILE: "/no/password" cannot be read`},
		},
		{
			name: "wrong URLs", env: map[string]string{"NATS_URL": "http://hush@a,nats://u:hush@b:port,nats://"},
			want: []string{"NATS_URL: entry 1 is not a URL", "NATS_URL: entry 2 is not a URL", "NATS_URL: entry 3 is not a URL"},
		},
		{name: "replicas", env: map[string]string{"NATS_REPLICAS": "6"}, want: []string{"NATS_REPLICAS: 6 is not between 1 and 5"}},
		{
			name: "history too short", env: map[string]string{"HISTORY_MAX_AGE": "5m", "HISTORY_MAX_BYTES": "2"},
			want: []string{"HISTORY_MAX_AGE: 5m is less than 1h", "HISTORY_MAX_BYTES: 2 is less than 1MiB"},
		},
		{
			name: "logging", env: map[string]string{"LOG_LEVEL": "loud", "LOG_FORMAT": "xml"},
			want: []string{`LOG_LEVEL: "loud" is not one of debug, info, warn, error`, `LOG_FORMAT: "xml" is not one of`},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			clean(t, &groups{})
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			err := config.Load(&groups{})
			problems, _ := err.(config.Problems)
			if len(problems) != len(test.want) {
				t.Fatalf("got\n%v\nwant %d problems", err, len(test.want))
			}
			for i, p := range problems {
				if !strings.HasPrefix(p.String(), test.want[i]) || strings.Contains(p.String(), "hush") {
					t.Errorf("got %s, want %s", p, test.want[i])
				}
			}
		})
	}
}

func TestServersHidesPasswords(t *testing.T) {
	n := config.NATS{URL: config.List{"nats://a:4222", "tls://user:hush@b:4222", "token@c"}}
	if got := n.Servers(); strings.Contains(got, "hush") || !strings.Contains(got, "b:4222") {
		t.Error(got)
	}
}

func TestSlogLevel(t *testing.T) {
	for level, want := range map[string]slog.Level{"": slog.LevelInfo, "debug": slog.LevelDebug, "error": slog.LevelError} {
		if got := (config.Log{Level: level}).SlogLevel(); got != want {
			t.Errorf("%q: %s", level, got)
		}
	}
}

type operation struct {
	Server string        `envconfig:"SERVER"`
	Token  config.Secret `envconfig:"TOKEN"`
}

func (o *operation) Validate() []config.Problem {
	if !o.Token.IsSet() {
		return []config.Problem{{Name: "TOKEN", Text: "is not set"}}
	}
	return nil
}

func TestPrefix(t *testing.T) {
	prefix := config.Prefix(config.OperationPrefix("ventas-co"))
	t.Setenv("SERVER", "not this one")
	t.Setenv("TOKEN", "nor this")
	clean(t, &operation{}, prefix)
	var o operation
	if err := config.Load(&o, prefix); fmt.Sprint(err) != "WOLKVOX_VENTAS_CO_TOKEN: is not set" || o.Server != "" {
		t.Errorf("%q, %v", o.Server, err)
	}
	t.Setenv("WOLKVOX_VENTAS_CO_SERVER", "0011")
	t.Setenv("WOLKVOX_VENTAS_CO_TOKEN", "hush")
	if err := config.Load(&o, prefix); err != nil || o.Server != "0011" || o.Token.Value() != "hush" {
		t.Errorf("%q, %v", o.Server, err)
	}
}

func TestDescribe(t *testing.T) {
	vars := config.Describe(&spec{}, config.Defaults(map[string]string{"X_WINDOW": "1s", "X_LANGUAGE": "en"}))
	byName := map[string]config.Variable{}
	for _, v := range vars {
		byName[v.Name] = v
	}
	tests := []config.Variable{
		{Name: "X_WINDOW", Default: "1s"},
		{Name: "X_TOKEN", Alt: "X_BOT_TOKEN", Meaning: "token", Secret: true},
		{Name: "X_LANGUAGE", Default: "en"},
	}
	for _, want := range tests {
		if got := byName[want.Name]; got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if len(vars) != len(byName) {
		t.Errorf("a variable is there twice: %v", vars)
	}
	names := config.Names(&secretSpec{})
	if want := []string{"X_TOKEN", "X_TOKEN_FILE", "X_BOT_TOKEN", "X_BOT_TOKEN_FILE"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}

func TestUnknown(t *testing.T) {
	known := config.Known(config.List{"ventas", "cob-2"})
	tests := []struct{ entry, want string }{
		{"POLL_WINDOW=5m", ""},
		{"SLACK_BOT_TOKEN_FILE=/x", ""},
		{"WOLKVOX_VENTAS_TOKEN_FILE=/x", ""},
		{"WOLKVOX_COB_2_SERVER=0011", ""},
		{"PATH=/bin", ""},
		{"POLLUTION=x", ""},
		{"POLL_WINDOWS=", ""},
		{"POLL_WINDOWS=5m", "POLL_WINDOWS: is not known; did you mean POLL_WINDOW?"},
		{"SLACK_CHANEL=#noc", "SLACK_CHANEL: is not known; did you mean SLACK_CHANNEL?"},
		{"WOLKVOX_VENTA_TOKEN=hush", "WOLKVOX_VENTA_TOKEN: is not known; did you mean WOLKVOX_VENTAS_TOKEN?"},
		{"ALERT_SOMETHING_ELSE=x", "ALERT_SOMETHING_ELSE: is not known"},
	}
	for _, test := range tests {
		var got string
		for _, p := range config.Unknown([]string{test.entry}, known) {
			got += p.String()
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.entry, got, test.want)
		}
	}
}

func TestWarnings(t *testing.T) {
	t.Setenv("WOLKVOX_OPERATIONS", "ventas")
	t.Setenv("WOLKVOX_VENTAS_SERVER", "0011")
	t.Setenv("WOLKVOX_COB_SERVER", "0012")
	problems := config.Warnings()
	if !slices.ContainsFunc(problems, func(p config.Problem) bool { return p.Name == "WOLKVOX_COB_SERVER" }) {
		t.Errorf("the variable of no operation is not among %v", problems)
	}
	if slices.ContainsFunc(problems, func(p config.Problem) bool { return p.Name == "WOLKVOX_VENTAS_SERVER" }) {
		t.Errorf("the variable of an operation is among %v", problems)
	}
}
