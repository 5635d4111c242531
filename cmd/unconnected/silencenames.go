package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/alerter"
	"unconnected/alerter/rule"
	"unconnected/events"
	"unconnected/internal/daemon"
	"unconnected/internal/spelling"
)

// A silence of a name that nothing has keeps nobody from being called, and whoever made it believes that it does; an operation
// that nobody polls looks like a quiet one. So names are held against what there is.

// noOperation says that there is no operation of a name, and which there are.
func noOperation(name string, known []string) error {
	hint := spelling.DidYouMean(name, known)
	if hint == "" && len(known) > 0 {
		hint = "; it has " + someOf(known)
	}
	return fmt.Errorf("there is no operation %s in the history%s", name, hint)
}

// unlogged says why an operation has no log: that nothing is stored of that name, and which is near; nil when it has one. The
// second error is of the looking.
func unlogged(ctx context.Context, js jetstream.JetStream, stream jetstream.Stream, operation string) (strange, err error) {
	last, err := events.Last(ctx, stream, operation)
	var invalid *events.InvalidError
	switch {
	case errors.As(err, &invalid) || err == nil && last != nil:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return noOperation(operation, loggedOperations(ctx, js)), nil
}

// warnUnlogged says of which of the operations nothing is stored, so that a mistyped name is not taken for a quiet operation. It
// is no error: what is not there yet may come.
func warnUnlogged(t *terminal, js jetstream.JetStream, operations []string) error {
	if len(operations) == 0 {
		return nil
	}
	stream, err := js.Stream(t.ctx, events.StreamCalls)
	if err != nil {
		return fmt.Errorf("read %s: %w", events.StreamCalls, err)
	}
	for _, operation := range operations {
		strange, err := unlogged(t.ctx, js, stream, operation)
		if err != nil {
			return err
		}
		if strange != nil {
			t.log.Warn(strange.Error())
		}
	}
	return nil
}

// checkRules refuses what is neither a rule for the operation nor fired on it at any time. Where the rules can't be read, which
// need not be on the machine of the alerter, that is only said.
func (c *silenceAdd) checkRules(t *terminal, js jetstream.JetStream, settings *alerter.Alerts) error {
	if len(c.Rule) == 0 {
		return nil
	}
	rules, _, unread := alertRules("", "", settings)
	strange := strangers(c.Rule, c.Operation, rules)
	if len(strange) == 0 {
		return nil
	}
	fired, err := firedRules(t, js, c.Operation)
	if err != nil {
		return err
	}
	for _, name := range strange {
		switch {
		case slices.Contains(fired, name) || !events.ValidRule(name): // what is no name at all is refused with the silence
		case unread != nil:
			t.log.Warn("whether there is a rule "+name+" is not known, because ALERT_RULES can't be read here", "error", unread)
		default:
			return daemon.Usage(noRule(name, c.Operation, rules, fired))
		}
	}
	return nil
}

// strangers are those of the names that are no rule for an operation, or for any when operation is "". Without rules, all are.
func strangers(names []string, operation string, rules *rule.Set) (strange []string) {
	for _, name := range names {
		if rules == nil {
			strange = append(strange, name)
			continue
		}
		if r := rules.Find(name); r == nil || operation != "" && !r.AppliesTo(operation) {
			strange = append(strange, name)
		}
	}
	return strange
}

// firedRules are the rules that ever fired on an operation, or on any when operation is "".
func firedRules(t *terminal, js jetstream.JetStream, operation string) (fired []string, err error) {
	stream, err := js.Stream(t.ctx, events.StreamAlerts)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, nil // no alerter has run yet
	}
	filter := events.AlertSubjects()[0]
	if operation != "" {
		filter = events.AlertSubject(operation, "*")
	}
	var info *jetstream.StreamInfo
	if err == nil {
		info, err = stream.Info(t.ctx, jetstream.WithSubjectFilter(filter))
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", events.StreamAlerts, err)
	}
	for subject := range info.State.Subjects {
		fired = append(fired, subject[strings.LastIndexByte(subject, '.')+1:])
	}
	slices.Sort(fired)
	return slices.Compact(fired), nil
}

// noRule says why nothing of a name can be silenced, and what can.
func noRule(name, operation string, rules *rule.Set, fired []string) error {
	if r := rules.Find(name); r != nil {
		return fmt.Errorf("the rule %s is not for %s but for %s", name, operation, strings.Join(r.Operations, ", "))
	}
	known := fired
	for _, r := range rules.Rules {
		if operation == "" || r.AppliesTo(operation) {
			known = append(known, r.Name)
		}
	}
	hint := spelling.DidYouMean(name, known)
	if hint == "" {
		hint = "; the rules are " + someOf(slices.Compact(slices.Sorted(slices.Values(known))))
	}
	where := ""
	if operation != "" {
		where = " on " + operation
	}
	return fmt.Errorf("there is no rule %s, and none of that name ever fired%s%s (if the alerter has other rules, set ALERT_RULES as it does)", name, where, hint)
}

// mostNames is how many names an error lists.
const mostNames = 15

// someOf are the names, or the first of them.
func someOf(names []string) string {
	if len(names) <= mostNames {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:mostNames], ", "), len(names)-mostNames)
}
