package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"

	"unconnected/internal/config"
)

type secretSpec struct {
	Token config.Secret `envconfig:"X_TOKEN" alt:"X_BOT_TOKEN"`
}

func TestSecretSources(t *testing.T) {
	var (
		good  = write(t, "hush\r\n")
		empty = write(t, "\n")
		lines = write(t, "hush\nhush")
		large = write(t, strings.Repeat("hush", 20000))
	)
	tests := []struct {
		name    string
		env     map[string]string
		want    string
		problem string
	}{
		{name: "unset"},
		{name: "a value", env: map[string]string{"X_TOKEN": "hush"}, want: "hush"},
		{name: "a file", env: map[string]string{"X_TOKEN_FILE": good}, want: "hush"},
		{name: "another name", env: map[string]string{"X_BOT_TOKEN": "hush"}, want: "hush"},
		{name: "another name's file", env: map[string]string{"X_BOT_TOKEN_FILE": good}, want: "hush"},
		{
			name: "value and file", env: map[string]string{"X_TOKEN": "hush", "X_TOKEN_FILE": good},
			problem: "X_TOKEN: is set as well as X_TOKEN_FILE: give one of them",
		},
		{
			name: "both names", env: map[string]string{"X_TOKEN": "hush", "X_BOT_TOKEN": "hush"},
			problem: "X_TOKEN: is set as well as X_BOT_TOKEN: give one of them",
		},
		{
			name: "no such file", env: map[string]string{"X_TOKEN_FILE": "/nowhere/token"},
			problem: `X_TOKEN_FILE: "/nowhere/token" cannot be read: no such file or directory`,
		},
		{
			name: "a directory", env: map[string]string{"X_TOKEN_FILE": os.TempDir()},
			problem: fmt.Sprintf("X_TOKEN_FILE: %q cannot be read: is a directory", os.TempDir()),
		},
		{name: "an empty file", env: map[string]string{"X_TOKEN_FILE": empty}, problem: fmt.Sprintf("X_TOKEN_FILE: %q is empty", empty)},
		{name: "a large file", env: map[string]string{"X_TOKEN_FILE": large}, problem: fmt.Sprintf("X_TOKEN_FILE: %q is too large for a secret", large)},
		{
			name: "lines in a file", env: map[string]string{"X_TOKEN_FILE": lines},
			problem: fmt.Sprintf("X_TOKEN_FILE: %q contains a line break or another control character", lines),
		},
		{
			name: "lines", env: map[string]string{"X_TOKEN": "hush\nhush"},
			problem: "X_TOKEN: contains a line break or another control character",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			clean(t, &secretSpec{})
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			var s secretSpec
			err := config.Load(&s)
			if got := fmt.Sprint(err); err != nil && got != test.problem || err == nil && test.problem != "" {
				t.Errorf("got %s, want %s", got, test.problem)
			}
			if got := s.Token.Value(); got != test.want || s.Token.IsSet() != (test.want != "") {
				t.Errorf("value %q, want %q", got, test.want)
			}
		})
	}
}

func TestSecretIsNeverShown(t *testing.T) {
	s := struct {
		Secret  config.Secret
		Pointer *config.Secret
		private config.Secret
	}{Secret: config.NewSecret("hush"), private: config.NewSecret("hush")}
	s.Pointer = &s.Secret

	var shown strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
		fmt.Fprintf(&shown, verb+" "+verb+" "+verb+"\n", s, s.Secret, s.Pointer)
	}
	var logged bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&logged, nil), slog.NewJSONHandler(&logged, nil)} {
		slog.New(handler).Info("x", "struct", s, "secret", s.Secret, "pointer", s.Pointer)
	}
	marshalled, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	all := shown.String() + logged.String() + string(marshalled) + s.Secret.String() + s.Secret.GoString()
	for _, form := range []string{"hush", fmt.Sprintf("%x", "hush"), fmt.Sprintf("%v", []byte("hush"))} {
		if strings.Contains(all, form) {
			t.Errorf("%s shows in\n%s", form, all)
		}
	}
	if want := `{"Secret":"[redacted]","Pointer":"[redacted]"}`; string(marshalled) != want {
		t.Errorf("got %s, want %s", marshalled, want)
	}
	if got := s.Secret.Redact("GET https://x/hush: EOF"); got != "GET https://x/[redacted]: EOF" {
		t.Error(got)
	}
	if got := fmt.Sprint(config.Secret{}); got != "" {
		t.Errorf("unset: %s", got)
	}
}

func TestSecretReload(t *testing.T) {
	clean(t, &secretSpec{})
	path := write(t, "old\n")
	t.Setenv("X_TOKEN_FILE", path)
	var s secretSpec
	if err := config.Load(&s); err != nil {
		t.Fatal(err)
	}
	copied := s.Token
	reload := func(content string, changed, ok bool, want string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := s.Token.Reload()
		if got != changed || (err == nil) != ok || copied.Value() != want {
			t.Errorf("%q: changed %t, %v, value %q, want %t, %q", content, got, err, copied.Value(), changed, want)
		}
	}
	reload("old", false, true, "old")
	reload("new\n", true, true, "new")
	reload("", false, false, "new")

	for _, fixed := range []config.Secret{{}, config.NewSecret("x")} {
		if changed, err := fixed.Reload(); changed || err != nil {
			t.Errorf("%q: %t, %v", fixed.Value(), changed, err)
		}
	}
}

func TestSecretConcurrently(t *testing.T) {
	clean(t, &secretSpec{})
	t.Setenv("X_TOKEN_FILE", write(t, "hush"))
	var s secretSpec
	if err := config.Load(&s); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := s.Token.Reload(); err != nil || s.Token.Value() != "hush" {
				t.Errorf("%q, %v", s.Token.Value(), err)
			}
		})
	}
	wg.Wait()
}
