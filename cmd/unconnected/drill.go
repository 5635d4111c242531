package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/alerter"
	"unconnected/alerter/incident"
	"unconnected/alerter/silence"
	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/daemon"
	"unconnected/internal/natsio"
)

// drillCommand sends a test incident down the real path.
type drillCommand struct {
	Operation string          `placeholder:"NAME" help:"An operation to be named in the message; it is only a label."`
	Channel   string          `placeholder:"CHANNEL" help:"Where to post it, as in SLACK_CHANNEL; default SLACK_CHANNEL of the alerter."`
	Hold      config.Duration `default:"20s" help:"For how long it fires, at most 30m (default ${default}): time to try the buttons."`
	Wait      config.Duration `default:"1m" help:"How long to wait for each step before giving up (default ${default})."`
}

// longestHold is well below [events.DrillMost].
const longestHold = 30 * time.Minute

// Validate refuses what would not be a drill.
func (c *drillCommand) Validate() error {
	switch {
	case c.Operation != "" && !events.ValidOperation(c.Operation):
		return fmt.Errorf("--operation: %q is not a name of [a-z0-9][a-z0-9_-]{0,62}", c.Operation)
	case time.Duration(c.Hold) > longestHold:
		return fmt.Errorf("--hold %s is longer than %s", c.Hold, config.Duration(longestHold))
	case time.Duration(c.Wait) < time.Second:
		return fmt.Errorf("--wait %s is too short to see anything", c.Wait)
	}
	return nil
}

// Run posts, waits and resolves, telling each step. The incident is resolved at the end whatever happens, also when the
// program is interrupted.
func (c *drillCommand) Run(t *terminal) error {
	var settings config.NATS
	if err := config.Load(&settings); err != nil {
		return daemon.Usage(err)
	}
	conn, err := t.connect()
	if err != nil {
		return err
	}
	defer conn.close()
	d, err := newDrill(t, conn.js, c)
	if err != nil {
		return err
	}
	err = d.conduct(t.ctx, time.Duration(c.Hold), time.Duration(c.Wait))
	if errors.Is(err, errNotPosted) || errors.Is(err, errNotResolved) {
		d.explain(err, settings.Replicas)
		return errFound
	}
	return err
}

// What a drill may find.
var (
	errNotPosted   = errors.New("it was not posted in time")
	errNotResolved = errors.New("it was posted, but its end does not show in time")
)

// drill is a test incident under way.
type drill struct {
	t       *terminal
	js      jetstream.JetStream
	notices jetstream.KeyValue
	judged  uint64 // the last sequence of CALLS
	sight   drillSight
	last    uint64 // sequence of the last message on the drill's subject
	tick    int64  // of the last cause
	labels  map[string]string
	zone    string // IANA name of the operation's, "" when it has no history
}

// newDrill looks whether a drill can be told from what is real, and ends one that was left behind.
func newDrill(t *terminal, js jetstream.JetStream, c *drillCommand) (*drill, error) {
	d := &drill{t: t, js: js, labels: map[string]string{events.LabelDrill: "true"}}
	if c.Operation != "" {
		d.labels["operation"] = c.Operation
	}
	if c.Channel != "" {
		d.labels[events.LabelChannel] = c.Channel
	}
	calls, err := js.Stream(t.ctx, events.StreamCalls)
	if err != nil {
		return nil, err
	}
	d.judged = calls.CachedInfo().State.LastSeq
	_, err = calls.GetLastMsgForSubject(t.ctx, events.Subject(events.DrillOperation))
	switch {
	case err == nil:
		return nil, fmt.Errorf("there is a real operation named %s, so a drill could be taken for its alert", events.DrillOperation)
	case !errors.Is(err, jetstream.ErrMsgNotFound):
		return nil, fmt.Errorf("read %s: %w", events.StreamCalls, err)
	}
	if last, err := events.Last(t.ctx, calls, cmp.Or(c.Operation, events.DefaultOperation)); err == nil && last != nil {
		d.zone = last.Timezone
	}
	d.notices, err = js.KeyValue(t.ctx, natsio.BucketNotices)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return nil, errors.New("no alerter has run with this NATS_URL yet: start one, then try again")
	}
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", natsio.BucketNotices, natsio.Explain(js, err))
	}
	return d, d.clear()
}

