package natsio

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"unconnected/internal/config"
)

// own gives the client's certificate; nil when there is none.
type own func() (tls.Certificate, error)

// ownOf is the certificate that the settings name.
func ownOf(c *config.NATS) own {
	if c.Cert == "" {
		return nil
	}
	return func() (tls.Certificate, error) { return tls.LoadX509KeyPair(string(c.Cert), string(c.Key)) }
}

// explainConnection says which certificate or user is to blame for a connection that failed, and which setting names it. Other
// errors it returns as they are.
func explainConnection(err error, mine own, now time.Time) error {
	var (
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
		name      x509.HostnameError
	)
	advice := ""
	switch {
	case err == nil:
		return nil
	case errors.As(err, &authority):
		advice = "NATS_CA must name the authority that signed the server's certificate"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		advice = "the server's certificate has expired, or this machine's clock is wrong"
	case errors.As(err, &name):
		advice = "the server's certificate is not for the name or address in NATS_URL"
	case isRefused(err):
		return &untrusted{explained{adviceOn(mine, now), err}}
	case strings.Contains(err.Error(), "client certificate"):
		advice = "NATS_CERT must be a certificate and NATS_KEY its key, both PEM"
	case strings.Contains(err.Error(), "root certificate"):
		advice = "NATS_CA must be a file of certificates, PEM"
	case errors.Is(err, nats.ErrAuthorization):
		advice = "NATS does not let this user in: NATS_CREDS, or NATS_USER and NATS_PASSWORD, must be those of a user that it knows"
	case errors.Is(err, nats.ErrSecureConnWanted):
		advice = "the server does not encrypt: give it a tls block, or unset NATS_CA, NATS_CERT and NATS_KEY, and take tls:// out of NATS_URL"
	default:
		return err
	}
	return &explained{advice, err}
}

// Advice is what a person can do about a connection that failed; empty when its error says all that is known.
func Advice(err error) string {
	var u *untrusted
	var e *explained
	switch {
	case errors.As(err, &u):
		return u.advice
	case errors.As(err, &e):
		return e.advice
	}
	return ""
}

// explained is an error of a connection with what a person can do.
type explained struct {
	advice string
	cause  error
}

func (e *explained) Error() string { return e.advice + ": " + e.cause.Error() }
func (e *explained) Unwrap() error { return e.cause }

// ErrUntrusted is wrapped by the error of a connection that the server ended for want of a certificate that it trusts.
var ErrUntrusted = errors.New("the server ended the TLS handshake")

// untrusted is [ErrUntrusted] with what to do. Its text leaves out the cause, which differs from attempt to attempt, so that it
// is logged once.
type untrusted struct{ explained }

func (u *untrusted) Error() string   { return u.advice }
func (u *untrusted) Unwrap() []error { return []error{ErrUntrusted, u.cause} }

// isRefused tells whether the server ended the connection for want of a certificate that it trusts. When the client writes
// before it has read that, it only sees the connection closed.
func isRefused(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error" || strings.Contains(err.Error(), "after TLS handshake")
}

// adviceOn says what may be wrong with the certificate that the server does not take.
func adviceOn(mine own, now time.Time) string {
	if mine == nil {
		return "the server asks for a client certificate: set NATS_CERT and NATS_KEY"
	}
	pair, err := mine()
	if err == nil && pair.Leaf != nil && now.After(pair.Leaf.NotAfter) {
		return "the client certificate in NATS_CERT has expired on " + pair.Leaf.NotAfter.UTC().Format(time.DateOnly)
	}
	return "the server does not take the client certificate in NATS_CERT: its authority must be the one in the server's ca_file"
}
