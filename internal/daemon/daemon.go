package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Daemon is what a running program is given.
type Daemon struct {
	Log     *slog.Logger
	Metrics *prometheus.Registry // served at /metrics; metrics of the process and of Go are in it

	addr     string
	mux      http.ServeMux
	ready    atomic.Pointer[Readiness]
	stopping atomic.Bool
}

// Addr is where HTTP is served, with the port the system chose where none was given. It is empty when HTTP is off.
func (d *Daemon) Addr() string { return d.addr }

// Handle serves a part of the program's own beside the usual paths. It may be called at any time, once for each pattern (see
// [http.ServeMux]).
func (d *Daemon) Handle(pattern string, handler http.Handler) { d.mux.Handle(pattern, handler) }

// Ready says who answers /readyz from now on. Until it is called the program is starting, and so not ready.
func (d *Daemon) Ready(r Readiness) { d.ready.Store(&r) }

// report is the answer to /readyz.
func (d *Daemon) report() Report {
	ready := d.ready.Load()
	switch {
	case d.stopping.Load():
		return Report{State: stateStopping}
	case ready == nil:
		return Report{State: stateStarting}
	default:
		return (*ready)()
	}
}

// Run serves HTTP while run is at work. The server comes first: a port that is taken is found before anything is
// connected, and /healthz answers from the start. It goes last: /readyz says that the program is stopping.
//
// That run returns because ctx was cancelled is no error.
func Run(ctx context.Context, s Settings, log *slog.Logger, run func(context.Context, *Daemon) error) error {
	d := &Daemon{Log: log, Metrics: prometheus.NewRegistry()}
	d.Metrics.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	context.AfterFunc(ctx, func() { d.stopping.Store(true) })

	stop, err := d.serve(s.Addr, cancel)
	if err != nil {
		return err
	}
	defer stop()

	err = run(ctx, d)
	if failed := (*serverError)(nil); errors.As(context.Cause(ctx), &failed) {
		return errors.Join(failed, notCanceled(ctx, err))
	}
	return notCanceled(ctx, err)
}

// notCanceled is err unless it only says that ctx was cancelled.
func notCanceled(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
