package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"unconnected/events"
)

// historyCommand prints the history.
type historyCommand struct {
	selection
	Format string `enum:"table,csv,jsonl" default:"table" help:"table, csv or jsonl."`
	All    bool   `help:"Everything as it was stored, in that order: revisions, backfills and all."`
}

// Run prints the windows.
func (c *historyCommand) Run(t *terminal) error {
	conn, err := t.connect()
	if err != nil {
		return err
	}
	defer conn.close()
	if err := warnUnlogged(t, conn.js, c.Operation); err != nil {
		return err
	}
	out := bufio.NewWriter(t.stdout)
	if err := c.print(t, conn, out); err != nil {
		return err
	}
	return out.Flush()
}

func (c *historyCommand) print(t *terminal, conn *connection, out io.Writer) error {
	history := reportInvalid(t, events.History(t.ctx, conn.js, c.query()))
	if c.All && c.Format == "jsonl" {
		for e, err := range history {
			if err != nil {
				return err
			}
			if err := printJSON(out, &e); err != nil {
				return err
			}
		}
		return nil
	}
	list, err := c.gather(counted(t, history))
	if err != nil {
		return err
	}
	switch c.Format {
	case "csv":
		return printCSV(out, list)
	case "jsonl":
		for i := range list {
			if err := printJSON(out, &list[i]); err != nil {
				return err
			}
		}
		return nil
	}
	return printTable(out, list)
}

func (c *historyCommand) gather(history iter.Seq2[events.Event, error]) ([]events.Event, error) {
	if !c.All {
		return events.Latest(history)
	}
	var list []events.Event
	for e, err := range history {
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

// counted passes a history on and shows how far it got.
func counted(t *terminal, history iter.Seq2[events.Event, error]) iter.Seq2[events.Event, error] {
	return func(yield func(events.Event, error) bool) {
		progress := newProgress(t, "read", "messages", 0)
		defer progress.finish()
		for e, err := range history {
			progress.add(1)
			if !yield(e, err) {
				return
			}
		}
	}
}

// reportInvalid passes a history on without the messages that are no events, and says so for each.
func reportInvalid(t *terminal, history iter.Seq2[events.Event, error]) iter.Seq2[events.Event, error] {
	return func(yield func(events.Event, error) bool) {
		for e, err := range history {
			if errors.Is(err, events.ErrInvalid) {
				t.log.Warn("left out", "reason", err)
				continue
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func printJSON(out io.Writer, e *events.Event) error {
	data, err := events.MarshalData(e)
	if err != nil {
		return err
	}
	_, err = out.Write(append(data, '\n'))
	return err
}

// results are the documented results and behind them every other that occurs, each in alphabetical order.
func results(list []events.Event) []string {
	documented := events.DocumentedResults()
	others := make(map[string]bool)
	for i := range list {
		for result := range list[i].Counts {
			if !slices.Contains(documented, result) {
				others[result] = true
			}
		}
	}
	return append(documented, slices.Sorted(maps.Keys(others))...)
}

func printCSV(out io.Writer, list []events.Event) error {
	columns := results(list)
	w := csv.NewWriter(out)
	header := append([]string{"operation", "start", "end", "revision", "total"}, columns...)
	if err := w.Write(append(header, "ambiguous", "missed")); err != nil {
		return err
	}
	for i := range list {
		e := &list[i]
		row := []string{e.Operation, e.Window.Start.Format(time.RFC3339), e.Window.End.Format(time.RFC3339), strconv.Itoa(e.Revision)}
		row = append(row, cells(e, columns)...)
		missed := ""
		if e.Missed != nil {
			missed = e.Missed.Reason
		}
		if err := w.Write(append(row, strconv.FormatBool(e.Ambiguous), missed)); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// cells are the total and the counts of a window; empty when it was missed, because unknown is not zero.
func cells(e *events.Event, columns []string) []string {
	cells := make([]string, len(columns)+1)
	if e.Missed != nil {
		return cells
	}
	cells[0] = strconv.FormatInt(e.Total, 10)
	for i, result := range columns {
		cells[i+1] = strconv.FormatInt(e.Counts[result], 10)
	}
	return cells
}

func printTable(out io.Writer, list []events.Event) error {
	columns := results(list)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "operation\tstart (local)\tlength\trev\ttotal\t")
	for _, result := range columns {
		fmt.Fprint(w, result, "\t")
	}
	fmt.Fprintln(w)
	for i := range list {
		e := &list[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t", e.Operation, local(e).Format("2006-01-02 15:04:05 MST"), length(e.Window.Length()), e.Revision)
		for _, cell := range cells(e, columns) {
			fmt.Fprint(w, cell, "\t")
		}
		fmt.Fprintln(w, note(e))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(list) == 0 {
		fmt.Fprintln(out, "no windows: nothing was stored in this span, or for these operations")
	}
	return nil
}

// local is the start of the window on the operation's clock.
func local(e *events.Event) time.Time {
	zone, err := time.LoadLocation(e.Timezone)
	if err != nil {
		return e.Window.Start
	}
	return e.Window.Start.In(zone)
}

// length is a duration without its zero parts: 5m, not 5m0s.
func length(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}

func note(e *events.Event) string {
	switch {
	case e.Missed != nil:
		return "missed: " + e.Missed.Reason
	case e.Ambiguous:
		return "ambiguous"
	case e.Backfill:
		return "backfill"
	}
	return ""
}
