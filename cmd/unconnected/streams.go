package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/daemon"
	"unconnected/internal/natsio"
	"unconnected/producer/access"
)

// streamsCommand looks after what exists in NATS.
type streamsCommand struct {
	Plan  streamsPlan  `cmd:"" help:"Show what exists in NATS against what should, and for how long there is room."`
	Apply streamsApply `cmd:"" help:"Create what is missing, and change what differs if nothing is lost by it; other changes are refused."`
	Users streamsUsers `cmd:"" help:"Print the users that a nats-server should know: what producer, alerter, reader and admin may do, and nothing else."`
}

// streamsPlan compares.
type streamsPlan struct{}

// streamsSettings are the variables that the definitions depend on.
type streamsSettings struct {
	config.NATS
	config.History
}

// Run prints a line for each stream, difference and bucket, and fails when there is something to do.
func (c *streamsPlan) Run(t *terminal) error {
	definitions, replicas, conn, err := streamDefinitions(t)
	if err != nil {
		return err
	}
	defer conn.close()
	differ := false
	for _, want := range definitions {
		stream, err := conn.js.Stream(t.ctx, want.Name)
		switch {
		case errors.Is(err, jetstream.ErrStreamNotFound):
			fmt.Fprintf(t.stdout, "%s  is missing; apply creates it\n", want.Name)
			differ = true
			continue
		case err != nil:
			return natsio.Explain(conn.js, err)
		}
		drift := natsio.Differences(stream.CachedInfo().Config, want)
		for _, d := range drift {
			fmt.Fprintf(t.stdout, "%s  %s; %s\n", want.Name, d, intention(d))
		}
		if len(drift) == 0 {
			fmt.Fprintf(t.stdout, "%s  is as it should be\n", want.Name)
		}
		if want.Name == events.StreamCalls {
			lookAhead(t, conn, stream.CachedInfo())
		}
		differ = differ || len(drift) > 0
	}
	bucketsDiffer, err := planBuckets(t, conn, replicas)
	if err != nil {
		return err
	}
	if differ || bucketsDiffer {
		return errFound
	}
	return nil
}

// lookAhead says how long there is room in the stream as it is, where that is not for long enough. It is nothing that differs.
func lookAhead(t *terminal, conn *connection, calls *jetstream.StreamInfo) {
	ctx, cancel := context.WithTimeout(t.ctx, 5*time.Second)
	defer cancel()
	perDay, err := natsio.WindowsADay(ctx, conn.js, now())
	if err != nil {
		return // this user may not see it, or it takes too long
	}
	if o, lacks := natsio.OutlookOf(calls, perDay); lacks {
		what, next := o.Words(calls.Config.MaxAge)
		fmt.Fprintf(t.stdout, "%s  %s; %s\n", events.StreamCalls, what, next)
	}
}

// intention is what apply makes of a difference.
func intention(d natsio.Difference) string {
	if d.Loses != "" {
		return "apply refuses to change it: " + d.Loses
	}
	return "apply changes it"
}

func planBuckets(t *terminal, conn *connection, replicas int) (differ bool, err error) {
	for _, bucket := range natsio.Buckets() {
		stream, err := conn.js.Stream(t.ctx, natsio.StreamOf(bucket))
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			fmt.Fprintf(t.stdout, "bucket %s  is missing; apply creates it\n", bucket)
			differ = true
			continue
		}
		if err != nil {
			return false, natsio.Explain(conn.js, err)
		}
		drift := natsio.BucketDifferences(stream.CachedInfo().Config, replicas)
		for _, d := range drift {
			fmt.Fprintf(t.stdout, "bucket %s  %s; %s\n", bucket, d, intention(d))
		}
		if len(drift) == 0 {
			fmt.Fprintf(t.stdout, "bucket %s  is there\n", bucket)
		}
		differ = differ || len(drift) > 0
	}
	return differ, nil
}

func streamDefinitions(t *terminal) (definitions []jetstream.StreamConfig, replicas int, conn *connection, err error) {
	var settings streamsSettings
	if err := config.Load(&settings); err != nil {
		return nil, 0, nil, daemon.Usage(err)
	}
	conn, err = t.connect()
	options := natsio.StreamOptions(&settings.NATS, &settings.History)
	return []jetstream.StreamConfig{events.CallsStream(options), events.AlertsStream(options)}, settings.Replicas, conn, err
}

// streamsApply creates.
type streamsApply struct {
	ForgetQuota bool `help:"Forget what is known of the day's requests, for instance after more were bought: who waits for tomorrow asks again within five minutes."`

	LeaveDrift bool `help:"Tell what is refused, and succeed all the same: for whoever starts the programs next, which use streams as they are."`

	AcceptLoss string `placeholder:"OPERATION" help:"Let the producer go on behind the present end of this operation's log, although its end was lost."`
}

