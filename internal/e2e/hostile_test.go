package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"unconnected/events"
	"unconnected/internal/natsio"
)

// hostile are messages that somebody put where only the producer's belong, made from an event that is in the log.
func hostile(t *testing.T, real events.Event) map[string]*nats.Msg {
	t.Helper()
	encode := func(change func(e *events.Event)) *nats.Msg {
		e := real
		change(&e)
		msg, err := events.Encode(&e)
		if err != nil {
			t.Fatal(err)
		}
		msg.Header.Del(nats.MsgIdHdr) // it would only be taken for a duplicate
		return msg
	}
	raw := func(data string) *nats.Msg { return &nats.Msg{Subject: events.Subject("default"), Data: []byte(data)} }
	with := func(msg *nats.Msg, header, value string) *nats.Msg {
		msg.Header.Set(header, value)
		return msg
	}
	same := func(*events.Event) {}
	elsewhere := encode(func(e *events.Event) { e.Operation = "ventas" })
	elsewhere.Subject = events.Subject("default")
	huge := encode(same)
	huge.Data = []byte(`{"operation":"` + strings.Repeat("x", 900_000) + `"}`)
	notUTF8 := encode(same)
	notUTF8.Data = []byte("\xff\xfe{}")
	return map[string]*nats.Msg{
		"nothing":                  raw(""),
		"text":                     raw("hello"),
		"HTML":                     raw("<html></html>"),
		"deep nesting":             raw(strings.Repeat("[", 100_000)),
		"JSON of something else":   raw(`{"total": -1, "counts": null, "window": 7}`),
		"not UTF-8":                notUTF8,
		"a huge one":               huge,
		"a wrong id":               with(encode(same), "ce-id", "default/20010101T000000Z/PT1S/0"),
		"no id":                    with(encode(same), "ce-id", ""),
		"a wrong checkpoint":       with(encode(same), "Unconnected-Checkpoint", "tomorrow"),
		"another operation's data": elsewhere,
	}
}

// TestHostileBytesOnCalls: whatever is stored among the events, the producer goes on behind it, now and after a restart, the
// alerter judges what is valid, history and tail leave it out and say so, and verify lists each and exits with 1.
func TestHostileBytesOnCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t, congestion(-20*second, 8*second))
	producer, alerter := w.start("producer", nil), w.start("alerter", nil)
	w.awaitLive()
	tail := w.start("unconnected", nil, "tail")
	messages := hostile(t, w.log()[0])
	for name, msg := range messages {
		if _, err := w.js.PublishMsg(t.Context(), msg); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	w.awaitLiveAmongHostile(t)
	producer.kill()
	alerter.kill()
	if _, err := w.js.Publish(t.Context(), events.Subject("default"), []byte("the last one")); err != nil {
		t.Fatal(err)
	}
	producer, alerter = w.start("producer", nil), w.start("alerter", nil)
	w.awaitLiveAmongHostile(t)
	producer.awaitReady()
	w.awaitStory()
	w.awaitToldInSlack()
	w.awaitQuiet(alerter)

	w.requireTrueLog(w.validLog(t))
	stdout, _ := w.tool(1, "verify")
	if err := contains(stdout, fmt.Sprintf("FAULT invalid (%d)", len(messages)+1)); err != nil {
		t.Errorf("verify: %v:\n%.3000s", err, stdout)
	}
	stdout, _ = w.tool(1, "verify", "--json")
	var verdict struct{ Faults []struct{ Kind string } }
	if err := json.Unmarshal([]byte(stdout), &verdict); err != nil || len(verdict.Faults) != len(messages)+1 {
		t.Errorf("verify --json: %v, %d faults", err, len(verdict.Faults))
	}
	stdout, stderr := w.tool(0, "history", "--format", "jsonl", "--all")
	if lines, valid := strings.Count(stdout, "\n"), len(w.validLog(t)); lines > valid || lines < valid-3 {
		t.Errorf("history has %d lines, and there are %d events", lines, valid)
	}
	if got := strings.Count(stderr, "left out"); got != len(messages)+1 {
		t.Errorf("history says of %d messages that they were left out:\n%.3000s", got, stderr)
	}
	tail.awaitOutput("unconnected calls")
	w.requireStory()
}

