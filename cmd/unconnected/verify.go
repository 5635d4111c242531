package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natsio"
	"unconnected/producer/oplog"
)

// verifyCommand proves that the history is whole.
type verifyCommand struct {
	selection
	JSON bool `help:"Print one JSON document instead of a table."`
}

// verdict is what verify found.
type verdict struct {
	Operations []summary      `json:"operations"`
	Faults     []oplog.Fault  `json:"faults"`
	Missed     []oplog.Missed `json:"missed"`
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
	First      time.Time `json:"first"`
	Checkpoint time.Time `json:"checkpoint"`
	Faults     int       `json:"faults"`
}

// Run reads the whole history, prints what it found, and fails when a rule is broken.
func (c *verifyCommand) Run(t *terminal) error {
	conn, err := t.connect()
	if err != nil {
		return err
	}
	defer conn.close()
	v, err := c.check(t, conn)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(t.stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(v)
	} else {
		err = v.print(t)
	}
	if err == nil && len(v.Faults) > 0 {
		err = errFound
	}
	return err
}

func (c *verifyCommand) check(t *terminal, conn *connection) (*verdict, error) {
	checkers := make(map[string]*oplog.Checker)
	checker := func(operation string) *oplog.Checker {
		if checkers[operation] == nil {
			checkers[operation] = new(oplog.Checker)
		}
		return checkers[operation]
	}
	progress := newProgress(t, "checked")
	for e, err := range events.History(t.ctx, conn.js, events.Query{Operations: c.Operation}) {
		var invalid *events.InvalidError
		switch {
		case errors.As(err, &invalid):
			operation := events.OperationOf(invalid.Subject)
			checker(operation).AddInvalid(operation, invalid)
		case err != nil:
			return nil, err
		default:
			checker(e.Operation).Add(&e)
		}
		progress.add(1)
	}
	progress.done()
	v := &verdict{Faults: []oplog.Fault{}, Missed: []oplog.Missed{}, Operations: []summary{}}
	for _, operation := range slices.Sorted(maps.Keys(checkers)) {
		v.add(operation, checkers[operation])
	}
	for _, operation := range c.Operation {
		if checkers[operation] == nil {
			v.Faults = append(v.Faults, oplog.Fault{Operation: operation, Kind: "empty", Text: "nothing is stored for this operation"})
		}
	}
	v.within(c.query())
	lost, err := lostMessages(t.ctx, conn.js, c.Operation)
	v.Faults = append(v.Faults, lost...)
	return v, err
}

// within keeps what concerns windows that start in the query's span. The whole log was folded all the same: whether a
// window is right depends on those before it. What has no window is kept.
func (v *verdict) within(q events.Query) {
	outside := func(w events.Window) bool {
		return !w.IsZero() && (w.Start.Before(q.From) || !q.To.IsZero() && !w.Start.Before(q.To))
	}
	v.Faults = slices.DeleteFunc(v.Faults, func(f oplog.Fault) bool { return outside(f.Window) })
	v.Missed = slices.DeleteFunc(v.Missed, func(m oplog.Missed) bool { return outside(m.Window) })
	for i := range v.Operations {
		s := &v.Operations[i]
		s.Faults, s.Missed = 0, 0
		for _, f := range v.Faults {
			if f.Operation == s.Operation {
				s.Faults++
			}
		}
		for _, m := range v.Missed {
			if m.Operation == s.Operation {
				s.Missed++
			}
		}
	}
}

func (v *verdict) add(operation string, c *oplog.Checker) {
	faults, missed := c.Finish(operation), c.MissedWindows()
	slices.SortFunc(missed, func(a, b oplog.Missed) int { return a.Window.Start.Compare(b.Window.Start) })
	v.Faults, v.Missed = append(v.Faults, faults...), append(v.Missed, missed...)
	v.Operations = append(v.Operations, summary{
		Operation: operation, Messages: c.Messages, Windows: c.Windows, Revisions: c.Revisions, Backfills: c.Backfills,
		Calls: c.Calls, First: c.First, Checkpoint: c.Checkpoint,
	})
}

