package producer_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/daemon"
	"unconnected/internal/natsio"
	"unconnected/internal/natstest"
	"unconnected/producer"
	"unconnected/producer/oplog"
	"unconnected/producer/wolkvox/simulator"
)

func TestNATSRestartsInTheMiddle(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{Latency: 2 * time.Millisecond})
	s.set(t, map[string]string{"POLL_START": "-10h"})
	p := s.start(t)
	eventually(t, "some progress", func() bool { return time.Since(p.state().Checkpoint) < 9*time.Hour })
	listen := s.stopNATS()
	eventually(t, "it shows", func() bool { return !p.Report().Ready })
	if o := p.state(); o.State != "retrying" || o.Reason == "" {
		t.Errorf("without NATS: %+v", o)
	}
	s.startNATS(t, listen)
	eventually(t, "it is back", func() bool { return p.Report().Ready })
	s.caughtUp(t)
	if log := s.sound(t, events.DefaultOperation); len(log) < 599 { // the last may not have been due
		t.Errorf("%d windows of ten hours", len(log))
	}
	s.alone(t)
}

func TestNATSComesLater(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	listen := s.stopNATS()
	p := s.start(t)
	eventually(t, "it shows", func() bool { o := p.state(); return o.State == "retrying" && o.Reason != "" })
	if p.Report().Ready {
		t.Error("ready without NATS")
	}
	s.startNATS(t, listen)
	s.caughtUp(t)
	s.sound(t, events.DefaultOperation)
}

func TestStopsWhileNATSIsAway(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.stopNATS()
	p := s.start(t)
	eventually(t, "it shows", func() bool { return p.state().State == "retrying" })
	if err := p.stop(); err != nil {
		t.Errorf("stopped with %v", err)
	}
}

func TestNATSComesBackEmpty(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.set(t, map[string]string{"POLL_WINDOW": "1s", "POLL_START": "-10s"})
	p := s.start(t)
	s.caughtUp(t)
	listen := s.stopNATS()
	s.dir = t.TempDir()
	s.startNATS(t, listen)
	s.caughtUp(t)
	eventually(t, "ready", func() bool { return p.Report().Ready })
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	s.sound(t, events.DefaultOperation)
}

// publish stores a message that no producer would.
func (s *site) publish(t testing.TB, msg *nats.Msg) {
	t.Helper()
	if _, err := s.js.PublishMsg(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
}

// hostile are messages that must not mislead a producer.
func (s *site) hostile(t testing.TB) {
	t.Helper()
	subject := events.Subject(events.DefaultOperation)
	s.publish(t, &nats.Msg{Subject: subject, Data: []byte("\x00\xff{{{")})
	s.publish(t, &nats.Msg{Subject: subject, Header: nats.Header{"ce-type": {events.TypeCalls}, "ce-specversion": {"1.0"}}, Data: []byte("{}")})
	future := time.Date(2099, 1, 1, 0, 1, 0, 0, time.UTC)
	s.publish(t, claiming(t, future.Add(-time.Minute), 0, future))
	start := time.Now().UTC().Add(-40 * time.Minute).Truncate(time.Minute)
	for _, checkpoint := range []time.Time{{}, start.Add(time.Minute + 1), start.Add(-time.Hour), future} {
		s.publish(t, claiming(t, start, 7, checkpoint))
	}
}

// claiming is an event of a minute that says that the log is complete up to a checkpoint.
func claiming(t testing.TB, start time.Time, revision int, checkpoint time.Time) *nats.Msg {
	t.Helper()
	end := start.Add(time.Minute)
	msg, err := events.Encode(&events.Event{
		Operation: events.DefaultOperation, Timezone: "UTC", Source: oplog.SourceSimulated, Revision: revision,
		Window: events.Window{Start: start, End: end}, Checkpoint: end, PolledAt: end, Counts: map[string]int64{},
	})
	if err != nil {
		t.Fatal(err)
	}
	msg.Header.Set(events.HeaderCheckpoint, checkpoint.Format(time.RFC3339Nano))
	msg.Header.Del(nats.MsgIdHdr) // each is to be stored
	return msg
}

// own leaves out what hostile has stored.
func own(log []events.Event) []events.Event {
	var rest []events.Event
	for _, e := range log {
		if e.Revision != 7 && e.Checkpoint.Before(time.Now().Add(time.Hour)) {
			rest = append(rest, e)
		}
	}
	return rest
}

func TestHostileMessagesMisleadNobody(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{Latency: time.Millisecond})
	s.set(t, map[string]string{"POLL_START": "-3h"})
	natstest.CreateStreams(t, s.js)
	s.hostile(t) // before the log begins,
	p := s.start(t)
	eventually(t, "some progress", func() bool { return time.Since(p.state().Checkpoint) < 170*time.Minute })
	s.hostile(t) // in the middle of it,
	eventually(t, "up to date", func() bool { return time.Since(p.state().Checkpoint) < 2*time.Minute })
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	s.hostile(t) // and at its end
	p = s.start(t)
	eventually(t, "up to date", func() bool { return p.state().State == "ok" && time.Since(p.state().Checkpoint) < 2*time.Minute })
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	log, invalid := s.log(t, events.DefaultOperation)
	if invalid != 4*3 {
		t.Errorf("%d invalid messages", invalid)
	}
	var c oplog.Checker
	log = own(log)
	for i := range log {
		c.Add(&log[i])
	}
	if faults := c.Finish(events.DefaultOperation); len(faults) > 0 || len(log) < 180 {
		t.Errorf("%d windows of three hours, faults %+v", len(log), faults)
	}
}

func TestALostEndIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	p := s.start(t)
	s.caughtUp(t)
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	before, _ := s.tryLog(t)
	marks, err := s.js.KeyValue(t.Context(), natsio.BucketMarks)
	if err != nil {
		t.Fatal(err)
	}
	entry, err := marks.Get(t.Context(), events.DefaultOperation)
	if err != nil {
		t.Fatal(err)
	}
	var mark oplog.Mark
	if err := json.Unmarshal(entry.Value(), &mark); err != nil {
		t.Fatal(err)
	}
	if mark.Sequence != before[len(before)-1].Sequence || !mark.Checkpoint.Equal(s.checkpoint(t)) {
		t.Errorf("the mark %+v is not at the end of the log", mark)
	}
	mark.Sequence += 5
	value, _ := json.Marshal(mark)
	if _, err := marks.Put(t.Context(), events.DefaultOperation, value); err != nil {
		t.Fatal(err)
	}

	p = s.start(t)
	eventually(t, "refused", func() bool { return p.state().State == "refused" })
	if report := p.Report(); report.Ready || !strings.Contains(report.Reason, "unconnected streams apply --accept-loss default") {
		t.Errorf("reports %+v", report)
	}
	if after, _ := s.tryLog(t); len(after) != len(before) {
		t.Errorf("%d windows were stored all the same", len(after)-len(before))
	}
	if err := marks.Delete(t.Context(), events.DefaultOperation); err != nil {
		t.Fatal(err)
	}
	eventually(t, "goes on", func() bool { return p.Report().Ready })
	s.sound(t, events.DefaultOperation)
}

func TestADamagedMarkIsWrittenAnew(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	_, err := natsio.EnsureBucket(t.Context(), s.js, natsio.BucketMarks, 1)
	if err != nil {
		t.Fatal(err)
	}
	marks, err := s.js.KeyValue(t.Context(), natsio.BucketMarks)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := marks.Put(t.Context(), events.DefaultOperation, []byte(`{"sequence":99999,"checkpoint":5`)); err != nil {
		t.Fatal(err)
	}
	s.start(t)
	s.caughtUp(t)
	eventually(t, "a mark", func() bool {
		entry, err := marks.Get(t.Context(), events.DefaultOperation)
		var mark oplog.Mark
		return err == nil && json.Unmarshal(entry.Value(), &mark) == nil && mark.Checkpoint.Equal(s.checkpoint(t))
	})
}

func TestSimulatedAndRealHistoryNeverMix(t *testing.T) {
	for name, kinds := range map[string][]func(*producer.Options){
		"real after simulated": {func(*producer.Options) {}, real},
		"simulated after real": {real, func(*producer.Options) {}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, simulator.Options{})
			p := s.start(t, kinds[0])
			s.caughtUp(t)
			if err := p.stop(); err != nil {
				t.Fatal(err)
			}
			requests := len(s.api.Ledger())
			err := <-s.start(t, kinds[1]).ended
			var exit *daemon.ExitError
			if !errors.As(err, &exit) || exit.Code != 2 {
				t.Errorf("ended with %v, want exit code 2", err)
			}
			if len(s.api.Ledger()) != requests {
				t.Error("it asked the API all the same")
			}
			s.sound(t, events.DefaultOperation)
		})
	}
}

// TestAStreamThatStoresNothing: what can't be stored must not cost the day's requests.
func TestAStreamThatStoresNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{Latency: 100 * time.Millisecond})
	small := events.CallsStream(events.StreamOptions{})
	small.MaxMsgSize = 10
	if _, err := s.js.CreateStream(t.Context(), small); err != nil {
		t.Fatal(err)
	}
	p, began := s.start(t), time.Now()
	eventually(t, "it shows", func() bool {
		o := p.state()
		return o.State == "retrying" && strings.Contains(o.Reason, "append default/")
	})
	eventually(t, "a third attempt", func() bool { return len(s.api.Ledger()) >= 5 })
	if took := time.Since(began); took < 500*time.Millisecond {
		t.Errorf("five requests in %v for nothing", took)
	}
	for _, r := range s.api.Ledger() {
		if r.Done && r.Status == 0 {
			t.Errorf("a request was cut short: %+v", r)
		}
	}
	s.alone(t)
	if _, err := s.js.UpdateStream(t.Context(), events.CallsStream(events.StreamOptions{})); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it goes on", func() bool { return p.Report().Ready && !s.checkpoint(t).IsZero() })
	s.sound(t, events.DefaultOperation)
}

func TestTheBucketHoldsTheStatus(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	status := func() (got producer.Status) {
		if bucket, err := s.js.KeyValue(t.Context(), natsio.BucketStatus); err == nil {
			if entry, err := bucket.Get(t.Context(), events.DefaultOperation); err == nil {
				_ = json.Unmarshal(entry.Value(), &got)
			}
		}
		return got
	}
	s.start(t)
	eventually(t, "ok", func() bool { got := status(); return got.State == producer.OK && got.Checkpoint.Equal(s.checkpoint(t)) })
	if got := status(); got.Operation != "default" || got.Since.IsZero() || !got.NextTry.After(got.Since) || got.Reason != "" {
		t.Errorf("status %+v", got)
	}
}

// TestAHistoryWithoutRoom: how long there will be room is known as soon as windows come, and is said long before the oldest go.
func TestAHistoryWithoutRoom(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.secondly(t)
	s.config.MaxBytes = config.Size(16 << 20)
	s.start(t)
	s.caughtUp(t)
	again := s.start(t) // which finds windows at once
	eventually(t, "it notes it, and does its job all the same", func() bool {
		report := again.Report()
		notes := strings.Join(report.Notes, "; ")
		return report.Ready && strings.Contains(notes, "at this rate it is full in") && strings.Contains(notes, "set HISTORY_MAX_BYTES=")
	})
}
