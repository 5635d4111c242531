package simulator

import (
	"bytes"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Fault is how a request goes wrong: it answers instead of the API, whose own
// answer it may use. It runs after the request was charged for.
type Fault func(w http.ResponseWriter, r *http.Request, answer http.HandlerFunc)

// Fail lets the next requests go wrong, one fault each, in order.
func (s *Simulator) Fail(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queued = append(s.queued, faults...)
}

// FailAll lets every request go wrong that no fault of Fail is meant for, until
// FailAll(nil).
func (s *Simulator) FailAll(fault Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.always = fault
}

// Pass is the absence of a fault: with Fail it lets a request through.
func Pass() Fault {
	return func(w http.ResponseWriter, r *http.Request, answer http.HandlerFunc) { answer(w, r) }
}

// Reply answers with anything, for instance a proxy's HTML page. A Retry-After
// of 0 is left out.
func Reply(status int, contentType, body string, retryAfter time.Duration) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) {
		w.Header().Set("Content-Type", contentType)
		if retryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // an error: the client is gone
	}
}

// Status answers with a status such as 503 and a page that is not the API's.
func Status(status int) Fault {
	return Reply(status, "text/html", "<html><title>"+http.StatusText(status)+"</title></html>", 0)
}

// HTMLPage answers with status 200 and a page for people.
func HTMLPage() Fault { return Status(http.StatusOK) }

// Garbage answers with rows that cannot be counted.
func Garbage() Fault { return says(records(1, []row{{"CONGESTION", "-41"}})) }

// Maintenance answers as while the API is switched off.
func Maintenance() Fault { return says(answerMaintenance) }

// TokenBusy answers as if others were using the token.
func TokenBusy() Fault { return says(answerBusy) }

// QuotaSpent answers as if the day's requests were used up.
func QuotaSpent() Fault { return says(answerQuota) }

// WrongToken answers as if the token had been deleted.
func WrongToken() Fault { return says(answerWrongToken) }

func says(a answer) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.HandlerFunc) { a.write(w, r) }
}

// Slow works on the answer for so long, in real time, and does not notice when
// the client goes away meanwhile, like the real server: to the limit on
// simultaneous requests this one counts until the end.
func Slow(work time.Duration) Fault {
	return func(w http.ResponseWriter, r *http.Request, answer http.HandlerFunc) {
		<-time.After(work)
		answer(w, r)
	}
}

// Hang never answers: it ends when the client goes away.
func Hang() Fault {
	return func(_ http.ResponseWriter, r *http.Request, _ http.HandlerFunc) { <-r.Context().Done() }
}

// Flood answers with status 200 and a body of n bytes that is no JSON, for as
// long as the client takes them.
func Flood(n int64) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		part := bytes.Repeat([]byte{' '}, 64<<10)
		for n := n; n > 0; n -= int64(len(part)) {
			if _, err := w.Write(part[:min(n, int64(len(part)))]); err != nil {
				return
			}
		}
	}
}

// Reset breaks the connection off before the answer, as a firewall does.
func Reset() Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) {
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(http.ErrAbortHandler) // HTTP/2: the stream is reset
		}
		if tcp, ok := connection.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // close with RST, not FIN
		}
		_ = connection.Close()
	}
}

// Truncate breaks the connection off in the middle of the answer.
func Truncate() Fault {
	return func(w http.ResponseWriter, r *http.Request, answer http.HandlerFunc) {
		body := record(w, r, answer)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body[:len(body)/2])
		panic(http.ErrAbortHandler)
	}
}

// Cut ends the answer in the middle, and properly as far as HTTP can tell.
func Cut() Fault {
	return func(w http.ResponseWriter, r *http.Request, answer http.HandlerFunc) {
		body := record(w, r, answer)
		_, _ = w.Write(body[:len(body)/2])
	}
}

// Drip sends the answer byte by byte, with a pause after each.
func Drip(pause time.Duration) Fault {
	return func(w http.ResponseWriter, r *http.Request, answer http.HandlerFunc) {
		for _, b := range record(w, r, answer) {
			_, _ = w.Write([]byte{b})
			if http.NewResponseController(w).Flush() != nil || !sleep(r.Context(), pause) {
				return
			}
		}
	}
}

// record returns the answer's body, having put its header into w.
func record(w http.ResponseWriter, r *http.Request, answer http.HandlerFunc) []byte {
	recorder := bodyRecorder{ResponseWriter: w}
	answer(&recorder, r)
	return recorder.body.Bytes()
}

// bodyRecorder keeps the body back and lets the header through.
type bodyRecorder struct {
	http.ResponseWriter
	body bytes.Buffer
}

// WriteHeader drops the status: a fault that breaks the body sends its own.
func (r *bodyRecorder) WriteHeader(int) {}

// Write keeps a part of the body.
func (r *bodyRecorder) Write(part []byte) (int, error) { return r.body.Write(part) }
