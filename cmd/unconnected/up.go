package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/sync/errgroup"

	"unconnected/alerter"
	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/daemon"
	"unconnected/internal/natsio"
	"unconnected/internal/natsserver"
	"unconnected/producer"
)

// upCommand runs everything in one process.
type upCommand struct {
	Data   string `default:"./data" placeholder:"DIR" help:"Where the embedded NATS server keeps its files; the demo's lie in DIR/demo (default ${default})."`
	Listen string `default:"127.0.0.1:4222" placeholder:"HOST:PORT" help:"Where the embedded NATS server takes connections; port 0 takes a free one (default ${default})."`

	Healthcheck bool `help:"Start nothing: ask the one that runs, at HTTP_ADDR, whether it is alive; exit code 0 if it is, 1 if not."`
}

// upAddr is where up answers questions about itself unless HTTP_ADDR is set.
const upAddr = "127.0.0.1:8080"

// site is all that up runs.
type site struct {
	t        *terminal
	command  *upCommand
	settings daemon.Settings
	producer producer.Config
	alerter  alerter.Config
	demo     *demo              // nil when the API is real
	server   *natsserver.Server // nil when NATS_URL names one
}

// Validate checks the form of the address; whether it can be listened on shows when it is tried.
func (c *upCommand) Validate() error {
	_, port, err := net.SplitHostPort(c.Listen)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("--listen: %q is not an address with a port, for example 127.0.0.1:4222", c.Listen)
	}
	return nil
}

// Run starts everything and stays until it is stopped.
func (c *upCommand) Run(t *terminal) error {
	if c.Healthcheck {
		return daemon.Healthcheck(map[string]string{"HTTP_ADDR": upAddr})
	}
	s := &site{t: t, command: c}
	if noToken() {
		s.demo = newDemo(now())
	}
	if err := s.load(); err != nil {
		return daemon.Usage(err)
	}
	if err := s.startServer(); err != nil {
		return err
	}
	defer s.stopServer()
	if s.demo != nil {
		if err := s.demo.start(&s.producer); err != nil {
			return err
		}
		defer s.demo.stop()
	}
	for _, w := range config.Warnings() {
		t.log.Warn("variable ignored", "name", w.Name, "reason", w.Text)
	}
	err := daemon.Run(t.ctx, s.settings, t.log, s.run)
	if err == nil {
		t.log.Info("stopped")
	}
	return err
}

// noToken tells that nothing in the environment names an operation to poll.
func noToken() bool {
	return os.Getenv("WOLKVOX_TOKEN") == "" && os.Getenv("WOLKVOX_TOKEN_FILE") == "" && os.Getenv("WOLKVOX_OPERATIONS") == ""
}

// load reads the environment, with the defaults of up and, for the demo, of the demo.
func (s *site) load() error {
	defaults := map[string]string{"HTTP_ADDR": upAddr, "POLL_START": "-24h"}
	if s.demo != nil {
		for name, value := range s.demo.defaults() {
			defaults[name] = value
		}
	}
	option := config.Defaults(defaults)
	return config.Join(config.Load(&s.settings, option), config.Load(&s.producer, option), config.Load(&s.alerter, option))
}

func (s *site) startServer() error {
	if os.Getenv("NATS_URL") != "" {
		return nil
	}
	if host, _, err := net.SplitHostPort(s.command.Listen); err == nil && !isLoopback(host) {
		s.t.log.Warn("the embedded NATS server has no passwords and listens beyond this machine", "listen", s.command.Listen,
			"next_step", "whoever reaches it may read and write everything: listen on 127.0.0.1, or use a NATS server with users (NATS_URL)")
	}
	server, err := natsserver.Start(natsserver.Options{Dir: s.dataDir(), Listen: s.command.Listen, Log: s.t.log})
	if err != nil {
		return err
	}
	s.server = server
	return nil
}

