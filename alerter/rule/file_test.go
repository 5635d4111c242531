package rule_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"unconnected/alerter/rule"
)

// complete is the contract's example, with every key.
const complete = `extend: builtin
holidays: [2026-12-08]
rules:
  - alert: CongestionSpike
    title: {en: "Congestion", es: "Congestión"}
    expr: share.congestion >= 0.20 && total >= 50
    clear: share.congestion < 0.10
    for: 2 of 3
    keep: 3
    severity: critical
    value: share.congestion
    threshold: 0.20
    operations: [ventas, "cob*"]
    channel: "#noc-ventas"
    mention: ["@here"]
    hours: "Mon-Sat 07:00-21:00"
    summary: "congestion is {{percent .Value}} of unconnected calls"
    runbook: https://wiki.example.com/congestion
    labels: {team: noc}
`

func TestEveryKeyIsRead(t *testing.T) {
	set := parse(t, complete)
	r := set.Find("CongestionSpike")
	if len(set.Rules) != len(rule.Builtin().Rules) || r == nil {
		t.Fatalf("got %d rules", len(set.Rules))
	}
	for _, c := range []struct {
		key  string
		want bool
	}{
		{"title", r.Title("en") == "Congestion" && r.Title("es") == "Congestión"},
		{"for", r.For == rule.For{N: 2, M: 3}},
		{"keep", r.Keep == 3},
		{"severity", r.Severity == "critical"},
		{"threshold", r.Threshold != nil && *r.Threshold == 0.20},
		{"operations", r.AppliesTo("ventas") && r.AppliesTo("cobranza") && !r.AppliesTo("default")},
		{"channel", r.Channel == "#noc-ventas"},
		{"mention", slices.Equal(r.Mention, []string{"@here"})},
		{"hours", r.Hours == "Mon-Sat 07:00-21:00"},
		{"runbook", r.Runbook == "https://wiki.example.com/congestion"},
		{"labels", len(r.Labels) == 1 && r.Labels["team"] == "noc"},
		{"holidays", slices.Equal(set.Holidays, []string{"2026-12-08"})},
		{"line", r.File == "rules.yaml" && r.Line == 4},
	} {
		if !c.want {
			t.Errorf("%s is not what was written: %+v", c.key, r)
		}
	}
}

func TestDefaults(t *testing.T) {
	r := one(t, "expr: total > 5")
	switch {
	case r.Title("en") != "Test" || r.Title("es") != "Test":
		t.Error("the title is not the name")
	case r.For != rule.For{N: 1, M: 1} || r.Keep != 1:
		t.Error("for and keep are not 1")
	case r.Severity != "warning":
		t.Error("the severity is not warning")
	case r.Threshold != nil || r.Mention != nil || r.Labels == nil || r.HasHours():
		t.Errorf("got %+v", r)
	case !r.AppliesTo("anything"):
		t.Error("it does not apply to all operations")
	}
}

func TestFormsOfAValue(t *testing.T) {
	for _, c := range []struct {
		name, keys string
		right      func(*rule.Rule) bool
	}{
		{"for as a number", "for: 2", func(r *rule.Rule) bool { return r.For == rule.For{N: 2, M: 2} }},
		{"for in quotes", `for: "2 of 3"`, func(r *rule.Rule) bool { return r.For == rule.For{N: 2, M: 3} }},
		{"nobody is mentioned", "mention: []", func(r *rule.Rule) bool { return r.Mention != nil && len(r.Mention) == 0 }},
		{"one mention", `mention: "@here"`, func(r *rule.Rule) bool { return slices.Equal(r.Mention, []string{"@here"}) }},
		{"title in Spanish only", "title: {es: Hola}", func(r *rule.Rule) bool { return r.Title("en") == "Hola" }},
		{"anchors", "channel: &c noc\n    labels: {channel: *c}", func(r *rule.Rule) bool { return r.Labels["channel"] == "noc" }},
		{"a number as a label", "labels: {floor: 7}", func(r *rule.Rule) bool { return r.Labels["floor"] == "7" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			if r := one(t, "expr: total > 5", c.keys); !c.right(r) {
				t.Errorf("got %+v", r)
			}
		})
	}
}

