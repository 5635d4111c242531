package daemon

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// burst is how long signals after the first count as the same one: timeout(1) and some supervisors signal a process and
// then its group.
const burst = 100 * time.Millisecond

// Signals returns a context that the first SIGTERM or SIGINT cancels. The second ends the process with code 1, so that
// a shutdown that hangs can be cut short from the keyboard. Calling stop gives the signals their usual effect back.
func Signals(ctx context.Context, log *slog.Logger) (_ context.Context, stop context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case s := <-signals:
			log.Info("stopping", "signal", s.String())
			cancel()
		case <-done:
			return
		}
		for first := time.Now(); ; {
			select {
			case s := <-signals:
				if time.Since(first) < burst {
					continue
				}
				log.Warn("ending at once", "signal", s.String())
				os.Exit(codeFailure)
			case <-done:
				return
			}
		}
	}()
	return ctx, sync.OnceFunc(func() {
		signal.Stop(signals)
		close(done)
		cancel()
	})
}