// Run creates the streams that are missing and changes those that differ, or drops the mark of a log whose loss is accepted.
func (c *streamsApply) Run(t *terminal) error {
	definitions, replicas, conn, err := streamDefinitions(t)
	if err != nil {
		return err
	}
	defer conn.close()
	if c.AcceptLoss != "" {
		return c.acceptLoss(t, conn)
	}
	if c.ForgetQuota {
		return forgetQuota(t, conn)
	}
	var refused error
	for _, want := range definitions {
		err := c.leave(t, applyStream(t, conn, want))
		if err != nil && !errors.Is(err, natsio.ErrLoses) {
			return err
		}
		refused = errors.Join(refused, err)
	}
	for _, bucket := range natsio.Buckets() {
		err := c.leave(t, applyBucket(t, conn, bucket, replicas))
		if err != nil && !errors.Is(err, natsio.ErrLoses) {
			return err
		}
		refused = errors.Join(refused, err)
	}
	return refused
}

// leave tells of a refused change, which is no error for whoever leaves drift as it is. Other errors it returns.
func (c *streamsApply) leave(t *terminal, err error) error {
	if !c.LeaveDrift || !errors.Is(err, natsio.ErrLoses) {
		return err
	}
	fmt.Fprintf(t.stdout, "left as it is: %v\n", err)
	return nil
}

// applyBucket creates a bucket, or changes the one that is there.
func applyBucket(t *terminal, conn *connection, bucket string, replicas int) error {
	created, err := isMissing(t, conn, natsio.StreamOf(bucket))
	if err != nil {
		return err
	}
	if _, err := natsio.EnsureBucket(t.ctx, conn.js, bucket, replicas); err != nil {
		return err
	}
	changed, err := natsio.AmendBucket(t.ctx, conn.js, bucket, replicas)
	tellChanges(t, "bucket "+bucket, "is there", created, changed, err)
	return err
}

// applyStream creates a stream, or changes the one that is there.
func applyStream(t *terminal, conn *connection, want jetstream.StreamConfig) error {
	created, err := isMissing(t, conn, want.Name)
	if err != nil {
		return err
	}
	stream, err := natsio.EnsureStream(t.ctx, conn.js, want, slog.New(slog.DiscardHandler)) // drift is dealt with here
	if err != nil {
		return err
	}
	changed, err := natsio.Amend(t.ctx, conn.js, stream, want)
	tellChanges(t, want.Name, "is as it should be", created, changed, err)
	return err
}

// isMissing tells whether a stream is to be created.
func isMissing(t *terminal, conn *connection, stream string) (bool, error) {
	_, err := conn.js.Stream(t.ctx, stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return true, nil
	}
	return false, natsio.Explain(conn.js, err)
}

// tellChanges prints what was made of a stream or bucket; right is what it says of one that was as it should be.
func tellChanges(t *terminal, what, right string, created bool, changed []natsio.Difference, err error) {
	for _, d := range changed {
		fmt.Fprintf(t.stdout, "%s  %s was %s, is %s now\n", what, d.Name, d.Is, d.Should)
	}
	switch {
	case err != nil || len(changed) > 0:
	case created:
		fmt.Fprintf(t.stdout, "%s  is created\n", what)
	default:
		fmt.Fprintf(t.stdout, "%s  %s\n", what, right)
	}
}

// forgetQuota deletes the ledgers of all servers.
func forgetQuota(t *terminal, conn *connection) error {
	bucket, err := conn.js.KeyValue(t.ctx, natsio.BucketLeases)
	if err != nil {
		return fmt.Errorf("bucket %s: %w", natsio.BucketLeases, err)
	}
	keys, err := bucket.ListKeysFiltered(t.ctx, access.KeyPrefix+"*")
	if err != nil {
		return fmt.Errorf("bucket %s: %w", natsio.BucketLeases, err)
	}
	forgotten := 0
	for key := range keys.Keys() {
		if err := bucket.Delete(t.ctx, key); err != nil {
			return fmt.Errorf("ledger %s: %w", key, err)
		}
		forgotten++
	}
	fmt.Fprintf(t.stdout, "the day's requests of %s are forgotten; the API is asked again within five minutes\n", count(forgotten, "server"))
	return nil
}

func (c *streamsApply) acceptLoss(t *terminal, conn *connection) error {
	if !events.ValidOperation(c.AcceptLoss) {
		return daemon.Usage(fmt.Errorf("--accept-loss: %q is not the name of an operation", c.AcceptLoss))
	}
	marks, err := conn.js.KeyValue(t.ctx, natsio.BucketMarks)
	if err != nil {
		return fmt.Errorf("bucket %s: %w", natsio.BucketMarks, err)
	}
	_, err = marks.Get(t.ctx, c.AcceptLoss)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return fmt.Errorf("no producer waits for operation %s to be told: it has no mark", c.AcceptLoss)
	}
	if err != nil {
		return fmt.Errorf("mark of %s: %w", c.AcceptLoss, err)
	}
	if err := marks.Delete(t.ctx, c.AcceptLoss); err != nil {
		return fmt.Errorf("mark of %s: %w", c.AcceptLoss, err)
	}
	fmt.Fprintf(t.stdout, "%s: the loss is accepted; the producer goes on behind the present end of the log within a minute\n", c.AcceptLoss)
	return nil
}