// clear reads the last message of the drill's subject, and ends the drill that it may have left firing.
func (d *drill) clear() error {
	before, err := d.read(d.t.ctx)
	if err != nil {
		return err
	}
	if d.last, d.tick = before.Sequence, before.Cause.Tick; before.Status != events.Firing {
		return nil // nothing fires
	}
	d.t.log.Warn("a drill was left firing, or another one is under way; it is ended", "began", before.StartsAt)
	return d.publish(d.t.ctx, resolvedDrill(before, d.cause(before.Cause.Sequence)))
}

// conduct goes through the steps. Whatever happens, the incident is resolved at the end.
func (d *drill) conduct(ctx context.Context, hold, wait time.Duration) (err error) {
	fired := firingDrill(d.cause(d.judged), d.labels)
	fired.Timezone = d.zone
	if err := d.publish(ctx, fired); err != nil {
		return errors.Join(err, d.takeBack(fired))
	}
	d.sight = drillSight{fired: d.last, began: time.Now()}
	d.say("fires: stored in %s as %d", events.StreamAlerts, d.last)
	watching, stop := context.WithCancel(ctx)
	defer stop()
	watcher, err := d.notices.Watch(watching, incident.KeyPrefix(fired.Incident)+"*")
	if err != nil {
		return errors.Join(fmt.Errorf("watch %s: %w", natsio.BucketNotices, natsio.Explain(d.js, err)), d.resolve(fired))
	}
	defer func() { _ = watcher.Stop() }() // its consumer is ephemeral
	told, err := d.follow(ctx, watcher, wait, d.sight.isTold)
	if told && err == nil {
		d.say("it fires for %s more: try the buttons, where there are any", config.Duration(hold))
		_, err = d.follow(ctx, watcher, hold, func() bool { return false })
	}
	if err = errors.Join(err, d.resolve(fired)); err != nil {
		return err
	}
	if !told {
		return errNotPosted
	}
	if over, err := d.follow(ctx, watcher, wait, d.sight.isOver); over || err != nil {
		return err
	}
	return errNotResolved
}

// cause is a tick after a message of CALLS: the present second, or a later one when that was a cause already.
func (d *drill) cause(sequence uint64) events.Cause {
	d.tick = max(now().Unix(), d.tick+1)
	return events.Cause{Sequence: sequence, Tick: d.tick}
}

// follow tells what the records of the incident show until is tells that it is enough, or the time is up.
func (d *drill) follow(ctx context.Context, watcher jetstream.KeyWatcher, limit time.Duration, is func() bool) (enough bool, err error) {
	late := time.NewTimer(limit)
	defer late.Stop()
	for !is() {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-late.C:
			return false, nil
		case entry, open := <-watcher.Updates():
			if !open {
				return false, fmt.Errorf("watch %s: the connection was closed", natsio.BucketNotices)
			}
			if entry == nil || entry.Operation() != jetstream.KeyValuePut {
				continue
			}
			for _, line := range d.sight.take(entry.Value(), time.Now()) {
				d.say("%s", line)
			}
		}
	}
	return true, nil
}

// resolve ends the incident, even when the program was interrupted.
func (d *drill) resolve(fired events.Alert) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.t.ctx), 5*time.Second)
	defer cancel()
	err := d.publish(ctx, resolvedDrill(fired, d.cause(fired.Cause.Sequence)))
	if natsio.IsConflict(err) {
		return d.endedElsewhere(ctx)
	}
	if err != nil {
		return fmt.Errorf("the drill still fires, run another one to end it: %w", err)
	}
	d.sight.resolved, d.sight.resolvedAt = d.last, time.Now()
	d.say("is resolved: stored in %s as %d", events.StreamAlerts, d.last)
	return nil
}

