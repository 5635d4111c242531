package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natsio"
	"unconnected/internal/natstest"
	"unconnected/producer/oplog"
)

// windowOf is the i-th live window of an operation; a negative one lies before the first.
func windowOf(operation string, i int) events.Event {
	start := time.Date(2025, 11, 22, 15, 0, 0, 0, time.UTC).Add(time.Duration(i) * 5 * time.Minute)
	e := events.Event{
		Operation: operation, Server: "0011", Timezone: "America/Bogota", Source: "//wv0011.wolkvox.com/cdr_6",
		Window:   events.Window{Start: start, End: start.Add(5 * time.Minute)},
		PolledAt: start.Add(7 * time.Minute), Checkpoint: start.Add(5 * time.Minute),
	}
	fill(&e, int64(i&63))
	return e
}

// fill counts so many busy calls and one cancelled.
func fill(e *events.Event, busy int64) {
	e.Counts, e.Total = map[string]int64{events.Busy: busy, events.Cancel: 1}, busy+1
	e.Reported = []events.Reported{{Result: "OCUPADO", Count: strconv.FormatInt(busy, 10)}, {Result: "Cancelled", Count: "1"}}
}

// with is e, changed.
func with(e events.Event, change func(*events.Event)) events.Event {
	change(&e)
	return e
}

