package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"unconnected/alerter/replay"
	"unconnected/alerter/rule"
	"unconnected/events"
)

// printJSON prints the transitions, one a line; of two sets of rules all of the one, then all of the other.
func (b *backtest) printJSON(out io.Writer) error {
	w := bufio.NewWriter(out)
	if err := printTransitions(w, b.result.Transitions, b.name, b.other != nil); err != nil {
		return err
	}
	if b.other != nil {
		if err := printTransitions(w, b.other.Transitions, b.command.Against, true); err != nil {
			return err
		}
	}
	return w.Flush()
}

func printTransitions(w io.Writer, transitions []events.Alert, rules string, named bool) error {
	name, err := json.Marshal(rules)
	if err != nil {
		return err
	}
	for i := range transitions {
		msg, err := events.EncodeAlert(&transitions[i])
		if err != nil {
			return err
		}
		data := msg.Data
		if named {
			data = slices.Concat(bytes.TrimSuffix(data, []byte("}")), []byte(`,"rules":`), name, []byte("}"))
		}
		if _, err := fmt.Fprintf(w, "%s\n", data); err != nil {
			return err
		}
	}
	return nil
}

// print prints all that was found, for people.
func (b *backtest) print(out io.Writer) error {
	w := bufio.NewWriter(out)
	b.printSpan(w)
	if b.result.Windows > 0 {
		b.printIncidents(w)
		b.printRules(w)
		b.printSuggestions(w)
	}
	if len(b.result.LeftOut) > 0 {
		fmt.Fprintf(w, "\nleft out, because history does not tell what did not come (missing, status): %s\n", strings.Join(b.result.LeftOut, ", "))
	}
	return w.Flush()
}

