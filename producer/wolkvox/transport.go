package wolkvox

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	// dialTimeout covers looking the name up and connecting. It is well below
	// DefaultTimeout, so that what went wrong has a name of its own.
	dialTimeout = 15 * time.Second

	// idleTimeout is shorter than what servers, balancers and firewalls allow an
	// unused connection, so that we are the ones who close it; and much shorter
	// than the five minutes between two requests, so that nothing is held
	// between them. Back-to-back requests share a connection.
	idleTimeout = 30 * time.Second

	// maxHeader bounds the header of an answer, in bytes.
	maxHeader = 64 << 10
)

// aliveness notices within half a minute that the other side vanished without
// a word, even while it owes us an answer and we have nothing to send.
var aliveness = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}

// NewTransport returns a transport for Options.Transport, to be shared by all
// clients of a process, whatever their hosts: make one, pass it to each. It is
// safe for concurrent use; its fields may be changed before the first client
// is made with it.
//
// At most idlePerHost connections (1 if that is not positive) wait for the next
// request to their host, for half a minute; requests under way are not limited.
// At rest it holds neither connections nor goroutines. Proxies come from
// HTTPS_PROXY, HTTP_PROXY and NO_PROXY (or lower case), read once per process
// and never used for addresses of this machine; set Proxy for anything else.
//
// It has no time limit for an answer: that is the Client's, for the whole
// request. It speaks HTTP/1.1 only: a token has one request at a time, so there
// is nothing to multiplex, and a connection that falls silent is given up with
// the request on it instead of holding back those of others.
func NewTransport(idlePerHost int) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAliveConfig: aliveness}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		OnProxyConnectResponse: checkTunnel,
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    dialTimeout,
		MaxIdleConnsPerHost:    max(1, idlePerHost),
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
		Protocols:              protocols,
	}
}

// tunnelError is a proxy's refusal to connect us to the server.
type tunnelError struct {
	proxy  string // host and port
	status int
}

func (e *tunnelError) Error() string {
	return fmt.Sprintf("the proxy %s answered %d %s", e.proxy, e.status, http.StatusText(e.status))
}

// checkTunnel keeps the status of a proxy's refusal, of which net/http leaves the text alone.
func checkTunnel(_ context.Context, proxy *url.URL, _ *http.Request, response *http.Response) error {
	if response.StatusCode == http.StatusOK {
		return nil
	}
	return &tunnelError{proxy: proxy.Host, status: response.StatusCode}
}
