package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/alerter/explain"
	"unconnected/alerter/rule"
	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/daemon"
)

// explainCommand says why an alert fired or was resolved.
type explainCommand struct {
	Operation string        `arg:"" help:"The operation."`
	Rule      string        `arg:"" help:"The rule."`
	At        config.Moment `placeholder:"TIME" help:"The last transition at or before this; default now."`
	Rules     string        `placeholder:"FILE" help:"The rules: a YAML file, a directory of them, or builtin; default ALERT_RULES, else builtin."`
	JSON      bool          `help:"Print one JSON document."`
}

// Validate refuses names that nothing can have.
func (c *explainCommand) Validate() error {
	switch {
	case c.Operation != "" && !events.ValidOperation(c.Operation):
		return fmt.Errorf("%q is not the name of an operation: [a-z0-9][a-z0-9_-]{0,62}", c.Operation)
	case c.Rule != "" && !events.ValidRule(c.Rule):
		return fmt.Errorf("%q is not the name of a rule", c.Rule)
	}
	return nil
}

// Run explains the last transition, or, where there is none, the newest window. It fails when history does not explain it.
func (c *explainCommand) Run(t *terminal) error {
	settings, err := alertSettings()
	if err != nil {
		return err
	}
	rules, _, err := alertRules("--rules", c.Rules, settings)
	if err != nil {
		return err
	}
	conn, err := t.connect()
	if err != nil {
		return err
	}
	defer conn.close()
	question := explain.Question{Operation: c.Operation, Rule: c.Rule, At: now()}
	if c.At.IsSet() {
		question.At = c.At.At(now())
	}
	if question.Transition, err = lastTransition(t, conn.js, &question); err != nil {
		return err
	}
	stream, err := conn.js.Stream(t.ctx, events.StreamCalls)
	if err != nil {
		return err
	}
	if question.Transition == nil {
		if err := c.checkNames(t, conn.js, stream, rules); err != nil {
			return err
		}
	}
	question.Created = stream.CachedInfo().Created
	options, _ := settings.Judging()
	history := counted(t, events.History(t.ctx, conn.js, events.Query{Operations: []string{c.Operation}}))
	x, err := explain.Explain(history, rules, question, options)
	if err != nil {
		return err
	}
	zone := options.Zone
	if zone == nil {
		zone = zoneOf(x.Timezone)
	}
	return c.tell(t, x, zone)
}

func (c *explainCommand) tell(t *terminal, x *explain.Explanation, zone *time.Location) error {
	var err error
	if c.JSON {
		encoder := json.NewEncoder(t.stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(x)
	} else {
		w := bufio.NewWriter(t.stdout)
		printExplanation(w, x, zone)
		err = w.Flush()
	}
	if err == nil && !x.Explained {
		err = errFound
	}
	return err
}

// checkNames refuses an operation that has no log, and a rule that there is none of.
func (c *explainCommand) checkNames(t *terminal, js jetstream.JetStream, stream jetstream.Stream, rules *rule.Set) error {
	strange, err := unlogged(t.ctx, js, stream, c.Operation)
	if err != nil {
		return err
	}
	if strange != nil {
		return daemon.Usage(strange)
	}
	if rules.Find(c.Rule) != nil {
		return nil
	}
	fired, err := firedRules(t, js, c.Operation)
	if err != nil {
		return err
	}
	return daemon.Usage(noRule(c.Rule, c.Operation, rules, fired))
}

// lastTransition is the last alert event at or before a time; nil when there is none.
func lastTransition(t *terminal, js jetstream.JetStream, q *explain.Question) (*events.Alert, error) {
	consumer, err := js.OrderedConsumer(t.ctx, events.StreamAlerts, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{events.AlertSubject(q.Operation, q.Rule)},
	})
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, nil // no alerter has run yet
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", events.StreamAlerts, err)
	}
	pending := consumer.CachedInfo().NumPending
	if pending == 0 {
		return nil, nil
	}
	messages, err := consumer.Messages()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", events.StreamAlerts, err)
	}
	defer messages.Stop()
	var last *events.Alert
	for pending > 0 {
		msg, err := messages.Next(jetstream.NextContext(t.ctx))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", events.StreamAlerts, err)
		}
		meta, err := msg.Metadata()
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", events.StreamAlerts, err)
		}
		pending = meta.NumPending
		alert, err := events.DecodeAlert(msg)
		if err != nil {
			t.log.Warn("left out", "reason", err)
			continue
		}
		if !alert.At().After(q.At) {
			last = &alert
		}
	}
	return last, nil
}

// zoneOf is the zone of a name, UTC when nobody knows it.
func zoneOf(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

func printExplanation(w io.Writer, x *explain.Explanation, zone *time.Location) {
	printTransition(w, x, zone)
	for _, doubt := range x.Doubts {
		fmt.Fprintf(w, "not explained: %s\n", doubt)
	}
	if x.Definition != nil {
		printDefinition(w, x.Definition)
	}
	if len(x.Steps) == 0 {
		return
	}
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "SEQUENCE\tWINDOW (%s)\tMESSAGE\tCALLS\tVALUE\tTHRESHOLD\tEXPR\tCLEAR\tHELD\tQUIET\tAFTER IT\n", zone)
	for i := range x.Steps {
		printStep(table, x, &x.Steps[i], zone)
	}
	_ = table.Flush() // into a buffer
	fmt.Fprintln(w)
	for i := range x.Steps {
		printParts(w, &x.Steps[i], zone)
	}
}

