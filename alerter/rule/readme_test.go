package rule_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"unconnected/alerter/rule"
)

var (
	yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")
	firstCell = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|")
)

// TestReadmeExamples compiles everything that the reference of the language shows.
func TestReadmeExamples(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	blocks := yamlBlock.FindAllStringSubmatch(text, -1)
	if len(blocks) < 2 {
		t.Fatalf("found %d files", len(blocks))
	}
	for _, block := range blocks {
		parse(t, block[1])
	}

	_, series, _ := strings.Cut(text, "\n## Series\n")
	series, functions, _ := strings.Cut(series, "\n## Functions\n")
	functions, _, _ = strings.Cut(functions, "\n## ")
	seen := ""
	for _, cell := range firstCell.FindAllStringSubmatch(series+functions, -1) {
		example := cell[1]
		seen += example + "\n"
		asNumber := "rules: [{alert: Test, expr: total > 5, value: " + quoted(example) + "}]"
		asCondition := "rules: [{alert: Test, expr: " + quoted(example) + "}]"
		_, err := rule.Parse("README.md", []byte(asNumber))
		if err != nil {
			_, err = rule.Parse("README.md", []byte(asCondition))
		}
		if err != nil {
			t.Errorf("%s: %v", example, err)
		}
	}
	for _, function := range []string{
		"mean", "median", "max", "sum", "same_time", "baseline", "lift", "ratio", "rarity", "raised", "learning",
		"expected_total", "age", "missing", "status",
	} {
		if !strings.Contains(seen, function) {
			t.Errorf("there is no example of %s", function)
		}
	}
}
