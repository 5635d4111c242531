package natsio_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natsio"
	"unconnected/internal/natstest"
)

// TestWhatJetStreamDoesNotDo: of a connection that is there, an error says that JetStream is to blame, why that may be, and what
// to do; once, however often it is explained.
func TestWhatJetStreamDoesNotDo(t *testing.T) {
	const disk, restart, majority = "disk is full", "restart that server", "majority"
	api := func(code jetstream.ErrorCode) error {
		return fmt.Errorf("bucket x: %w", &jetstream.APIError{Code: 503, ErrorCode: code, Description: "what it says"})
	}
	js := connectAs(t, smallServer(t), "admin")
	for name, c := range map[string]struct {
		err  error
		says []string // nothing: the error stays as it is
	}{
		"a time-out":             {context.DeadlineExceeded, []string{"does not store or answer in time", disk, restart, majority}},
		"a time-out of nats.go":  {nats.ErrTimeout, []string{"does not store or answer in time", disk}},
		"a cluster of one":       {api(10008), []string{"nobody stores", majority, disk, restart, "start servers that are missing"}},
		"the same, of a watcher": {fmt.Errorf("watch: %w", &nats.APIError{Code: 503, ErrorCode: 10008, Description: "what it says"}), []string{"nobody stores"}},
		"nobody leads a stream":  {jetstream.ErrNoStreamResponse, []string{"nobody stores", majority}},
		"nobody answers":         {nats.ErrNoResponders, []string{"nobody stores"}},
		"a stream is offline":    {api(10118), []string{"nobody stores"}},
		"JetStream is off":       {jetstream.ErrJetStreamNotEnabled, []string{"JetStream is off", "-js", disk, restart}},
		"off for the account":    {jetstream.ErrJetStreamNotEnabledForAccount, []string{"JetStream is off"}},
		"the server's limits":    {api(10023), []string{"no more room", "max_file_store", "what it says"}},
		"the account's limits":   {api(10002), []string{"no more room"}},
		"somebody was faster":    {api(jetstream.JSErrCodeStreamWrongLastSequence), nil},
		"a stream is not there":  {jetstream.ErrStreamNotFound, nil},
		"a request was given up": {context.Canceled, nil},
		"anything else":          {errors.New("other"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := natsio.Explain(js, c.err)
			if !errors.Is(got, c.err) || errors.Is(got, natsio.ErrStuck) != (c.says != nil) || errors.Is(got, natsio.ErrPermission) {
				t.Errorf("the classes of %v", got)
			}
			for _, says := range c.says {
				if !strings.Contains(got.Error(), says) {
					t.Errorf("%q does not say %q", got, says)
				}
			}
			if c.says == nil && got.Error() != c.err.Error() {
				t.Errorf("it became %v", got)
			}
			if n := utf8.RuneCountInString(got.Error()); n > 250 {
				t.Errorf("%d characters are too many for Slack", n)
			}
			if again := natsio.Explain(js, fmt.Errorf("stream: %w", got)); again.Error() != "stream: "+got.Error() {
				t.Errorf("explained again: %v", again)
			}
		})
	}
}

// TestAFrozenStream: what a server does whose disk is full looks to its clients like a time-out.
func TestAFrozenStream(t *testing.T) {
	dir := t.TempDir()
	first := natstest.ServerIn(t, dir, "127.0.0.1:0")
	_, js := natstest.Connect(t, first)
	natstest.CreateStreams(t, js)
	first.Close()
	_, js = natstest.Connect(t, natstest.ServerIn(t, dir, "127.0.0.1:0"))
	natstest.Freeze(t, dir, events.StreamCalls)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := js.Publish(ctx, events.Subject("default"), nil)
	if err = natsio.Explain(js, err); !errors.Is(err, natsio.ErrStuck) {
		t.Errorf("it is explained as %v", err)
	}
	if _, err := js.Stream(t.Context(), events.StreamCalls); err != nil {
		t.Errorf("it can't be looked at any more: %v", err)
	}
	if _, err := natsio.EnsureBucket(t.Context(), js, natsio.BucketStatus, 1); err != nil {
		t.Errorf("others can't be made any more: %v", err)
	}
}

// TestADeletedStream: what is published for a stream that somebody has deleted gets the answer of a cluster without a majority, so that
// is said to be possible, too.
func TestADeletedStream(t *testing.T) {
	_, js := natstest.Connect(t, natstest.Server(t))
	bucket, err := natsio.EnsureBucket(t.Context(), js, natsio.BucketLeases, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteKeyValue(t.Context(), natsio.BucketLeases); err != nil {
		t.Fatal(err)
	}
	_, put := bucket.Put(t.Context(), "key", nil)
	_, get := bucket.Get(t.Context(), "key")
	for name, err := range map[string]error{"put": put, "get": get} {
		if err = natsio.Explain(js, err); err == nil || !strings.Contains(err.Error(), "was deleted") {
			t.Errorf("%s: it is explained as %v", name, err)
		}
	}
}

// TestWhyNATSIsAway: who is not let in is told what to do, not only that the connection is not there.
func TestWhyNATSIsAway(t *testing.T) {
	s := smallServer(t)
	nc, err := natsio.Connect("test", settings(t, s, "admin", "secret-word"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if err := natsio.Away(nc); err != nil {
		t.Errorf("it is there, and still: %v", err)
	}
	refused, err := natsio.Connect("test", settings(t, s, "admin", "another-word"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer refused.Close()
	for name, why := range map[string]func(*nats.Conn) error{"Away": natsio.Away, "Why": natsio.Why} {
		until(t, name+" does not say what to do", func() bool { // while an attempt is under way the connection seems to be there
			err := why(refused)
			return err != nil && strings.Contains(err.Error(), "NATS_PASSWORD")
		})
	}
}