// validLog are the events of the log, without what is none.
func (w *world) validLog(t *testing.T) []events.Event {
	t.Helper()
	var list []events.Event
	for e, err := range events.History(t.Context(), w.js, events.Query{}) {
		if errors.Is(err, events.ErrInvalid) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

// awaitLiveAmongHostile is awaitLive where the last message need not be an event.
func (w *world) awaitLiveAmongHostile(t *testing.T) {
	t.Helper()
	now := time.Now()
	eventually(t, func() error {
		if list := w.validLog(t); list[len(list)-1].Checkpoint.Before(now) {
			return errNotYet
		}
		return nil
	})
}

// TestHostileBytesOnAlerts: foreign bytes on the subjects of alerts, those of a live alert included, neither stop nor
// confuse the alerter, now or after a restart.
func TestHostileBytesOnAlerts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, congestion(-20*second, 6*second))
	w.start("producer", nil)
	alerter := w.start("alerter", nil)
	eventually(t, func() error {
		names, _, err := w.alerts()
		if err == nil && len(names) < 2 {
			err = errNotYet
		}
		return err
	})
	publish := func() {
		for _, subject := range []string{
			events.AlertSubject("default", "Congestion"), events.AlertSubject("default", "Deep"),
			events.AlertSubject("default", "Unheard"), events.AlertSubject("nobody", "Congestion"), events.ActionSubject("default"),
		} {
			for _, data := range []string{"", "hello", `{"status":"firing"}`, strings.Repeat("{", 50_000)} {
				if _, err := w.js.Publish(t.Context(), subject, []byte(data)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	publish()
	w.awaitStory()
	w.awaitToldInSlack()
	publish()
	alerter.kill()
	alerter = w.start("alerter", nil)
	alerter.awaitReady()
	w.awaitQuiet(alerter)
	w.requireStory()
	requirePostedOnce(t, w)
}

// TestHostileBytesInBuckets: garbage in place of everything that the programs keep outside the streams, while they run and
// while they do not, costs no window, no alert event and no message.
func TestHostileBytesInBuckets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, congestion(-20*second, -10*second))
	producer, alerter := w.start("producer", nil), w.start("alerter", nil)
	w.awaitStory()
	w.awaitToldInSlack()
	spoil := func() {
		for _, bucket := range []string{natsio.BucketMarks, natsio.BucketStatus, natsio.BucketAlerter} {
			kv, err := w.js.KeyValue(t.Context(), bucket)
			if err != nil {
				t.Fatal(err)
			}
			keys, err := kv.Keys(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, key := range append(keys, "somebody.elses") {
				if _, err := kv.Put(t.Context(), key, []byte("garbage")); err != nil {
					t.Fatal(err)
				}
			}
		}
		notices, err := w.js.KeyValue(t.Context(), natsio.BucketNotices)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := notices.Put(t.Context(), "somebody.elses", []byte("garbage")); err != nil {
			t.Fatal(err)
		}
	}
	spoil()
	w.awaitLive()
	w.awaitQuiet(alerter)
	producer.kill()
	alerter.kill()
	spoil()
	producer, alerter = w.start("producer", nil), w.start("alerter", nil)
	w.awaitLive()
	producer.awaitReady()
	w.awaitQuiet(alerter)
	w.requireTrueLog(w.log())
	w.requireStory()
	requirePostedOnce(t, w)
}

// TestEventFromTheFuture: an event that is valid but lies far in the future is no place to go on from; the windows between
// are polled all the same, and alerts still come.
func TestEventFromTheFuture(t *testing.T) {
	t.Parallel()
	w := newWorld(t, congestion(2*second, 10*second))
	producer := w.start("producer", nil)
	alerter := w.start("alerter", nil)
	w.awaitLive()
	future := w.log()[0]
	future.Window.Start = future.Window.Start.AddDate(1, 0, 0)
	future.Window.End = future.Window.Start.Add(second)
	future.Checkpoint = future.Window.End
	msg, err := events.Encode(&future)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.js.PublishMsg(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
	w.awaitStory()
	producer.kill()
	alerter.kill()
	producer, alerter = w.start("producer", nil), w.start("alerter", nil)
	w.awaitLive()
	producer.awaitReady()
	alerter.awaitReady()
	w.awaitToldInSlack()
	var log []events.Event
	for _, e := range w.log() {
		if e.ID() != future.ID() {
			log = append(log, e)
		}
	}
	w.requireTrueLog(log)
	w.tool(1, "verify")
	w.requireStory()
}
