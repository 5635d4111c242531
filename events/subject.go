package events

import (
	"slices"
	"strings"
)

// DefaultOperation is the operation whose log is the bare subject calls.unconnected.
const DefaultOperation = "default"

// Names of the streams.
const (
	StreamCalls  = "CALLS"
	StreamAlerts = "ALERTS"
)

const (
	subjectCalls   = "calls.unconnected"
	subjectAlerts  = "alerts.unconnected"
	subjectActions = "alerts.actions"
)

// Subject is where the log of an operation is stored: calls.unconnected for [DefaultOperation],
// calls.unconnected.<operation> for every other.
func Subject(operation string) string {
	if operation == DefaultOperation {
		return subjectCalls
	}
	return subjectCalls + "." + operation
}

// Subjects are the filters that select the logs of the named operations; with none named, of all. There are two filters
// then, because a wildcard does not match the bare subject.
func Subjects(operations ...string) []string {
	if len(operations) == 0 {
		return []string{subjectCalls, subjectCalls + ".*"}
	}
	subjects := make([]string, len(operations))
	for i, operation := range operations {
		subjects[i] = Subject(operation)
	}
	slices.Sort(subjects)
	return slices.Compact(subjects) // the server refuses filters that overlap
}

// OperationOf is the operation whose log a subject of CALLS is, or "" for any other subject.
func OperationOf(subject string) string {
	if subject == subjectCalls {
		return DefaultOperation
	}
	operation, ok := strings.CutPrefix(subject, subjectCalls+".")
	if !ok || operation == DefaultOperation || !ValidOperation(operation) {
		return ""
	}
	return operation
}

// AlertSubject is where the transitions of one rule on one operation are stored; its last message is the present state.
func AlertSubject(operation, rule string) string {
	return subjectAlerts + "." + operation + "." + rule
}

// AlertSubjects selects the transitions of all rules and operations, without what people do about them.
func AlertSubjects() []string { return []string{subjectAlerts + ".*.*"} }

// ActionSubject is where the acknowledgements and silences of an operation are stored, or those of [AllOperations].
func ActionSubject(operation string) string { return subjectActions + "." + operation }

// ActionSubjects selects what people do about the alerts of all operations.
func ActionSubjects() []string { return []string{subjectActions + ".*"} }
