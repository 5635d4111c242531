package natsio

import (
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ErrStuck is wrapped by the error of a request that was sent, and that JetStream does not carry out: what a server does whose
// disk was full, until it is restarted, and a cluster without a majority.
var ErrStuck = errors.New("NATS is connected but does not store or answer")

// stuck is [ErrStuck] with the probable cause, and what to do. Its text leaves out the cause where that says nothing more, and
// differs from attempt to attempt, so that it is logged once. It must be short: messages in Slack quote 250 characters.
type stuck struct {
	what, next string
	cause      error
}

func (s *stuck) Error() string   { return s.what + "; " + s.next }
func (s *stuck) Unwrap() []error { return []error{ErrStuck, s.cause} }

// Stuck parts an error that wraps [ErrStuck] into what is wrong and what to do; false for any other error.
func Stuck(err error) (what, next string, is bool) {
	var s *stuck
	if !errors.As(err, &s) {
		return "", "", false
	}
	return s.what, s.next, true
}

// What to do about a server that does not store. Nothing that a client is told says which of the two it is: nats-server does
// not answer what it could not write.
const unstick = "free space and restart that server, which stores nothing before; start servers that are missing; their log and /healthz tell"

// Codes of errors with which JetStream tells that it can't do its work.
const (
	jsErrAccountLimits jetstream.ErrorCode = 10002 // resource limits exceeded for account
	jsErrUnavailable   jetstream.ErrorCode = 10008 // JetStream system temporarily unavailable
	jsErrServerLimits  jetstream.ErrorCode = 10023 // insufficient resources
	jsErrOffline       jetstream.ErrorCode = 10118 // stream is offline
)

// stuckBy is the [ErrStuck] that an error of a connection stands for which is there; nil when it stands for none.
func stuckBy(err error) error {
	code, description := answered(err)
	switch {
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return &stuck{"NATS is connected but JetStream is off there",
			"start the server with it (-js); if it was on, a disk is full: free space and restart that server", err}
	case code == jsErrAccountLimits, code == jsErrServerLimits:
		return &stuck{"NATS is connected but has no more room (" + description + ")",
			"raise max_file_store or the account's limits, or lower what its streams may take", err}
	case code == jsErrUnavailable, code == jsErrOffline:
		return &stuck{"NATS is connected but nobody stores: probably a cluster has no majority, or a server's disk is full", unstick, err}
	case errors.Is(err, jetstream.ErrNoStreamResponse), errors.Is(err, nats.ErrNoResponders):
		return &stuck{"NATS is connected but nobody stores: a cluster has no majority, a server's disk is full, or a stream was deleted", unstick, err}
	case isTimeout(err):
		return &stuck{"NATS is connected but does not store or answer in time: probably a server's disk is full, or a cluster has no majority", unstick, err}
	}
	return nil
}

// answered is the server's answer that an error stands for, whichever of the two packages of the client asked; none is 0.
func answered(err error) (code jetstream.ErrorCode, description string) {
	var api *jetstream.APIError
	var older *nats.APIError // a watcher of a bucket is one of its
	switch {
	case errors.As(err, &api):
		return api.ErrorCode, api.Description
	case errors.As(err, &older):
		return jetstream.ErrorCode(older.ErrorCode), older.Description
	}
	return 0, ""
}
