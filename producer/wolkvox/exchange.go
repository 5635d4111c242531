package wolkvox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
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
	proxied               bool // a proxy could read the request, and may have written the answer
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
	request, failed := c.request(ctx, op, c.address(script, query), token)
	if failed != nil {
		return reply{}, failed
	}
	proxy, failed := c.proxyOf(op, request)
	if failed != nil {
		return reply{}, failed
	}
	r := reply{op: op, requestedAt: time.Now(), redact: c.redactor(token, proxy)}
	r.proxied = proxy != nil && request.URL.Scheme == "http"
	if failed := c.exchange(&r, request); failed != nil {
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

// redactor knows all that must not show: what we send, and what a proxy gets.
func (c *Client) redactor(token string, proxy *url.URL) redactor {
	secrets := append([]string{token}, credentials(c.base.User)...)
	if proxy != nil {
		secrets = append(secrets, credentials(proxy.User)...)
	}
	return newRedactor(secrets...)
}

func (c *Client) address(script string, query url.Values) string {
	u := c.base.JoinPath(script)
	u.RawQuery = query.Encode()
	return u.String()
}

func (c *Client) request(ctx context.Context, op, address, token string) (*http.Request, *Error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, &Error{Kind: KindRefused, Op: op, Err: errors.New("the base URL is not usable"), Hint: hintBaseURL}
	}
	request.Header.Set("wolkvox-token", token)
	request.Header.Set("Accept", "application/json")
	if c.options.Server != "" {
		request.Header.Set("wolkvox_server", c.options.Server)
	}
	return request, nil
}

// proxyOf returns the proxy that the request will take; nil is none, or one
// that a transport of another make keeps to itself.
func (c *Client) proxyOf(op string, request *http.Request) (*url.URL, *Error) {
	if c.proxy == nil {
		return nil, nil
	}
	proxy, err := c.proxy(request)
	if err != nil { // left out: its text may repeat the address, credentials included
		return nil, &Error{Kind: KindRefused, Op: op, Err: errors.New("the proxy's address is not usable"), Hint: hintProxyAddress}
	}
	return proxy, nil
}

// exchange sends the request and fills in status, header and body of r.
func (c *Client) exchange(r *reply, request *http.Request) *Error {
	limited, end := context.WithTimeout(request.Context(), c.options.Timeout)
	defer end()
	ctx, cancel := context.WithCancelCause(limited)
	defer cancel(nil)
	var j journey
	response, err := c.http.Do(request.WithContext(httptrace.WithClientTrace(ctx, j.trace(cancel))))
	if err != nil {
		return transportError(request.Context(), r.op, err, &j)
	}
	defer response.Body.Close()
	r.status, r.header = response.StatusCode, response.Header
	if r.body, err = readBody(response, c.options.MaxBody); err != nil {
		failed := transportError(request.Context(), r.op, err, &j)
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
// transport has already decompressed what it reads: the limit is on that. When
// the limit cuts an answer off, the transport gives its connection up: reading
// the rest could take for ever.
func readBody(response *http.Response, limit int64) ([]byte, error) {
	if response.ContentLength > limit {
		return nil, fmt.Errorf("%w: %d bytes", errTooLong, response.ContentLength)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("%w: more than %d bytes", errTooLong, limit)
	}
	return body, nil
}