// dataDir is where the embedded server keeps its files: simulated and real history never mix.
func (s *site) dataDir() string {
	if s.demo != nil {
		return filepath.Join(s.command.Data, "demo")
	}
	return s.command.Data
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (s *site) stopServer() {
	if s.server != nil {
		s.server.Close()
	}
}

func (s *site) connect(name string) (*nats.Conn, error) {
	if s.server != nil {
		return s.server.Connect(natsio.Options(name, &s.producer.NATS, s.t.log)...)
	}
	return natsio.Connect(name, &s.producer.NATS, s.t.log)
}

// run is the work of the daemon that up is.
func (s *site) run(ctx context.Context, d *daemon.Daemon) error {
	var conns [3]*nats.Conn
	for i, name := range []string{"unconnected producer", "unconnected alerter", "unconnected up"} {
		nc, err := s.connect(name)
		if err != nil {
			return err
		}
		defer nc.Close()
		conns[i] = nc
	}
	embedded := s.server != nil
	p := producer.New(&s.producer, producer.Options{
		Log: d.Log, Conn: conns[0], Metrics: d.Metrics, Simulated: s.demo != nil, Embedded: embedded,
	})
	preview, stopPreview, err := s.preview(d)
	if err != nil {
		return err
	}
	defer stopPreview()
	var report func() daemon.Report
	a := alerter.New(&s.alerter, alerter.Options{
		Log: d.Log, Conn: conns[1], Metrics: d.Metrics, Embedded: embedded, Preview: preview,
		Ready: func() bool { return report().Ready },
	})
	report = func() daemon.Report { return both(p.Report(), a.Report()) }
	d.Ready(report)
	s.welcome(daemon.Reachable(d.Addr()), preview)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return p.Run(ctx) })
	group.Go(func() error { return a.Run(ctx) })
	group.Go(func() error { s.show(ctx, conns[2]); return nil })
	group.Go(func() error { return s.watchDisk(ctx) })
	return group.Wait()
}

// watchDisk ends the program when the embedded server's disk is full: only a new start makes it write again.
func (s *site) watchDisk(ctx context.Context) error {
	if s.server == nil {
		return nil
	}
	select {
	case <-ctx.Done():
		return nil
	case <-s.server.Full():
		return fmt.Errorf("%s: %w", s.dataDir(), natsserver.ErrFull)
	}
}

// both joins the reports of the two halves; the operations are the producer's.
func both(p, a daemon.Report) daemon.Report {
	joined := p
	joined.Ready = p.Ready && a.Ready
	joined.Notes = append(joined.Notes, a.Notes...)
	if p.Ready {
		joined.State, joined.Reason = a.State, a.Reason
	}
	return joined
}

// show prints the windows as they come until ctx ends. A display that fails is no reason to end what is displayed.
func (s *site) show(ctx context.Context, nc *nats.Conn) {
	const pause = 5 * time.Second
	for ctx.Err() == nil {
		if err := s.showWindows(ctx, nc); err != nil && ctx.Err() == nil {
			s.t.log.Warn("the windows can't be shown now; trying again", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// showWindows prints the windows as they come. What is caught up is not news: it is counted.
func (s *site) showWindows(ctx context.Context, nc *nats.Conn) error {
	js, err := natsio.JetStream(nc)
	if err != nil {
		return err
	}
	calls := events.CallsStream(natsio.StreamOptions(&s.producer.NATS, &s.producer.History))
	err = natsio.Retry(ctx, s.t.log, "making sure that the streams exist", s.server != nil, func(ctx context.Context) error {
		_, err := natsio.EnsureStream(ctx, js, calls, slog.New(slog.DiscardHandler)) // the daemons say what there is to say
		return err
	})
	if err != nil {
		return err
	}
	t := *s.t
	t.ctx = ctx
	older := 0
	return follow(&t, js, consumerOf(events.Query{From: now()}), func(e *events.Event) error {
		fresh := 2*e.Window.Length() + time.Duration(s.producer.Settle) + time.Second
		if time.Since(e.Window.End) > fresh {
			older++
			return nil
		}
		if older > 0 {
			fmt.Fprintf(t.stdout, "%d older windows were caught up\n", older)
			older = 0
		}
		_, err := fmt.Fprintln(t.stdout, line(e))
		return err
	})
}
