package replay_test

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/replay"
	"unconnected/alerter/rule"
	"unconnected/events"
)

var monday = time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC) // 10:00 in Bogotá

const length = 5 * time.Minute

// live is a window of 100 calls of which some met congestion, and none when congestion is negative: it was missed.
func live(operation string, n int, congestion int64) events.Event {
	start := monday.Add(time.Duration(n) * length)
	e := events.Event{
		Operation: operation, Timezone: "America/Bogota", Window: events.Window{Start: start, End: start.Add(length)},
		Stored: start.Add(length + 2*time.Minute), PolledAt: start.Add(length + 2*time.Minute), Sequence: uint64(n + 1),
	}
	if congestion < 0 {
		e.Missed = &events.Missed{Reason: "garbage", Attempts: 3}
		return e
	}
	e.Total = 100
	e.Counts = map[string]int64{
		"busy": 0, "cancel": 0, "chanunavail": 0, "congestion": congestion, "do_not_call": 0, "no_answer": 100 - congestion, "tcpa": 0,
	}
	return e
}

// history is live windows, written "5x3 40x2 ?": congestion, and how often.
func history(operation, text string) (list []events.Event) {
	for word := range strings.FieldsSeq(text) {
		value, times, repeated := strings.Cut(word, "x")
		count := 1
		if repeated {
			count = must(strconv.Atoi(times))
		}
		congestion := int64(-1)
		if value != "?" {
			congestion = must(strconv.ParseInt(value, 10, 64))
		}
		for range count {
			list = append(list, live(operation, len(list), congestion))
		}
	}
	return list
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func rules(t testing.TB, text string) *rule.Set {
	t.Helper()
	set, err := rule.Parse("rules.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// twoRules alert at 20 and at 50 % of congestion, at once.
const twoRules = `
rules:
  - alert: Some
    expr: share.congestion >= 0.20 && total >= 50
    clear: share.congestion < 0.10
    value: share.congestion
    threshold: 0.20
  - alert: Much
    expr: share.congestion >= 0.50 && total >= 50
    severity: critical
    value: share.congestion
    threshold: 0.50
`

var options = replay.Options{MaxAge: 30 * time.Minute, Language: rule.English}

// jsonl writes events as `unconnected history --format jsonl` does.
func jsonl(t testing.TB, list ...events.Event) []byte {
	t.Helper()
	var b bytes.Buffer
	for i := range list {
		data, err := events.MarshalData(&list[i])
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(data, '\n'))
	}
	return b.Bytes()
}
