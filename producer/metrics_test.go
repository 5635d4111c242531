package producer_test

import (
	"testing"
	"time"

	"unconnected/events"
	"unconnected/producer"
	"unconnected/producer/wolkvox"
	"unconnected/producer/wolkvox/simulator"
)

// metric is the value of the one series of a metric that bears the labels, given as name, value, …; of a histogram the
// number of observations. It is -1 when there is none.
func (r running) metric(t testing.TB, name string, labels ...string) float64 {
	t.Helper()
	families, err := r.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, series := range family.GetMetric() {
			has := make(map[string]string)
			for _, label := range series.GetLabel() {
				has[label.GetName()] = label.GetValue()
			}
			if bears(has, labels) {
				return series.GetCounter().GetValue() + series.GetGauge().GetValue() + float64(series.GetHistogram().GetSampleCount())
			}
		}
	}
	return -1
}

func bears(has map[string]string, labels []string) bool {
	for i := 0; i < len(labels); i += 2 {
		if has[labels[i]] != labels[i+1] {
			return false
		}
	}
	return true
}

func TestMetricsAreThereFromTheStart(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.set(t, map[string]string{"POLL_START": "now", "POLL_WINDOW": "1h"})
	p := s.start(t)
	eventually(t, "nothing to do", func() bool { return p.state().State == "ok" })
	for _, name := range []string{"unconnected_windows_published_total", "unconnected_missed_windows_total", "unconnected_revisions_total"} {
		if got := p.metric(t, name, "operation", "default"); got != 0 {
			t.Errorf("%s is %v, want 0", name, got)
		}
	}
	for _, kind := range wolkvox.Kinds {
		if got := p.metric(t, "unconnected_requests_total", "operation", "default", "outcome", kind.String()); got != 0 {
			t.Errorf("requests of outcome %v: %v, want 0", kind, got)
		}
	}
}

func TestMetricsTellWhatHappened(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.set(t, map[string]string{"POLL_START": "-20m"})
	s.api.Fail(simulator.Pass(), simulator.Status(503))
	p := s.start(t)
	s.caughtUp(t)
	eventually(t, "the report on the quota", func() bool { return p.metric(t, "unconnected_quota_remaining_requests") > 0 })
	inState := func(s producer.State) float64 {
		return p.metric(t, "unconnected_operation_state", "operation", "default", "state", string(s))
	}
	eventually(t, "the state", func() bool {
		return inState(producer.OK) == 1 && inState(producer.Retrying) == 0 && inState(producer.Refused) == 0
	})
	if got := p.metric(t, "unconnected_history_limit_bytes"); got != 2<<30 {
		t.Errorf("the limit is %v", got)
	}
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	log := s.sound(t, events.DefaultOperation)
	var congestion float64
	for _, e := range log {
		congestion += float64(e.Counts[events.Congestion])
	}
	for _, c := range []struct {
		name   string
		labels []string
		want   float64
	}{
		{"unconnected_windows_published_total", nil, float64(len(log))},
		{"unconnected_checkpoint_timestamp_seconds", nil, float64(s.checkpoint(t).Unix())},
		{"unconnected_requests_total", []string{"outcome", "ok"}, float64(len(log) + 1)},
		{"unconnected_requests_total", []string{"outcome", "retry"}, 1},
		{"unconnected_request_duration_seconds", nil, float64(len(log) + 2)},
		{"unconnected_calls_total", []string{"result", "congestion"}, congestion},
		{"unconnected_calls_total", []string{"result", "tcpa"}, float64(sum(log, events.TCPA))},
		{"unconnected_missed_windows_total", nil, 0},
		{"unconnected_revisions_total", nil, 0},
		{"unconnected_backfilled_windows_total", nil, 0},
	} {
		if got := p.metric(t, c.name, append(c.labels, "operation", "default")...); got != c.want {
			t.Errorf("%s%v is %v, want %v", c.name, c.labels, got, c.want)
		}
	}

	// A restart knows how far the log reaches before it asks for anything.
	s.api.FailAll(simulator.Hang())
	again := s.start(t)
	eventually(t, "the checkpoint", func() bool {
		return again.metric(t, "unconnected_checkpoint_timestamp_seconds") >= float64(log[len(log)-1].Checkpoint.Unix())
	})
	eventually(t, "the history's size", func() bool {
		return again.metric(t, "unconnected_history_messages") == float64(len(log)) && again.metric(t, "unconnected_history_bytes") > 0
	})
	if age := time.Since(again.state().Checkpoint); age > 3*time.Minute {
		t.Errorf("the checkpoint is %v old", age)
	}
}

func sum(log []events.Event, result string) (n int64) {
	for _, e := range log {
		n += e.Counts[result]
	}
	return n
}
