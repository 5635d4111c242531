package producer

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

func TestCapacityWarning(t *testing.T) {
	const day, gib = 24 * time.Hour, 1 << 30
	for name, c := range map[string]struct {
		bytes      uint64
		limit      int64
		operations float64 // on windows of five minutes
		want       string
	}{
		"no limit":                          {1 << 40, -1, 17, ""},
		"empty":                             {0, gib, 0, ""},
		"79 percent, at a rate unknown":     {79, 100, 0, ""},
		"80 percent, at a rate unknown":     {80, 100, 0, "80 %"},
		"full, at a rate unknown":           {2 * gib, 2 * gib, 0, "100 % of its 2GiB"},
		"full of what is as old as it gets": {1900 << 20, 2 * gib, 17, ""},
		"too small, but there is time":      {1 << 20, 2 * gib, 20, ""},
		"too small":                         {1 << 30, 2 * gib, 50, "history takes 50 % of its 2GiB; at this rate it is full in 73 days, and then the oldest windows go, before they are 400 days old: there is room for 146 days: set HISTORY_MAX_BYTES=7GiB"},
	} {
		t.Run(name, func(t *testing.T) {
			info := &jetstream.StreamInfo{
				Config: jetstream.StreamConfig{MaxBytes: c.limit, MaxAge: 400 * day}, State: jetstream.StreamState{Bytes: c.bytes, Msgs: c.bytes >> 10},
			}
			got := capacityWarning(info, c.operations*288)
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("warning %q, want %q", got, c.want)
			}
		})
	}
}
