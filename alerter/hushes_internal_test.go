package alerter

import (
	"testing"
	"time"

	"unconnected/alerter/incident"
	"unconnected/events"
)

// TestHushes: who is silenced hears nothing of what is stored behind that, although the bucket is heard of later.
func TestHushes(t *testing.T) {
	now := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	until := now.Add(time.Hour)
	silenced := events.Action{Action: events.Silenced, Operation: "ventas", Key: "s1", By: "ana", At: now, Until: &until, Stored: now}
	old := silenced
	old.Stored = now.Add(-time.Minute)
	unsilenced := events.Action{Action: events.Unsilenced, Operation: "ventas", Key: "s1", By: "ana", At: now, Stored: now}
	later := silenced
	from := now.Add(time.Minute)
	later.From = &from
	bucket := []incident.Silence{{ID: "s1", Operation: "ventas", From: now, Until: now.Add(time.Minute), By: "ana"}}
	for name, test := range map[string]struct {
		deeds  []events.Action
		bucket []incident.Silence
		after  time.Duration
		until  time.Time // of the silence that covers ventas; zero for none
	}{
		"nobody did anything":     {},
		"just now":                {deeds: []events.Action{silenced}, until: until},
		"and taken back":          {deeds: []events.Action{silenced, unsilenced}},
		"long ago, as it is read": {deeds: []events.Action{old}},
		"the bucket knows better": {deeds: []events.Action{silenced}, bucket: bucket, until: bucket[0].Until},
		"the bucket never had it": {deeds: []events.Action{silenced}, after: hushKept},
		"it begins later":         {deeds: []events.Action{later}},
	} {
		n := &notifier{silences: func() []incident.Silence { return test.bucket }}
		for _, a := range test.deeds {
			n.hushes.note(&a, now)
		}
		var got time.Time
		for _, s := range n.inForce(now.Add(test.after)) {
			if s.Active(now) && s.Covers("ventas", "Congestion") {
				got = s.Until
			}
		}
		if !got.Equal(test.until) {
			t.Errorf("%s: silent until %v, want %v", name, got, test.until)
		}
	}
}
