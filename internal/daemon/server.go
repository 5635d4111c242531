package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"unconnected/internal/config"
)

// stopWithin is how long requests under way may take once the program stops.
const stopWithin = 2 * time.Second

// serverError is the failure of a server that was serving.
type serverError struct{ err error }

func (e *serverError) Error() string { return "serving HTTP: " + e.err.Error() }
func (e *serverError) Unwrap() error { return e.err }

// serve begins to serve HTTP at addr unless it is off. When the server fails later, it says so with cancel. Calling
// stop ends it and waits for its end.
func (d *Daemon) serve(addr config.HTTPAddr, cancel context.CancelCauseFunc) (stop func(), err error) {
	if !addr.Enabled() {
		return func() {}, nil
	}
	listener, err := listen(addr)
	if err != nil {
		return nil, err
	}
	d.addr = listener.Addr().String()
	d.Log.Info("serving HTTP", "addr", d.addr)
	return d.serveOn(listener, cancel), nil
}

// serveOn is serve with the port open.
func (d *Daemon) serveOn(listener net.Listener, cancel context.CancelCauseFunc) (stop func()) {
	server := newServer(d.handler(), d.Log)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			cancel(&serverError{err})
		}
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close() // requests that took too long
		}
		<-done
	}
}

// listen opens the port.
func listen(addr config.HTTPAddr) (net.Listener, error) {
	listener, err := net.Listen("tcp", string(addr))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("HTTP_ADDR: %s is in use by another program; give another address, or off", addr)
	case err != nil:
		return nil, fmt.Errorf("HTTP_ADDR: %w", err)
	}
	return listener, nil
}

// newServer returns a server that nobody can hold up by being slow.
func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// handler answers GET and HEAD for the three paths, and what the program handles beside them.
func (d *Daemon) handler() http.Handler {
	mux := &d.mux
	mux.HandleFunc("GET /healthz", alive)
	mux.HandleFunc("GET /readyz", d.readyz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(d.Metrics, promhttp.HandlerOpts{
		ErrorLog:      slog.NewLogLogger(d.Log.Handler(), slog.LevelWarn),
		ErrorHandling: promhttp.ContinueOnError,
	}))
	return mux
}

// alive says that the process answers, no more.
func alive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte("ok\n")) // nobody to tell when the client is gone
}

// readyz answers with the report, and with 503 when the program is not ready.
func (d *Daemon) readyz(w http.ResponseWriter, _ *http.Request) {
	report := d.report()
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false) // people read it
	if err := encoder.Encode(report); err != nil {
		d.Log.Error("readyz", "error", err)
		http.Error(w, "the report cannot be written as JSON", http.StatusInternalServerError)
		return
	}
	status := http.StatusOK
	if !report.Ready {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // nobody to tell when the client is gone
}
