package wolkvox

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Kind says what a failed request means for the next one.
type Kind uint8

const (
	// KindRetry is anything that is expected to pass by itself: network faults,
	// 5xx, 429, answers that are cut short or not the API's JSON.
	KindRetry Kind = iota
	// KindMaintenance is a 403 with a text that is not about the token: the API
	// is switched off, for minutes to hours.
	KindMaintenance
	// KindTokenBusy means that somebody else is using the token right now.
	KindTokenBusy
	// KindQuota means that the requests of this local day are spent, by this
	// token or by others of the same operation.
	KindQuota
	// KindRefused needs a person: the token, the address or the request itself
	// is wrong. Tokens get restored, so it is worth looking again, slowly.
	KindRefused
	// KindGarbage is a well-formed answer whose rows cannot be counted. It
	// concerns the span that was asked for; other spans may be fine.
	KindGarbage
)

// Kinds lists every kind, for whoever wants a metric per kind from the start.
var Kinds = []Kind{KindRetry, KindMaintenance, KindTokenBusy, KindQuota, KindRefused, KindGarbage}

// String returns the kind's name as used in metrics and logs.
func (k Kind) String() string {
	switch k {
	case KindRetry:
		return "retry"
	case KindMaintenance:
		return "maintenance"
	case KindTokenBusy:
		return "token_busy"
	case KindQuota:
		return "quota"
	case KindRefused:
		return "refused"
	case KindGarbage:
		return "garbage"
	default:
		return "kind(" + strconv.Itoa(int(k)) + ")"
	}
}

// Error is the only type of error that a Client returns. None of its texts, nor
// those of the errors it wraps, contains the token or a password of the base
// URL.
type Error struct {
	Kind Kind
	Op   string // the report asked for: "cdr_6" or "token_info"

	// Status is the HTTP status, or the answer's own code where that decided.
	// It is 0 when there was no answer.
	Status int
	Class  string // the answer's "error", such as FORBIDDEN; often empty
	Msg    string // the answer's "msg", shortened; often empty

	// RetryAfter is how long the server asked us to wait; 0 if it did not say.
	// It is taken as it came: the caller decides how much is too much.
	RetryAfter time.Duration

	// Timeout is set when the request, once sent, ran into a time limit, ours or
	// that of a gateway before the API. The server may still be working on it.
	// Where no connection came about in time it is not set: nothing was asked.
	Timeout bool

	Hint string // what a person can do about it; empty when waiting is all there is
	Err  error  // the cause below; may be nil
}

// Error says what was asked and what came back, in one line.
func (e *Error) Error() string {
	parts := []string{"wolkvox " + e.Op}
	if e.Status != 0 {
		parts = append(parts, strings.TrimSpace(strconv.Itoa(e.Status)+" "+e.class()))
	}
	if e.Msg != "" {
		parts = append(parts, e.Msg)
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	return strings.Join(parts, ": ")
}

// class is the answer's own word for the error, else HTTP's.
func (e *Error) class() string {
	if e.Class != "" {
		return e.Class
	}
	return http.StatusText(e.Status)
}

// Unwrap returns the cause, so that errors.Is(err, context.Canceled) works.
func (e *Error) Unwrap() error { return e.Err }

// What a person can do, for the errors where there is something to do.
const (
	hintNoToken      = "set WOLKVOX_TOKEN or WOLKVOX_TOKEN_FILE"
	hintBadToken     = "the token holds a blank or a control character: copy it again, without line breaks"
	hintToken        = "check the token in Wolkvox (is it of this operation, enabled, not expired?) and set WOLKVOX_TOKEN, or what is in the file of WOLKVOX_TOKEN_FILE, anew"
	hintBaseURL      = "WOLKVOX_BASE_URL must be an address like https://wv0011.wolkvox.com/api/v2"
	hintRequest      = "check WOLKVOX_SERVER and WOLKVOX_BASE_URL: the server does not know this request"
	hintRedirect     = "the server sends us elsewhere and the token was not sent along: check WOLKVOX_SERVER and WOLKVOX_BASE_URL"
	hintTimeout      = "there was no whole answer within WOLKVOX_TIMEOUT"
	hintBroken       = "the answer broke off; if this lasts, look at the network and at proxies in between"
	hintTooMany      = "the server is asked too often; another program may be asking, too"
	hintConnect      = "check WOLKVOX_SERVER and the network; the operation may allow registered IP addresses only, and this network may need a proxy (HTTPS_PROXY)"
	hintName         = "the server's name is not known here: check WOLKVOX_SERVER and WOLKVOX_BASE_URL, and this machine's DNS"
	hintScheme       = "the server does not speak TLS there: check http and https, and the port, in WOLKVOX_BASE_URL"
	hintCertificate  = "the server could not prove who it is, and the token was not sent: check WOLKVOX_SERVER, WOLKVOX_BASE_URL and this machine's clock; if a proxy opens TLS here, its CA must be in this machine's store or in the file of SSL_CERT_FILE"
	hintProxyAddress = "HTTPS_PROXY and HTTP_PROXY must be addresses like http://user:password@proxy.example:3128"
	hintProxyAway    = "the proxy cannot be reached: check HTTPS_PROXY and HTTP_PROXY; NO_PROXY names hosts that need none"
	hintProxyLogin   = "the proxy wants another user or password: check HTTPS_PROXY and HTTP_PROXY"
	hintProxy        = "this comes from the proxy of HTTPS_PROXY or HTTP_PROXY, it seems: ask whoever runs it whether it may and can reach the server; NO_PROXY names hosts that need no proxy"
	hintNotAPI       = "the answer is not the API's: check WOLKVOX_BASE_URL and proxies in between"
	hintTokenBusy    = "another program uses this token: give each program its own"
	hintQuota        = "the quota is licences x 1000 requests a day, shared by all tokens of the operation; it starts anew at local midnight"
)
