// Package natsio connects to NATS and makes sure that the streams and buckets of this product exist.
package natsio

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/internal/config"
)

// Errors that [Explain] finds.
var (
	// ErrPermission is wrapped by the error of a request that the server's permissions forbid.
	ErrPermission = errors.New("NATS permissions forbid it; `unconnected streams users` prints what each role needs")
	// ErrAway is wrapped by the error of a request that could not be sent.
	ErrAway = errors.New("NATS is not reachable; it is tried again until it is (NATS_URL says where)")
)

// Options turns the settings into connection options, for [nats.Connect] and for an embedded server alike: reconnecting
// for ever, no buffering of what is published while the connection is away (it would be delivered after its publisher
// had given it up), every asynchronous error logged. The name is the program's, as the server shows it.
func Options(name string, c *config.NATS, log *slog.Logger) []nats.Option {
	options := []nats.Option{
		nats.Name(name),
		nats.CustomInboxPrefix(inboxPrefix(name, c)),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectJitter(250*time.Millisecond, time.Second),
		nats.RetryOnFailedConnect(true),
		nats.ReconnectBufSize(-1),
		nats.PermissionErrOnSubscribe(true),
		nats.PingInterval(10 * time.Second), // a server that hangs is noticed within half a minute
		nats.MaxPingsOutstanding(2),
		nats.IgnoreAuthErrorAbort(), // a rotated password may come
		nats.ReconnectErrHandler(sayOnce(log)),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("NATS connection lost; reconnecting", "error", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) { log.Info("NATS connection is back", "nats", Server(nc)) }),
		nats.ErrorHandler(logAsync(log, slog.LevelError)),
	}
	return append(options, authentication(c)...)
}

// Server is the address of the server that is connected to, without user, password and token; empty without a connection.
func Server(nc *nats.Conn) string {
	u, err := url.Parse(nc.ConnectedUrl())
	if err != nil {
		return ""
	}
	u.User = nil
	return u.String()
}

// sayOnce logs why the connection can't be opened, each new reason once.
func sayOnce(log *slog.Logger) nats.ConnErrHandler {
	var said string
	return func(nc *nats.Conn, err error) {
		if errors.Is(err, nats.ErrNoServers) { // the round of all servers failed; each one said why
			return
		}
		if reason := explainConnection(err, own(nc.Opts.TLSCertCB), time.Now()).Error(); reason != said {
			said = reason
			log.Warn("NATS can't be reached; trying again", "reason", reason)
		}
	}
}

func authentication(c *config.NATS) []nats.Option {
	var options []nats.Option
	if c.Creds != "" {
		options = append(options, credentials(c.Creds))
	}
	if c.User != "" {
		// Asked at each connection attempt, so that a rotated secret file is seen.
		options = append(options, nats.UserInfoHandler(func() (string, string) {
			_, _ = c.Password.Reload() // an unreadable file leaves the password that worked before
			return c.User, c.Password.Value()
		}))
	}
	if c.CA != "" {
		options = append(options, nats.RootCAs(string(c.CA)))
	}
	if c.Cert != "" {
		options = append(options, nats.ClientCert(string(c.Cert), string(c.Key)))
	}
	return options
}

// logAsync logs what no call returns. What is refused is refused again and again, and said once, at a level of its own. While
// the connection is away, every consumer would complain every few seconds of what was said when it was lost.
func logAsync(log *slog.Logger, refusals slog.Level) nats.ErrHandler {
	var mu sync.Mutex
	said := make(map[string]bool) // guarded by mu
	return func(nc *nats.Conn, sub *nats.Subscription, err error) {
		if refused := refusalOf(err); refused != nil {
			mu.Lock()
			defer mu.Unlock()
			if !said[refused.Error()] {
				said[refused.Error()] = true
				log.Log(context.Background(), refusals, "NATS refuses a subject", "error", refused)
			}
			return
		}
		log := log
		if sub != nil {
			log = log.With("subject", sub.Subject)
		}
		level := slog.LevelWarn
		if nc != nil && !nc.IsConnected() {
			level = slog.LevelDebug
		}
		log.Log(context.Background(), level, "NATS reports a problem", "error", err)
	}
}

