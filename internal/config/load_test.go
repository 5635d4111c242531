package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"unconnected/internal/config"
)

// clean empties the variables that the test may find in its environment.
func clean(t *testing.T, spec any, opts ...config.Option) {
	t.Helper()
	for _, name := range config.Names(spec, opts...) {
		t.Setenv(name, "")
	}
}

// write makes a file with the content given and returns its path.
func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

type group struct {
	Low  int `envconfig:"X_LOW" default:"1"`
	High int `envconfig:"X_HIGH" default:"5"`
}

func (g *group) Validate() []config.Problem {
	if g.Low > g.High {
		return []config.Problem{config.Problemf("X_LOW", "%d is above X_HIGH, for example %d", g.Low, g.High)}
	}
	return nil
}

type spec struct {
	group
	Limits   group
	Window   config.Duration  `envconfig:"X_WINDOW" default:"5m"`
	From     config.Moment    `envconfig:"X_FROM"`
	Zone     config.Location  `envconfig:"X_ZONE" default:"America/Bogota"`
	Token    config.Secret    `envconfig:"X_TOKEN" alt:"X_BOT_TOKEN" desc:"token"`
	Language string           `envconfig:"X_LANGUAGE" oneof:"en,es" unset:"from LANG, else en"`
	Server   string           `envconfig:"X_SERVER" required:"true" example:"0011"`
	Names    config.Map       `envconfig:"X_NAMES"`
	Tags     config.List      `envconfig:"X_TAGS" default:"a, b"`
	Addr     config.HTTPAddr  `envconfig:"X_ADDR" default:"127.0.0.1:1"`
	Digest   config.TimeOfDay `envconfig:"X_DIGEST"`
	On       bool             `envconfig:"X_ON"`
	Computed string
}

func TestLoad(t *testing.T) {
	clean(t, &spec{})
	t.Setenv("X_SERVER", " 0011\r")
	t.Setenv("X_WINDOW", "1d12h")
	t.Setenv("X_FROM", "-2d")
	t.Setenv("X_LANGUAGE", "ES")
	t.Setenv("X_BOT_TOKEN", "xoxb-1")
	t.Setenv("X_NAMES", "default: Ventas Bogotá, cob:Cobranza")

	var s spec
	if err := config.Load(&s, config.Defaults(map[string]string{"X_ADDR": "off"})); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.FixedZone("", -5*3600))
	checks := []struct{ what, got, want string }{
		{"server, trimmed", s.Server, "0011"},
		{"window", s.Window.String(), "1d12h"},
		{"from", s.From.At(now).Format(time.RFC3339), "2026-11-20T15:00:00Z"},
		{"zone", s.Zone.String(), "America/Bogota"},
		{"language, as accepted", s.Language, "es"},
		{"token by its other name", s.Token.Value(), "xoxb-1"},
		{"name", s.Names["default"], "Ventas Bogotá"},
		{"tags", s.Tags.String(), "a,b"},
		{"address, default replaced", string(s.Addr), "off"},
		{"digest, unset", s.Digest.String(), ""},
	}
	for _, c := range checks {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.what, c.got, c.want)
		}
	}
}

func TestLoadReportsEveryProblem(t *testing.T) {
	clean(t, &spec{})
	missing := filepath.Join(t.TempDir(), "token")
	for name, value := range map[string]string{
		"X_LOW": "9", "X_HIGH": "many", "X_WINDOW": "5 minutes", "X_FROM": "yesterday", "X_ZONE": "GMT-5",
		"X_TOKEN_FILE": missing, "X_LANGUAGE": "fr", "X_NAMES": "Ventas", "X_ADDR": "8080", "X_DIGEST": "25:00",
		"X_ON": "perhaps",
	} {
		t.Setenv(name, value)
	}
	err := config.Load(&spec{})
	want := strings.Join([]string{
		`X_HIGH: "many" is not a whole number, for example 5`,
		`X_WINDOW: "5 minutes" is not a duration, for example 5m`,
		`X_FROM: "yesterday" is not a time (RFC 3339, a date, now, or how long ago, such as -24h), for example -24h or 2026-11-22T15:00:00Z`,
		`X_ZONE: "GMT-5" is not the name of a time zone, for example America/Bogota`,
		`X_TOKEN_FILE: "` + missing + `" cannot be read: no such file or directory`,
		`X_LANGUAGE: "fr" is not one of en, es`,
		`X_SERVER: is not set, for example 0011`,
		`X_NAMES: "Ventas" is not a name and a text with a colon between them`,
		`X_ADDR: "8080" is not an address (host:port, :port, or off), for example 127.0.0.1:1`,
		`X_DIGEST: "25:00" is not a time of day, for example 07:00`,
		`X_ON: "perhaps" is not true or false`,
		`X_LOW: 9 is above X_HIGH, for example 5`,
	}, "\n")
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if problems := (config.Problems)(nil); !errors.As(err, &problems) {
		t.Errorf("%T is not Problems", err)
	}
}

func TestJoin(t *testing.T) {
	a, b := config.Problemf("A", "a"), config.Problemf("B", "b")
	other := errors.New("other")
	err := config.Join(nil, config.Problems{a}, config.Problems{b, a})
	if got := err.(config.Problems); !slices.Equal(got, []config.Problem{a, b}) {
		t.Errorf("got %v", got)
	}
	if err := config.Join(nil, nil); err != nil {
		t.Errorf("got %v", err)
	}
	if err := config.Join(config.Problems{a}, other); !errors.Is(err, other) || !strings.Contains(err.Error(), "A: a") {
		t.Errorf("got %v", err)
	}
}
