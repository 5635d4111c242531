package producer_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"unconnected/internal/config"
	"unconnected/producer"
)

// environ sets the environment to the variables given and empties all others of ours.
func environ(t *testing.T, variables map[string]string) {
	t.Helper()
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		for _, prefix := range []string{"WOLKVOX_", "POLL_", "NATS_", "HISTORY_"} {
			if strings.HasPrefix(name, prefix) {
				t.Setenv(name, "")
			}
		}
	}
	for name, value := range variables {
		t.Setenv(name, value)
	}
}

// problems loads the configuration and returns what is wrong with it.
func problems(t *testing.T) config.Problems {
	t.Helper()
	var (
		c   producer.Config
		all config.Problems
	)
	if err := config.Load(&c); err != nil && !errors.As(err, &all) {
		t.Fatal(err)
	}
	return all
}

func names(all config.Problems) []string {
	var names []string
	for _, p := range all {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	return names
}

const secret = "swordfish-4711"

func TestEveryWrongVariableIsNamed(t *testing.T) {
	for name, values := range map[string][]string{
		"WOLKVOX_SERVER":     {"11", "00111", "abcd", "001１", "-001", "https://wv0011.wolkvox.com"},
		"WOLKVOX_OPERATION":  {"Ventas", "a b", "-a", "_a", "á", strings.Repeat("a", 64), "a.b", "a/b", ">"},
		"WOLKVOX_OPERATIONS": {"a,Ventas", "a,a", "a-b,a_b"},
		"WOLKVOX_TIMEZONE":   {"Bogota", "UTC-5", "America/Bogotá", "../../etc/passwd"},
		"WOLKVOX_BASE_URL":   {"wv0011.wolkvox.com", "ftp://wv0011.wolkvox.com", "http://", "http://a b", "/api/v2"},
		"WOLKVOX_TIMEOUT":    {"0", "999ms", "75", "-75s", "soon"},
		"WOLKVOX_TOKEN_FILE": {"/nowhere/token"},
		"POLL_WINDOW":        {"0", "500ms", "1500ms", "7m", "2h", "-5m", "5", "five"},
		"POLL_SETTLE":        {"-90s", "90", "x"},
		"POLL_START":         {"yesterday", "24h", "2026-13-01", "+1h", "2026-11-22 15:00"},
		"POLL_RECONCILE":     {"7m", "25h", "-1h", "x"},
		"POLL_GIVE_UP":       {"0", "-1h", "x"},
		"POLL_DAILY_BUDGET":  {"-1", "1.5", "many"},
	} {
		for _, value := range values {
			t.Run(name+"="+value, func(t *testing.T) {
				right := map[string]string{"WOLKVOX_SERVER": "0011", "WOLKVOX_TOKEN": secret, "WOLKVOX_A_TOKEN": "t", "WOLKVOX_A_B_TOKEN": "u"}
				switch name {
				case "WOLKVOX_TOKEN_FILE", "WOLKVOX_OPERATIONS":
					delete(right, "WOLKVOX_TOKEN")
				}
				right[name] = value
				environ(t, right)
				got := problems(t)
				if !slices.Contains(names(got), name) {
					t.Errorf("%s=%s: the problems %v do not name it", name, value, got)
				}
				if len(got) > 2 {
					t.Errorf("%s=%s: %d problems for one mistake: %v", name, value, len(got), got)
				}
			})
		}
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	environ(t, map[string]string{
		"WOLKVOX_SERVER": "x", "WOLKVOX_OPERATION": "X", "WOLKVOX_TIMEZONE": "x", "WOLKVOX_BASE_URL": "x", "WOLKVOX_TIMEOUT": "x",
		"POLL_WINDOW": "x", "POLL_SETTLE": "x", "POLL_START": "x", "POLL_RECONCILE": "7m", "POLL_GIVE_UP": "x", "POLL_DAILY_BUDGET": "x",
		"NATS_REPLICAS": "9", "NATS_URL": "http://127.0.0.1", "HISTORY_MAX_AGE": "x", "HISTORY_MAX_BYTES": "x",
	})
	want := []string{
		"HISTORY_MAX_AGE", "HISTORY_MAX_BYTES", "NATS_REPLICAS", "NATS_URL", "POLL_DAILY_BUDGET", "POLL_GIVE_UP", "POLL_RECONCILE",
		"POLL_SETTLE", "POLL_START", "POLL_WINDOW", "WOLKVOX_BASE_URL", "WOLKVOX_OPERATION", "WOLKVOX_SERVER", "WOLKVOX_TIMEOUT",
		"WOLKVOX_TIMEZONE", "WOLKVOX_TOKEN",
	}
	if got := names(problems(t)); !slices.Equal(got, want) {
		t.Errorf("problems with\n%q, want\n%q", got, want)
	}
}

func TestAllProblemsOfAllOperations(t *testing.T) {
	environ(t, map[string]string{
		"WOLKVOX_OPERATIONS": "a,b,c", "WOLKVOX_TOKEN": secret,
		"WOLKVOX_A_SERVER": "1", "WOLKVOX_A_TIMEZONE": "x", "WOLKVOX_A_BASE_URL": "x",
		"WOLKVOX_B_TOKEN": secret, "WOLKVOX_B_TOKEN_FILE": "/nowhere", "WOLKVOX_B_SERVER": "0011",
		"WOLKVOX_C_TOKEN_FILE": "/nowhere", "WOLKVOX_C_SERVER": "0011",
	})
	want := []string{
		"WOLKVOX_A_BASE_URL", "WOLKVOX_A_SERVER", "WOLKVOX_A_TIMEZONE", "WOLKVOX_A_TOKEN",
		"WOLKVOX_B_TOKEN", "WOLKVOX_C_TOKEN_FILE",
	}
	if got := names(problems(t)); !slices.Equal(got, want) {
		t.Errorf("problems with\n%q, want\n%q", got, want)
	}
}

func TestSecretsNeverShow(t *testing.T) {
	for name, variables := range map[string]map[string]string{
		"a token beside wrong settings": {"WOLKVOX_TOKEN": secret, "WOLKVOX_SERVER": "x", "POLL_WINDOW": "7m"},
		"a token given twice":           {"WOLKVOX_TOKEN": secret, "WOLKVOX_TOKEN_FILE": "/nowhere", "WOLKVOX_SERVER": "0011"},
		"a token with a line break":     {"WOLKVOX_TOKEN": secret + "\n" + secret, "WOLKVOX_SERVER": "0011"},
		"a token for all operations":    {"WOLKVOX_TOKEN": secret, "WOLKVOX_OPERATIONS": "a", "WOLKVOX_SERVER": "0011"},
		"a token of two operations":     {"WOLKVOX_OPERATIONS": "a,b", "WOLKVOX_SERVER": "0011", "WOLKVOX_A_TOKEN": secret, "WOLKVOX_B_TOKEN": secret},
		"a password in the address":     {"WOLKVOX_TOKEN": "t", "WOLKVOX_BASE_URL": "ftp://user:" + secret + "@example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			environ(t, variables)
			got := problems(t)
			if len(got) == 0 {
				t.Fatal("no problem")
			}
			if strings.Contains(got.Error(), secret) {
				t.Errorf("the secret shows: %v", got)
			}
		})
	}
}

func TestOperations(t *testing.T) {
	type want struct{ name, server, token, zone, baseURL, source string }
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		variables map[string]string
		want      []want
	}{
		"one, by its server": {
			map[string]string{"WOLKVOX_SERVER": "0011", "WOLKVOX_TOKEN": "t"},
			[]want{{"default", "0011", "t", "America/Bogota", "https://wv0011.wolkvox.com/api/v2", "//wv0011.wolkvox.com/cdr_6"}},
		},
		"one, by its address alone": {
			map[string]string{"WOLKVOX_BASE_URL": "http://127.0.0.1:8090/api/v2/", "WOLKVOX_TOKEN_FILE": file, "WOLKVOX_OPERATION": "ventas"},
			[]want{{"ventas", "", "from a file", "America/Bogota", "http://127.0.0.1:8090/api/v2", "//127.0.0.1:8090/cdr_6"}},
		},
		"one, by server and address": {
			map[string]string{"WOLKVOX_SERVER": "0011", "WOLKVOX_BASE_URL": "https://user:pass@proxy.example.com/{server}/v2", "WOLKVOX_TOKEN": "t"},
			[]want{{"default", "0011", "t", "America/Bogota", "https://user:pass@proxy.example.com/0011/v2", "//proxy.example.com/cdr_6"}},
		},
		"several, each with all of its own": {
			map[string]string{
				"WOLKVOX_OPERATIONS":       "ventas-co, cob",
				"WOLKVOX_VENTAS_CO_SERVER": "0011", "WOLKVOX_VENTAS_CO_TOKEN": "t", "WOLKVOX_VENTAS_CO_TIMEZONE": "America/Lima",
				"WOLKVOX_COB_BASE_URL": "http://127.0.0.1:1", "WOLKVOX_COB_TOKEN_FILE": file,
			},
			[]want{
				{"ventas-co", "0011", "t", "America/Lima", "https://wv0011.wolkvox.com/api/v2", "//wv0011.wolkvox.com/cdr_6"},
				{"cob", "", "from a file", "America/Bogota", "http://127.0.0.1:1", "//127.0.0.1:1/cdr_6"},
			},
		},
		"several: server, zone and address fall back": {
			map[string]string{
				"WOLKVOX_OPERATIONS": "a,b", "WOLKVOX_SERVER": "0011", "WOLKVOX_TIMEZONE": "America/Santiago", "WOLKVOX_BASE_URL": "http://127.0.0.1:1/api",
				"WOLKVOX_A_TOKEN": "t", "WOLKVOX_B_TOKEN": "u", "WOLKVOX_B_SERVER": "0022",
			},
			[]want{
				{"a", "0011", "t", "America/Santiago", "http://127.0.0.1:1/api", "//127.0.0.1:1/cdr_6"},
				{"b", "0022", "u", "America/Santiago", "http://127.0.0.1:1/api", "//127.0.0.1:1/cdr_6"},
			},
		},
		"one token on two servers": {
			map[string]string{
				"WOLKVOX_OPERATIONS": "a,b", "WOLKVOX_A_TOKEN": "t", "WOLKVOX_B_TOKEN": "t", "WOLKVOX_A_SERVER": "0011", "WOLKVOX_B_SERVER": "0022",
			},
			[]want{
				{"a", "0011", "t", "America/Bogota", "https://wv0011.wolkvox.com/api/v2", "//wv0011.wolkvox.com/cdr_6"},
				{"b", "0022", "t", "America/Bogota", "https://wv0022.wolkvox.com/api/v2", "//wv0022.wolkvox.com/cdr_6"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			environ(t, c.variables)
			var loaded producer.Config
			if err := config.Load(&loaded); err != nil {
				t.Fatal(err)
			}
			var got []want
			for _, o := range loaded.TheOperations() {
				got = append(got, want{o.Name, o.Server, o.Token.Value(), o.Zone.String(), o.BaseURL, o.Source()})
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("operations\n%+v, want\n%+v", got, c.want)
			}
		})
	}
}

func TestOperationsThatContradictEachOther(t *testing.T) {
	for name, c := range map[string]struct {
		variables  map[string]string
		want, says string
	}{
		"no token of its own": {
			map[string]string{"WOLKVOX_OPERATIONS": "a", "WOLKVOX_SERVER": "0011"}, "WOLKVOX_A_TOKEN", "required",
		},
		"the plain token is not for them": {
			map[string]string{"WOLKVOX_OPERATIONS": "a", "WOLKVOX_SERVER": "0011", "WOLKVOX_TOKEN": "u"}, "WOLKVOX_A_TOKEN", "is required",
		},
		"names that share variables": {
			map[string]string{"WOLKVOX_OPERATIONS": "a-b,a_b", "WOLKVOX_SERVER": "0011", "WOLKVOX_A_B_TOKEN": "t"}, "WOLKVOX_OPERATIONS", "WOLKVOX_A_B_",
		},
		"one token on one server": {
			map[string]string{"WOLKVOX_OPERATIONS": "a,b", "WOLKVOX_SERVER": "0011", "WOLKVOX_A_TOKEN": "t", "WOLKVOX_B_TOKEN": "t"}, "WOLKVOX_B_TOKEN", `"a"`,
		},
		"neither server nor address": {
			map[string]string{"WOLKVOX_OPERATIONS": "a", "WOLKVOX_A_TOKEN": "t"}, "WOLKVOX_A_SERVER", "required",
		},
		"an address that needs a server": {
			map[string]string{"WOLKVOX_BASE_URL": "https://proxy.example.com/{server}", "WOLKVOX_TOKEN": "t"}, "WOLKVOX_SERVER", "required",
		},
	} {
		t.Run(name, func(t *testing.T) {
			environ(t, c.variables)
			got := problems(t)
			if len(got) != 1 || got[0].Name != c.want || !strings.Contains(got[0].Text, c.says) {
				t.Errorf("problems %v, want one with %s that says %s", got, c.want, c.says)
			}
		})
	}
}
