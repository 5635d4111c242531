package doctor

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/alerter"
	"unconnected/events"
	"unconnected/internal/diagnosis"
	"unconnected/internal/lease"
	"unconnected/internal/natsio"
	natsdoctor "unconnected/internal/natsio/doctor"
)

// work is how far the windows were judged.
type work struct {
	known   bool   // somebody has judged this history
	behind  uint64 // messages of CALLS that were not judged
	waiting time.Duration
	onDuty  string        // who judges; empty: nobody
	overdue time.Duration // since when its claim should have run out
}

// ExamineWork checks whether an alerter judges the windows, and how far it got. Leases may be nil.
func ExamineWork(ctx context.Context, js jetstream.JetStream, leases *lease.Keeper, now time.Time) diagnosis.Findings {
	w, err := workOf(ctx, js, now)
	if err != nil {
		err = natsio.Explain(js, err)
	}
	if errors.Is(err, natsio.ErrPermission) {
		return diagnosis.Findings{diagnosis.Skip("judging", "look with the alerter's or the admin's user", "this user may not see how far it got")}
	}
	if f, is := natsdoctor.Stuck("judging", err); is {
		return diagnosis.Findings{f}
	}
	if err != nil {
		return diagnosis.Findings{diagnosis.Fail("judging", "look at the server, and at this user's rights", "how far it got can't be read: %v", err)}
	}
	if leases != nil {
		w.onDuty = alerter.OnDuty(leases)
		w.overdue, _ = alerter.Overdue(ctx, js) // otherwise it is not told
	}
	return diagnosis.Findings{judgeWork(w, leases != nil)}
}

func workOf(ctx context.Context, js jetstream.JetStream, now time.Time) (w work, err error) {
	stream, err := js.Stream(ctx, events.StreamCalls)
	if err != nil {
		return w, missingIsEmpty(err)
	}
	info := stream.CachedInfo()
	sequence, known, err := alerter.Evaluated(ctx, js, info)
	if err != nil || !known {
		return w, err
	}
	w.known = true
	if sequence >= info.State.LastSeq {
		return w, nil
	}
	w.behind = info.State.LastSeq - sequence
	next, err := stream.GetMsg(ctx, max(sequence+1, info.State.FirstSeq))
	if errors.Is(err, jetstream.ErrMsgNotFound) { // retention was faster
		return w, nil
	}
	if err == nil {
		w.waiting = now.Sub(next.Time)
	}
	return w, err
}

// slow is how long a window may wait to be judged: a moment, usually.
const slow = 2 * time.Minute

// lapse is how much later than it should a claim may run out at a server that is busy.
const lapse = 20 * time.Second

// judgeWork says whether windows are judged. asked tells whether it was looked who is on duty.
func judgeWork(w work, asked bool) diagnosis.Finding {
	const check = "judging"
	nobody := asked && w.onDuty == ""
	switch {
	case w.overdue > lapse:
		return diagnosis.Fail(check, "look at the disk where NATS keeps its files: free space, and restart the server; its log and /healthz tell",
			"%s had its turn until %s ago, and NATS has not let that run out: it does not store", w.onDuty, diagnosis.Lasting(w.overdue))
	case !w.known && w.onDuty == "":
		return diagnosis.Warn(check, "start the alerter", "no alerter has judged this history yet")
	case w.behind > 0 && w.waiting > slow:
		return diagnosis.Warn(check, "start the alerter, or look at its /readyz", "%d messages were not judged, the oldest of %s ago", w.behind, diagnosis.Lasting(w.waiting))
	case nobody:
		return diagnosis.Warn(check, "start the alerter", "all windows were judged, but no alerter is running now")
	case asked:
		return diagnosis.Ok(check, "%s judges; %d messages behind", w.onDuty, w.behind)
	}
	return diagnosis.Ok(check, "%d messages behind", w.behind)
}

// missingIsEmpty takes a stream that is not there for an empty one.
func missingIsEmpty(err error) error {
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	}
	return err
}
