package wolkvox

import (
	"context"
	"errors"
	"net/http/httptrace"
	"sync/atomic"
)

// errNoAnswer means that a connection closed when the request was on its way
// and nothing had come back: the server may have worked on it, or never seen it.
var errNoAnswer = errors.New("the connection closed before an answer")

// journey is how far a request got, as net/http reports it from several
// goroutines. A transport that is not net/http's reports nothing.
type journey struct {
	peer     string      // host:port asked for last, the proxy's if there is one; of the goroutine that sends
	begun    atomic.Bool // a connection was asked for
	ready    atomic.Bool // there is one
	written  atomic.Bool // the request may be on the wire
	answered atomic.Bool // something came back
}

// trace returns the hooks that follow the request, and keep it from being sent
// again: on a kept connection that closes before an answer, net/http repeats
// a GET by itself. The API counts every request and allows one at a time, so
// whether to ask again, and when, is the caller's to decide. What provably was
// not sent is still repeated, and so are redirects followed.
//
// Ending ctx is not enough to stop net/http: it may have a connection at hand
// already. So that one is closed before anything is written to it.
func (j *journey) trace(cancel context.CancelCauseFunc) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(hostPort string) {
			j.peer = hostPort
			j.begun.Store(true)
			j.ready.Store(false)
			if j.unanswered() {
				cancel(errNoAnswer)
			}
		},
		GotConn: func(got httptrace.GotConnInfo) {
			j.ready.Store(true)
			if j.unanswered() {
				_ = got.Conn.Close() // an error: it was closed already
			}
		},
		WroteHeaders: func() {
			j.answered.Store(false)
			j.written.Store(true)
		},
		GotFirstResponseByte: func() { j.answered.Store(true) },
	}
}

func (j *journey) unanswered() bool { return j.written.Load() && !j.answered.Load() }

// unsent says whether the request certainly never left, for want of a connection.
func (j *journey) unsent() bool { return j.begun.Load() && !j.ready.Load() }
