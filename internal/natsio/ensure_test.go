package natsio_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natsio"
	"unconnected/internal/natstest"
)

// logbook is a logger and what it wrote.
func logbook() (*slog.Logger, *bytes.Buffer) {
	var book bytes.Buffer
	return slog.New(slog.NewTextHandler(&book, nil)), &book
}

func TestEnsureStreamTwice(t *testing.T) {
	_, js := natstest.Connect(t, natstest.Server(t))
	log, book := logbook()
	config := events.CallsStream(events.StreamOptions{MaxAge: 24 * time.Hour, MaxBytes: 1 << 20})
	first, err := natsio.EnsureStream(t.Context(), js, config, log)
	if err != nil {
		t.Fatal(err)
	}
	second, err := natsio.EnsureStream(t.Context(), js, config, log)
	if err != nil {
		t.Fatal(err)
	}
	if !first.CachedInfo().Created.Equal(second.CachedInfo().Created) {
		t.Error("the second call made another stream")
	}
	if book.Len() > 0 {
		t.Errorf("logged without a reason: %s", book)
	}
}

func TestEnsureStreamReportsDriftAndLeavesIt(t *testing.T) {
	_, js := natstest.Connect(t, natstest.Server(t))
	log, book := logbook()
	old := events.CallsStream(events.StreamOptions{MaxAge: 24 * time.Hour, MaxBytes: 1 << 20})
	if _, err := natsio.EnsureStream(t.Context(), js, old, log); err != nil {
		t.Fatal(err)
	}
	shorter := events.CallsStream(events.StreamOptions{MaxAge: time.Hour, MaxBytes: 2 << 20})
	stream, err := natsio.EnsureStream(t.Context(), js, shorter, log)
	if err != nil {
		t.Fatal(err)
	}
	info, err := stream.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if info.Config.MaxAge != 24*time.Hour || info.Config.MaxBytes != 1<<20 {
		t.Errorf("the stream was changed: %+v", info.Config)
	}
	for _, want := range []string{"max age is 1d, should be 1h", "max bytes is 1MiB, should be 2MiB", "stream=CALLS"} {
		if !strings.Contains(book.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, book)
		}
	}
}

func TestEnsureStreamByManyAtOnce(t *testing.T) {
	_, js := natstest.Connect(t, natstest.Server(t))
	log := slog.New(slog.DiscardHandler)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			config := events.CallsStream(events.StreamOptions{MaxAge: time.Duration(i+1) * time.Hour})
			if _, err := natsio.EnsureStream(context.Background(), js, config, log); err != nil {
				t.Error(err)
			}
			if _, err := natsio.EnsureBucket(context.Background(), js, natsio.BucketMarks, 1); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestEnsureBucketKeepsWhatIsThere(t *testing.T) {
	_, js := natstest.Connect(t, natstest.Server(t))
	kv, err := natsio.EnsureBucket(t.Context(), js, natsio.BucketStatus, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(t.Context(), "ventas", []byte("ok")); err != nil {
		t.Fatal(err)
	}
	again, err := natsio.EnsureBucket(t.Context(), js, natsio.BucketStatus, 1)
	if err != nil {
		t.Fatal(err)
	}
	if entry, err := again.Get(t.Context(), "ventas"); err != nil || string(entry.Value()) != "ok" {
		t.Errorf("the entry is %v, %v", entry, err)
	}
}

func TestEnsureStreamWithoutRoom(t *testing.T) {
	js := connectAs(t, smallServer(t), "admin")
	config := events.CallsStream(events.StreamOptions{MaxBytes: 1 << 40})
	_, err := natsio.EnsureStream(t.Context(), js, config, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "HISTORY_MAX_BYTES") || !natsio.Permanent(err) {
		t.Errorf("error %v is not permanent or does not name HISTORY_MAX_BYTES", err)
	}
}

func TestDriftComparesEveryPart(t *testing.T) {
	want := events.CallsStream(events.StreamOptions{})
	if lines := natsio.Drift(want, want); len(lines) > 0 {
		t.Errorf("a stream differs from itself: %q", lines)
	}
	turned := want
	turned.Subjects = []string{want.Subjects[1], want.Subjects[0]}
	if lines := natsio.Drift(turned, want); len(lines) > 0 {
		t.Errorf("the order of subjects counts: %q", lines)
	}
	for part, change := range map[string]func(*jetstream.StreamConfig){
		"subjects":                 func(c *jetstream.StreamConfig) { c.Subjects = []string{"calls.>"} },
		"replicas":                 func(c *jetstream.StreamConfig) { c.Replicas = 3 },
		"max age":                  func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour },
		"max bytes":                func(c *jetstream.StreamConfig) { c.MaxBytes = 1 },
		"max messages":             func(c *jetstream.StreamConfig) { c.MaxMsgs = 1 },
		"max messages per subject": func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 1 },
		"storage":                  func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage },
		"retention":                func(c *jetstream.StreamConfig) { c.Retention = jetstream.WorkQueuePolicy },
		"discard":                  func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardNew },
		"allow direct":             func(c *jetstream.StreamConfig) { c.AllowDirect = false },
		"deny delete":              func(c *jetstream.StreamConfig) { c.DenyDelete = false },
		"deny purge":               func(c *jetstream.StreamConfig) { c.DenyPurge = false },
		"compression":              func(c *jetstream.StreamConfig) { c.Compression = jetstream.NoCompression },
	} {
		t.Run(part, func(t *testing.T) {
			is := want
			is.Subjects = slices.Clone(want.Subjects)
			change(&is)
			if lines := natsio.Drift(is, want); len(lines) != 1 || !strings.HasPrefix(lines[0], part+" is ") {
				t.Errorf("Drift = %q", lines)
			}
		})
	}
}

func TestRetryUntilItWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, book := logbook()
		began, attempts := time.Now(), 0
		err := natsio.Retry(t.Context(), log, "the test", false, func(context.Context) error {
			attempts++
			switch {
			case attempts < 5:
				return errors.New("no servers")
			case attempts < 9:
				return errors.New("no JetStream")
			}
			return nil
		})
		if err != nil || attempts != 9 {
			t.Errorf("ended with %v after %d attempts", err, attempts)
		}
		// 100 ms, doubled six times to 5 s at the most.
		want := 100*63*time.Millisecond + 2*5*time.Second
		if waited := time.Since(began); waited != want {
			t.Errorf("waited %v, want %v", waited, want)
		}
		if lines := strings.Count(book.String(), "\n"); lines != 2 {
			t.Errorf("%d lines for two reasons:\n%s", lines, book)
		}
	})
}

func TestRetryEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := natsio.Retry(ctx, slog.New(slog.DiscardHandler), "the test", false, func(context.Context) error { return errors.New("away") })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestRetryAndPermanentErrors(t *testing.T) {
	for name, c := range map[string]struct {
		stop bool
		want int // attempts
	}{
		"a daemon waits for the person who mends it": {false, 3},
		"what lives in this process will not mend":   {true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				attempts := 0
				err := natsio.Retry(t.Context(), slog.New(slog.DiscardHandler), "the test", c.stop, func(context.Context) error {
					if attempts++; attempts == 3 {
						return nil
					}
					return jetstream.ErrJetStreamNotEnabled
				})
				if attempts != c.want || (err != nil) != c.stop {
					t.Errorf("ended with %v after %d attempts, want %d", err, attempts, c.want)
				}
			})
		})
	}
}
