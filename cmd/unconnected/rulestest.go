package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"unconnected/alerter/fixture"
	"unconnected/alerter/rule"
	"unconnected/internal/daemon"
)

// rulesTest runs tests of rules.
type rulesTest struct {
	Files []string `arg:"" name:"file" help:"YAML files of tests; each names the rules that it tests."`
	JUnit string   `name:"junit" placeholder:"FILE" help:"Write the results as JUnit XML, too."`
}

// Run runs the tests of all files, and fails when a test does.
func (c *rulesTest) Run(t *terminal) error {
	results, err := c.run()
	if err != nil {
		return err
	}
	failed := 0
	for _, r := range results {
		failed += printOutcomes(t, r)
	}
	if err := c.writeJUnit(results); err != nil {
		return err
	}
	if failed > 0 {
		return errFound
	}
	return nil
}

// run reads all files before it runs any.
func (c *rulesTest) run() ([]fixture.Result, error) {
	var results []fixture.Result
	var wrong rule.Problems
	for _, file := range c.Files {
		suite, err := fixture.Load(file)
		var problems rule.Problems
		switch {
		case errors.As(err, &problems):
			wrong = append(wrong, problems...)
		case err != nil:
			return nil, err
		default:
			results = append(results, fixture.Result{Suite: suite, Outcomes: suite.Run()})
		}
	}
	if len(wrong) > 0 {
		return nil, daemon.Usage(fmt.Errorf("wrong files\n%w", wrong))
	}
	return results, nil
}

// printOutcomes tells how a file's tests ended, and returns how many failed.
func printOutcomes(t *terminal, r fixture.Result) (failed int) {
	for _, o := range r.Outcomes {
		if o.Passed() {
			fmt.Fprintf(t.stdout, "ok    %s\n", o.Test.Name)
			continue
		}
		failed++
		fmt.Fprintf(t.stdout, "FAIL  %s  (%s:%d)\n", o.Test.Name, r.Suite.File, o.Test.Line)
		for _, diff := range o.Diffs {
			fmt.Fprintln(t.stdout, "      "+diff)
		}
	}
	fmt.Fprintf(t.stdout, "%s: %d tests, %d failed\n", r.Suite.File, len(r.Outcomes), failed)
	if untested := r.Suite.Untested(); len(untested) > 0 {
		fmt.Fprintf(t.stdout, "rules without a test: %s\n", strings.Join(untested, ", "))
	}
	return failed
}

func (c *rulesTest) writeJUnit(results []fixture.Result) error {
	if c.JUnit == "" {
		return nil
	}
	file, err := os.Create(c.JUnit)
	if err != nil {
		return fmt.Errorf("--junit: %w", err)
	}
	return errors.Join(fixture.WriteJUnit(file, results), file.Close())
}
