package layout

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// row is a line of the table in CONTRIBUTING.md.
type row struct {
	pkg  string   // a package or, ending in /*, everything below
	pure bool     // it decides, and does no I/O
	may  []string // patterns of our packages that it may import, nil for all
}

// everything in the last column lets a package import whatever there is.
const everything = "everything"

// rows reads the table.
func rows(t *testing.T) []row {
	t.Helper()
	content, err := os.ReadFile(root + "/CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	all := parseRows(string(content))
	if len(all) < 10 {
		t.Fatalf("CONTRIBUTING.md has a table of packages with %d rows only", len(all))
	}
	return all
}

var (
	tableRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (.*) \\| (.*) \\|$")
	quoted   = regexp.MustCompile("`([^`]+)`")
)

func parseRows(text string) []row {
	var all []row
	for _, match := range tableRow.FindAllStringSubmatch(text, -1) {
		r := row{pkg: match[1], pure: strings.HasPrefix(match[2], "pure")}
		if match[3] != everything {
			r.may = []string{}
		}
		for _, name := range quoted.FindAllStringSubmatch(match[3], -1) {
			r.may = append(r.may, name[1])
		}
		all = append(all, r)
	}
	return all
}

// matches reports whether a package is the one the pattern names, or below the one before its /*.
func matches(pattern, pkg string) bool {
	if parent, ok := strings.CutSuffix(pattern, "/*"); ok {
		return within(pkg, parent)
	}
	return pkg == pattern
}

// within reports whether a package is a directory or below it.
func within(pkg, dir string) bool {
	return pkg == dir || strings.HasPrefix(pkg, dir+"/")
}

// thirdPartyOfEvents is what the contract may cost those who import it.
var thirdPartyOfEvents = []string{
	"github.com/nats-io/nats.go", "golang.org/x", "github.com/go-json-experiment/json", "github.com/valyala/fastjson",
}

// violation says which rule an import in a production file breaks, empty if none.
func violation(table []row, pkg, imported string) string {
	ours, isOurs := strings.CutPrefix(imported, module+"/")
	standard := !isOurs && !strings.Contains(strings.SplitN(imported, "/", 2)[0], ".")
	for _, r := range table {
		switch {
		case !matches(r.pkg, pkg):
		case isOurs && r.may != nil && !slices.ContainsFunc(r.may, func(p string) bool { return matches(p, ours) }):
			return "the table in CONTRIBUTING.md does not allow it"
		case r.pure && (within(imported, "github.com/nats-io/nats.go") || within(imported, "github.com/slack-go/slack")):
			return "a pure package knows neither NATS nor Slack"
		}
	}
	switch {
	case within(pkg, "producer") && within(ours, "alerter"), within(pkg, "alerter") && within(ours, "producer"):
		return "producer and alerter do not know each other"
	case pkg == "events" && !isOurs && !standard && !slices.ContainsFunc(thirdPartyOfEvents, func(dir string) bool { return within(imported, dir) }):
		return "the contract costs its users as little as possible"
	case forTests(imported) && !forTests(pkg):
		return "production code does not import what is for tests"
	case within(ours, standIn) && !within(pkg, standIn) && !within(pkg, operatorsTool) && !forTests(pkg):
		return "only the operator's tool and tests run a stand-in for Slack"
	}
	return ""
}

// standIn is the Slack that tests talk to, and that the operator's tool shows where there is no Slack.
const (
	standIn       = "alerter/slack/fakeslack"
	operatorsTool = "cmd/unconnected"
)

// forTests reports whether a package is there for tests: testing, natstest.
func forTests(pkg string) bool {
	name := pkg[strings.LastIndex(pkg, "/")+1:]
	return within(pkg, "testing") || strings.HasSuffix(name, "test")
}
