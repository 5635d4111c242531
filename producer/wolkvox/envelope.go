package wolkvox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// envelope is what every answer of the API is wrapped in. All fields are raw
// because the API changes their types: code is a number or a string, error null
// or "null", data a list or an object.
type envelope struct {
	Code  json.RawMessage `json:"code"`
	Error json.RawMessage `json:"error"`
	Msg   json.RawMessage `json:"msg"`
	Data  json.RawMessage `json:"data"`
}

var byteOrderMark = []byte("\ufeff")

// parseEnvelope reads a whole body. Anything but one JSON object with at least
// one of the API's fields is an error.
func parseEnvelope(body []byte) (envelope, error) {
	var e envelope
	body = bytes.TrimPrefix(body, byteOrderMark)
	if err := json.Unmarshal(body, &e); err != nil {
		return envelope{}, fmt.Errorf("not the API's JSON: %w: %s", err, excerpt(body))
	}
	if e.Code == nil && e.Error == nil && e.Msg == nil && e.Data == nil {
		return envelope{}, fmt.Errorf("not the API's JSON: %s", excerpt(body))
	}
	return e, nil
}

// excerpt quotes the beginning of a body, for people.
func excerpt(body []byte) string {
	const most = 80
	if len(body) > most {
		return fmt.Sprintf("%d bytes beginning with %q", len(body), body[:most])
	}
	return fmt.Sprintf("%q", body)
}

// text returns a string or number as text, null and absence as "".
func text(raw json.RawMessage) (string, error) {
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return "", nil
	case raw[0] == '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err
	case raw[0] == '-' || (raw[0] >= '0' && raw[0] <= '9'):
		return string(raw), nil
	default:
		return "", fmt.Errorf("neither text nor number: %s", excerpt(raw))
	}
}

// words returns a text for people: trimmed, on one line, shortened, "" for
// "null" or anything unreadable.
func words(raw json.RawMessage) string {
	const most = 300
	s, err := text(raw)
	if err != nil || s == "null" {
		return ""
	}
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// code returns the answer's own status, 0 if it has none.
func (e envelope) code() (int, error) {
	s, err := text(e.Code)
	if err != nil {
		return 0, err
	}
	if s = strings.TrimSpace(s); s == "" || s == "null" {
		return 0, nil
	}
	return strconv.Atoi(s)
}

// verdict combines the HTTP status with the answer's own code. Either can tell
// of an error. "No records" is the one error that becomes data, so any other
// error wins over it.
func verdict(status, code int) int {
	switch {
	case code == 0 || code == http.StatusOK:
		return status
	case status == http.StatusOK || status == http.StatusNotFound:
		return code
	default:
		return status
	}
}

// open finds out whether a reply is an answer with rows (empty false), the
// statement that there are none (empty true), or an error.
func open(r reply) (e envelope, empty bool, failed *Error) {
	e, err := parseEnvelope(r.body)
	if err != nil {
		return e, false, foreign(r, err)
	}
	code, err := e.code()
	if err != nil {
		return e, false, &Error{Kind: KindRetry, Op: r.op, Status: r.status, Err: fmt.Errorf("code: %w", err)}
	}
	status := verdict(r.status, code)
	switch {
	case status == http.StatusNotFound:
		return e, true, nil
	case status != http.StatusOK:
		return e, false, refusal(r, status, words(e.Error), words(e.Msg))
	case code == 0 && blank(e.Data), words(e.Error) != "" && blank(e.Data):
		// Neither rows nor the word that all is well: not to be taken for zero calls.
		failed := refusal(r, status, words(e.Error), words(e.Msg))
		failed.Err = errors.New("neither rows nor an error")
		return e, false, failed
	}
	return e, blank(e.Data), nil
}

// blank says whether data is absent, null, or has no rows.
func blank(data json.RawMessage) bool {
	switch string(data) {
	case "", "null", "[]", "{}":
		return true
	}
	return false
}

// foreign classifies an answer that the API itself did not write.
func foreign(r reply, err error) *Error {
	failed := refusal(r, r.status, "", "")
	failed.Err = err
	switch {
	case failed.Kind != KindRetry:
	case r.proxied, r.status == http.StatusProxyAuthRequired:
		failed.Hint = proxyHint(r.status)
	case r.status >= http.StatusInternalServerError:
	case r.status == http.StatusTooManyRequests:
		failed.Hint = hintTooMany
	default:
		failed.Hint = hintNotAPI
	}
	return failed
}

// refusal classifies an answer by its status and text.
func refusal(r reply, status int, class, msg string) *Error {
	kind, hint := classify(status, msg)
	return &Error{
		Kind: kind, Op: r.op, Status: status, Class: class, Msg: msg, Hint: hint,
		RetryAfter: retryAfter(r.header, r.received),
		Timeout:    status == http.StatusGatewayTimeout || status == http.StatusRequestTimeout,
	}
}

// classify knows the vendor's table of errors. What is not in it passes by itself.
func classify(status int, msg string) (Kind, string) {
	switch status {
	case http.StatusBadRequest:
		return KindRefused, hintRequest
	case http.StatusUnauthorized:
		return KindRefused, hintToken
	case http.StatusForbidden:
		return classifyForbidden(strings.ToUpper(msg))
	default:
		return KindRetry, ""
	}
}

// classifyForbidden tells the four meanings of 403 apart, which only the text does.
func classifyForbidden(msg string) (Kind, string) {
	switch {
	case strings.Contains(msg, "VALIDATE TOKEN"):
		return KindRefused, hintToken
	case strings.Contains(msg, "TOKEN LIMIT EXCEEDED"):
		return KindQuota, hintQuota
	case strings.Contains(msg, "SIMULTANEOUS REQUESTS"):
		return KindTokenBusy, hintTokenBusy
	default:
		return KindMaintenance, ""
	}
}

// retryAfter reads the header in both of its forms, seconds and date; 0 if
// absent, unreadable or past.
func retryAfter(header http.Header, now time.Time) time.Duration {
	const longest = 1 << 31 // seconds; more would overflow a Duration
	value := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(value, 10, 63); err == nil {
		return time.Duration(min(seconds, longest)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