// store appends events as they are, even those that the stream would take for duplicates.
func store(t testing.TB, js jetstream.JetStream, all ...events.Event) {
	t.Helper()
	for i := range all {
		msg, err := events.Encode(&all[i])
		if err != nil {
			t.Fatal(err)
		}
		msg.Header.Del(nats.MsgIdHdr)
		if _, err := js.PublishMsgAsync(msg, jetstream.WithStallWait(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-js.PublishAsyncComplete():
	case <-time.After(time.Minute):
		t.Fatal("the stream does not store")
	}
}

// newHistory is a server with streams, where the commands will look for them.
func newHistory(t testing.TB) jetstream.JetStream {
	t.Helper()
	s := natstest.Server(t)
	_, js := natstest.Connect(t, s)
	natstest.CreateStreams(t, js)
	t.Setenv("NATS_URL", s.URL())
	return js
}

// runTool runs a command of the tool.
func runTool(t testing.TB, args ...string) (stdout string, err error) {
	t.Helper()
	return runToolLogging(t, slog.New(slog.DiscardHandler), args...)
}

func runToolLogging(t testing.TB, log *slog.Logger, args ...string) (stdout string, err error) {
	t.Helper()
	var cli commands
	parser, err := newParser(&cli)
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := parser.Parse(args)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err = chosen.Run(&terminal{ctx: ctx, stdout: &out, stderr: os.Stderr, log: log})
	return out.String(), err
}

// later is the i-th live window with the headers that a revision or backfill of it has once the log reaches to the j-th.
func later(i, j int, change func(*events.Event)) events.Event {
	return with(windowOf("ventas", i), func(e *events.Event) {
		e.Checkpoint = windowOf("ventas", j).Window.End
		change(e)
	})
}

func missed(e *events.Event) {
	e.Missed, e.Counts, e.Reported, e.Total = &events.Missed{Reason: "garbage", Attempts: 3}, nil, nil, 0
}

func backfill(e *events.Event) { e.Backfill = true }

func revision(n int, busy int64) func(*events.Event) {
	return func(e *events.Event) {
		e.Revision = n
		fill(e, busy)
	}
}

// TestVerifySound: what a producer, its corrections and backfills write has no fault.
func TestVerifySound(t *testing.T) {
	js := newHistory(t)
	store(t, js,
		windowOf("ventas", 0), windowOf("default", 0), with(windowOf("ventas", 1), missed), with(windowOf("ventas", 2), missed),
		later(1, 2, backfill), later(-1, 2, backfill), later(0, 2, revision(1, 7)), windowOf("ventas", 4), later(3, 4, backfill),
	)
	text, err := runTool(t, "verify")
	if err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	const want = "" +
		"OPERATION  WINDOWS  REV  FILLED  MISSED  CALLS  FROM (UTC)        COMPLETE UP TO    FAULTS\n" +
		"default          1    0       0       0      1  2025-11-22 15:00  2025-11-22 15:05       0\n" +
		"ventas           6    1       3       1     83  2025-11-22 15:00  2025-11-22 15:25       0\n" +
		"\n" +
		"missed: 1 window that the API did not give\n" +
		"  SEQUENCE  OPERATION  WINDOW (UTC)\n" +
		"         4  ventas     2025-11-22 15:10:00–15:15:00  garbage (3 attempts)\n" +
		"  → ask for them again:\n" +
		"    unconnected backfill --operation ventas --from 2025-11-22T15:10:00Z --to 2025-11-22T15:15:00Z\n" +
		"\n" +
		"no faults: every window once, in order, nothing lost but 1 window that the API did not give\n"
	if text != want {
		t.Errorf("verify says\n%s\nwant\n%s", text, want)
	}
}

// damaged stores a log with a fault of each kind.
func damaged(t *testing.T, js jetstream.JetStream) {
	t.Helper()
	live := func(i int, change func(*events.Event)) events.Event { return with(windowOf("ventas", i), change) }
	same := func(*events.Event) {}
	shift := func(by time.Duration) func(*events.Event) {
		return func(e *events.Event) {
			e.Window.Start, e.Window.End = e.Window.Start.Add(by), e.Window.End.Add(by)
			e.Checkpoint = e.Window.End
		}
	}
	compared := func(hours int) func(*events.Event) {
		return func(e *events.Event) {
			at := e.Window.Start.Truncate(time.Hour).Add(time.Duration(hours) * time.Hour)
			e.Reconciled = events.Reconciled{Periods: at, Days: at}
		}
	}
	store(t, js,
		live(0, same), live(2, same), // a gap
		live(2, same),                               // a duplicate
		live(3, shift(-time.Minute)), live(4, same), // an overlap, and a minute without a window
		live(6, same), live(5, same), live(7, same), // the wrong order
		live(8, func(e *events.Event) { e.Checkpoint = e.Checkpoint.Add(time.Hour) }),
		later(0, 8, revision(2, 9)), later(100, 8, backfill),
		live(9, func(e *events.Event) { e.Reported = e.Reported[:1] }),
		live(10, func(e *events.Event) { e.Source = oplog.SourceSimulated }), live(11, same),
		live(12, compared(-5)), live(13, compared(-6)),
		live(14, func(e *events.Event) { e.Window.End = e.Window.End.Add(time.Hour); e.Checkpoint = e.Window.End }),
	)
	for _, subject := range []string{"calls.unconnected.ventas", "calls.unconnected.No!"} {
		if _, err := js.Publish(t.Context(), subject, []byte("hello")); err != nil {
			t.Fatal(err)
		}
	}
	marks, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: natsio.BucketMarks})
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), events.StreamCalls)
	if err != nil {
		t.Fatal(err)
	}
	mark, err := json.Marshal(oplog.Mark{Stream: stream.CachedInfo().Created.UTC(), Sequence: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := marks.Put(t.Context(), "ventas", mark); err != nil {
		t.Fatal(err)
	}
}

// TestVerifyFaults: every kind of fault is found in a stored log, told to people in lines that fit with what to do, and to
// programs by its name.
func TestVerifyFaults(t *testing.T) {
	js := newHistory(t)
	damaged(t, js)
	text, err := runTool(t, "verify", "--operation", "ventas", "--operation", "cobranza")
	if !errors.Is(err, errFound) {
		t.Fatalf("verify ends with %v:\n%s", err, text)
	}
	for _, k := range kinds {
		if k.name == kindAPI { // which takes an API
			continue
		}
		if !strings.Contains(text, "\nFAULT "+k.name+" (") {
			t.Errorf("verify does not tell of the kind %s", k.name)
		}
	}
	if got, want := strings.Count(text, "\n  → "), len(kinds)-1; got != want {
		t.Errorf("%d hints, want %d", got, want)
	}
	requireNarrow(t, text)
	if t.Failed() {
		t.Log(text)
	}

	text, err = runTool(t, "verify", "--json")
	if !errors.Is(err, errFound) {
		t.Fatalf("verify --json ends with %v", err)
	}
	var v verdict
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	found := make(map[string]int)
	for _, f := range v.Faults {
		found[f.Kind]++
	}
	want := map[string]int{
		oplog.Gap: 2, oplog.Duplicate: 1, oplog.Overlap: 1, oplog.Order: 1, oplog.Checkpoint: 1, oplog.Revision: 1, oplog.Backfill: 1,
		oplog.Counts: 1, oplog.Source: 2, oplog.Reconciled: 1, oplog.Grid: 1, oplog.Invalid: 2, kindLost: 1,
	}
	if !maps.Equal(found, want) {
		t.Errorf("found %v, want %v in\n%s", found, want, text)
	}
}

func requireNarrow(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		command := strings.HasPrefix(line, "    unconnected ") // to be copied
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > columns && !command {
			t.Errorf("a line of %d characters: %s", n, line)
		}
	}
}

