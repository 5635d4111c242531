package events_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"unconnected/events"
)

func TestCause(t *testing.T) {
	inOrder := []struct {
		cause events.Cause
		text  string
	}{
		{events.Cause{}, "0"},
		{events.Cause{Tick: 1764000000}, "0.1764000000"},
		{events.Cause{Sequence: 9}, "9"},
		{events.Cause{Sequence: 9, Tick: 999}, "9.999"},
		{events.Cause{Sequence: 9, Tick: 1764000000}, "9.1764000000"},
		{events.Cause{Sequence: 10}, "10"},
		{events.Cause{Sequence: 1<<64 - 1, Tick: 1<<63 - 1}, "18446744073709551615.9223372036854775807"},
	}
	for i, test := range inOrder {
		if got := test.cause.String(); got != test.text {
			t.Errorf("%+v is written %s, want %s", test.cause, got, test.text)
		}
		if got, err := events.ParseCause(test.text); err != nil || got != test.cause {
			t.Errorf("%s is read as %+v, %v", test.text, got, err)
		}
		for j, other := range inOrder {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := test.cause.Compare(other.cause); got != want {
				t.Errorf("%s compared with %s is %d, want %d", test.text, other.text, got, want)
			}
		}
	}
}

func TestParseCauseRefuses(t *testing.T) {
	for _, text := range []string{
		"", ".", "x", "-1", "+1", "1.", "1.0", "1.-5", "1.+5", "1.x", "1.2.3", "01", "1.05", " 1", "1 ", "1e3", "1_000",
		"18446744073709551616", "1.9223372036854775808", strings.Repeat("9", 10_000),
	} {
		c, err := events.ParseCause(text)
		if err == nil {
			t.Errorf("%q is read as %+v", text, c)
		} else if len(err.Error()) > 200 {
			t.Errorf("the error about a text of %d bytes has %d", len(text), len(err.Error()))
		}
	}
}

func TestAlertIDAndAt(t *testing.T) {
	a := firing()
	if got := a.ID(); got != "default/CongestionSpike/1234/firing" {
		t.Errorf("id %s", got)
	}
	if got := a.At(); !got.Equal(window(0).End) {
		t.Errorf("a window's transition happened at %v, want its end", got)
	}
	r := resolved()
	if got := r.ID(); got != "default/CongestionSpike/1234.1795363200/resolved" {
		t.Errorf("id %s", got)
	}
	if got := r.At(); got != origin.Add(time.Hour) {
		t.Errorf("a tick's transition happened at %v, want the tick", got)
	}
}

func TestAlertValidate(t *testing.T) {
	ends := origin
	tests := []struct {
		name  string
		spoil func(*events.Alert)
		want  string
	}{
		{"firing", func(*events.Alert) {}, ""},
		{"resolved by a tick", func(a *events.Alert) { *a = resolved() }, ""},
		{"nothing known but the facts", func(a *events.Alert) {
			a.Value, a.Threshold, a.Labels, a.Summary, a.Observed = nil, nil, nil, "", nil
		}, ""},
		{"operation", func(a *events.Alert) { a.Operation = "Ventas" }, "operation"},
		{"rule", func(a *events.Alert) { a.Rule = "a.b" }, "rule"},
		{"severity", func(a *events.Alert) { a.Severity = "page" }, "severity"},
		{"status", func(a *events.Alert) { a.Status = "pending" }, "status"},
		{"no start", func(a *events.Alert) { a.StartsAt = time.Time{} }, "starts_at"},
		{"firing with an end", func(a *events.Alert) { a.EndsAt = &ends }, "ends_at"},
		{"resolved without an end", func(a *events.Alert) { a.Status = events.Resolved }, "ends_at"},
		{"no incident", func(a *events.Alert) { a.Incident = "" }, "incident"},
		{"neither window nor tick", func(a *events.Alert) { a.Window = nil }, "window"},
		{"negative tick", func(a *events.Alert) { a.Cause.Tick = -1 }, "tick"},
		{"empty window", func(a *events.Alert) { a.Window = &events.Window{} }, "no start"},
		{"window backwards", func(a *events.Alert) { a.Window = &events.Window{Start: ends, End: ends} }, "before it begins"},
	}
	for _, test := range tests {
		a := firing()
		test.spoil(&a)
		checkError(t, test.name, a.Validate(), test.want)
		_, err := events.EncodeAlert(&a)
		checkError(t, test.name+", encoded", err, test.want)
	}
}

func TestValidRule(t *testing.T) {
	long := strings.Repeat("a", 128)
	for _, name := range []string{"CongestionSpike", "a", "A-1_b", long} {
		if !events.ValidRule(name) {
			t.Errorf("%q is refused", name)
		}
	}
	for _, name := range []string{"", long + "a", "1a", "_a", "-a", "a b", "a.b", "a*", "a>", "añ"} {
		if events.ValidRule(name) {
			t.Errorf("%q is accepted", name)
		}
	}
}

func TestSeverityRank(t *testing.T) {
	var ranks []int
	for _, severity := range []string{"page", events.Info, events.Warning, events.Critical} {
		ranks = append(ranks, events.SeverityRank(severity))
	}
	if !slices.Equal(ranks, []int{-1, 0, 1, 2}) {
		t.Errorf("ranks %v", ranks)
	}
}

func TestSubjects(t *testing.T) {
	for _, test := range []struct{ subject, operation string }{
		{"calls.unconnected", "default"},
		{"calls.unconnected.ventas-2_b", "ventas-2_b"},
	} {
		if got := events.Subject(test.operation); got != test.subject {
			t.Errorf("the log of %s is %s, want %s", test.operation, got, test.subject)
		}
		if got := events.OperationOf(test.subject); got != test.operation {
			t.Errorf("%s is the log of %q, want %q", test.subject, got, test.operation)
		}
	}
	for _, foreign := range []string{
		"", "calls", "calls.unconnected.", "calls.unconnected.default", "calls.unconnected.a.b", "calls.unconnectedx",
		"calls.unconnected.A", "calls.unconnected.*", "alerts.unconnected.a", "x.calls.unconnected",
	} {
		if got := events.OperationOf(foreign); got != "" {
			t.Errorf("%q is the log of %q, want none", foreign, got)
		}
	}
	for _, test := range []struct{ got, want []string }{
		{events.Subjects(), []string{"calls.unconnected", "calls.unconnected.*"}},
		{events.Subjects("default"), []string{"calls.unconnected"}},
		{events.Subjects("ventas", "default", "cob", "ventas"), []string{"calls.unconnected", "calls.unconnected.cob", "calls.unconnected.ventas"}},
		{events.AlertSubjects(), []string{"alerts.unconnected.*.*"}},
		{[]string{events.AlertSubject("cob", "BusyShift")}, []string{"alerts.unconnected.cob.BusyShift"}},
		{[]string{events.ActionSubject("cob")}, []string{"alerts.actions.cob"}},
	} {
		if !slices.Equal(test.got, test.want) {
			t.Errorf("got %v, want %v", test.got, test.want)
		}
	}
}
