package doctor_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/diagnosis"
	"unconnected/internal/natsio"
	"unconnected/internal/natsio/doctor"
	"unconnected/internal/natsroles"
	"unconnected/internal/natstest"
)

const password = "secret-word-of-nats"

// start runs a server with two users: admin, who may do everything, and nobody, who may do nothing.
func start(t *testing.T, change func(*server.Options)) *server.Server {
	t.Helper()
	o := &server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir(),
		Users: []*server.User{
			{Username: "admin", Password: password},
			{Username: "nobody", Password: password, Permissions: &server.Permissions{Publish: &server.SubjectPermission{Allow: []string{"nothing"}}}},
		},
	}
	if change != nil {
		change(o)
	}
	s, err := server.NewServer(o)
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

func settings(t *testing.T, url, user, password string) *config.NATS {
	t.Helper()
	c := config.NATS{URL: config.List{url}, User: user, Replicas: 1}
	if err := c.Password.Set(password); err != nil {
		t.Fatal(err)
	}
	return &c
}

// examine looks at a server as a user.
func examine(t *testing.T, c *config.NATS, roles ...natsroles.Role) (server, streams diagnosis.Findings) {
	t.Helper()
	nc, connection := doctor.Connect(t.Context(), c)
	if nc == nil {
		t.Fatalf("%+v", connection)
	}
	defer nc.Close()
	js, err := doctor.Open(nc)
	if err != nil {
		t.Fatal(err)
	}
	return doctor.Examine(t.Context(), js, doctor.Options{
		NATS: *c, History: config.History{MaxAge: config.Duration(24 * time.Hour), MaxBytes: 1 << 20}, Roles: roles,
	})
}

// require wants a finding of a check, with a status and a part of what it says.
func require(t *testing.T, all diagnosis.Findings, check string, status diagnosis.Status, says string) {
	t.Helper()
	for _, f := range all {
		if f.Check == check {
			if text := f.Detail + " → " + f.Next; f.Status != status || !strings.Contains(text, says) {
				t.Errorf("%s: %s %q, want %s and %q", check, f.Status, text, status, says)
			}
			return
		}
	}
	t.Errorf("nothing is said of %s: %+v", check, all)
}

func TestConnectSaysWhatIsWrong(t *testing.T) {
	s := start(t, nil)
	listener, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, and is no NATS
	if err != nil {
		t.Fatal(err)
	}
	away := listener.Addr().String()
	_ = listener.Close()
	tests := []struct {
		name string
		c    *config.NATS
		says string
	}{
		{"wrong password", settings(t, s.ClientURL(), "admin", "another-word"), "NATS_USER and NATS_PASSWORD"},
		{"away", settings(t, "nats://"+away, "admin", password), "start NATS"},
		{"unknown host", settings(t, "nats://no-such-host.invalid:4222", "admin", password), "NATS_URL"},
		{"no TLS there", settings(t, strings.Replace(s.ClientURL(), "nats://", "tls://", 1), "admin", password), "tls://"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			nc, f := doctor.Connect(t.Context(), test.c)
			if nc != nil {
				nc.Close()
				t.Fatal("there is a connection")
			}
			text := f.Detail + f.Next
			if f.Status != diagnosis.Failed || !strings.Contains(f.Next, test.says) || strings.Contains(text, password) || strings.Contains(text, "another-word") {
				t.Errorf("%+v, want %q", f, test.says)
			}
		})
	}
}

func TestAServerThatNobodyHasUsed(t *testing.T) {
	s := start(t, nil)
	found, streams := examine(t, settings(t, s.ClientURL(), "admin", password), natsroles.Roles()...)
	require(t, found, "version", diagnosis.OK, server.VERSION)
	require(t, found, "jetstream", diagnosis.OK, "0 streams")
	require(t, found, "permissions", diagnosis.OK, "everything")
	if len(streams) != 1 {
		t.Errorf("%+v, want one line", streams)
	}
	require(t, streams, events.StreamCalls, diagnosis.Warning, "nothing has run here yet")
	if _, js := connect(t, s); countStreams(t, js) != 0 {
		t.Error("the doctor has created something")
	}
}

