package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
)

// tailCommand follows the windows.
type tailCommand struct {
	selection
	JSON bool `help:"Print the data of each event instead, one a line."`
}

// Run prints the newest window of each operation, then every one that is stored, until it is stopped.
func (c *tailCommand) Run(t *terminal) error {
	conn, err := t.connect()
	if err != nil {
		return err
	}
	defer conn.close()
	if err := warnUnlogged(t, conn.js, c.Operation); err != nil {
		return err
	}
	query := c.query()
	return follow(t, conn.js, consumerOf(query), func(e *events.Event) error {
		if e.Window.Start.Before(query.From) || !query.To.IsZero() && !e.Window.Start.Before(query.To) {
			return nil
		}
		if c.JSON {
			return printJSON(t.stdout, e)
		}
		_, err := fmt.Fprintln(t.stdout, line(e))
		return err
	})
}

// consumerOf begins at the newest message of every operation, or, when the query has a begin, at that time.
func consumerOf(q events.Query) jetstream.OrderedConsumerConfig {
	config := jetstream.OrderedConsumerConfig{
		FilterSubjects: events.Subjects(q.Operations...), DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy,
	}
	if !q.From.IsZero() {
		config.DeliverPolicy, config.OptStartTime = jetstream.DeliverByStartTimePolicy, &q.From
	}
	return config
}

// follow calls show for every event that the consumer delivers, until the context ends or show fails.
func follow(t *terminal, js jetstream.JetStream, config jetstream.OrderedConsumerConfig, show func(*events.Event) error) error {
	consumer, err := js.OrderedConsumer(t.ctx, events.StreamCalls, config)
	if err != nil {
		return fmt.Errorf("follow %s: %w", events.StreamCalls, err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		return fmt.Errorf("follow %s: %w", events.StreamCalls, err)
	}
	stop := context.AfterFunc(t.ctx, messages.Stop)
	defer stop()
	var decoder events.Decoder
	for {
		msg, err := messages.Next()
		if t.ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("follow %s: %w", events.StreamCalls, err)
		}
		e, err := decoder.Decode(msg)
		if err != nil {
			t.log.Warn("left out", "reason", err)
			continue
		}
		if err := show(&e); err != nil {
			return err
		}
	}
}

// line is one window for people: local time, operation, calls, and the results that occurred, most frequent first.
func line(e *events.Event) string {
	var b strings.Builder
	start := local(e)
	fmt.Fprintf(&b, "%s–%s  %-12s", start.Format("15:04:05"), start.Add(e.Window.Length()).Format("15:04:05 MST"), e.Operation)
	switch {
	case e.Missed != nil:
		fmt.Fprintf(&b, "  MISSED after %d attempts: %s", e.Missed.Attempts, e.Missed.Reason)
		return b.String()
	case e.Total == 0:
		b.WriteString("  no unconnected calls")
	default:
		fmt.Fprintf(&b, "  %5d unconnected calls: ", e.Total)
		writeShares(&b, e)
	}
	writeNotes(&b, e)
	return b.String()
}

func writeShares(w io.Writer, e *events.Event) {
	names := slices.SortedFunc(maps.Keys(e.Counts), func(a, b string) int {
		if e.Counts[a] != e.Counts[b] {
			return int(e.Counts[b] - e.Counts[a])
		}
		return strings.Compare(a, b)
	})
	separator := ""
	for _, result := range names {
		if n := e.Counts[result]; n > 0 {
			fmt.Fprintf(w, "%s%s %d (%.0f%%)", separator, strings.ReplaceAll(result, "_", " "), n, 100*float64(n)/float64(e.Total))
			separator = ", "
		}
	}
}

func writeNotes(w io.Writer, e *events.Event) {
	if e.Revision > 0 {
		fmt.Fprintf(w, "  [revision %d]", e.Revision)
	}
	if e.Backfill {
		fmt.Fprint(w, "  [backfill]")
	}
	if e.Ambiguous {
		fmt.Fprint(w, "  [ambiguous: the clocks repeated this hour]")
	}
}
