package doctor

import (
	"net"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// TestStoring asks the monitoring port of a server, and one that belongs to another.
func TestStoring(t *testing.T) {
	start := func(always bool) *server.Server {
		s, err := server.NewServer(&server.Options{
			Host: "127.0.0.1", Port: server.RANDOM_PORT, HTTPHost: "127.0.0.1", HTTPPort: server.RANDOM_PORT,
			NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir(), SyncAlways: always,
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
	portOf := func(s *server.Server) string { return strconv.Itoa(s.MonitorAddr().Port) }
	one, other := start(true), start(false)
	nc, err := nats.Connect(one.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if s := storingOf(t.Context(), nc, portOf(one)); s == nil || !s.JetStream.Config.SyncAlways || s.health == nil || s.health.Status != "ok" {
		t.Errorf("%+v, want that it syncs always, and is well", s)
	}
	if err := one.DisableJetStream(); err != nil {
		t.Fatal(err)
	}
	if s := storingOf(t.Context(), nc, portOf(one)); s == nil || s.health == nil || s.health.Status == "ok" || !strings.Contains(s.health.Error, "JetStream") {
		t.Errorf("%+v, want that its JetStream is off", s)
	}
	if s := storingOf(t.Context(), nc, portOf(other)); s != nil {
		t.Errorf("believes another server: %+v", s)
	}
	silent := httptest.NewServer(nil)
	defer silent.Close()
	_, port, _ := net.SplitHostPort(silent.Listener.Addr().String())
	if s := storingOf(t.Context(), nc, port); s != nil {
		t.Errorf("believes what is no NATS: %+v", s)
	}
	nc2, err := nats.Connect(other.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc2.Close()
	if s := storingOf(t.Context(), nc2, portOf(other)); s == nil || s.JetStream.Config.SyncAlways || s.JetStream.Config.SyncInterval != 2*time.Minute {
		t.Errorf("%+v, want two minutes", s)
	}
}
