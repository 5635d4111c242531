package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"unconnected/events"
	"unconnected/producer/oplog"
)

// verdict is what verify found, and the document that `verify --json` prints. Its field names stay as they are; more may
// come.
//
//	operations  one for each log that has messages, by name:
//	  operation, messages (all of the log), and of the windows that start in the span: windows, revisions, backfills,
//	  missed, calls, faults; first (the start of the first live window), checkpoint (where the log is complete)
//	faults      every broken rule, by operation and in the order of the log; the exit code is 1 if there is any:
//	  operation ("" for the whole stream), sequence, window (absent when it is not about one; of a gap, the time that nothing is
//	  stored of), kind (a word for programs, as in [kinds]), text (for people)
//	missed      every window that the API did not give and no backfill filled; no fault:
//	  operation, sequence, window, reason, attempts
//	compared_with_api  with --against-api: windows (asked for), different (as many faults of the kind api)
//
// Times are RFC 3339, UTC.
type verdict struct {
	Operations []summary      `json:"operations"`
	Faults     []oplog.Fault  `json:"faults"`
	Missed     []oplog.Missed `json:"missed"`
	Compared   *compared      `json:"compared_with_api,omitempty"`
}

// summary is one operation's log in numbers.
type summary struct {
	Operation  string    `json:"operation"`
	Messages   int       `json:"messages"`
	Windows    int       `json:"windows"`
	Revisions  int       `json:"revisions"`
	Backfills  int       `json:"backfills"`
	Missed     int       `json:"missed"`
	Calls      int64     `json:"calls"`
	First      time.Time `json:"first,omitzero"`
	Checkpoint time.Time `json:"checkpoint,omitzero"`
	Faults     int       `json:"faults"`
}

// Kinds of fault that no log alone can show, beside those of package oplog.
const (
	kindLost  = "lost"  // messages that were stored are gone
	kindEmpty = "empty" // an operation that was asked for has no log
	kindAPI   = "api"   // the API says something else now
)

// add takes over what the checker of an operation found.
func (v *verdict) add(operation string, c *oplog.Checker) {
	v.Faults, v.Missed = append(v.Faults, c.Finish(operation)...), append(v.Missed, c.MissedWindows()...)
	v.Operations = append(v.Operations, summary{
		Operation: operation, Messages: c.Messages, Windows: c.Windows, Revisions: c.Revisions, Backfills: c.Backfills,
		Calls: c.Calls, First: c.First, Checkpoint: c.Checkpoint,
	})
}

// tally counts faults and missed windows by operation.
func (v *verdict) tally() {
	faults, missed := make(map[string]int), make(map[string]int)
	for i := range v.Faults {
		faults[v.Faults[i].Operation]++
	}
	for i := range v.Missed {
		missed[v.Missed[i].Operation]++
	}
	for i := range v.Operations {
		s := &v.Operations[i]
		s.Faults, s.Missed = faults[s.Operation], missed[s.Operation]
	}
}

// print writes the verdict for people: the logs in numbers, then the missed windows, then the faults by kind, with what to do.
func (v *verdict) print(out io.Writer) error {
	if err := v.printOperations(out); err != nil {
		return err
	}
	if err := v.printMissed(out); err != nil {
		return err
	}
	for _, k := range kinds {
		if err := v.printFaults(out, k); err != nil {
			return err
		}
	}
	if v.Compared != nil {
		fmt.Fprintf(out, "compared with the API: %s, %s\n", count(v.Compared.Windows, "window"), count(v.Compared.Different, "difference"))
	}
	_, err := fmt.Fprintln(out, v.conclusion())
	return err
}

func (v *verdict) conclusion() string {
	switch {
	case len(v.Faults) > 0:
		return "\n" + count(len(v.Faults), "fault")
	case len(v.Operations) == 0:
		return "nothing is stored yet: there was nothing to check"
	case len(v.Missed) > 0:
		return fmt.Sprintf("\nno faults: every window once, in order, nothing lost but %s that the API did not give", count(len(v.Missed), "window"))
	}
	return "no faults: every window once, in order, nothing lost"
}

