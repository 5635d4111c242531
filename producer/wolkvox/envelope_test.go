package wolkvox

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		name               string
		status, code, want int
	}{
		{"agreed", 200, 200, 200},
		{"no code", 200, 0, 200},
		{"error in the code alone", 200, 403, 403},
		{"error in the status alone", 403, 200, 403},
		{"no records by status", 404, 200, 404},
		{"no records by code", 200, 404, 404},
		{"an error beats no records, in the code", 404, 403, 403},
		{"an error beats no records, in the status", 500, 404, 500},
		{"two errors", 503, 403, 503},
	} {
		if got := verdict(c.status, c.code); got != c.want {
			t.Errorf("%s: status %d with code %d is %d, want %d", c.name, c.status, c.code, got, c.want)
		}
	}
}

func TestCode(t *testing.T) {
	for raw, want := range map[string]int{
		`200`: 200, `"200"`: 200, `" 404 "`: 404, `null`: 0, `"null"`: 0, `""`: 0, ``: 0,
	} {
		if got, err := (envelope{Code: json.RawMessage(raw)}).code(); err != nil || got != want {
			t.Errorf("code %s: %d, %v; want %d", raw, got, err, want)
		}
	}
	for _, raw := range []string{`"OK"`, `200.5`, `true`, `[200]`} {
		if got, err := (envelope{Code: json.RawMessage(raw)}).code(); err == nil {
			t.Errorf("code %s is taken for %d", raw, got)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 15, 6, 30, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                                  0,
		"30":                                30 * time.Second,
		" 1 ":                               time.Second,
		"-5":                                0,
		"soon":                              0,
		"Sun, 22 Nov 2026 15:07:00 GMT":     30 * time.Second,
		"Sun, 22 Nov 2026 15:00:00 GMT":     0,
		"9999999999999":                     1 << 31 * time.Second,
		"999999999999999999999999999999999": 0,
	} {
		if got := retryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	for raw, want := range map[string]string{
		`"TOKEN\r\n LIMIT  EXCEEDED "`: "TOKEN LIMIT EXCEEDED",
		`"null"`:                       "",
		`null`:                         "",
		`["a"]`:                        "",
		`17`:                           "17",
	} {
		if got := words(json.RawMessage(raw)); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
	long := words(json.RawMessage(`"x` + strings.Repeat("ñ", 1000) + `"`))
	if len(long) > 310 || !utf8.ValidString(long) {
		t.Errorf("%d bytes, valid %v", len(long), utf8.ValidString(long))
	}
}

// TestKindNames pins the names down: they are metric labels.
func TestKindNames(t *testing.T) {
	const want = "retry maintenance token_busy quota refused garbage"
	var names []string
	for _, kind := range Kinds {
		names = append(names, kind.String())
	}
	if got := strings.Join(names, " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
