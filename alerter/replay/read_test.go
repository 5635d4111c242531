package replay_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"unconnected/alerter/replay"
	"unconnected/events"
)

// TestReadJSONL: any order, several operations, duplicates, revisions, backfills of missed windows, blank lines.
func TestReadJSONL(t *testing.T) {
	revised := live("ventas", 1, 9)
	revised.Revision = 2
	middle := live("ventas", 1, 8)
	middle.Revision = 1
	list := []events.Event{
		live("ventas", 2, 3), revised, live("default", 1, 4), live("ventas", 1, 7), middle, live("ventas", 0, -1),
		live("ventas", 0, 2), live("default", 1, 4), live("ventas", 0, -1),
	}
	text := bytes.ReplaceAll(jsonl(t, list...), []byte("\n"), []byte("\r\n\n"))
	got, err := replay.ReadJSONL(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var story []string
	for _, e := range got {
		story = append(story, fmt.Sprintf("%s %d %d", e.Operation, e.Window.Start.Sub(monday)/length, e.Counts["congestion"]))
		if !e.IsLive() || e.Reported != nil {
			t.Errorf("%+v", e)
		}
	}
	if s := strings.Join(story, ", "); s != "ventas 0 2, default 1 4, ventas 1 9, ventas 2 3" {
		t.Errorf("read %s", s)
	}
	if got, err := replay.ReadJSONL(strings.NewReader("")); len(got) > 0 || err != nil {
		t.Errorf("of nothing: %v, %v", got, err)
	}
}

// TestBadLines: all of them are named.
func TestBadLines(t *testing.T) {
	good := string(jsonl(t, live("default", 0, 3)))
	wrongSum := strings.Replace(good, `"total":100`, `"total":99`, 1)
	_, err := replay.ReadJSONL(strings.NewReader(good + "\n{\n" + good + wrongSum + "[]"))
	var bad replay.BadLines
	if !errors.As(err, &bad) || len(bad) != 3 || bad[0].Line != 3 || bad[1].Line != 5 || bad[2].Line != 6 {
		t.Fatalf("%#v", err)
	}
	for _, want := range []string{"line 3: the data is not JSON", "line 5: total is 99", "line 6: the data is not a JSON object"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v is not in\n%v", want, err)
		}
	}
	_, err = replay.ReadJSONL(strings.NewReader(strings.Repeat("x\n", 50)))
	if err == nil || strings.Count(err.Error(), "\n") != 20 || !strings.Contains(err.Error(), "and 30 lines more") {
		t.Errorf("%v", err)
	}
	if _, err = replay.ReadJSONL(strings.NewReader(good + strings.Repeat("x", 3<<20))); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("%v", err)
	}
	failing := errors.New("the disk is gone")
	if _, err = replay.ReadJSONL(brokenReader{failing}); !errors.Is(err, failing) {
		t.Errorf("%v", err)
	}
}

type brokenReader struct{ err error }

func (r brokenReader) Read([]byte) (int, error) { return 0, r.err }

// FuzzReadJSONL: no bytes make reading or judging panic; what is read is in order, and each window once.
func FuzzReadJSONL(f *testing.F) {
	f.Add(jsonl(f, history("default", "5x3 40x2 ?")...))
	f.Add(append(jsonl(f, live("default", 1, 40)), jsonl(f, live("default", 0, 4))...))
	f.Add([]byte("{\"operation\":\"x\"}\n\n\x00"))
	set := rules(f, twoRules)
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := replay.ReadJSONL(bytes.NewReader(data))
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for i := range list {
			if id := list[i].Operation + list[i].Window.String(); seen[id] {
				t.Errorf("%s twice", id)
			} else {
				seen[id] = true
			}
			if i > 0 && list[i].Window.Start.Before(list[i-1].Window.Start) {
				t.Errorf("window %d is out of order", i)
			}
		}
		result := replay.Run(list, set, options)
		for i := range result.Transitions {
			if err := result.Transitions[i].Validate(); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestArrange: what was backfilled before the first live window comes first, revised and in order; the rest stays.
func TestArrange(t *testing.T) {
	backfill := func(n int, congestion int64) events.Event {
		e := live("ventas", n, congestion)
		e.Backfill = true
		return e
	}
	revision := func(n int, congestion int64, number int) events.Event {
		e := live("ventas", n, congestion)
		e.Revision = number
		return e
	}
	list := []events.Event{
		live("ventas", 10, 1), live("default", 3, 2), live("ventas", 11, -1), backfill(4, 3), backfill(2, 4), revision(10, 5, 1),
		revision(4, 6, 1), backfill(11, 7), live("ventas", 12, 8),
	}
	var got []string
	for _, e := range replay.Arrange(list) {
		n, congestion := int64(e.Window.Start.Sub(monday)/length), e.Counts["congestion"]
		got = append(got, fmt.Sprintf("%s %d %d %t", e.Operation, n, congestion, e.IsLive()))
	}
	want := "ventas 2 4 true, ventas 4 6 true, ventas 10 1 true, default 3 2 true, ventas 11 0 true, ventas 10 5 false, ventas 11 7 false, ventas 12 8 true"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("got\n%s, want\n%s", s, want)
	}
	if n := len(replay.Arrange([]events.Event{backfill(1, 1)})); n != 1 {
		t.Errorf("%d windows of a log that has only a backfill", n)
	}
}
