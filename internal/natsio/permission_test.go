package natsio_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/natsio"
)

// smallServer is a server with little room and three users: admin, who may do everything, reader, who may not create
// streams, and nobody, who may do nothing.
func smallServer(t *testing.T) *server.Server {
	t.Helper()
	publish := func(subjects ...string) *server.Permissions {
		return &server.Permissions{Publish: &server.SubjectPermission{Allow: subjects}}
	}
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: t.TempDir(), JetStreamMaxStore: 64 << 20,
		Users: []*server.User{
			{Username: "admin", Password: "secret-word"},
			{Username: "reader", Password: "secret-word", Permissions: publish("$JS.API.STREAM.INFO.CALLS", "calls.>")},
			{Username: "nobody", Password: "secret-word", Permissions: publish("nothing")},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not start")
	}
	return s
}

func settings(t *testing.T, s *server.Server, user, password string) *config.NATS {
	t.Helper()
	c := config.NATS{URL: config.List{s.ClientURL()}, User: user, Replicas: 1}
	if err := c.Password.Set(password); err != nil {
		t.Fatal(err)
	}
	return &c
}

func connectAs(t *testing.T, s *server.Server, user string) jetstream.JetStream {
	t.Helper()
	nc, err := natsio.Connect("test", settings(t, s, user, "secret-word"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := natsio.JetStream(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func TestAUserWhoMayNotCreateUsesWhatIsThere(t *testing.T) {
	s, log := smallServer(t), slog.New(slog.DiscardHandler)
	want := events.CallsStream(events.StreamOptions{})
	if _, err := natsio.EnsureStream(t.Context(), connectAs(t, s, "admin"), want, log); err != nil {
		t.Fatal(err)
	}
	if _, err := natsio.EnsureStream(t.Context(), connectAs(t, s, "reader"), want, log); err != nil {
		t.Errorf("the stream is there, and still: %v", err)
	}
}

func TestAMissingPermissionIsNamed(t *testing.T) {
	s := smallServer(t)
	for name, c := range map[string]struct {
		user, subject string
		do            func(context.Context, jetstream.JetStream) error
	}{
		"reading about a stream": {"nobody", "$JS.API.STREAM.INFO.CALLS", func(ctx context.Context, js jetstream.JetStream) error {
			_, err := natsio.EnsureStream(ctx, js, events.CallsStream(events.StreamOptions{}), slog.New(slog.DiscardHandler))
			return err
		}},
		"creating a stream": {"reader", "$JS.API.STREAM.CREATE.CALLS", func(ctx context.Context, js jetstream.JetStream) error {
			_, err := natsio.EnsureStream(ctx, js, events.CallsStream(events.StreamOptions{}), slog.New(slog.DiscardHandler))
			return err
		}},
		"a bucket": {"reader", "$JS.API.STREAM.INFO.KV_unconnected_marks", func(ctx context.Context, js jetstream.JetStream) error {
			_, err := natsio.EnsureBucket(ctx, js, natsio.BucketMarks, 1)
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			js := connectAs(t, s, c.user)
			err := errors.New("not asked yet")
			for deadline := time.Now().Add(20 * time.Second); !errors.Is(err, natsio.ErrPermission) && time.Now().Before(deadline); {
				ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond) // a refusal shows as no answer
				err = c.do(ctx, js)
				cancel()
			}
			if !errors.Is(err, natsio.ErrPermission) || !strings.Contains(err.Error(), "this user may not publish to "+c.subject) {
				t.Errorf("error %v does not say that %s is forbidden", err, c.subject)
			}
			if creating := strings.Contains(c.subject, ".CREATE."); strings.Contains(err.Error(), "unconnected streams apply") != creating {
				t.Errorf("who has to create what is missing: %v", err)
			}
		})
	}
}

func TestATimeoutThatNobodyForbade(t *testing.T) {
	js := connectAs(t, smallServer(t), "admin")
	for _, err := range []error{context.DeadlineExceeded, nats.ErrTimeout, errors.New("other")} {
		if got := natsio.Explain(js, err); !errors.Is(got, err) || errors.Is(got, natsio.ErrPermission) {
			t.Errorf("Explain(%v) = %v", err, got)
		}
	}
}

func TestAWrongPassword(t *testing.T) {
	s := smallServer(t)
	var book bytes.Buffer
	_, err := natsio.Dial(t.Context(), "test", settings(t, s, "admin", "wrong-word"), slog.New(slog.NewTextHandler(&book, nil)))
	if !errors.Is(err, nats.ErrAuthorization) || !natsio.Permanent(err) {
		t.Errorf("Dial: %v", err)
	}
	if !strings.Contains(err.Error(), "NATS_PASSWORD") || strings.Contains(err.Error(), "is it running") {
		t.Errorf("Dial does not say what to do: %v", err)
	}
	if text := err.Error() + book.String(); strings.Contains(text, "wrong-word") {
		t.Errorf("the password shows: %s", text)
	}
}

func TestAServerThatIsAway(t *testing.T) {
	s := smallServer(t)
	c := settings(t, s, "admin", "secret-word")
	s.Shutdown()
	s.WaitForShutdown()
	if _, err := natsio.Dial(t.Context(), "test", c, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "NATS_URL") {
		t.Errorf("Dial: %v, want an error that names NATS_URL", err)
	}
	nc, err := natsio.Connect("test", c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("Connect must keep trying: %v", err)
	}
	defer nc.Close()
	if nc.IsConnected() || nc.IsClosed() {
		t.Errorf("the connection is %v", nc.Status())
	}
	if err := nc.Publish("calls.unconnected", nil); !errors.Is(err, nats.ErrReconnectBufExceeded) {
		t.Errorf("publishing without a connection: %v; it would be delivered after its publisher gave it up", err)
	}
}
