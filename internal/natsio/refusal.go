package natsio

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/nats-io/nats.go"
)

// Refused is err; but if err is a time-out on a connection to which the server has refused a subject, an error that names the
// subject and wraps [ErrPermission]. The connection may be closed by then, or nil.
func Refused(nc *nats.Conn, err error) error {
	if nc == nil || !isTimeout(err) || errors.Is(err, ErrPermission) {
		return err
	}
	r := refusalOf(nc.LastError())
	if r == nil {
		return err
	}
	r.cause = err
	return r
}

// refusal is the server's word that a user may not publish or subscribe to a subject. What was asked for with it times out.
type refusal struct {
	verb    string // publish to, subscribe to
	subject string
	cause   error // the time-out; nil when there was none
}

var refusalText = regexp.MustCompile(`(?i)permissions violation for (publish|subscription) to "([^" ]+)`)

var verbs = map[string]string{"publish": "publish to", "subscription": "subscribe to"}

// RefusalOf is the subject that the server has refused to a connection by an asynchronous error, and an error that says so
// and wraps [ErrPermission]. For any other error it is nil.
func RefusalOf(err error) (subject string, refused error) {
	if r := refusalOf(err); r != nil {
		return r.subject, r
	}
	return "", nil
}

// refusalOf is nil for an error that is none.
func refusalOf(err error) *refusal {
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return nil
	}
	r := refusal{verb: "use", subject: err.Error()}
	if m := refusalText.FindStringSubmatch(err.Error()); m != nil {
		r.verb, r.subject = verbs[strings.ToLower(m[1])], m[2]
	}
	return &r
}

func (r *refusal) Error() string {
	text := fmt.Sprintf("this user may not %s %s: %v", r.verb, r.subject, ErrPermission)
	if strings.HasPrefix(r.subject, inboxRoot) {
		prefix, _, _ := strings.Cut(r.subject, ".")
		text += "; answers come to " + prefix + ".>, by the name of the user (NATS_USER, else its nkey, else the program)"
	}
	return text
}

// Unwrap lets the error be found as ErrPermission, as what the client calls it, and as what it led to.
func (r *refusal) Unwrap() []error {
	all := []error{ErrPermission, nats.ErrPermissionViolation}
	if r.cause != nil {
		all = append(all, r.cause)
	}
	return all
}
