package events_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natstest"
)

// read gathers a history, and fails the test at any error.
func read(t *testing.T, history iter.Seq2[events.Event, error]) []events.Event {
	t.Helper()
	var all []events.Event
	for e, err := range history {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func TestHistoryQuery(t *testing.T) {
	t.Parallel()
	js := natstest.Streams(t)
	all := past(
		live("default", 10), live("ventas", 10), live("default", 11), missed("default", 12), live("ventas", 11),
		live("cob", 11), live("default", 13), revised("default", 11, 1, 13), backfilled("default", 2, 13),
		live("ventas", 12), backfilled("default", 12, 13), revised("default", 11, 2, 13),
	)
	store(t, js, all...)
	start := func(i int) time.Time { return past(live("default", i))[0].Window.Start }
	tests := []struct {
		name  string
		query events.Query
		want  []int // places in all
	}{
		{"everything", events.Query{}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
		{"the default operation", events.Query{Operations: []string{"default"}}, []int{0, 2, 3, 6, 7, 8, 10, 11}},
		{"another", events.Query{Operations: []string{"ventas"}}, []int{1, 4, 9}},
		{"several", events.Query{Operations: []string{"ventas", "cob"}}, []int{1, 4, 5, 9}},
		{"default and another", events.Query{Operations: []string{"default", "cob"}}, []int{0, 2, 3, 5, 6, 7, 8, 10, 11}},
		{"one named twice", events.Query{Operations: []string{"cob", "cob"}}, []int{5}},
		{"unknown", events.Query{Operations: []string{"nobody"}}, nil},
		{"from", events.Query{From: start(12)}, []int{3, 6, 9, 10}},
		{"from the middle of a window", events.Query{From: start(12).Add(time.Second)}, []int{6}},
		{"after a message", events.Query{After: 9}, []int{9, 10, 11}},
		{"after a message, of an operation", events.Query{After: 9, Operations: []string{"default"}}, []int{10, 11}},
		{"after a message, some windows", events.Query{After: 9, From: start(12)}, []int{9, 10}},
		{"after the last message", events.Query{After: 12}, nil},
		{"to", events.Query{To: start(11)}, []int{0, 1, 8}},
		{"from and to", events.Query{From: start(11), To: start(12)}, []int{2, 4, 5, 7, 11}},
		{"in another zone", events.Query{From: start(11).In(time.FixedZone("", -5*60*60)), To: start(12)}, []int{2, 4, 5, 7, 11}},
		{"a backfill, by its window", events.Query{To: start(3)}, []int{8}},
		{"of one operation", events.Query{Operations: []string{"ventas"}, From: start(11), To: start(12)}, []int{4}},
		{"to before from", events.Query{From: start(12), To: start(11)}, nil},
		{"from tomorrow", events.Query{From: time.Now().AddDate(0, 0, 1)}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var want []events.Event
			for _, i := range test.want {
				want = append(want, all[i])
			}
			got := read(t, events.History(deadline(t), js, test.query))
			compareIDs(t, got, want)
			for i, e := range got {
				if e.Sequence != uint64(test.want[i]+1) || e.Stored.IsZero() || e.Stored.Location() != time.UTC {
					t.Errorf("%s: sequence %d, stored %v", e.ID(), e.Sequence, e.Stored)
				}
			}
		})
	}
}

func TestHistoryOfNothing(t *testing.T) {
	t.Parallel()
	js := natstest.Streams(t)
	if got := read(t, events.History(deadline(t), js, events.Query{})); len(got) > 0 {
		t.Errorf("an empty stream has %v", ids(got))
	}
	err := firstError(events.History(deadline(t), js, events.Query{Operations: []string{"ventas", "*"}}))
	checkError(t, "an operation that is none", err, `"*" is not a name`)
	if err := js.DeleteStream(deadline(t), events.StreamCalls); err != nil {
		t.Fatal(err)
	}
	if err := firstError(events.History(deadline(t), js, events.Query{})); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("without the stream: %v", err)
	}
}

// firstError reads on to the first error, and lets the iteration see that nobody wants more.
func firstError(history iter.Seq2[events.Event, error]) error {
	for _, err := range history {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestHistoryGoesOnBehindInvalidMessages(t *testing.T) {
	t.Parallel()
	js := natstest.Streams(t)
	storeJunk(t, js)
	store(t, js, live("default", 1), live("default", 2))
	storeJunk(t, js)
	store(t, js, live("default", 3))
	storeJunk(t, js)
	var got []events.Event
	var invalid []uint64
	for e, err := range events.History(deadline(t), js, events.Query{}) {
		var i *events.InvalidError
		switch {
		case errors.As(err, &i):
			invalid = append(invalid, i.Sequence)
		case err != nil:
			t.Fatal(err)
		default:
			got = append(got, e)
		}
	}
	compareIDs(t, got, lives("default", 1, 4))
	if !slices.Equal(invalid, []uint64{1, 4, 6}) {
		t.Errorf("invalid are %v", invalid)
	}
	latest, err := events.Latest(events.History(deadline(t), js, events.Query{}))
	if err != nil {
		t.Fatal(err)
	}
	compareIDs(t, latest, lives("default", 1, 4))
}

// TestHistoryEnds stores a message for each that is read: the history is what was there at the beginning.
func TestHistoryEnds(t *testing.T) {
	t.Parallel()
	for _, operations := range [][]string{nil, {"default"}} {
		js := natstest.Streams(t)
		want := lives("default", 0, 5)
		store(t, js, want...)
		if operations != nil {
			store(t, js, live("ventas", 0)) // the stream ends with what is not asked for
		}
		var got []events.Event
		for e, err := range events.History(deadline(t), js, events.Query{Operations: operations}) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, e)
			store(t, js, live("default", 4+len(got)))
		}
		compareIDs(t, got, want)
	}
}

func TestHistoryContext(t *testing.T) {
	t.Parallel()
	js := natstest.Streams(t)
	store(t, js, lives("default", 0, 20)...)
	ctx, cancel := context.WithCancel(deadline(t))
	defer cancel()
	var got []events.Event
	var last error
	for e, err := range events.History(ctx, js, events.Query{}) {
		if last = err; err != nil {
			continue // it must not go on for ever
		}
		got = append(got, e)
		cancel()
	}
	if !errors.Is(last, context.Canceled) || errors.Is(last, events.ErrInvalid) {
		t.Errorf("it ended with %v", last)
	}
	if len(got) == 0 || len(got) == 20 {
		t.Errorf("read %d events of 20", len(got))
	}
	if err := firstError(events.History(ctx, js, events.Query{})); !errors.Is(err, context.Canceled) {
		t.Errorf("begun after the end of its context: %v", err)
	}
}

func TestHistoryMayBeLeftAndReadAgain(t *testing.T) {
	t.Parallel()
	js := natstest.Streams(t)
	store(t, js, lives("default", 0, 10)...)
	history := events.History(deadline(t), js, events.Query{})
	for range 3 {
		n := 0
		for e, err := range history {
			if err != nil || !e.Window.Equal(window(n)) {
				t.Fatalf("event %d is %s, %v", n, e.ID(), err)
			}
			if n++; n == 4 {
				break
			}
		}
	}
	compareIDs(t, read(t, history), lives("default", 0, 10))
}

func sequence(all []events.Event, last error) iter.Seq2[events.Event, error] {
	return func(yield func(events.Event, error) bool) {
		for _, e := range all {
			if !yield(e, nil) {
				return
			}
		}
		if last != nil {
			yield(events.Event{}, last)
		}
	}
}

func TestLatest(t *testing.T) {
	short := live("default", 5)
	short.Window.End = short.Window.Start.Add(time.Minute)
	tests := []struct {
		name       string
		from, want []events.Event
	}{
		{"nothing", nil, nil},
		{"the highest revision",
			[]events.Event{live("default", 1), revised("default", 1, 1, 3), revised("default", 1, 3, 3), revised("default", 1, 2, 3)},
			[]events.Event{revised("default", 1, 3, 3)}},
		{"a marker that nothing filled", []events.Event{missed("default", 1)}, []events.Event{missed("default", 1)}},
		{"a marker that was filled", []events.Event{missed("default", 1), live("default", 2), backfilled("default", 1, 2)},
			[]events.Event{backfilled("default", 1, 2), live("default", 2)}},
		{"a marker behind the counts", []events.Event{live("default", 1), missed("default", 1)}, lives("default", 1, 2)},
		{"time order, then operations",
			[]events.Event{live("ventas", 2), live("default", 2), live("cob", 1), backfilled("ventas", 0, 2)},
			[]events.Event{backfilled("ventas", 0, 2), live("cob", 1), live("default", 2), live("ventas", 2)}},
		{"operations apart", []events.Event{live("cob", 1), revised("ventas", 1, 1, 1)},
			[]events.Event{live("cob", 1), revised("ventas", 1, 1, 1)}},
		{"windows of another length apart", []events.Event{live("default", 5), short}, []events.Event{live("default", 5), short}},
	}
	for _, test := range tests {
		got, err := events.Latest(sequence(test.from, nil))
		if err != nil {
			t.Fatal(err)
		}
		t.Run(test.name, func(t *testing.T) { compareIDs(t, got, test.want) })
	}
	_, err := events.Latest(sequence(lives("default", 0, 3), context.DeadlineExceeded))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a history that ends with an error gives %v", err)
	}
}

