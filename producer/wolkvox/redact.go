package wolkvox

import (
	"encoding/base64"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// redacted stands where a secret was.
const redacted = "[redacted]"

// redactor takes secrets out of texts. The API shouts: it may repeat what it
// was sent in upper case, so case does not matter.
type redactor struct {
	secrets *regexp.Regexp // nil when there are none
	long    []string       // those that are no words which the API could mean, in lower case
}

// wordMost is the length up to which a secret may be a word of an answer by chance.
const wordMost = 12

// newRedactor returns a redactor of the secrets that are not empty.
func newRedactor(secrets ...string) redactor {
	var quoted, long []string
	for _, s := range secrets {
		if s != "" {
			quoted = append(quoted, regexp.QuoteMeta(s))
		}
		if len(s) > wordMost {
			long = append(long, strings.ToLower(s))
		}
	}
	if quoted == nil {
		return redactor{}
	}
	return redactor{secrets: regexp.MustCompile("(?i)" + strings.Join(quoted, "|")), long: long}
}

// leaks tells whether a text that is meant to be kept repeats a secret, and not by chance.
func (r redactor) leaks(s string) bool {
	s = strings.ToLower(s)
	return slices.ContainsFunc(r.long, func(secret string) bool { return strings.Contains(s, secret) })
}

// text returns s without the secrets.
func (r redactor) text(s string) string {
	if r.secrets == nil {
		return s
	}
	return r.secrets.ReplaceAllLiteralString(s, redacted)
}

// error returns err itself when it gives nothing away. Otherwise what it wraps
// is lost on purpose: whoever unwraps and prints must not find the secret.
func (r redactor) error(err error) error {
	if err == nil {
		return nil
	}
	clean := r.text(err.Error())
	if clean == err.Error() {
		return err
	}
	return errors.New(clean)
}

// apply removes the secrets from every text of e, in place.
func (r redactor) apply(e *Error) {
	e.Class = r.text(e.Class)
	e.Msg = r.text(e.Msg)
	e.Err = r.error(e.Err)
}

// credentials returns the spellings in which a password can show: plain, as in
// an address, and as in a header together with the name.
func credentials(user *url.Userinfo) []string {
	password, _ := user.Password()
	if password == "" {
		return nil
	}
	_, escaped, _ := strings.Cut(user.String(), ":")
	return []string{password, escaped, base64.StdEncoding.EncodeToString([]byte(user.Username() + ":" + password))}
}