// Connect opens the connection. A server that is away is no error: the connection keeps trying, and says so once.
func Connect(name string, c *config.NATS, log *slog.Logger) (*nats.Conn, error) {
	nc, err := nats.Connect(strings.Join(c.URL, ","), Options(name, c, log)...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS at %s: %w", c.Servers(), explainConnection(err, ownOf(c), time.Now()))
	}
	if !nc.IsConnected() {
		log.Warn("NATS is not reachable; trying again until it is", "nats", c.Servers())
	}
	return nc, nil
}

// Dial is Connect for a tool that a person waits for: a server that is away is an error.
func Dial(ctx context.Context, name string, c *config.NATS, log *slog.Logger) (*nats.Conn, error) {
	options := append(Options(name, c, log), nats.RetryOnFailedConnect(false), nats.Timeout(5*time.Second),
		nats.ErrorHandler(logAsync(log, slog.LevelDebug))) // the command's own error says it, see [Refused]
	nc, err := nats.Connect(strings.Join(c.URL, ","), options...)
	if err != nil {
		if explained := explainConnection(err, ownOf(c), time.Now()); explained.Error() != err.Error() {
			return nil, fmt.Errorf("connect to NATS at %s: %w", c.Servers(), explained)
		}
		return nil, fmt.Errorf("connect to NATS at %s: %w (is it running? NATS_URL says where)", c.Servers(), err)
	}
	return nc, nil
}

// JetStream is the stream API of a connection, with a time limit on each request that comes without one.
func JetStream(nc *nats.Conn) (jetstream.JetStream, error) {
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(5*time.Second))
	if err != nil {
		return nil, fmt.Errorf("JetStream: %w", err)
	}
	return js, nil
}

// IsConflict tells whether a publish or an update was refused because the sequence it expected is not the last any more.
func IsConflict(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

// Explain says what an error of a request means when the connection knows better: that it is away, that the server has refused
// a subject to it, which shows as a time-out, or that JetStream does not do its work. Any other error, and one that was
// explained before, it returns as it is.
func Explain(js jetstream.JetStream, err error) error { return ExplainOn(js.Conn(), err) }

// ExplainOn is Explain for the connection that a request went over.
func ExplainOn(conn *nats.Conn, err error) error {
	if err == nil || errors.Is(err, ErrAway) || errors.Is(err, ErrStuck) {
		return err
	}
	err = Refused(conn, err)
	switch {
	case errors.Is(err, ErrPermission):
		return err
	case errors.Is(err, nats.ErrReconnectBufExceeded), !conn.IsConnected():
		return away(conn.LastError(), own(conn.Opts.TLSCertCB))
	}
	if s := stuckBy(err); s != nil {
		return s
	}
	return err
}

// Away is that a connection is not there, as [Explain] says it; nil while it is.
func Away(conn *nats.Conn) error {
	if conn.IsConnected() {
		return nil
	}
	return away(conn.LastError(), own(conn.Opts.TLSCertCB))
}

// Why is why a connection is not there, with what to do about it where that is known; nil when nobody knows.
func Why(conn *nats.Conn) error {
	return explainConnection(conn.LastError(), own(conn.Opts.TLSCertCB), time.Now())
}

// away is [ErrAway] with why, as far as it is known. A server that is reached but lets nobody in is not looked for in NATS_URL.
func away(last error, mine own) error {
	switch why := explainConnection(last, mine, time.Now()); {
	case last == nil:
		return ErrAway
	case why.Error() == last.Error():
		return fmt.Errorf("%w: %w", ErrAway, last)
	default:
		return &unwelcome{why}
	}
}

// unwelcome is [ErrAway] where the connection's settings are to blame; its text says which.
type unwelcome struct{ why error }

func (u *unwelcome) Error() string   { return u.why.Error() }
func (u *unwelcome) Unwrap() []error { return []error{ErrAway, u.why} }

func isTimeout(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout)
}