func (v *verdict) printOperations(out io.Writer) error {
	if len(v.Operations) == 0 {
		return nil
	}
	layout := "2006-01-02 15:04"
	for i := range v.Operations {
		if s := &v.Operations[i]; s.First.Second()+s.Checkpoint.Second() != 0 {
			layout = time.DateTime
		}
	}
	t := table{right: []bool{false, true, true, true, true, true, false, false, true}}
	t.add("OPERATION", "WINDOWS", "REV", "FILLED", "MISSED", "CALLS", "FROM (UTC)", "COMPLETE UP TO", "FAULTS")
	for i := range v.Operations {
		s := &v.Operations[i]
		t.add(s.Operation, strconv.Itoa(s.Windows), strconv.Itoa(s.Revisions), strconv.Itoa(s.Backfills), strconv.Itoa(s.Missed),
			strconv.FormatInt(s.Calls, 10), instant(s.First, layout), instant(s.Checkpoint, layout), strconv.Itoa(s.Faults))
	}
	others := 0
	for _, width := range t.widths()[1:] {
		others += 2 + width
	}
	for _, row := range t.rows {
		row[0] = fitted(row[0], max(columns-others, len("OPERATION")))
	}
	return t.write(out)
}

// shown is how many findings of a kind are listed for people.
const shown = 20

// longestName bounds an operation's name in lists.
const longestName = 16

// finding is a line of a list: a fault or a missed window.
type finding struct {
	operation string
	sequence  uint64
	window    events.Window
	text      string
}

func (v *verdict) printMissed(out io.Writer) error {
	var list []finding
	for _, m := range v.Missed {
		list = append(list, finding{m.Operation, m.Sequence, m.Window, fmt.Sprintf("%s (%s)", m.Reason, count(m.Attempts, "attempt"))})
	}
	heading := fmt.Sprintf("missed: %s that the API did not give", count(len(list), "window"))
	return printList(out, heading, list, "ask for them again:", "backfill")
}

func (v *verdict) printFaults(out io.Writer, k kind) error {
	var list []finding
	for _, f := range v.Faults {
		if f.Kind == k.name {
			list = append(list, finding{f.Operation, f.Sequence, f.Window, f.Text})
		}
	}
	return printList(out, fmt.Sprintf("FAULT %s (%d): %s", k.name, len(list), k.meaning), list, k.advice, k.command)
}

// printList writes the first findings of a kind, how many more there are, and what to do about all of them.
func printList(out io.Writer, heading string, list []finding, advice, command string) error {
	if len(list) == 0 {
		return nil
	}
	t := table{indent: "  ", right: []bool{true}}
	t.add("SEQUENCE", "OPERATION", "WINDOW (UTC)", "")
	for _, f := range list[:min(shown, len(list))] {
		t.add(place(f.sequence), fitted(cmp.Or(f.operation, "-"), longestName), span(f.window), f.text)
	}
	fmt.Fprintf(out, "\n%s\n", heading)
	if err := t.write(out); err != nil {
		return err
	}
	if len(list) > shown {
		fmt.Fprintf(out, "  +%s more (--json lists all)\n", grouped(int64(len(list)-shown)))
	}
	_, err := fmt.Fprintf(out, "  → %s\n", strings.Join(wrapped(advice, columns-4), "\n    "))
	if command != "" {
		fmt.Fprintf(out, "    unconnected %s%s\n", command, flags(list)) // in one line, to be copied
	}
	return err
}

// flags select the windows of all findings, and their operation if they have only one.
func flags(list []finding) string {
	var operations []string
	from, to := list[0].window.Start, list[0].window.End
	for _, f := range list {
		operations = append(operations, f.operation)
		if f.window.Start.Before(from) {
			from = f.window.Start
		}
		if f.window.End.After(to) {
			to = f.window.End
		}
	}
	text := " --from " + from.UTC().Format(time.RFC3339) + " --to " + to.UTC().Format(time.RFC3339)
	slices.Sort(operations)
	if operations = slices.Compact(operations); len(operations) == 1 {
		text = " --operation " + operations[0] + text
	}
	return text
}

// place is a sequence, if there is one.
func place(sequence uint64) string {
	if sequence == 0 {
		return "-"
	}
	return strconv.FormatUint(sequence, 10)
}

// span is a window in UTC; its end without the date where that is clear.
func span(w events.Window) string {
	if w.IsZero() {
		return "-"
	}
	start, end := w.Start.UTC().Format(time.DateTime), w.End.UTC().Format(time.DateTime)
	if w.Length() < 24*time.Hour {
		end = w.End.UTC().Format(time.TimeOnly)
	}
	return start + "–" + end
}

func instant(t time.Time, layout string) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(layout)
}

// count is a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return grouped(int64(n)) + " " + thing + "s"
}
