package main

import (
	"errors"
	"fmt"

	"unconnected/alerter"
	"unconnected/alerter/rule"
	"unconnected/internal/config"
	"unconnected/internal/daemon"
)

// builtinRules is what a flag calls the built-in rules.
const builtinRules = "builtin"

// loadRules reads the rules that a flag names: a file, a directory, or builtin. The error is one of usage.
func loadRules(flag, path string) (*rule.Set, error) {
	if path == builtinRules {
		return rule.Builtin(), nil
	}
	set, err := rule.Load(path)
	var problems rule.Problems
	if errors.As(err, &problems) {
		return nil, daemon.Usage(fmt.Errorf("%s: wrong rules\n%w", flag, problems))
	}
	return set, err
}

// alertSettings are the alerter's settings for judging, from the environment.
func alertSettings() (*alerter.Alerts, error) {
	var settings alerter.Alerts
	if err := config.Load(&settings); err != nil {
		return nil, daemon.Usage(err)
	}
	return &settings, nil
}

// alertRules are the rules that a flag names, else those of the alerter's settings.
func alertRules(flag, path string, settings *alerter.Alerts) (*rule.Set, string, error) {
	if path == "" {
		flag, path = "ALERT_RULES", settings.RulesFile
	}
	if path == "" {
		return rule.Builtin(), builtinRules, nil
	}
	set, err := loadRules(flag, path)
	return set, path, err
}