func TestExtendingTheBuiltInPack(t *testing.T) {
	builtin := len(rule.Builtin().Rules)
	for _, c := range []struct {
		name, text string
		rules      int
		spike      func(*rule.Rule) bool
	}{
		{"alone", "extend: builtin", builtin, func(r *rule.Rule) bool { return r.Expr == rule.Builtin().Find("CongestionSpike").Expr }},
		{"a rule more", "extend: builtin\nrules: [{alert: Mine, expr: total > 5}]", builtin + 1, func(r *rule.Rule) bool { return r != nil }},
		{"the same name with expr replaces the whole rule", "extend: builtin\nrules: [{alert: CongestionSpike, expr: total > 5}]", builtin,
			func(r *rule.Rule) bool {
				return r.Expr == "total > 5" && r.Clear == "" && r.Keep == 1 && len(r.Constants) == 0
			}},
		{"the same name without expr adjusts it",
			"extend: builtin\nrules: [{alert: CongestionSpike, constants: {points: 0.15}, keep: 5, channel: noc}]", builtin,
			func(r *rule.Rule) bool {
				return r.Constants["points"] == 0.15 && r.Constants["times"] == 1.5 && r.Keep == 5 && r.Channel == "noc" &&
					r.For.N == 2 && r.Severity == "critical" && r.Title("es") == "Congestión"
			}},
		{"extend may come afterwards", "rules: [{alert: CongestionSpike, keep: 5}]\nextend: builtin", builtin,
			func(r *rule.Rule) bool { return r.Keep == 5 }},
		{"disabled drops it", "extend: builtin\nrules: [{alert: CongestionSpike, disabled: true}]", builtin - 1,
			func(r *rule.Rule) bool { return r == nil }},
		{"naming one that is off turns it on", "extend: builtin\nrules: [{alert: FewerUnconnectedCalls}]", builtin + 1,
			func(r *rule.Rule) bool { return r != nil }},
		{"without extend there is only what is written", "rules: [{alert: Mine, expr: total > 5}]", 1,
			func(r *rule.Rule) bool { return r == nil }},
		{"a disabled rule of one's own", "rules: [{alert: Mine, expr: total > 5, disabled: true}]", 0,
			func(r *rule.Rule) bool { return r == nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := parse(t, c.text)
			if len(set.Rules) != c.rules {
				t.Errorf("got %d rules, want %d", len(set.Rules), c.rules)
			}
			if r := set.Find("CongestionSpike"); !c.spike(r) {
				t.Errorf("CongestionSpike is %+v", r)
			}
		})
	}
	if rule.Builtin().Rules[0].HasHours() || rule.Builtin().Find("CongestionSpike").Keep != 3 {
		t.Error("the built-in pack has got what somebody made of it")
	}
}

