// Package daemon is what the daemons share around their work: flags, configuration, logging, signals, exit codes, and
// the HTTP server that answers whether they are alive, whether they do their job, and how much of it.
//
// A daemon's main is its configuration and one function:
//
//	func main() {
//		var cfg producer.Config
//		daemon.Main(daemon.Program{
//			Name:     "producer",
//			About:    "producer polls cdr_6 and publishes what it finds.",
//			Config:   &cfg,
//			Defaults: map[string]string{"HTTP_ADDR": "127.0.0.1:8081"},
//			Run: func(ctx context.Context, d *daemon.Daemon) error {
//				p, err := producer.New(cfg, d.Log, d.Metrics)
//				if err != nil {
//					return err
//				}
//				d.Ready(p.Readiness)
//				return p.Run(ctx)
//			},
//		})
//	}
//
// The first SIGTERM or SIGINT cancels ctx, and Run is expected to finish what it must and return; the second ends the
// process at once. What Run returns decides the exit code:
//
//	nil, or context.Canceled after a signal   0
//	an error                                  1, logged on one line
//	an [ExitError], or config.Problems        its code, or 2; printed as it is
//
// A program with commands of its own uses the parts: [Settings], [NewLogger], [Signals], [Run] and [Code].
package daemon
