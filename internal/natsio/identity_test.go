package natsio_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"unconnected/internal/config"
	"unconnected/internal/natsio"
)

// optionsOf are the connection options that settings give.
func optionsOf(t *testing.T, program string, c *config.NATS) nats.Options {
	t.Helper()
	o := nats.GetDefaultOptions()
	for _, option := range natsio.Options(program, c, slog.New(slog.DiscardHandler)) {
		if err := option(&o); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

// keyFile writes the seed of a new key and returns its public half.
func keyFile(t *testing.T, path string) string {
	t.Helper()
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(seed, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	public, err := pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return public
}

// TestInbox: answers come to subjects of the user's own, whatever it is known by.
func TestInbox(t *testing.T) {
	key, jwt := filepath.Join(t.TempDir(), "producer.nk"), filepath.Join(t.TempDir(), "team.creds")
	public := keyFile(t, key)
	if err := os.WriteFile(jwt, []byte("-----BEGIN NATS USER JWT-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	local := config.List{"nats://127.0.0.1:4222"}
	for name, c := range map[string]struct {
		program  string
		settings config.NATS
		want     string
	}{
		"no user":                      {"unconnected producer", config.NATS{URL: local}, "_INBOX_producer"},
		"no user, the tool":            {natsio.ProgramTool, config.NATS{URL: local}, "_INBOX_unconnected"},
		"a user":                       {"unconnected producer", config.NATS{URL: local, User: "admin"}, "_INBOX_admin"},
		"a user's name with dots":      {"unconnected producer", config.NATS{URL: local, User: "a.b *>"}, "_INBOX_a-b---"},
		"a key":                        {"unconnected alerter", config.NATS{URL: local, Creds: config.File(key)}, "_INBOX_" + public},
		"credentials with a JWT":       {"unconnected alerter", config.NATS{URL: local, Creds: config.File(jwt)}, "_INBOX_alerter"},
		"a user in the URL":            {"unconnected alerter", config.NATS{URL: config.List{"tls://reader:x@nats:4222"}}, "_INBOX_reader"},
		"a token in the URL":           {"unconnected alerter", config.NATS{URL: config.List{"nats://s3cret-token@nats:4222"}}, "_INBOX_alerter"},
		"a user in a URL's short form": {"unconnected alerter", config.NATS{URL: config.List{"reader:x@nats:4222"}}, "_INBOX_reader"},
	} {
		t.Run(name, func(t *testing.T) {
			if o := optionsOf(t, c.program, &c.settings); o.InboxPrefix != c.want {
				t.Errorf("the prefix is %s, want %s", o.InboxPrefix, c.want)
			}
		})
	}
}

// TestKeyFile: NATS_CREDS may be the seed of a key alone; what is neither that nor credentials is said, without what is in it.
func TestKeyFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "producer.nk")
	public := keyFile(t, file)
	if o := optionsOf(t, "test", &config.NATS{Creds: config.File(file)}); o.Nkey != public || o.SignatureCB == nil {
		t.Errorf("it connects with the key %s, want %s", o.Nkey, public)
	}
	if err := os.WriteFile(file, []byte("SUNOSEEDATALL"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &config.NATS{URL: config.List{"nats://127.0.0.1:1"}, Creds: config.File(file)}
	_, err := natsio.Connect("test", c, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "NATS_CREDS") || strings.Contains(err.Error(), "SUNOSEED") || strings.Contains(err.Error(), "\n") {
		t.Errorf("Connect: %v", err)
	}
}

// TestTokenInTheURL: the token that stands where a user's name would is shown nowhere.
func TestTokenInTheURL(t *testing.T) {
	const token = "s3cret-token"
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true, Authorization: token})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not start")
	}
	address := strings.TrimPrefix(s.ClientURL(), "nats://")
	var log strings.Builder
	nc, err := natsio.Connect("unconnected alerter", &config.NATS{URL: config.List{"nats://" + token + "@" + address}}, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if !nc.IsConnected() {
		t.Fatal("the token is not taken")
	}
	nc.Opts.ReconnectedCB(nc)
	if said := log.String(); strings.Contains(said, token) || !strings.Contains(said, address) || strings.Contains(nc.NewInbox(), token) {
		t.Errorf("answers come to %s; it is said: %s", nc.NewInbox(), said)
	}
}
