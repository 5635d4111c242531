package wolkvox

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// DefaultTimeout is longer than the 60 s that the server gives a request,
	// so that its own answer about that is seen.
	DefaultTimeout = 75 * time.Second

	// DefaultMaxBody bounds the memory that an answer can take. It holds the
	// 60,000 rows that the API documents as the most, at 139 bytes each; cdr_6
	// has a row per result, a few hundred bytes in all.
	DefaultMaxBody = 8 << 20
)

// wallClock is how the API writes local times.
const wallClock = "20060102150405"

// Options configures a Client. BaseURL and Token are required.
type Options struct {
	// BaseURL is the address above reports_manager.php and information.php,
	// such as https://wv0011.wolkvox.com/api/v2.
	BaseURL string

	// Server is the four digits of the operation's server, sent along as a
	// header as some of the vendor's samples do; empty to leave it out.
	Server string

	// Token is asked at each request, so that a rotated secret is seen. It must
	// be safe for concurrent use if the Client is used concurrently.
	Token func() string

	// Location is the zone of the times in requests; nil is UTC.
	Location *time.Location

	// Timeout limits one request as a whole, from connecting to the last byte
	// of the answer; zero or negative is DefaultTimeout.
	Timeout time.Duration

	// MaxBody limits an answer, in bytes after decompression; zero or negative
	// is DefaultMaxBody.
	MaxBody int64

	// Transport sends the requests. Nil is one of the client's own, as from
	// [NewTransport]; a process with several clients lets them share one.
	Transport http.RoundTripper
}

// Client asks the API of one operation. It is safe for concurrent use, though
// the API is not: it refuses a token that is used more than twice at a time.
type Client struct {
	options Options
	base    *url.URL                              // nil when BaseURL is unusable: then every request is refused
	proxy   func(*http.Request) (*url.URL, error) // nil when the transport does not tell
	http    *http.Client
}

// New returns a Client. A BaseURL that cannot be used shows at the first
// request, as a KindRefused.
func New(options Options) *Client {
	if options.Location == nil {
		options.Location = time.UTC
	}
	if options.Timeout <= 0 {
		options.Timeout = DefaultTimeout
	}
	if options.MaxBody <= 0 {
		options.MaxBody = DefaultMaxBody
	}
	if options.Transport == nil {
		options.Transport = NewTransport(1)
	}
	c := &Client{
		options: options,
		base:    parseBase(options.BaseURL),
		http:    &http.Client{Transport: options.Transport, CheckRedirect: checkRedirect},
	}
	if transport, ok := options.Transport.(*http.Transport); ok {
		c.proxy = transport.Proxy
	}
	return c
}

// parseBase returns nil unless s is an absolute http or https address.
func parseBase(s string) *url.URL {
	base, err := url.Parse(strings.TrimSpace(s))
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil
	}
	base.RawQuery, base.Fragment = "", ""
	return base
}

// Report asks how many calls did not connect in [from, to), by result. Both
// bounds are taken at whole seconds, rounded down. The API reads them as local
// times, so in the hour that a clock going back repeats it answers for both
// passes together.
//
// The error, if any, is an *Error.
func (c *Client) Report(ctx context.Context, from, to time.Time) (Answer, error) {
	last := to.Add(-time.Second) // the API counts its last second in
	if last.Unix() < from.Unix() {
		return Answer{}, &Error{Kind: KindRefused, Op: opReport, Err: errors.New("the span to ask for is empty")}
	}
	reply, failed := c.get(ctx, opReport, "reports_manager.php", url.Values{
		"api":      {opReport},
		"date_ini": {from.In(c.options.Location).Format(wallClock)},
		"date_end": {last.In(c.options.Location).Format(wallClock)},
	})
	if failed != nil {
		return Answer{}, failed
	}
	answer, failed := understand(reply, readReport)
	if failed == nil {
		failed = answer.leak(reply)
	}
	if failed != nil {
		return Answer{}, failed
	}
	return answer, nil
}

// TokenInfo asks what is left of the day's requests. Asking costs one of them.
//
// The error, if any, is an *Error.
func (c *Client) TokenInfo(ctx context.Context) (TokenInfo, error) {
	reply, failed := c.get(ctx, opTokenInfo, "information.php", url.Values{"api": {opTokenInfo}})
	if failed != nil {
		return TokenInfo{}, failed
	}
	info, failed := understand(reply, readTokenInfo)
	if failed != nil {
		return TokenInfo{}, failed
	}
	return info, nil
}

// understand reads a reply and keeps secrets that it repeats out of the error.
// They are taken out of the reply before it is read again, since the error
// quotes its beginning and half a secret would not be recognised any more; and
// out of the error, since the reply may have spelled them with escapes. What
// the reply means is decided before: a secret may be a word of its text.
func understand[T any](r reply, read func(reply) (T, *Error)) (T, *Error) {
	result, failed := read(r)
	if failed == nil {
		return result, nil
	}
	r.body = []byte(r.redact.text(string(r.body)))
	if _, again := read(r); again != nil {
		again.Kind, again.Hint = failed.Kind, failed.Hint
		failed = again
	}
	r.redact.apply(failed)
	return result, failed
}