func TestLast(t *testing.T) {
	t.Parallel()
	js := natstest.Streams(t)
	ctx := deadline(t)
	stream, err := js.Stream(ctx, events.StreamCalls)
	if err != nil {
		t.Fatal(err)
	}
	if e, err := events.Last(ctx, stream, "default"); e != nil || err != nil {
		t.Errorf("an empty log ends with %v, %v", e, err)
	}
	store(t, js, live("default", 1), live("default", 2), live("ventas", 5), revised("default", 1, 1, 2))
	for operation, want := range map[string]events.Event{"default": revised("default", 1, 1, 2), "ventas": live("ventas", 5)} {
		e, err := events.Last(ctx, stream, operation)
		if err != nil {
			t.Fatal(err)
		}
		if e.ID() != want.ID() || e.Checkpoint != want.Checkpoint || e.Sequence == 0 || e.Stored.IsZero() {
			t.Errorf("the log of %s ends with %+v", operation, e)
		}
	}
	storeJunk(t, js)
	e, err := events.Last(ctx, stream, "default")
	var invalid *events.InvalidError
	if e != nil || !errors.As(err, &invalid) || invalid.Sequence != 5 {
		t.Errorf("a log that ends with junk ends with %v, %v", e, err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := events.Last(cancelled, stream, "default"); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of its context: %v", err)
	}
}
