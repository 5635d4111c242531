package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"unconnected/alerter"
	"unconnected/internal/config"
	"unconnected/internal/daemon"
	"unconnected/producer"
)

var update = flag.Bool("update", false, "write the tables of settings and metrics of the README")

const (
	readme        = "../../README.md"
	settingsBegin = "<!-- settings: written by go test ./cmd/unconnected -run Readme -update -->\n"
	settingsEnd   = "<!-- /settings -->"
)

// TestReadmeSettings holds the README's table of settings against the code.
func TestReadmeSettings(t *testing.T) {
	requireInReadme(t, settingsBegin, settingsEnd, settingsTable())
}

// requireInReadme wants exactly a text between two marks of the README, or puts it there with -update.
func requireInReadme(t *testing.T, begin, end, want string) {
	t.Helper()
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	written, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has nothing between %q and %q", readme, begin, end)
	}
	if *update {
		if err := os.WriteFile(readme, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if written != want {
		t.Errorf("the table is not what the code says; run: go test ./cmd/unconnected -run Readme -update\n%s", want)
	}
}

// settingsTable is a row per variable: which programs read it, its default, what it means.
func settingsTable() string {
	of := make(map[string][]string)
	var order []config.Variable
	add := func(program string, specs ...any) {
		for _, spec := range specs {
			for _, v := range config.Describe(spec) {
				if len(of[v.Name]) == 0 {
					order = append(order, v)
				}
				of[v.Name] = append(of[v.Name], program)
			}
		}
	}
	add("producer", &daemon.Settings{}, &producer.Config{})
	add("alerter", &daemon.Settings{}, &alerter.Config{})
	var b bytes.Buffer
	b.WriteString("\n| variable | default | of | meaning |\n| --- | --- | --- | --- |\n")
	for _, v := range order {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", variableNames(v), variableDefault(v), programs(of[v.Name]), escapeCell(v.Meaning))
	}
	b.WriteString("\n")
	return b.String()
}

func variableNames(v config.Variable) string {
	name := "`" + v.Name + "`"
	if v.Secret {
		name += ", `" + v.Name + "_FILE`"
	}
	if v.Alt != "" {
		name += ", `" + v.Alt + "`"
	}
	return name
}

func variableDefault(v config.Variable) string {
	switch {
	case v.Name == "HTTP_ADDR": // each program has its own
		return "producer `127.0.0.1:8081`, alerter `127.0.0.1:8082`"
	case v.Default != "":
		return "`" + v.Default + "`"
	}
	return v.Unset
}

func programs(names []string) string {
	if len(names) == 2 {
		return "both"
	}
	return names[0]
}

func escapeCell(s string) string { return strings.NewReplacer("|", `\|`, "<", `\<`).Replace(s) }
