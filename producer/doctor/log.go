package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/diagnosis"
	"unconnected/internal/natsio"
	natsdoctor "unconnected/internal/natsio/doctor"
	"unconnected/producer"
	"unconnected/producer/journal"
	"unconnected/producer/oplog"
)

// logFacts are what NATS knows of an operation.
type logFacts struct {
	operation string
	source    string        // of the configured operation; empty: it is not configured here
	last      *events.Event // nil: the log is empty
	lost      *oplog.Mark   // a place that the log had reached and does not reach any more
	status    *producer.Status
	mute      error // why this user does not see the status
	settle    time.Duration
	now       time.Time
}

// LogOptions say which log to look at.
type LogOptions struct {
	Operation string
	Source    string        // ce-source of the configured operation; empty: it is not configured here
	Settle    time.Duration // POLL_SETTLE
	Now       time.Time
}

// ExamineLog checks how far the log of an operation got, and what its producer says of itself.
func ExamineLog(ctx context.Context, js jetstream.JetStream, o LogOptions) diagnosis.Findings {
	f := logFacts{operation: o.Operation, source: o.Source, settle: o.Settle, now: o.Now}
	err := f.gather(ctx, js)
	var invalid *events.InvalidError
	switch {
	case errors.As(err, &invalid):
		return diagnosis.Findings{diagnosis.Fail("log", "find out who else publishes on calls.unconnected, and take the permission away",
			"the last message is no event: %v", invalid)}
	case err != nil:
		return diagnosis.Findings{judgeUnread(natsio.Explain(js, err))}
	}
	return diagnosis.Findings{judgeLog(&f), judgeStatus(&f)}
}

func judgeUnread(err error) diagnosis.Finding {
	const check = "log"
	if f, is := natsdoctor.Stuck(check, err); is {
		return f
	}
	return diagnosis.Fail(check, "look at the server, and at this user's rights", "can't be read: %v", err)
}

func (f *logFacts) gather(ctx context.Context, js jetstream.JetStream) error {
	stream, err := js.Stream(ctx, events.StreamCalls)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var mark oplog.Mark
	known, err := read(ctx, js, natsio.BucketMarks, f.operation, &mark)
	if err != nil && !errors.Is(err, natsio.ErrPermission) { // a user of another program need not see marks
		return err
	}
	if !known { // or damaged
		mark = oplog.Mark{}
	}
	end, err := journal.Look(ctx, stream, mark, f.operation)
	if err != nil {
		return err
	}
	if end.Invalid != nil {
		return end.Invalid
	}
	f.last = end.Last
	if end.Lost {
		f.lost = &mark
	}
	var status producer.Status
	known, err = read(ctx, js, natsio.BucketStatus, f.operation, &status)
	if known {
		f.status = &status
	}
	if errors.Is(err, natsio.ErrPermission) {
		f.mute = err
		return nil
	}
	return err
}

// read reads a key's JSON, if bucket and key are there.
func read(ctx context.Context, js jetstream.JetStream, bucket, key string, into any) (known bool, err error) {
	kv, err := js.KeyValue(ctx, bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return false, nil
	}
	if err != nil {
		return false, natsio.Explain(js, err)
	}
	entry, err := kv.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return false, nil
	}
	if err != nil {
		return false, natsio.Explain(js, err)
	}
	return json.Unmarshal(entry.Value(), into) == nil, nil
}

// late is how much longer than a few windows a log may go without a new one: a request may take so long.
const late = 2 * time.Minute

// judgeLog says whether the windows come.
func judgeLog(f *logFacts) diagnosis.Finding {
	const check = "log"
	switch {
	case f.lost != nil:
		return diagnosis.Fail(check, "restore a newer copy; or accept the gap: `unconnected streams apply --accept-loss "+f.operation+"`",
			"its end is lost: it had reached %s", f.lost.Checkpoint.Format(time.RFC3339))
	case f.last == nil:
		return diagnosis.Warn(check, "start the producer; if it runs, its state is the next line", "no window is stored yet")
	}
	head := oplog.HeadOf(f.last)
	if f.source != "" && head.MixesKinds(f.source) {
		return diagnosis.Fail(check, "use another NATS_URL, --data directory or operation name",
			"it holds windows from %s, and the producer would poll %s: simulated and real calls must not mix", head.Source, f.source)
	}
	age := f.now.Sub(head.Checkpoint)
	until := fmt.Sprintf("complete up to %s, %s ago", head.Checkpoint.UTC().Format(time.RFC3339), diagnosis.Lasting(age))
	if age > 3*f.last.Window.Length()+f.settle+late {
		if f.now.Sub(f.last.Stored) < late {
			return diagnosis.Ok(check, "%s; windows are being caught up", until)
		}
		return diagnosis.Warn(check, "start the producer; if it runs, its state is the next line", "%s", until)
	}
	return diagnosis.Ok(check, "%s", until)
}

// judgeStatus passes on what the producer said last.
func judgeStatus(f *logFacts) diagnosis.Finding {
	const check = "producer"
	if f.mute != nil {
		return diagnosis.Skip(check, "look with the producer's, the alerter's or the admin's user", "what it says of itself is not visible: %v", f.mute)
	}
	if f.status == nil {
		return diagnosis.Skip(check, "start the producer", "none has said anything yet")
	}
	s := f.status
	said := fmt.Sprintf("%s since %s", s.State, s.Since.UTC().Format(time.RFC3339))
	if s.Reason != "" {
		said += ": " + s.Reason
	}
	switch s.State {
	case producer.OK, producer.CatchingUp:
		return diagnosis.Ok(check, "said last: %s", said)
	case producer.Refused:
		return diagnosis.Fail(check, "what the reason says; it looks again slowly by itself", "%s", said)
	}
	next := "it is tried again by itself"
	if !s.NextTry.IsZero() {
		next += ", at " + s.NextTry.UTC().Format(time.RFC3339)
	}
	return diagnosis.Warn(check, next, "%s", said)
}
