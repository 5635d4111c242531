package wolkvox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Names of the reports, as in the request's "api".
const (
	opReport    = "cdr_6"
	opTokenInfo = "token_info"
)

// reply is an answer as it came, not yet understood.
type reply struct {
	op                    string
	status                int
	header                http.Header
	body                  []byte
	requestedAt, received time.Time
	redact                redactor
}

// get sends one request and reads its answer, whatever the status. The returned
// error is free of secrets.
func (c *Client) get(ctx context.Context, op, script string, query url.Values) (reply, *Error) {
	token := ""
	if c.options.Token != nil {
		token = c.options.Token()
	}
	if failed := c.precheck(op, token); failed != nil {
		return reply{}, failed
	}
	r := reply{op: op, requestedAt: time.Now(), redact: c.redactor(token)}
	if failed := c.exchange(ctx, &r, c.address(script, query), token); failed != nil {
		r.redact.apply(failed)
		return reply{}, failed
	}
	r.received = time.Now()
	return r, nil
}

// precheck refuses what needs no question to the API: it would count against the quota.
func (c *Client) precheck(op, token string) *Error {
	switch {
	case c.base == nil:
		return &Error{Kind: KindRefused, Op: op, Err: errors.New("the base URL is not usable"), Hint: hintBaseURL}
	case token == "":
		return &Error{Kind: KindRefused, Op: op, Err: errors.New("there is no token"), Hint: hintNoToken}
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return &Error{Kind: KindRefused, Op: op, Err: errors.New("the token cannot be sent in a header"), Hint: hintBadToken}
	}
	return nil
}

func (c *Client) redactor(token string) redactor {
	password, _ := c.base.User.Password()
	return newRedactor(token, password)
}

func (c *Client) address(script string, query url.Values) string {
	u := c.base.JoinPath(script)
	u.RawQuery = query.Encode()
	return u.String()
}

// exchange fills in status, header and body of r.
func (c *Client) exchange(ctx context.Context, r *reply, address, token string) *Error {
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return &Error{Kind: KindRefused, Op: r.op, Err: errors.New("the base URL is not usable"), Hint: hintBaseURL}
	}
	request.Header.Set("wolkvox-token", token)
	request.Header.Set("Accept", "application/json")
	if c.options.Server != "" {
		request.Header.Set("wolkvox_server", c.options.Server)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return transportError(r.op, err)
	}
	defer response.Body.Close()
	r.status, r.header = response.StatusCode, response.Header
	if r.body, err = readBody(response, c.options.MaxBody); err != nil {
		failed := transportError(r.op, err)
		if errors.Is(err, errTooLong) {
			failed.Hint = hintNotAPI
		}
		failed.Status = r.status
		failed.RetryAfter = retryAfter(r.header, time.Now())
		return failed
	}
	return nil
}

// errTooLong means that an answer passed the limit on its length. No true
// answer comes near it, so it is taken for a fault of the other side.
var errTooLong = errors.New("the answer is too long")

// readBody reads to the end, so that the connection can be used again. The
// transport has already decompressed what it reads: the limit is on that.
func readBody(response *http.Response, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("%w: more than %d bytes", errTooLong, limit)
	}
	return body, nil
}

// transportError classifies what happened before there was a whole answer.
func transportError(op string, err error) *Error {
	var elsewhere *redirectError
	if errors.As(err, &elsewhere) {
		return &Error{Kind: KindRefused, Op: op, Err: elsewhere, Hint: hintRedirect}
	}
	// The text of a url.Error repeats the whole address, userinfo included.
	var located *url.Error
	if errors.As(err, &located) {
		err = located.Err
	}
	failed := &Error{Kind: KindRetry, Op: op, Err: err, Timeout: isTimeout(err)}
	switch {
	case errors.Is(err, context.Canceled):
	case failed.Timeout:
		failed.Hint = hintTimeout
	case errors.Is(err, io.ErrUnexpectedEOF):
		failed.Hint = hintBroken
	default:
		failed.Hint = hintConnect
	}
	return failed
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || (errors.As(err, &network) && network.Timeout())
}

// maxRedirects is more than any sane set-up needs; each costs a request.
const maxRedirects = 3

// redirectError is a redirect that would carry the token somewhere else.
type redirectError struct{ from, to string } // scheme://host

func (e *redirectError) Error() string {
	return fmt.Sprintf("redirected from %s to %s", e.from, e.to)
}

// checkRedirect follows redirects within the host that was asked, because
// net/http sends our header along wherever it goes.
func checkRedirect(next *http.Request, via []*http.Request) error {
	first := via[0].URL
	if !sameSite(first, next.URL) {
		return &redirectError{from: site(first), to: site(next.URL)}
	}
	if len(via) > maxRedirects {
		return fmt.Errorf("redirected more than %d times", maxRedirects)
	}
	return nil
}

// sameSite allows the same scheme, host and port, and the step from http to
// https on the same host.
func sameSite(from, to *url.URL) bool {
	if from.Scheme == to.Scheme {
		return strings.EqualFold(from.Host, to.Host)
	}
	return from.Scheme == "http" && to.Scheme == "https" && strings.EqualFold(from.Hostname(), to.Hostname())
}

func site(u *url.URL) string { return u.Scheme + "://" + u.Host }
