package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"unconnected/alerter/incident"
)

// maxAnswer bounds what is read of one answer, in bytes; a page of history is far below.
const maxAnswer = 16 << 20

// checked is an HTTP client for slack-go that looks at every answer before slack-go does, so that each failure is
// classified in one place: slack-go takes `ok:false` without a reason for success and puts the URL into its errors.
type checked struct {
	client *http.Client
	accept func(method string, body []byte) *Error // nil when the body of a 200 says that it worked
	hide   func() []string                         // what must not show in an error
	name   string                                  // the method, when the URL's last part must not show; "" to use that
}

// newHTTPClient has a time-out, and follows no redirect: it would carry the token elsewhere.
func newHTTPClient(timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Do sends req. A nil error means that the answer is a 200 whose body says that it worked. Else the error is an *Error.
func (c *checked) Do(req *http.Request) (*http.Response, error) {
	method := c.name
	if method == "" {
		method = path.Base(req.URL.Path)
	}
	var connected atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}
	resp, err := c.client.Do(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	if err != nil {
		return nil, c.broken(method, err, connected.Load())
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if resp.StatusCode != http.StatusOK {
		return nil, statusError(method, resp, body)
	}
	if err != nil {
		return nil, c.broken(method, err, true)
	}
	if e := c.accept(method, body); e != nil {
		e.RetryAfter = retryAfter(resp.Header)
		e.Code, e.Hint = c.hidden(e.Code), c.hidden(e.Hint) // an answer may quote what it was sent
		return nil, e
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// broken is the error for a request that brought no whole answer. Without a connection nothing was sent.
func (c *checked) broken(method string, err error, connected bool) *Error {
	e := &Error{Method: method, Class: incident.Ambiguous, Code: "connection"}
	if !connected {
		e.Class = incident.Undelivered
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		e.Code = "timeout"
	}
	e.Err = c.redact(err)
	return e
}

// redact is err without the URL and whatever else must not show. What it wraps is dropped, too, except for how a context
// ended.
func (c *checked) redact(err error) error {
	for _, ended := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, ended) {
			return ended
		}
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return errors.New(cutRunes(clean(c.hidden(err.Error())), 300))
}

// hidden is text without what must not show.
func (c *checked) hidden(text string) string {
	for _, secret := range c.hide() {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "[redacted]")
		}
	}
	return text
}

// statusError classifies an answer that is no 200.
func statusError(method string, resp *http.Response, body []byte) *Error {
	status := resp.StatusCode
	e := &Error{Method: method, Code: fmt.Sprintf("http_%d", status), RetryAfter: retryAfter(resp.Header)}
	switch {
	case status == http.StatusTooManyRequests:
		e.Class, e.Code = incident.Undelivered, "ratelimited"
	case status >= 500, status == http.StatusRequestTimeout:
		e.Class = incident.Ambiguous
	default:
		if known, ok := codes[strings.TrimSpace(string(body))]; ok { // a webhook answers with the bare code
			e.Class, e.Hint, e.Code = known.class, known.hint, strings.TrimSpace(string(body))
			return e
		}
		e.Class, e.Hint = incident.Permanent, "something other than Slack answers: check SLACK_API_URL, SLACK_WEBHOOK_URL and proxies"
	}
	return e
}

// retryAfter reads the header in both of its forms; 0 when absent or unreadable.
func retryAfter(h http.Header) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.Atoi(value); err == nil && seconds > 0 {
		return min(time.Duration(seconds)*time.Second, time.Hour)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(time.Until(at), 0), time.Hour)
	}
	return 0
}

// acceptAPI judges the body of an answer of the Web API.
func acceptAPI(method string, body []byte) *Error {
	var answer struct {
		OK     *bool  `json:"ok"`
		Error  string `json:"error"`
		Needed string `json:"needed"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.OK == nil {
		return &Error{Method: method, Class: incident.Ambiguous, Code: "unreadable_answer"}
	}
	if *answer.OK {
		return nil
	}
	e := classify(method, strings.TrimSpace(answer.Error))
	if e.Code == "missing_scope" && answer.Needed != "" {
		e.Hint = "add the scope " + cutRunes(clean(answer.Needed), 200) + " to the app and install it again"
	}
	return e
}