func TestTooLittleStorage(t *testing.T) {
	s := start(t, nil)
	small := server.JetStreamAccountLimits{MaxMemory: -1, MaxStore: 1 << 20, MaxStreams: -1, MaxConsumers: -1}
	if err := s.GlobalAccount().UpdateJetStreamLimits(map[string]server.JetStreamAccountLimits{"": small}); err != nil {
		t.Fatal(err)
	}
	found, _ := examine(t, settings(t, s.ClientURL(), "admin", password))
	require(t, found, "jetstream", diagnosis.Failed, "HISTORY_MAX_BYTES")
}

func TestNoJetStream(t *testing.T) {
	s := start(t, func(o *server.Options) { o.JetStream = false })
	found, _ := examine(t, settings(t, s.ClientURL(), "admin", password))
	require(t, found, "jetstream", diagnosis.Failed, "-js")
}

// TestAUserWithoutRights: what the server refuses costs no wait, each.
func TestAUserWithoutRights(t *testing.T) {
	s := start(t, nil)
	began := time.Now()
	found, streams := examine(t, settings(t, s.ClientURL(), "nobody", password), natsroles.Roles()...)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %s: the requests that were refused ran into their time limits", took)
	}
	require(t, found, "jetstream", diagnosis.Skipped, "not visible")
	require(t, streams, events.StreamCalls, diagnosis.Failed, "permission")
}

func TestStreamsAndConsumers(t *testing.T) {
	s := start(t, nil)
	_, js := connect(t, s)
	definition := events.CallsStream(events.StreamOptions{MaxAge: time.Hour, MaxBytes: 1 << 20})
	if _, err := js.CreateStream(t.Context(), definition); err != nil {
		t.Fatal(err)
	}
	for _, bucket := range natsio.Buckets() {
		if _, err := natsio.EnsureBucket(t.Context(), js, bucket, 1); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := js.Publish(t.Context(), "calls.unconnected", []byte("any")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"data-team", ""} { // the other is of a reader that comes and goes
		if _, err := js.CreateConsumer(t.Context(), events.StreamCalls, jetstream.ConsumerConfig{Durable: name}); err != nil {
			t.Fatal(err)
		}
	}
	found, streams := examine(t, settings(t, s.ClientURL(), "admin", password))
	require(t, found, "clock", diagnosis.OK, "agree")
	require(t, streams, events.StreamCalls, diagnosis.Warning, "max age is 1h,")
	require(t, streams, events.StreamAlerts, diagnosis.Warning, "not there yet")
	require(t, streams, "buckets", diagnosis.OK, "are there")
	require(t, streams, "size", diagnosis.OK, "of 1.0 MiB")
	require(t, streams, "complete", diagnosis.OK, "from sequence 1 to 1")
	require(t, streams, "consumer data-team", diagnosis.OK, "1 messages wait")
	if len(streams) != 6 {
		t.Errorf("%d lines: %+v", len(streams), streams)
	}
}

func connect(t *testing.T, s *server.Server) (*config.NATS, jetstream.JetStream) {
	t.Helper()
	c := settings(t, s.ClientURL(), "admin", password)
	nc, f := doctor.Connect(t.Context(), c)
	if nc == nil {
		t.Fatalf("%+v", f)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return c, js
}

func countStreams(t *testing.T, js jetstream.JetStream) int {
	t.Helper()
	info, err := js.AccountInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return info.Streams
}

// TestEmbedded: the server that up embeds has nothing to complain about but that its syncing is not visible.
func TestEmbedded(t *testing.T) {
	s := natstest.Server(t)
	found, _ := examine(t, &config.NATS{URL: config.List{s.URL()}, Replicas: 1})
	for _, f := range found {
		if f.Status == diagnosis.Failed || f.Status == diagnosis.Warning {
			t.Errorf("%+v", f)
		}
	}
}