// takeBack resolves a drill whose beginning may have been stored, although the answer was lost: the program was interrupted, or
// NATS was slow.
func (d *drill) takeBack(fired events.Alert) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.t.ctx), 5*time.Second)
	defer cancel()
	last, err := d.read(ctx)
	if err != nil {
		return fmt.Errorf("whether the drill fires is not known; run another one to end it: %w", err)
	}
	if last.ID() != fired.ID() {
		return nil
	}
	d.last = last.Sequence
	return d.resolve(fired)
}

// endedElsewhere notes the end that somebody else has stored: another drill, or the alerter.
func (d *drill) endedElsewhere(ctx context.Context) error {
	stream, err := d.js.Stream(ctx, events.StreamAlerts)
	if err != nil {
		return fmt.Errorf("stream %s: %w", events.StreamAlerts, err)
	}
	end, err := stream.GetMsg(ctx, d.last+1, jetstream.WithGetMsgSubject(drillSubject))
	if err != nil {
		return fmt.Errorf("read %s: %w", events.StreamAlerts, err)
	}
	d.last, d.sight.resolved, d.sight.resolvedAt = end.Sequence, end.Sequence, time.Now()
	d.say("somebody else has ended it: stored in %s as %d", events.StreamAlerts, d.last)
	return nil
}

// drillSubject is where drills are stored.
var drillSubject = events.AlertSubject(events.DrillOperation, events.DrillRule)

// read is the last drill that was stored, the zero Alert where there is none.
func (d *drill) read(ctx context.Context) (events.Alert, error) {
	alerts, err := d.js.Stream(ctx, events.StreamAlerts)
	if err != nil {
		return events.Alert{}, fmt.Errorf("stream %s: %w", events.StreamAlerts, err)
	}
	raw, err := alerts.GetLastMsgForSubject(ctx, drillSubject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return events.Alert{}, nil
	}
	if err != nil {
		return events.Alert{}, fmt.Errorf("read %s: %w", events.StreamAlerts, err)
	}
	last, err := events.DecodeRawAlert(raw)
	if err != nil {
		return events.Alert{Sequence: raw.Sequence}, nil // foreign, but there
	}
	return last, nil
}

// publish stores an alert event behind the last one of the drill's subject.
func (d *drill) publish(ctx context.Context, a events.Alert) error {
	msg, err := events.EncodeAlert(&a)
	if err != nil {
		return err
	}
	ack, err := d.js.PublishMsg(ctx, msg, jetstream.WithExpectStream(events.StreamAlerts), jetstream.WithExpectLastSequencePerSubject(d.last))
	if err != nil {
		return fmt.Errorf("store in %s: %w", events.StreamAlerts, natsio.Explain(d.js, err))
	}
	d.last = ack.Sequence
	return nil
}

func (d *drill) say(format string, args ...any) {
	fmt.Fprintf(d.t.stdout, "%s  %s\n", time.Now().Format("15:04:05.0"), fmt.Sprintf(format, args...))
}

// explain says why a drill failed.
func (d *drill) explain(failed error, replicas int) {
	if reason := d.sight.why(); reason != "" {
		d.say("%v: %s", failed, reason)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.t.ctx), 10*time.Second)
	defer cancel()
	if hush := d.hush(ctx, replicas); hush != "" {
		d.say("%v: %s", failed, hush)
		return
	}
	switch holder, err := alerter.LookOnDuty(ctx, d.js, replicas); {
	case err != nil:
		d.say("%v, and who is on duty is not known: %v", failed, err)
	case holder == "":
		d.say("%v: no alerter is on duty; is one running, with this NATS_URL, and ready (/readyz)?", failed)
	default:
		d.say("%v: %s is on duty; its /readyz and log say why", failed, holder)
	}
}

// hush is the silence that keeps a drill from being told, "" when there is none.
func (d *drill) hush(ctx context.Context, replicas int) string {
	store, err := silence.Open(ctx, d.js, replicas)
	if err != nil {
		return "" // it is a guess
	}
	list, _ := store.List(ctx) // as above
	for _, s := range list {
		if s.Active(now()) && s.Covers(events.DrillOperation, events.DrillRule) {
			return fmt.Sprintf("the silence %s by %s covers it until %s", s.ID, s.By, s.Until.Format(time.RFC3339))
		}
	}
	return ""
}
