package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/daemon"
	"unconnected/producer"
	"unconnected/producer/oplog"
)

// verifyCommand proves that the history is whole.
type verifyCommand struct {
	selection
	AgainstAPI int  `name:"against-api" placeholder:"N" help:"Also ask the API for N windows, chosen at random, and compare them. Costs N requests; takes the producer's environment (WOLKVOX_…)."`
	JSON       bool `help:"Print one JSON document instead of a table."`

	settings   *producer.Config // with --against-api
	operations []producer.Operation
}

// Run reads the whole history, prints what it found, and fails when a rule is broken.
func (c *verifyCommand) Run(t *terminal) error {
	if err := c.loadSettings(t); err != nil {
		return err
	}
	conn, err := t.connect()
	if err != nil {
		return err
	}
	defer conn.close()
	v, err := c.check(t, conn.js)
	if err != nil {
		return err
	}
	var notCompared error
	if c.AgainstAPI > 0 {
		notCompared = c.compareWithAPI(t, conn.nc, v)
	}
	v.tally()
	if c.JSON {
		encoder := json.NewEncoder(t.stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(v)
	} else {
		err = v.print(t.stdout)
	}
	switch {
	case err != nil:
		return err
	case notCompared != nil:
		return fmt.Errorf("not compared with the API: %w", notCompared)
	case len(v.Faults) > 0:
		return errFound
	}
	return nil
}

// loadSettings reads what it takes to ask the API, before anything is connected.
func (c *verifyCommand) loadSettings(t *terminal) (err error) {
	if c.AgainstAPI < 0 {
		return daemon.Usage(fmt.Errorf("--against-api: %d is no number of windows", c.AgainstAPI))
	}
	if c.AgainstAPI > 0 {
		if c.settings, err = apiSettings(t); err == nil {
			c.operations, err = configured(c.settings, c.Operation)
		}
	}
	return err
}

// check reads the logs and what is known of them elsewhere.
func (c *verifyCommand) check(t *terminal, js jetstream.JetStream) (*verdict, error) {
	v := &verdict{Faults: []oplog.Fault{}, Missed: []oplog.Missed{}, Operations: []summary{}}
	checkers, err := c.fold(t, js, v)
	if err != nil {
		return nil, err
	}
	for _, operation := range slices.Sorted(maps.Keys(checkers)) {
		v.add(operation, checkers[operation])
	}
	for _, operation := range c.Operation {
		if checkers[operation] == nil {
			v.Faults = append(v.Faults, oplog.Fault{Operation: operation, Kind: kindEmpty, Text: "nothing is stored for this operation"})
		}
	}
	lost, err := lostMessages(t.ctx, js, c.Operation)
	if err != nil {
		return nil, err
	}
	v.Faults = append(v.Faults, lost...)
	return v, nil
}

// fold reads every message of the chosen logs into the checkers of their operations. The span does not shorten what is read:
// whether a window is right depends on those before it.
func (c *verifyCommand) fold(t *terminal, js jetstream.JetStream, v *verdict) (map[string]*oplog.Checker, error) {
	total, err := stored(t.ctx, js, c.Operation)
	if err != nil {
		return nil, err
	}
	span := c.query()
	checkers := make(map[string]*oplog.Checker)
	checker := func(operation string) *oplog.Checker {
		if checkers[operation] == nil {
			checkers[operation] = &oplog.Checker{From: span.From, To: span.To}
		}
		return checkers[operation]
	}
	progress := newProgress(t, "checked", "messages", total)
	defer progress.finish()
	for e, err := range events.History(t.ctx, js, events.Query{Operations: c.Operation}) {
		var invalid *events.InvalidError
		switch {
		case err == nil:
			checker(e.Operation).Add(&e)
		case !errors.As(err, &invalid):
			return nil, err
		case events.OperationOf(invalid.Subject) == "": // a subject of the stream that is no log
			v.Faults = append(v.Faults, oplog.Fault{
				Sequence: invalid.Sequence, Kind: oplog.Invalid, Text: fmt.Sprintf("on %s: %s", invalid.Subject, invalid.Reason)})
		default:
			operation := events.OperationOf(invalid.Subject)
			checker(operation).AddInvalid(operation, invalid)
		}
		progress.add(1)
	}
	return checkers, nil
}

// stored is how many messages the stream holds for the operations, for all with none named.
func stored(ctx context.Context, js jetstream.JetStream, operations []string) (int64, error) {
	stream, err := js.Stream(ctx, events.StreamCalls)
	if err != nil {
		return 0, fmt.Errorf("stream %s: %w", events.StreamCalls, err)
	}
	if len(operations) == 0 {
		return int64(stream.CachedInfo().State.Msgs), nil
	}
	total := int64(0)
	for _, subject := range events.Subjects(operations...) {
		info, err := stream.Info(ctx, jetstream.WithSubjectFilter(subject))
		if err != nil {
			return 0, fmt.Errorf("stream %s: %w", events.StreamCalls, err)
		}
		total += int64(info.State.Subjects[subject])
	}
	return total, nil
}
