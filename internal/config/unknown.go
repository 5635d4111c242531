package config

import (
	"maps"
	"os"
	"slices"
	"strings"

	"unconnected/internal/spelling"
)

// prefixes are those of variables that are ours alone, so that one which nobody reads must be a mistake.
var prefixes = []string{"WOLKVOX_", "POLL_", "ALERT_", "SLACK_"}

// shared lists the variables with these prefixes that some program reads, but for the _FILE names of secrets. The
// daemons read the same .env file, so each must know what the other reads, and neither is to link the other in. A test
// in internal/layout holds it against the specifications.
var shared = []Variable{
	{Name: "WOLKVOX_SERVER"}, {Name: "WOLKVOX_TOKEN", Secret: true},
	{Name: "WOLKVOX_OPERATION"}, {Name: "WOLKVOX_OPERATIONS"},
	{Name: "WOLKVOX_TIMEZONE"}, {Name: "WOLKVOX_BASE_URL"}, {Name: "WOLKVOX_TIMEOUT"},
	{Name: "POLL_WINDOW"}, {Name: "POLL_SETTLE"}, {Name: "POLL_START"}, {Name: "POLL_RECONCILE"},
	{Name: "POLL_GIVE_UP"}, {Name: "POLL_DAILY_BUDGET"},
	{Name: "ALERT_RULES"}, {Name: "ALERT_LANGUAGE"}, {Name: "ALERT_TIMEZONE"}, {Name: "ALERT_OPERATION_NAMES"},
	{Name: "ALERT_REMIND"}, {Name: "ALERT_MAX_AGE"}, {Name: "ALERT_DIGEST"}, {Name: "ALERT_HEARTBEAT_URL", Secret: true},
	{Name: "SLACK_TOKEN", Alt: "SLACK_BOT_TOKEN", Secret: true}, {Name: "SLACK_CHANNEL"},
	{Name: "SLACK_APP_TOKEN", Secret: true}, {Name: "SLACK_WEBHOOK_URL", Secret: true},
	{Name: "SLACK_MENTION_CRITICAL"}, {Name: "SLACK_OPERATORS"}, {Name: "SLACK_API_URL"},
}

// perOperation are the variables of one operation behind its [OperationPrefix].
var perOperation = []Variable{
	{Name: "SERVER"}, {Name: "TOKEN", Secret: true}, {Name: "TIMEZONE"}, {Name: "BASE_URL"},
}

// OperationPrefix begins the names of the variables of one operation among WOLKVOX_OPERATIONS: that of ventas-co is
// WOLKVOX_VENTAS_CO_.
func OperationPrefix(operation string) string {
	return "WOLKVOX_" + strings.ToUpper(strings.ReplaceAll(operation, "-", "_")) + "_"
}

// Known lists the variables with our prefixes that some program reads, those of the operations included.
func Known(operations List) []string {
	var names []string
	for _, v := range shared {
		names = append(names, v.Names()...)
	}
	for _, operation := range operations {
		for _, v := range perOperation {
			v.Name = OperationPrefix(operation) + v.Name
			names = append(names, v.Names()...)
		}
	}
	return names
}

// Warnings checks the environment of the process for variables that no program reads.
func Warnings() []Problem {
	var operations List
	_ = operations.Set(os.Getenv("WOLKVOX_OPERATIONS")) // a List takes any text
	return Unknown(os.Environ(), Known(operations))
}

// mostEdits is by how many letters a variable may be misspelt: they all begin alike, so that few differ by more.
const mostEdits = 3

// Unknown lists the variables in environ (NAME=value) that begin like ours but are not known, in the order of their
// names, each with the known name it is nearest to, if one is near. Empty ones are left out: they are unset.
func Unknown(environ, known []string) []Problem {
	unknown := map[string]bool{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if strings.TrimSpace(value) != "" && ours(name) && !slices.Contains(known, name) {
			unknown[name] = true
		}
	}
	var problems []Problem
	for _, name := range slices.Sorted(maps.Keys(unknown)) {
		hint := spelling.Hint(spelling.Nearest(name, known, mostEdits))
		problems = append(problems, Problem{Name: name, Text: "is not known" + hint})
	}
	return problems
}

func ours(name string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}
