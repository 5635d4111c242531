package producer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"unconnected/events"
	"unconnected/internal/daemon"
	"unconnected/producer/access"
	"unconnected/producer/grid"
	"unconnected/producer/journal"
	"unconnected/producer/oplog"
	"unconnected/producer/wolkvox"
)

// desk is what it takes to work on one operation, live or after the fact: the way to the API, the log, and how an answer
// becomes an event. One goroutine at a time may use it.
type desk struct {
	Operation
	*timekeeper
	skew      skew
	source    string
	simulated bool
	client    *wolkvox.Client
	gate      *access.Gate
	journal   *journal.Log
	log       *slog.Logger
}

// newDesk is the desk of an operation. Requested is told of every request.
func (s *storage) newDesk(o Operation, simulated bool, requested func(outcome string, took time.Duration)) *desk {
	log, clock := s.log.With("operation", o.Name), newTimekeeper(s.clock, Tolerance(s.settle))
	d := &desk{
		Operation: o, timekeeper: clock, source: o.Source(), simulated: simulated,
		client: wolkvox.New(wolkvox.Options{
			BaseURL: o.BaseURL, Server: o.Server, Token: o.Token.Value, Location: o.Zone, Timeout: s.timeout, Transport: s.transport,
		}),
		journal: s.journals.Log(o.Name, clock.now, log), log: log,
	}
	if simulated {
		d.source = oplog.SourceSimulated
	}
	d.gate = access.New(access.Options{
		Client: d.client, API: o.API(), Token: o.Token.Value, Timeout: s.timeout,
		Leases: s.leases, Quota: s.quota(&o), Now: d.now, Log: log, Requested: requested,
	})
	return d
}

// API is what a token and a day's quota belong to: host and path of the API, however it is reached.
func (o *Operation) API() string {
	u, err := url.Parse(o.BaseURL)
	if err != nil {
		return o.BaseURL // unreachable: the address was checked when it was loaded
	}
	return strings.ToLower(u.Host) + u.Path
}

// open finds the end of the log, and refuses one that holds the other kind of history.
func (d *desk) open(ctx context.Context) (oplog.Head, error) {
	head, err := d.journal.Open(ctx)
	if err == nil && head.MixesKinds(d.source) {
		err = daemon.Usage(fmt.Errorf("operation %s: the log holds events from %s, and this producer polls %s: "+
			"simulated and real calls must not mix; use another NATS_URL, --data directory or operation name", d.Name, head.Source, d.source))
	}
	return head, err
}

// ask sends one request. It must follow the gate's Enter.
func (d *desk) ask(ctx context.Context, span events.Window) (wolkvox.Answer, error) {
	requested, began := d.Now(), d.Elapsed()
	answer, err := d.gate.Report(ctx, span.Start, span.End)
	if err != nil {
		return answer, err
	}
	answer.RequestedAt, answer.ReceivedAt = requested, d.Now()
	d.learn(&answer)
	d.compareClocks(&answer)
	answer.ReceivedAt = d.now() // which is not the host's clock if that is wrong
	answer.RequestedAt = answer.ReceivedAt.Add(began - d.Elapsed())
	return answer, storable(&answer)
}

// compareClocks warns when the clocks of this host and of the API begin to differ.
func (d *desk) compareClocks(answer *wolkvox.Answer) {
	warning, agree := d.skew.look(answer, d.tolerance)
	switch {
	case agree:
		d.log.Info("this host's clock and the API's agree again")
	case warning != "":
		d.log.Warn(warning, "ahead", d.skew.ahead.String(), "tolerated", d.tolerance.String())
	}
}

// Bounds of an answer that fits into a message of NATS, which holds a megabyte by default, with every character escaped;
// cdr_6 has a row per result, some hundred bytes in all.
const (
	maxRows     = 4096
	maxReported = 64 << 10 // bytes of text in all rows
)

// storable refuses an answer that no message can hold, as garbage of its window.
func storable(answer *wolkvox.Answer) error {
	size := 0
	for _, row := range answer.Rows {
		size += len(row.Result) + len(row.Count)
	}
	if size <= maxReported && len(answer.Rows) <= maxRows {
		return nil
	}
	return &wolkvox.Error{
		Kind: wolkvox.KindGarbage, Op: "cdr_6", Err: fmt.Errorf("%d rows with %d bytes of text are no report by result", len(answer.Rows), size),
	}
}

// event makes the event of an answer about one window, as the first of its window and with its end as the checkpoint: a
// live one.
func (d *desk) event(ctx context.Context, w events.Window, answer *wolkvox.Answer) (*events.Event, error) {
	counts, ambiguous, err := d.share(ctx, w, answer)
	if err != nil {
		return nil, err
	}
	e := d.blank(w, answer.ReceivedAt)
	e.Counts, e.Ambiguous = counts, ambiguous
	for _, n := range counts {
		e.Total += n
	}
	for _, row := range answer.Rows {
		e.Reported = append(e.Reported, events.Reported(row))
	}
	return e, nil
}

// missed makes the marker of a window that could not be had.
func (d *desk) missed(w events.Window, reason string, attempts int) *events.Event {
	e := d.blank(w, d.now())
	e.Missed = &events.Missed{Reason: reason, Attempts: attempts}
	return e
}

func (d *desk) blank(w events.Window, polled time.Time) *events.Event {
	return &events.Event{
		Operation: d.Name, Server: d.Server, Timezone: d.Zone.String(), Source: d.source,
		Window: w, PolledAt: polled.UTC(), Checkpoint: w.End,
	}
}

// share gives a window of a repeated local hour its part of the answer; any other window gets all of it.
func (d *desk) share(ctx context.Context, w events.Window, answer *wolkvox.Answer) (map[string]int64, bool, error) {
	pass, twinWindow := grid.Repeated(w, d.Zone)
	var twin *events.Event
	if pass == grid.Second {
		twins, _, err := d.journal.Windows(ctx, twinWindow, 0)
		if err != nil {
			return nil, false, err
		}
		for i := range twins {
			if twins[i].Window.Equal(twinWindow) {
				twin = &twins[i]
			}
		}
	}
	counts, ambiguous := grid.Share(pass, w, twinWindow, answer.RequestedAt, answer.Counts, twin)
	return counts, ambiguous, nil
}

// failureOf is the API's failure that err is, or nil when it is another error or the end of ctx.
func failureOf(ctx context.Context, err error) *wolkvox.Error {
	var failure *wolkvox.Error
	if ctx.Err() != nil || !errors.As(err, &failure) {
		return nil
	}
	return failure
}