// lostMessages looks for what the messages themselves cannot show: numbers missing inside the stream, and logs that end
// before a place which they had reached.
func lostMessages(ctx context.Context, js jetstream.JetStream, operations []string) ([]oplog.Fault, error) {
	stream, err := js.Stream(ctx, events.StreamCalls)
	if err != nil {
		return nil, err
	}
	var faults []oplog.Fault
	state := stream.CachedInfo().State
	if state.Msgs > 0 && state.Msgs != state.LastSeq-state.FirstSeq+1 {
		faults = append(faults, oplog.Fault{Kind: "lost", Sequence: state.LastSeq, Text: fmt.Sprintf(
			"the stream holds %d messages between the sequences %d and %d", state.Msgs, state.FirstSeq, state.LastSeq)})
	}
	marks, err := js.KeyValue(ctx, natsio.BucketMarks)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return faults, nil
	}
	if err != nil {
		return nil, err
	}
	keys, err := marks.Keys(ctx)
	if err != nil && !errors.Is(err, jetstream.ErrNoKeysFound) {
		return nil, err
	}
	for _, operation := range keys {
		if len(operations) > 0 && !slices.Contains(operations, operation) {
			continue
		}
		fault, err := shortOfMark(ctx, stream, marks, operation)
		if err != nil {
			return nil, err
		}
		if fault != nil {
			faults = append(faults, *fault)
		}
	}
	return faults, nil
}

func shortOfMark(ctx context.Context, stream jetstream.Stream, marks jetstream.KeyValue, operation string) (*oplog.Fault, error) {
	entry, err := marks.Get(ctx, operation)
	if err != nil {
		return nil, err
	}
	var mark oplog.Mark
	if err := json.Unmarshal(entry.Value(), &mark); err != nil {
		return &oplog.Fault{Operation: operation, Kind: "lost", Text: "the mark of this log is damaged: " + err.Error()}, nil
	}
	var head oplog.Head
	last, err := events.Last(ctx, stream, operation)
	var invalid *events.InvalidError
	switch {
	case errors.As(err, &invalid):
		head.Sequence = invalid.Sequence
	case err != nil:
		return nil, err
	case last != nil:
		head = oplog.HeadOf(last)
	}
	info := stream.CachedInfo()
	if !mark.Lost(info.Created.UTC(), natsio.FirstRetained(info), head) {
		return nil, nil
	}
	return &oplog.Fault{Operation: operation, Kind: "lost", Sequence: head.Sequence, Text: fmt.Sprintf(
		"the log ends at sequence %d and had reached %d (windows up to %s)",
		head.Sequence, mark.Sequence, mark.Checkpoint.Format(time.RFC3339))}, nil
}

func (v *verdict) print(t *terminal) error {
	w := tabwriter.NewWriter(t.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "OPERATION\tWINDOWS\tREVISIONS\tBACKFILLS\tMISSED\tCALLS\tFROM\tCOMPLETE UP TO\tFAULTS")
	for _, s := range v.Operations {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%d\n", s.Operation, s.Windows, s.Revisions, s.Backfills, s.Missed,
			s.Calls, s.First.Format(time.RFC3339), s.Checkpoint.Format(time.RFC3339), s.Faults)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, m := range v.Missed {
		fmt.Fprintf(t.stdout, "missed  %s  %s  after %d attempts: %s\n", m.Operation, m.Window, m.Attempts, m.Reason)
	}
	for _, f := range v.Faults {
		fmt.Fprintf(t.stdout, "FAULT   %s  sequence %d  %s: %s", f.Operation, f.Sequence, f.Kind, f.Text)
		if !f.Window.IsZero() {
			fmt.Fprintf(t.stdout, "  (window %s)", f.Window)
		}
		fmt.Fprintln(t.stdout)
	}
	switch {
	case len(v.Faults) > 0:
		fmt.Fprintf(t.stdout, "%d faults\n", len(v.Faults))
	case len(v.Operations) == 0:
		fmt.Fprintln(t.stdout, "nothing is stored yet: there was nothing to check")
	case len(v.Missed) > 0:
		fmt.Fprintf(t.stdout, "no faults: every window once, in order, nothing lost but %d windows that the API did not give\n", len(v.Missed))
	default:
		fmt.Fprintln(t.stdout, "no faults: every window once, in order, nothing lost")
	}
	return nil
}
