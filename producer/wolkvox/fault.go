package wolkvox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
)

// transportError classifies what happened before there was a whole answer; ctx
// is the caller's.
func transportError(ctx context.Context, op string, err error, j *journey) *Error {
	var elsewhere *redirectError
	if errors.As(err, &elsewhere) {
		return &Error{Kind: KindRefused, Op: op, Err: elsewhere, Hint: hintRedirect}
	}
	// The text of a url.Error repeats the whole address, userinfo included.
	var located *url.Error
	if errors.As(err, &located) {
		err = located.Err
	}
	err = ended(ctx, err)
	if j.unsent() && errors.Is(err, context.DeadlineExceeded) { // the only cause that does not say where
		err = fmt.Errorf("connecting to %s: %w", j.peer, err)
	}
	failed := &Error{Kind: KindRetry, Op: op, Err: err, Timeout: isTimeout(err) && !j.unsent()}
	switch {
	case errors.Is(err, context.Canceled):
	case failed.Timeout:
		failed.Hint = hintTimeout
	case errors.Is(err, errNoAnswer), errors.Is(err, io.ErrUnexpectedEOF):
		failed.Hint = hintBroken
	case j.answered.Load(), errors.Is(err, errTooLong):
		failed.Hint = brokenHint(err)
	default:
		failed.Hint = connectHint(err)
	}
	return failed
}

// ended adds that the caller's context is over, where net/http gives the cause of that instead.
func ended(ctx context.Context, err error) error {
	over := ctx.Err()
	if over == nil || errors.Is(err, over) {
		return err
	}
	return fmt.Errorf("%w: %w", over, err)
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || (errors.As(err, &network) && network.Timeout())
}

// brokenHint tells an answer that broke off from one that cannot be read.
func brokenHint(err error) string {
	var network net.Error
	if errors.As(err, &network) {
		return hintBroken
	}
	return hintNotAPI
}

// connectHint says what a person can do when nothing came back at all.
func connectHint(err error) string {
	var tunnel *tunnelError
	var dial *net.OpError
	var lookup *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &tunnel):
		return proxyHint(tunnel.status)
	case errors.As(err, &dial) && dial.Op == "proxyconnect":
		return hintProxyAway
	case errors.As(err, &lookup):
		return hintName
	case errors.As(err, &certificate):
		return hintCertificate
	case errors.Is(err, http.ErrSchemeMismatch):
		return hintScheme
	default:
		return hintConnect
	}
}

// proxyHint is about an answer that is, or may be, a proxy's own.
func proxyHint(status int) string {
	if status == http.StatusProxyAuthRequired {
		return hintProxyLogin
	}
	return hintProxy
}
