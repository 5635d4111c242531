package natsio_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"unconnected/internal/natsio"
)

// until polls for a short while.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
	}
}

func TestWhileNATSIsAwayConsumersDoNotComplainOneByOne(t *testing.T) {
	var book lockedBuffer
	s := smallServer(t)
	nc, err := natsio.Connect("test", settings(t, s, "admin", "secret-word"), slog.New(slog.NewTextHandler(&book, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	complain := func() { nc.ErrorHandler()(nc, nil, nats.ErrConsumerNotActive) }

	complain()
	if said := lineWith(book.String(), "consumer not active"); !strings.Contains(said, "level=WARN") {
		t.Errorf("of a connection that is there it is not said: %q", book.String())
	}
	s.Shutdown()
	until(t, "the connection is not lost", func() bool { return !nc.IsConnected() })
	before := strings.Count(book.String(), "consumer not active")
	complain()
	if after := strings.Count(book.String(), "consumer not active"); after != before {
		t.Errorf("the connection said already that it is lost, and still:\n%s", book.String())
	}
}

func TestWhoIsNotLetInDoesNotHearThatNATSIsNotReachable(t *testing.T) {
	s := smallServer(t)
	nc, err := natsio.Connect("test", settings(t, s, "admin", "another-word"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := natsio.JetStream(nc)
	if err != nil {
		t.Fatal(err)
	}
	until(t, "no attempt failed", func() bool { return nc.LastError() != nil })
	reason := natsio.Explain(js, nats.ErrTimeout)
	if !errors.Is(reason, natsio.ErrAway) || !errors.Is(reason, nats.ErrAuthorization) {
		t.Errorf("the classes are lost: %v", reason)
	}
	if text := reason.Error(); !strings.HasPrefix(text, "NATS does not let this user in") || strings.Contains(text, "not reachable") {
		t.Errorf("the reason is %q", text)
	}
}
