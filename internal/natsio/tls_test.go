package natsio_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"unconnected/internal/config"
	"unconnected/internal/diagnosis"
	"unconnected/internal/natsio"
	"unconnected/internal/natsio/doctor"
	"unconnected/internal/natstest"
)

// tlsServer starts a server with deploy/nats/tls.conf, whose files are those of dir.
func tlsServer(t *testing.T, dir, certificate string) *server.Server {
	t.Helper()
	conf, err := os.ReadFile("../../deploy/nats/tls.conf")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(conf), "/etc/nats/certs/server.", filepath.Join(dir, certificate)+".")
	text = strings.ReplaceAll(text, "/etc/nats/certs", dir)
	file := filepath.Join(t.TempDir(), "nats.conf")
	if err := os.WriteFile(file, []byte("listen: \"127.0.0.1:-1\"\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	options, err := server.ProcessConfigFile(file)
	if err != nil {
		t.Fatal(err)
	}
	options.NoSigs, options.NoLog = true, true
	s, err := server.NewServer(options)
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

// tlsCases is who connects how, and what is said; empty when it works. All files are in one directory.
var tlsCases = map[string]struct {
	server        string // its certificate
	ca, cert, key string
	says          []string
}{
	"as it should be":                     {"server", "ca.pem", "client.pem", "client.key", nil},
	"no client certificate":               {"server", "ca.pem", "", "", []string{"NATS_CERT", "NATS_KEY", "asks for"}},
	"an expired client certificate":       {"server", "ca.pem", "old.pem", "old.key", []string{"NATS_CERT", "expired"}},
	"a client certificate of another's":   {"server", "ca.pem", "stranger.pem", "stranger.key", []string{"NATS_CERT", "authority"}},
	"another authority than the server's": {"server", "other.pem", "client.pem", "client.key", []string{"NATS_CA", "server's certificate"}},
	"the system's authorities":            {"server", "", "client.pem", "client.key", []string{"NATS_CA", "server's certificate"}},
	"an expired server":                   {"old", "ca.pem", "client.pem", "client.key", []string{"server's certificate", "expired"}},
	"a server of another name":            {"named", "ca.pem", "client.pem", "client.key", []string{"server's certificate", "not for the name", "NATS_URL"}},
	"a key that is not the certificate's": {"server", "ca.pem", "client.pem", "old.key", []string{"NATS_CERT", "NATS_KEY"}},
	"a file that is no certificate":       {"server", "ca.pem", "client.key", "client.key", []string{"NATS_CERT", "NATS_KEY"}},
	"a file that is no authority":         {"server", "client.key", "client.pem", "client.key", []string{"NATS_CA"}},
}

func certificates(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	ca, other := natstest.NewAuthority(t, dir, "ca"), natstest.NewAuthority(t, dir, "other")
	tomorrow, yesterday := time.Now().Add(24*time.Hour), time.Now().Add(-24*time.Hour)
	ca.Issue(t, "server", tomorrow)
	ca.Issue(t, "client", tomorrow)
	ca.Issue(t, "old", yesterday)
	other.Issue(t, "stranger", tomorrow)
	ca.Issue(t, "named", tomorrow, "nats.example.com")
	return dir
}

// TestTLS: with certificates on both sides, tools and daemons connect; what is wrong is said in one line that names the setting.
func TestTLS(t *testing.T) {
	dir := certificates(t)
	for name, c := range tlsCases {
		t.Run(name, func(t *testing.T) {
			s := tlsServer(t, dir, c.server)
			settings := config.NATS{URL: config.List{s.ClientURL()}, Replicas: 1}
			for field, file := range map[*config.File]string{&settings.CA: c.ca, &settings.Cert: c.cert, &settings.Key: c.key} {
				if file != "" {
					*field = config.File(filepath.Join(dir, file))
				}
			}
			nc, err := natsio.Dial(t.Context(), "test", &settings, slog.New(slog.DiscardHandler))
			if err == nil {
				nc.Close()
			}
			requireSaid(t, "Dial", err, c.says)
			requireSaid(t, "Connect", daemonError(t, &settings, c.says == nil), c.says)
			requireSaid(t, "doctor", doctorError(t, &settings), c.says)
		})
	}
}

func requireSaid(t *testing.T, what string, err error, words []string) {
	t.Helper()
	switch {
	case err == nil && len(words) == 0:
	case err == nil:
		t.Errorf("%s: it works", what)
	case len(words) == 0:
		t.Errorf("%s: %v", what, err)
	default:
		for _, word := range words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %q is not in: %v", what, word, err)
			}
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than one line: %v", what, err)
		}
	}
}

// daemonError connects as daemons do, and returns what one says while it can't: at once, or in its log.
func daemonError(t *testing.T, c *config.NATS, works bool) error {
	t.Helper()
	var book lockedBuffer
	nc, err := natsio.Connect("test", c, slog.New(slog.NewTextHandler(&book, nil)))
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := natsio.JetStream(nc)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-time.After(5 * time.Millisecond) {
		if works && nc.IsConnected() {
			return nil
		}
		if line := lineWith(book.String(), "NATS can't be reached"); line != "" {
			if ready := natsio.Explain(js, errors.New("no answer")); !errors.Is(ready, natsio.ErrAway) {
				t.Errorf("the reason for /readyz is %v", ready)
			}
			return errors.New(line)
		}
	}
	return errors.New("nothing was said")
}

// doctorError is what the doctor says of a connection that fails, and what to do.
func doctorError(t *testing.T, c *config.NATS) error {
	t.Helper()
	nc, found := doctor.Connect(t.Context(), c)
	if nc != nil {
		nc.Close()
	}
	if (nc != nil) != (found.Status == diagnosis.OK) {
		t.Errorf("connected: %v, but %s", nc != nil, found.Status)
	}
	if nc != nil {
		return nil
	}
	return errors.New(found.Detail + " → " + found.Next)
}

func lineWith(text, part string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			return strings.TrimSuffix(line, "\n")
		}
	}
	return ""
}

// lockedBuffer is safe for concurrent use.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(part []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(part)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// TestAServerWithoutTLS: certificates for a server that does not encrypt are a mistake, and nothing is sent in the clear.
func TestAServerWithoutTLS(t *testing.T) {
	dir := certificates(t)
	c := config.NATS{URL: config.List{smallServer(t).ClientURL()}, CA: config.File(filepath.Join(dir, "ca.pem")), Replicas: 1}
	_, err := natsio.Dial(t.Context(), "test", &c, slog.New(slog.DiscardHandler))
	requireSaid(t, "Dial", err, []string{"does not encrypt", "NATS_CA"})
}