func printTransition(w io.Writer, x *explain.Explanation, zone *time.Location) {
	t := x.Transition
	if t == nil {
		fmt.Fprintf(w, "%s on %s: no transition is stored up to then", x.Rule, x.Operation)
		if len(x.Steps) > 0 {
			fmt.Fprint(w, "; the newest windows are these")
		}
		fmt.Fprintln(w)
		return
	}
	what := t.Status
	if t.Reason != "" {
		what += " (" + strings.ReplaceAll(t.Reason, "_", " ") + ")"
	}
	fmt.Fprintf(w, "%s on %s: %s at %s, caused by %s of CALLS, stored as %d of ALERTS\n", x.Rule, x.Operation, what,
		t.At().In(zone).Format(time.DateTime), t.Cause, t.Sequence)
	fmt.Fprintf(w, "  %s\n", t.Summary)
	fmt.Fprintf(w, "  began %s", t.StartsAt.In(zone).Format(time.DateTime))
	if t.EndsAt != nil {
		fmt.Fprintf(w, ", ended %s", t.EndsAt.In(zone).Format(time.DateTime))
	}
	fmt.Fprintf(w, "; incident %s\n", t.Incident)
}

func printDefinition(w io.Writer, r *rule.Rule) {
	clear := r.Clear
	if clear == "" {
		clear = "the expression no longer holds"
	}
	fmt.Fprintf(w, "  expr   %s\n", r.Expr)
	if r.AtOnce != "" {
		fmt.Fprintf(w, "  at once  %s\n", r.AtOnce)
	}
	fmt.Fprintf(w, "  clear  %s\n  for    %d of %d windows; keep %d", clear, r.For.N, r.For.M, r.Keep)
	if r.Threshold != nil {
		fmt.Fprintf(w, "; threshold %s", value(r, r.Threshold))
	}
	if r.Limit != "" {
		fmt.Fprintf(w, "; threshold %s", r.Limit)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Constants)) {
		fmt.Fprintf(w, "; %s %g", name, r.Constants[name])
	}
	if r.Hours != "" {
		fmt.Fprintf(w, "; hours %s", r.Hours)
	}
	fmt.Fprintln(w)
}

func printStep(w io.Writer, x *explain.Explanation, s *explain.Step, zone *time.Location) {
	sequence, calls, held, quiet, after := "–", "–", "", "", ""
	if s.Sequence > 0 {
		sequence = fmt.Sprint(s.Sequence)
	}
	if s.Total != nil {
		calls = fmt.Sprint(*s.Total)
	}
	if c := s.Count; c != nil {
		held = fmt.Sprintf("%d of %d", c.Held, x.Definition.For.M)
		quiet = fmt.Sprintf("%d of %d", min(c.Quiet, x.Definition.Keep), x.Definition.Keep)
		after = stateAfter(c)
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", sequence, localSpan(s.Window, zone), s.Kind, calls,
		value(x.Definition, s.Value), value(x.Definition, s.Threshold), s.Expr, s.Clear, held, quiet, after)
}

func stateAfter(c *explain.Count) string {
	var words []string
	if c.Firing {
		words = append(words, "firing")
	}
	if !c.InHours {
		words = append(words, "out of hours")
	}
	if c.Idle {
		words = append(words, "no traffic for an hour")
	}
	return strings.Join(words, ", ")
}

// localSpan is a window on local clocks.
func localSpan(w events.Window, zone *time.Location) string {
	layout := "15:04"
	if w.Length()%time.Minute != 0 {
		layout = time.TimeOnly
	}
	return w.Start.In(zone).Format("2006-01-02 "+layout) + "–" + w.End.In(zone).Format(layout)
}

// printParts takes the conditions of one window apart: what is joined by && at the top, a line each, with its numbers.
func printParts(w io.Writer, s *explain.Step, zone *time.Location) {
	head := localSpan(s.Window, zone)
	for _, condition := range []struct {
		name, truth string
		parts       []explain.Part
	}{{"expr", s.Expr, s.Parts}, {"at once", s.AtOnce, s.AtOnceParts}, {"clear", s.Clear, s.ClearParts}} {
		if len(condition.parts) > 0 {
			fmt.Fprintf(w, "%s  %s %s\n", head, condition.name, condition.truth)
			printLines(w, condition.parts, strings.Repeat(" ", len([]rune(head))+4))
			head = strings.Repeat(" ", len([]rune(head)))
		}
	}
}

// printLines is "share.congestion >= 0.2 true (share.congestion = 0.44)" and "total >= 50 true (total = 100)".
func printLines(w io.Writer, parts []explain.Part, indent string) {
	for i := 0; i < len(parts); {
		whole := parts[i]
		var inner []string
		for i++; i < len(parts) && parts[i].Depth > 0; i++ {
			if !isJoined(parts[i]) { // what it joins is told, each by itself
				inner = append(inner, partText(parts[i]))
			}
		}
		fmt.Fprint(w, indent, partText(whole))
		if len(inner) > 0 {
			fmt.Fprintf(w, " (%s)", strings.Join(inner, ", "))
		}
		fmt.Fprintln(w)
	}
}

// isJoined tells whether a part is several conditions in one.
func isJoined(p explain.Part) bool {
	return p.Truth != "" && (strings.Contains(p.Text, " && ") || strings.Contains(p.Text, " || ") || strings.Contains(p.Text, " ? "))
}

func partText(p explain.Part) string {
	switch {
	case p.Truth != "":
		return p.Text + " " + p.Truth
	case p.Value == nil:
		return p.Text + " unknown"
	}
	return fmt.Sprintf("%s = %.4g", p.Text, *p.Value)
}
