package slack

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"unconnected/alerter/incident"
)

func TestTerminal(t *testing.T) {
	m := compose(composer("en"), scenes[0].alerts, scenes[0].posted, false)
	var out strings.Builder
	if _, err := NewTerminal(&out, false).Post(t.Context(), Post{Message: m}); err != nil {
		t.Fatal(err)
	}
	if out.String() != m.Card(false) || strings.Contains(out.String(), "\x1b") {
		t.Errorf("the terminal shows %q", out.String())
	}
	out.Reset()
	if _, err := NewTerminal(&out, true).Post(t.Context(), Post{Message: m}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "\x1b[31m╭") {
		t.Errorf("in colour, a critical card begins with %q", out.String()[:20])
	}
	_, err := NewTerminal(broken{}, true).Post(t.Context(), Post{Message: m})
	if FailureOf(err).Class != incident.Undelivered {
		t.Errorf("a closed terminal: %v", err)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("closed") }

func TestWrap(t *testing.T) {
	cases := []struct {
		name, text string
		want       []string
	}{
		{"fits", "one two", []string{"one two"}},
		{"breaks at blanks", "one two three", []string{"one two", "three"}},
		{"breaks a long word", "a " + strings.Repeat("x", 18), []string{"a", "xxxxxxxx", "xxxxxxxx", "xx"}},
		{"counts characters, not bytes", "ñandúes éé", []string{"ñandúes", "éé"}},
		{"keeps a number and its unit together", "seven 44\u00a0%", []string{"seven", "44\u00a0%"}},
		{"nothing", "", nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := wrap(c.text, 8); !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