// TestVerifySpan: the span bounds what is told, and so whether there is a fault.
func TestVerifySpan(t *testing.T) {
	js := newHistory(t)
	store(t, js, windowOf("ventas", 0), windowOf("ventas", 2), windowOf("ventas", 3))
	for args, faulty := range map[string]bool{
		"":                            true,
		"--to 2025-11-22T15:05:00Z":   false,
		"--from 2025-11-22T15:05:00Z": true,
		"--from 2025-11-22T15:10:00Z": false,
		"--operation ventas":          true,
	} {
		if text, err := runTool(t, strings.Fields("verify "+args)...); errors.Is(err, errFound) != faulty {
			t.Errorf("verify %s: %v\n%s", args, err, text)
		}
	}
}

// TestVerdictIsCut: long lists are cut for people, long names are too, and every line fits.
func TestVerdictIsCut(t *testing.T) {
	v := verdict{}
	long := strings.Repeat("operation-", 6)
	w := windowOf(long, 0).Window
	for i := range 500 {
		v.Missed = append(v.Missed, oplog.Missed{Operation: long, Sequence: uint64(i), Window: w, Reason: strings.Repeat("garbage ", 30), Attempts: 1})
		for _, k := range kinds {
			v.Faults = append(v.Faults, oplog.Fault{Operation: long, Sequence: 1 << 40, Window: w, Kind: k.name, Text: strings.Repeat("x", 300)})
		}
	}
	v.Operations = []summary{
		{Operation: long, Windows: 105_120, Revisions: 1234, Backfills: 105_120, Calls: 12_345_678, First: w.Start, Checkpoint: w.End.Add(time.Second)},
		{Operation: "default"},
	}
	v.tally()
	var out bytes.Buffer
	if err := v.print(&out); err != nil {
		t.Fatal(err)
	}
	requireNarrow(t, out.String())
	if got, want := strings.Count(out.String(), "+480 more (--json lists all)"), len(kinds)+1; got != want {
		t.Errorf("%d lists are cut, want %d", got, want)
	}
	if !strings.Contains(out.String(), fmt.Sprintf("%s faults", grouped(int64(500*len(kinds))))) {
		t.Error("the number of faults is missing")
	}
}

// TestKinds: each kind of fault has its place, once.
func TestKinds(t *testing.T) {
	seen := make(map[string]bool)
	for _, k := range kinds {
		if seen[k.name] || k.meaning == "" || k.advice == "" || strings.HasSuffix(k.advice, ":") != (k.command != "") {
			t.Errorf("%q comes twice or says nothing", k.name)
		}
		seen[k.name] = true
	}
}

// BenchmarkVerify checks ten operations as a whole, beside the mere reading of the same messages in the same run.
func BenchmarkVerify(b *testing.B) {
	const operations, windows = 10, 10_512
	js := newHistory(b)
	for i := range windows {
		var all []events.Event
		for o := range operations {
			all = append(all, windowOf(fmt.Sprintf("operation-%d", o), i))
		}
		store(b, js, all...)
	}
	rate := func(b *testing.B) {
		b.ReportMetric(float64(operations*windows)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	}
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			for _, err := range events.History(b.Context(), js, events.Query{}) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		rate(b)
	})
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			if text, err := runTool(b, "verify"); err != nil {
				b.Fatalf("%v: %s", err, text)
			}
		}
		rate(b)
	})
}
