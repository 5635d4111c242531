package wolkvox

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http/httptrace"
	"testing"
)

// TestJourney plays net/http: which second connections are for a repetition,
// and unusable for it.
func TestJourney(t *testing.T) {
	for _, c := range []struct {
		name            string
		written, answer bool
		want            bool // the second connection may be used
	}{
		{"the first broke before anything was written", false, false, true},
		{"redirected", true, true, true},
		{"the first broke before an answer", true, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(context.Background())
			defer cancel(nil)
			var j journey
			trace := j.trace(cancel)
			near, far := net.Pipe()
			defer far.Close()
			trace.GetConn("h:443")
			if !j.unsent() {
				t.Error("sent without a connection")
			}
			trace.GotConn(httptrace.GotConnInfo{})
			if c.written {
				trace.WroteHeaders()
			}
			if c.answer {
				trace.GotFirstResponseByte()
			}
			trace.GetConn("h:443")
			trace.GotConn(httptrace.GotConnInfo{Conn: near, Reused: true})
			if cut := errors.Is(context.Cause(ctx), errNoAnswer); cut == c.want {
				t.Errorf("request ended: %v", cut)
			}
			go far.Write([]byte("x"))
			if _, err := near.Read(make([]byte, 1)); errors.Is(err, io.ErrClosedPipe) == c.want {
				t.Errorf("using the second connection: %v", err)
			}
		})
	}
}
