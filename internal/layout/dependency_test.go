package layout

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDependencies: CONTRIBUTING.md says of every module that is required for its own sake what it is for, and of no other.
func TestDependencies(t *testing.T) {
	required, named := requiredModules(t), namedModules(t)
	if len(required) < 10 || len(named) < 10 {
		t.Fatalf("%d modules are required, %d are named", len(required), len(named))
	}
	for _, module := range required {
		if !slices.ContainsFunc(named, func(name string) bool { return isModule(name, module) }) {
			t.Errorf("go.mod requires %s, and the table of dependencies in CONTRIBUTING.md does not say why", module)
		}
	}
	for _, name := range named {
		if !slices.ContainsFunc(required, func(module string) bool { return isModule(name, module) }) {
			t.Errorf("the table of dependencies in CONTRIBUTING.md has %s, which go.mod does not require", name)
		}
	}
}

// isModule tells whether a name in the table is that of a module: its path or an end of it, without the major version.
func isModule(name, module string) bool {
	module = regexp.MustCompile(`/v\d+$`).ReplaceAllString(module, "")
	return module == name || strings.HasSuffix(module, "/"+name)
}

// requiredModules are those of go.mod that are not there only because others need them.
func requiredModules(t *testing.T) (modules []string) {
	t.Helper()
	content, err := os.ReadFile(root + "/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile(`(?m)^\t(\S+) v\S+$`).FindAllStringSubmatch(string(content), -1) {
		modules = append(modules, match[1])
	}
	return modules
}

// namedModules are those in the first column of the table.
func namedModules(t *testing.T) (modules []string) {
	t.Helper()
	content, err := os.ReadFile(root + "/CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(content), "| module | for |\n| --- | --- |\n")
	text, _, _ = strings.Cut(text, "\n\n")
	for line := range strings.Lines(text) {
		column := strings.TrimPrefix(strings.SplitN(line, " | ", 2)[0], "| ")
		for name := range strings.SplitSeq(strings.TrimPrefix(column, "tests only: "), ", ") {
			modules = append(modules, name)
		}
	}
	return modules
}