func TestRefusedFiles(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string // beginnings of the lines of the error
	}{
		{"nothing in it", "# rules\n", []string{"rules.yaml: there are no rules"}},
		{"not YAML", "rules:\n  - a: [", []string{"rules.yaml:2:"}},
		{"not UTF-8", "rules:\n  - \xff", []string{"rules.yaml:2:1: the file is not valid UTF-8"}},
		{"lines that end as on other systems", "\ufeffholidays: []\r\nextend: builtin\r\nmore: 1\rmost: 2", []string{
			`rules.yaml:3:1: unknown key "more"`, `rules.yaml:4:1: unknown key "most"`}},
		{"not a mapping", "- alert: A", []string{"rules.yaml:1:1: a rules file must be a mapping"}},
		{"two documents", "rules: []\n---\nrules: []", []string{"rules.yaml:3:1: a file is one YAML document"}},
		{"a key twice", "rules: []\nrules: []", []string{"rules.yaml:2:1: not YAML: mapping key"}},
		{"unknown keys at both levels", "rule: []\nrules:\n  - {alert: A, expr: total > 5, sevrity: info}", []string{
			`rules.yaml:1:1: unknown key "rule"; did you mean rules?`,
			`rules.yaml:3:33: unknown key "sevrity"; did you mean severity?`,
		}},
		{"unknown extend", "extend: default", []string{"rules.yaml:1:9: extend can only be builtin"}},
		{"a date that does not exist", "holidays: [2026-02-30, 8.12.2026]\nextend: builtin", []string{
			`rules.yaml:1:12: "2026-02-30" is no date`, `rules.yaml:1:24: "8.12.2026" is no date`}},
		{"no name", "rules: [{expr: total > 5}]", []string{"rules.yaml:1:9: the rule has no name"}},
		{"a wrong name", "rules: [{alert: 1st, expr: total > 5}]", []string{`rules.yaml:1:17: "1st" cannot name a rule`}},
		{"no expr", "rules:\n  - alert: A\n    keep: 3", []string{"rules.yaml:2:5: rule A has no expr"}},
		{"a name twice", "rules:\n  - {alert: A, expr: total > 5}\n  - {alert: A, expr: total > 5}",
			[]string{"rules.yaml:3:13: rule A exists already: rules.yaml:2"}},
		{"several problems of one rule", oneText("expr: totl > 5", "for: 3 of 2", "keep: 0", "severity: high", "threshold: much"),
			[]string{
				"rules.yaml:3:11: expr: unknown name totl", "rules.yaml:4:10: for cannot be 3 of 2",
				"rules.yaml:5:11: keep is a number", `rules.yaml:6:15: severity "high" is none of`,
				"rules.yaml:7:16: threshold: unknown name much",
			}},
		{"for of no window", oneText("expr: total > 5", "for: 0"), []string{"rules.yaml:4:10: for must be at least 1"}},
		{"for of too many", oneText("expr: total > 5", "for: 2000"), []string{"rules.yaml:4:10: for looks at 1000"}},
		{"for in words", oneText("expr: total > 5", "for: two"), []string{"rules.yaml:4:10: for is a number of windows"}},
		{"a constant that the built-in rule does not have", "extend: builtin\nrules:\n  - {alert: CongestionSpike, constants: {pionts: 1}}",
			[]string{"rules.yaml:3:41: rule CongestionSpike has no constant pionts; did you mean points?"}},
		{"a constant that takes the bound away", "extend: builtin\nrules:\n  - {alert: CongestionSpike, constants: {calls: 0}}",
			[]string{"rules.yaml:3:5: a rule on a share must bound", "rules.yaml:3:5: a rule on a share must bound"}},
		{"a constant with a name of the language", oneText("expr: total > 5", "constants: {total: 5}"),
			[]string{`rules.yaml:4:17: "total" cannot name a constant`}},
		{"a constant that is none", oneText("expr: total > 5", "constants: {calls: many}"),
			[]string{"rules.yaml:4:24: constant calls must be a number"}},
		{"missing for some windows", oneText("expr: missing", "keep: 3"), []string{"rules.yaml:2:5: a rule on missing or status fires"}},
		{"missing with a value", oneText("expr: missing", "value: total"), []string{"rules.yaml:2:5: a rule on missing or status has no"}},
		{"missing together with windows", oneText("expr: missing && total > 5"), []string{"rules.yaml:3:11: expr mixes missing"}},
		{"missing, cleared by windows", oneText("expr: missing", "clear: total > 5"), []string{"rules.yaml:4:12: clear and expr must both"}},
		{"at once without a bound", oneText("expr: total > 5", "at_once: share.busy > 0.5"),
			[]string{"rules.yaml:4:14: a rule on a share must bound"}},
		{"infinite threshold", oneText("expr: total > 5", "threshold: .inf"),
			[]string{"rules.yaml:4:16: threshold must be a"}},
		{"value is a condition", oneText("expr: total > 5", "value: total > 5"),
			[]string{"rules.yaml:4:18: value: this is a cond"}},
		{"no operation at all", oneText("expr: total > 5", "operations: []"), []string{"rules.yaml:4:17: operations is empty"}},
		{"an operation that cannot be", oneText("expr: total > 5", "operations: [Ventas]"),
			[]string{`rules.yaml:4:17: "Ventas" cannot match an operation`}},
		{"a channel that YAML takes for a comment", oneText("expr: total > 5", "channel: #noc"),
			[]string{"rules.yaml:4:14: channel is empty; a text with # or ! at its beginning needs quotes"}},
		{"a mention with markup", oneText("expr: total > 5", `mention: "<!here>"`),
			[]string{"rules.yaml:4:14: \"<!here>\" cannot be"}},
		{"hours", oneText("expr: total > 5", "hours: Mon-Sun"),
			[]string{`rules.yaml:4:12: hours: "Mon-Sun" is not a range`}},
		{"a runbook for another program", oneText("expr: total > 5", "runbook: ftp://x/y"),
			[]string{"rules.yaml:4:14: runbook must"}},
		{"a label's name", oneText("expr: total > 5", "labels: {a b: c}"),
			[]string{`rules.yaml:4:14: "a b" cannot name a label`}},
		{"a third language", oneText("expr: total > 5", "title: {en: a, fr: b}"),
			[]string{`rules.yaml:4:20: unknown language "fr"`}},
		{"a summary that is no template", oneText("expr: total > 5", `summary: "{{.Value"`), []string{"rules.yaml:4:14: summary: "}},
		{"a summary of an unknown field", oneText("expr: total > 5", `summary: "{{.Valeu}}"`),
			[]string{"rules.yaml:4:14: summary: "}},
		{"a summary of a value that the rule does not have", oneText("expr: total > 5", `summary: "{{percent .Value}}"`),
			[]string{"rules.yaml:4:14: summary: "}},
		{"merge keys", "rules:\n  - &a {alert: A, expr: total > 5}\n  - {<<: *a, alert: B}", []string{
			"rules.yaml:3:5: rule B has no expr", "rules.yaml:3:6: merging with <<"}},
		{"an expression that YAML takes for a tag", oneText("expr: !total", "keep: 3"),
			[]string{"rules.yaml:3:11: expr must be a text (an expr"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := refusal(t, c.text)
			same := slices.EqualFunc(got, c.want, strings.HasPrefix)
			if !same {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestProblemsInAnExpressionAreFoundInAllStylesOfYAML(t *testing.T) {
	for _, c := range []struct{ name, expr, place string }{
		{"plain", "expr: total > 5 && bad > 1", "3:24"},
		{"single quotes", "expr: 'total > 5 && bad > 1'", "3:25"},
		{"double quotes", `expr: "total > 5 && bad > 1"`, "3:25"},
		{"characters of several bytes before it", `expr: count["ñandú"] > 5 && bad > 1`, "3:33"},
		{"literal block", "expr: |\n      total > 5\n      && bad > 1", "5:10"},
		{"folded block", "expr: >-\n      total > 5\n        && bad > 1", "5:12"},
		{"plain over two lines", "expr: total > 5\n      && bad > 1", "4:10"},
		{"escape sequences are given up on", `expr: "total > 5 \x26& bad > 1"`, "3:11"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := refusal(t, oneText(c.expr))[0]
			if want := "rules.yaml:" + c.place + ": expr: unknown name bad"; !strings.HasPrefix(got, want) {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestLoadingADirectory(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := rule.Load(dir); err == nil || !strings.Contains(err.Error(), "no *.yaml") {
		t.Errorf("an empty directory gives %v", err)
	}
	write("b.yml", "holidays: [2026-12-08, 2026-12-25]\nrules: [{alert: B, expr: total > 5}]")
	write("a.yaml", "extend: builtin\nholidays: [2026-12-25, 2026-01-01]\nrules: [{alert: A, expr: total > 5}]")
	write("notes.txt", "not: rules")
	set, err := rule.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range set.Rules[len(rule.Builtin().Rules):] {
		names = append(names, r.Name)
	}
	if !slices.Equal(names, []string{"A", "B"}) {
		t.Errorf("the rules are %v", names)
	}
	if want := []string{"2026-01-01", "2026-12-08", "2026-12-25"}; !slices.Equal(set.Holidays, want) {
		t.Errorf("the holidays are %v", set.Holidays)
	}

	write("c.yaml", "rules: [{alert: A, expr: total > 5}]\nmore: 1")
	_, err = rule.Load(dir)
	want := filepath.Join(dir, "c.yaml") + ":1:17: rule A exists already: " + filepath.Join(dir, "a.yaml") + ":3"
	if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "c.yaml:2:1: unknown key") {
		t.Errorf("got %v\nwant %s, and the key", err, want)
	}
}

func TestLoadingWhatIsNotThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules.yaml")
	_, err := rule.Load(path)
	if want := path + ": no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestLoadingWhatIsTooLarge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules.yaml")
	for size, large := range map[int]bool{1 << 20: false, 1<<20 + 1: true} {
		if err := os.WriteFile(path, []byte("extend: builtin\n#"+strings.Repeat("x", size-len("extend: builtin\n#"))), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := rule.Load(path)
		if (err != nil) != large || large && err.Error() != path+": the file is larger than 1 MiB" {
			t.Errorf("of %d bytes: %v", size, err)
		}
	}
}

func TestHashIsOfTheMeaning(t *testing.T) {
	const a, b = "rules:\n  - {alert: A, expr: total > 5}\n  - {alert: B, expr: total > 6}", "rules:\n" +
		"  # another order and layout\n  - alert: B\n    expr: 'total > 6'\n    keep: 1\n  - alert: A\n    expr: total > 5\n"
	if parse(t, a).Hash() != parse(t, b).Hash() {
		t.Error("order, layout or a written default change the hash")
	}
	seen := map[string]string{}
	for _, text := range []string{
		a, "extend: builtin", "holidays: [2026-12-08]\n" + a, strings.Replace(a, "> 6", ">= 6", 1),
		strings.Replace(a, "> 6}", "> 6, keep: 2}", 1), strings.Replace(a, "> 6}", "> 6, mention: []}", 1),
		strings.Replace(a, "> 6}", "> 6, title: {es: x}}", 1),
	} {
		hash := parse(t, text).Hash()
		if seen[hash] != "" {
			t.Errorf("the same hash for\n%s\nand\n%s", seen[hash], text)
		}
		seen[hash] = text
	}
}
