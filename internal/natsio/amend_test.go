package natsio_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natsio"
	"unconnected/internal/natstest"
)

// TestAmend: an existing stream is changed where nothing is lost by it, as a whole or not at all.
func TestAmend(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		is    func(*jetstream.StreamConfig) // what is there, made from what is wanted
		loses string                        // the part that stands in the way; empty: it is changed
	}{
		"nothing differs":            {func(c *jetstream.StreamConfig) {}, ""},
		"a longer history":           {func(c *jetstream.StreamConfig) { c.MaxAge = day }, ""},
		"a shorter history":          {func(c *jetstream.StreamConfig) { c.MaxAge = 100 * day }, "max age"},
		"an end to a history":        {func(c *jetstream.StreamConfig) { c.MaxAge = 0 }, "max age"},
		"a larger history":           {func(c *jetstream.StreamConfig) { c.MaxBytes = 1 << 20 }, ""},
		"a smaller history":          {func(c *jetstream.StreamConfig) { c.MaxBytes = 1 << 30 }, "max bytes"},
		"a bound":                    {func(c *jetstream.StreamConfig) { c.MaxBytes = -1 }, "max bytes"},
		"no bound of messages":       {func(c *jetstream.StreamConfig) { c.MaxMsgs = 1000 }, ""},
		"no bound on a subject":      {func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 10 }, ""},
		"more subjects":              {func(c *jetstream.StreamConfig) { c.Subjects = c.Subjects[:1] }, ""},
		"fewer subjects":             {func(c *jetstream.StreamConfig) { c.Subjects = append(c.Subjects, "calls.else") }, "subjects"},
		"protection and compression": {func(c *jetstream.StreamConfig) { c.DenyDelete, c.DenyPurge, c.Compression = false, false, 0 }, ""},
		"another storage":            {func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage }, "storage"},
		"another retention":          {func(c *jetstream.StreamConfig) { c.Retention = jetstream.InterestPolicy }, "retention"},
		"old messages to go first":   {func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardNew }, "discard"},
		"longer, but smaller":        {func(c *jetstream.StreamConfig) { c.MaxAge, c.MaxBytes = day, 1<<30 }, "max bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			want := events.CallsStream(events.StreamOptions{MaxAge: 10 * day, MaxBytes: 16 << 20})
			is := events.CallsStream(events.StreamOptions{MaxAge: 10 * day, MaxBytes: 16 << 20})
			c.is(&is)
			_, js := natstest.Connect(t, natstest.Server(t))
			stream, err := js.CreateStream(t.Context(), is)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := js.Publish(t.Context(), "calls.unconnected", []byte("kept")); err != nil {
				t.Fatal(err)
			}
			drift := natsio.Differences(stream.CachedInfo().Config, want)
			changed, err := natsio.Amend(t.Context(), js, stream, want)
			info, infoErr := stream.Info(t.Context())
			if infoErr != nil {
				t.Fatal(infoErr)
			}
			left := natsio.Differences(info.Config, want)
			switch {
			case c.loses == "" && (err != nil || len(left) > 0 || len(changed) != len(drift)):
				t.Errorf("%v; changed %v, left %v", err, changed, left)
			case c.loses != "" && (!errors.Is(err, natsio.ErrLoses) || !strings.Contains(err.Error(), c.loses+" is ")):
				t.Errorf("%v, want it refused for %s", err, c.loses)
			case c.loses != "" && (len(changed) > 0 || len(left) != len(drift)):
				t.Errorf("changed %v, left %v of %v", changed, left, drift)
			}
			if info.State.Msgs != 1 && is.Retention == jetstream.LimitsPolicy {
				t.Errorf("%d messages, there was one", info.State.Msgs)
			}
		})
	}
}

// TestReplicas: more copies lose nothing, fewer do.
func TestReplicas(t *testing.T) {
	one, three := events.CallsStream(events.StreamOptions{Replicas: 1}), events.CallsStream(events.StreamOptions{Replicas: 3})
	loses := func(d natsio.Difference) bool { return d.Loses != "" }
	// Two: copies are not compressed.
	if drift := natsio.Differences(one, three); len(drift) != 2 || slices.ContainsFunc(drift, loses) {
		t.Errorf("to three copies: %v", drift)
	}
	if drift := natsio.Differences(three, one); len(drift) != 2 || !slices.ContainsFunc(drift, loses) {
		t.Errorf("to one copy: %v", drift)
	}
}
