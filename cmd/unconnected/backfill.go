package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"unconnected/events"
	"unconnected/producer"
	"unconnected/producer/budget"
)

// backfillCommand stores windows before the checkpoint that are not here.
type backfillCommand struct {
	selection
	DryRun  bool `help:"Say what it would cost, in requests and days of quota, and ask for no window."`
	Recheck bool `help:"Ask for the windows that are here, too, and store those that the API corrected as revisions."`
	JSON    bool `help:"Print one JSON document instead of text."`
}

// filled is what a backfill found and did on one operation, as --json prints it. From and To bound the windows' starts; the
// numbers are windows. Of Requests, those in the lines after it have been asked for.
type filled struct {
	Operation string    `json:"operation"`
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	Here      int       `json:"here"`     // in the log, not asked for
	LeftOut   int       `json:"left_out"` // can't be asked for: the clocks go back in them, or repeat them
	Requests  int       `json:"requests"`

	Stored    int `json:"stored"`
	Revised   int `json:"revised"`
	Unchanged int `json:"unchanged"`
	Overtaken int `json:"overtaken"` // somebody else stored them meanwhile
	Garbage   int `json:"garbage"`   // their answers can't be counted

	Cost *cost `json:"cost,omitempty"` // with --dry-run
}

// cost is what the requests take of the day's quota. Days is how many days it takes, today included; 0: it never ends, since
// no day has anything to spare. Without a known quota nothing holds the backfill up.
type cost struct {
	QuotaKnown bool  `json:"quota_known"`
	SpareToday int64 `json:"spare_today"`
	SpareDaily int64 `json:"spare_daily"`
	Days       int64 `json:"days"`
}

// Run fills one operation after the other, while producers go on.
func (c *backfillCommand) Run(t *terminal) error {
	settings, err := apiSettings(t)
	if err != nil {
		return err
	}
	operations, err := configured(settings, c.Operation)
	if err != nil {
		return err
	}
	conn, err := t.connectToHistory()
	if err != nil {
		return err
	}
	defer conn.close()
	span := c.query()
	backfill, err := producer.NewBackfill(t.ctx, settings, producer.BackfillOptions{
		Log: t.log, Conn: conn.nc, From: span.From, To: span.To, Recheck: c.Recheck,
	})
	if err != nil {
		return err
	}
	defer backfill.Close()
	results := []*filled{}
	for _, o := range operations {
		result, err := c.fill(t, backfill, o)
		if result != nil {
			results = append(results, result)
		}
		if err != nil {
			return errors.Join(err, c.print(t, results))
		}
	}
	return c.print(t, results)
}

// fill works on one operation. The result is nil when not even the plan could be made.
func (c *backfillCommand) fill(t *terminal, backfill *producer.Backfill, o producer.Operation) (*filled, error) {
	filling, err := backfill.Plan(t.ctx, o)
	if err != nil {
		return nil, err
	}
	span := filling.Span()
	result := &filled{Operation: o.Name, From: span.Start, To: span.End}
	result.Requests, result.Here, result.LeftOut = filling.Requests()
	if c.DryRun {
		estimate, err := filling.Estimate(t.ctx)
		result.Cost = &cost{estimate.Known, estimate.Today, estimate.Daily, days(estimate)}
		return result, err
	}
	follower := &filler{t: t, result: result, bar: newProgress(t, "asked for", "windows", int64(result.Requests))}
	err = filling.Run(t.ctx, follower)
	follower.bar.finish()
	if err != nil && !follower.last.IsZero() {
		fmt.Fprintf(t.stderr, "%s: came as far as %s; what is stored stays, and the same command goes on%s\n",
			o.Name, follower.last.Format(time.RFC3339), c.goOn(follower.last))
	}
	return result, err
}

// goOn is how a recheck, which leaves no trace of what is unchanged, is told where to go on.
func (c *backfillCommand) goOn(last time.Time) string {
	if !c.Recheck {
		return ""
	}
	return " with --from " + last.Format(time.RFC3339)
}

func days(e budget.Estimate) int64 {
	if !e.Known || e.Requests == 0 {
		return 1
	}
	return e.Days
}

// filler follows a filling.
type filler struct {
	t      *terminal
	result *filled
	bar    *progress
	last   time.Time // end of the last window that is done
}

// Done counts a window.
func (f *filler) Done(w events.Window, outcome producer.Outcome) {
	f.last = w.End
	f.bar.add(1)
	r := f.result
	*map[producer.Outcome]*int{
		producer.Filled: &r.Stored, producer.Revised: &r.Revised, producer.Unchanged: &r.Unchanged,
		producer.Overtaken: &r.Overtaken, producer.Garbage: &r.Garbage,
	}[outcome]++
}

// Waiting says why nothing happens, when that takes long enough to be noticed.
func (f *filler) Waiting(reason string, until time.Time) {
	if time.Until(until) > 3*time.Second {
		f.t.log.Warn("waiting", "operation", f.result.Operation, "until", until.UTC().Format(time.RFC3339), "reason", reason)
	}
}

// print tells what was done, and fails when something was to be had and could not be counted.
func (c *backfillCommand) print(t *terminal, results []*filled) error {
	var err error
	if c.JSON {
		encoder := json.NewEncoder(t.stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(map[string]any{"dry_run": c.DryRun, "operations": results})
	} else if len(results) > 0 {
		err = c.table(t.stdout, results)
	}
	for _, r := range results {
		if r.Garbage > 0 && err == nil {
			err = errFound
		}
	}
	return err
}

func (c *backfillCommand) table(out io.Writer, results []*filled) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	header := "OPERATION\tFROM\tTO\tHERE\tLEFT OUT\tREQUESTS"
	if !c.DryRun {
		header += "\tSTORED\tREVISED\tUNCHANGED\tGARBAGE"
	}
	fmt.Fprintln(w, header)
	for _, r := range results {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d", r.Operation, r.From.Format(time.RFC3339), r.To.Format(time.RFC3339), r.Here, r.LeftOut, r.Requests)
		if !c.DryRun {
			fmt.Fprintf(w, "\t%d\t%d\t%d\t%d", r.Stored, r.Revised, r.Unchanged, r.Garbage)
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, r := range results {
		if r.Cost != nil {
			fmt.Fprintf(out, "%s: %s\n", r.Operation, r.Cost.text(r.Requests))
		}
		if r.Garbage > 0 {
			fmt.Fprintf(out, "%s: the answers for %d windows can't be counted; the log says which (LOG_LEVEL), and they are as they were\n",
				r.Operation, r.Garbage)
		}
	}
	return nil
}

// text says what so many requests cost.
func (c *cost) text(requests int) string {
	switch {
	case requests == 0:
		return "nothing to ask for"
	case !c.QuotaKnown:
		return fmt.Sprintf("%d requests; nothing is known of the quota, so nothing holds them up (POLL_DAILY_BUDGET sets a limit)", requests)
	case c.Days == 0:
		return fmt.Sprintf("%d requests, and no day's quota has anything to spare after live windows and corrections", requests)
	case c.Days == 1:
		return fmt.Sprintf("%d requests; today's quota has %d to spare: done today", requests, c.SpareToday)
	}
	return fmt.Sprintf("%d requests; today's quota has %d to spare, each later day %d: %d days", requests, c.SpareToday, c.SpareDaily, c.Days)
}
