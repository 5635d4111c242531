package wolkvox

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

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
// https on the same host, both on their usual ports.
func sameSite(from, to *url.URL) bool {
	if !strings.EqualFold(from.Hostname(), to.Hostname()) {
		return false
	}
	if from.Scheme == to.Scheme {
		return port(from) == port(to)
	}
	return from.Scheme == "http" && port(from) == "80" && to.Scheme == "https" && port(to) == "443"
}

// port is explicit even where the address leaves it out.
func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	default:
		return "80"
	}
}

func site(u *url.URL) string { return u.Scheme + "://" + u.Host }