func (b *backtest) printSpan(w io.Writer) {
	r := b.result
	if r.Windows == 0 {
		fmt.Fprintln(w, "no windows: nothing was stored in this span, or for these operations")
		return
	}
	fmt.Fprintf(w, "%d windows of %s, %s to %s (%.1f weeks), %d of them unknown\n", r.Windows, plural(len(r.Operations), "operation"),
		r.From.Format(time.RFC3339), r.To.Format(time.RFC3339), r.Weeks(), r.Unknown)
	if r.Weeks() < 1 {
		fmt.Fprintln(w, "less than a week: alerts a week are an extrapolation")
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (b *backtest) printIncidents(w io.Writer) {
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	pairs := []replay.Pair{}
	if b.other != nil {
		pairs = replay.Compare(b.result, b.other)
		fmt.Fprintf(table, "START\tOPERATION\t%s\tEND\tPEAK\tDELAY\t%s\tEND\tPEAK\tDELAY\n", b.name, b.command.Against)
	} else {
		fmt.Fprintln(table, "START\tEND\tOPERATION\tSEVERITY\tPEAK\tDELAY\tRULES")
	}
	for i := range b.result.Incidents {
		if b.other == nil {
			b.printIncident(table, &b.result.Incidents[i])
		}
	}
	for _, p := range pairs {
		first := p.A
		if first == nil {
			first = p.B
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", b.clock(first.Timezone, first.Start), first.Operation, b.side(p.A), b.side(p.B))
	}
	_ = table.Flush() // into a buffer
	b.printTotals(w, pairs)
}

func (b *backtest) printTotals(w io.Writer, pairs []replay.Pair) {
	n := len(b.result.Incidents)
	if b.other == nil {
		fmt.Fprintf(w, "%s, %.2f a week\n", plural(n, "incident"), b.result.PerWeek(n))
		return
	}
	mine, theirs := 0, 0
	for _, p := range pairs {
		if p.B == nil {
			mine++
		}
		if p.A == nil {
			theirs++
		}
	}
	fmt.Fprintf(w, "%s: %s, %d of them alone; %s: %s, %d of them alone\n", b.name, plural(n, "incident"), mine,
		b.command.Against, plural(len(b.other.Incidents), "incident"), theirs)
}

func (b *backtest) printIncident(w io.Writer, i *replay.Incident) {
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", b.clock(i.Timezone, i.Start), b.end(i), i.Operation, i.Severity, peak(i), lasting(i.Delay()), ruleNames(i))
}

// side is one incident in the table of two sets of rules.
func (b *backtest) side(i *replay.Incident) string {
	if i == nil {
		return "–\t–\t–\t–"
	}
	return fmt.Sprintf("%s\t%s\t%s\t%s", ruleNames(i), b.end(i), peak(i), lasting(i.Delay()))
}

// clock is an instant on the operation's clock.
func (b *backtest) clock(timezone string, at time.Time) string {
	zone := b.options.Zone
	if zone == nil {
		zone = zoneOf(timezone)
	}
	return at.In(zone).Format("2006-01-02 15:04:05 MST")
}

func (b *backtest) end(i *replay.Incident) string {
	if i.End.IsZero() {
		return "still firing"
	}
	return b.clock(i.Timezone, i.End)
}

func peak(i *replay.Incident) string {
	worst := i.Peak()
	if worst == nil {
		return "–"
	}
	return value(worst.Rule, worst.Peak)
}

// value is a number of a rule, for people.
func value(r *rule.Rule, v *float64) string {
	switch {
	case v == nil:
		return "–"
	case r.ValueIsShare():
		return strconv.FormatFloat(*v*100, 'f', 1, 64) + "%"
	}
	return strconv.FormatFloat(*v, 'g', 5, 64)
}

// ruleNames are those of an incident, each once.
func ruleNames(i *replay.Incident) string {
	var names []string
	for _, a := range i.Alerts {
		if !slices.Contains(names, a.Rule.Name) {
			names = append(names, a.Rule.Name)
		}
	}
	return strings.Join(names, ", ")
}

func (b *backtest) printRules(w io.Writer) {
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "RULES\tRULE\tSEVERITY\tALERTS\tA WEEK\tFIRED FOR")
	print := func(name string, r *replay.Result) {
		for _, s := range r.PerRule() {
			fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%.2f\t%s\n", name, s.Rule.Name, s.Rule.Severity, s.Alerts, r.PerWeek(s.Alerts), lasting(s.Firing))
		}
	}
	print(b.name, b.result)
	if b.other != nil {
		print(b.command.Against, b.other)
	}
	_ = table.Flush() // into a buffer
}

func (b *backtest) printSuggestions(w io.Writer) {
	if b.command.Suggest == nil {
		return
	}
	fmt.Fprintf(w, "\nthresholds for at most %g alerts a week:\n", *b.command.Suggest)
	for _, s := range b.suggestions {
		b.printSuggestion(w, &s)
	}
	if len(b.suggestions) == 0 {
		fmt.Fprintln(w, "  no rule has a threshold")
	}
}

func (b *backtest) printSuggestion(w io.Writer, s *replay.Suggestion) {
	name := s.Rule.Name
	if s.Constant != "" {
		name += ", " + s.Constant
	}
	fmt.Fprintf(w, "  %s: %s gives %.2f a week", name, value(s.Rule, &s.Present.Threshold), s.Present.PerWeek)
	switch {
	case s.Err != nil:
		fmt.Fprintln(w, "; its expression does not compare a number with the threshold")
		return
	case s.Best == nil:
		fmt.Fprintln(w, "; no threshold from a fifth to five times that keeps to it")
		return
	case s.Best.Threshold == s.Present.Threshold:
		fmt.Fprintln(w, "; it can stay")
		return
	}
	fmt.Fprintf(w, ", %s would give %.2f: %d of %d present alerts caught, %d missed, %d new\n", value(s.Rule, &s.Best.Threshold),
		s.Best.PerWeek, len(s.Caught), len(s.Caught)+len(s.Missed), len(s.Missed), len(s.New))
	printVariant(w, s)
	const most = 10
	for _, list := range []struct {
		word   string
		alerts []replay.Alert
	}{{"missed", s.Missed}, {"new", s.New}} {
		for i, a := range list.alerts {
			if i == most {
				fmt.Fprintf(w, "    %s  and %d more\n", list.word, len(list.alerts)-most)
				break
			}
			fmt.Fprintf(w, "    %s  %s  %s  at most %s\n", list.word, b.clock(a.Timezone, a.Start), a.Operation, value(s.Rule, a.Peak))
		}
	}
}

// printVariant prints what the rules file would have to say.
func printVariant(w io.Writer, s *replay.Suggestion) {
	if s.Best.Expr != s.Rule.Expr {
		fmt.Fprintf(w, "    expr: %s\n", s.Best.Expr)
	}
	if s.Best.Clear != s.Rule.Clear {
		fmt.Fprintf(w, "    clear: %s\n", s.Best.Clear)
	}
	var constants []string
	for _, name := range slices.Sorted(maps.Keys(s.Best.Constants)) {
		constants = append(constants, fmt.Sprintf("%s: %g", name, s.Best.Constants[name]))
	}
	if len(constants) > 0 {
		fmt.Fprintf(w, "    constants: {%s}\n", strings.Join(constants, ", "))
	}
	if s.Rule.AtOnce != "" {
		fmt.Fprintln(w, "    (it fires at once as well, by a condition that stays as it is)")
	}
}

// lasting is a duration without its zero parts: 3h40m.
func lasting(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
