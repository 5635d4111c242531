package main

import (
	"errors"
	"fmt"
	"os"

	"unconnected/alerter"
	"unconnected/alerter/rule"
)

// rulesCommand looks at alerting rules.
type rulesCommand struct {
	Check rulesCheck `cmd:"" help:"Check a rules file, or a directory of them, and explain each rule in a sentence (ALERT_LANGUAGE)."`
	Test  rulesTest  `cmd:"" help:"Run tests of rules: windows in, alerts expected."`
	Print rulesPrint `cmd:"" help:"Print the built-in rules, to read or to start from."`
}

// rulesCheck checks.
type rulesCheck struct {
	File string `arg:"" help:"YAML file or directory."`
}

// Run lists every problem with its file and line, or the rules, each explained in a sentence.
func (c *rulesCheck) Run(t *terminal) error {
	set, err := rule.Load(c.File)
	var problems rule.Problems
	if errors.As(err, &problems) {
		fmt.Fprintln(t.stdout, problems)
		return errFound
	}
	if err != nil {
		return err
	}
	language := alerter.Language(os.Getenv("ALERT_LANGUAGE"))
	for _, r := range set.Rules {
		fmt.Fprintf(t.stdout, "%s\n    %s\n", r.Name, r.Sentence(language))
	}
	fmt.Fprintf(t.stdout, "%d rules, no problems\n", len(set.Rules))
	return nil
}

// rulesPrint prints.
type rulesPrint struct{}

// Run prints the built-in pack as it is written.
func (c *rulesPrint) Run(t *terminal) error {
	_, err := fmt.Fprint(t.stdout, rule.BuiltinYAML())
	return err
}
