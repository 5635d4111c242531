package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"unconnected/alerter"
	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/producer"
	"unconnected/producer/grid"
	"unconnected/producer/wolkvox/simulator"
)

// The demo runs on short windows, so that things happen while one watches.
const (
	demoWindow = 10 * time.Second
	demoSettle = 2 * time.Second
	demoStart  = "-2h"
)

// The demo's incident is under way when it starts and ends with the window of that moment, so that its end, three quiet
// windows later, is seen within a minute. Later ones follow. The share is far above the threshold of congestion, and far
// enough below half for the rule about half of the calls to stay silent: one incident, one card.
const (
	demoIncident = 50 * time.Second
	demoAgain    = 10 * time.Minute
	demoShare    = 0.38
)

// demoVolume is forty calls a second: so many that chance alone makes no window look like congestion.
const demoVolume = 4

// demo is the simulated API that up polls when no token is configured.
type demo struct {
	api  *simulator.Simulator
	addr string
	stop func()
}

func newDemo(now time.Time) *demo {
	end := grid.Align(now, demoWindow).Add(demoWindow)
	incident := simulator.Incident{Start: end.Add(-demoIncident), End: end, Result: events.Congestion, Share: demoShare}
	later := incident
	later.Start, later.End, later.Every = incident.Start.Add(demoAgain), incident.End.Add(demoAgain), demoAgain
	return &demo{api: simulator.New(simulator.Options{
		Profile: simulator.AlwaysBusy().Scaled(demoVolume), Incidents: []simulator.Incident{incident, later},
	})}
}

// defaults are what the demo sets where the environment does not.
func (d *demo) defaults() map[string]string {
	return map[string]string{
		"POLL_WINDOW": demoWindow.String(), "POLL_SETTLE": demoSettle.String(), "POLL_START": demoStart,
		"WOLKVOX_TOKEN": simulator.DefaultToken, "WOLKVOX_BASE_URL": "http://simulated",
	}
}

// start serves the simulated API on a free port and has the producer poll it.
func (d *demo) start(c *producer.Config) (err error) {
	d.addr, d.stop, err = serve(d.api, "127.0.0.1:0")
	if err != nil {
		return err
	}
	operation := c.TheOperations()[0]
	operation.Token = config.NewSecret(simulator.DefaultToken)
	operation.BaseURL = "http://" + d.addr
	c.UseOperation(operation)
	return nil
}

// welcome says what runs where, and what to try next.
func (s *site) welcome(httpAddr string, preview *alerter.Preview) {
	out := s.t.stdout
	fmt.Fprintln(out)
	s.sayWhatIsPolled(out)
	fmt.Fprintln(out)
	prefix := ""
	if s.server != nil {
		fmt.Fprintf(out, "  NATS           %s  (files in %s)\n", s.server.URL(), s.dataDir())
		if s.server.URL() != "nats://127.0.0.1:4222" {
			prefix = "NATS_URL=" + s.server.URL() + " "
		}
	}
	if s.demo != nil {
		fmt.Fprintf(out, "  simulated API  http://%s/\n", s.demo.addr)
	}
	switch {
	case preview != nil:
		fmt.Fprintf(out, "  messages       here, and as Slack would show them at %s\n", preview.Page)
	case s.alerter.Token.IsSet():
		fmt.Fprintf(out, "  messages       Slack, channel %s\n", s.alerter.Channel)
	}
	if httpAddr != "" {
		fmt.Fprintf(out, "  health         http://%s/readyz   metrics  http://%s/metrics\n", httpAddr, httpAddr)
	}
	lately := "-3h" // real windows are long, and come when they have settled
	if s.demo != nil {
		lately = "-5m"
	}
	self := self()
	fmt.Fprintf(out, "\n  Try from a second terminal:\n\n    %s%s tail\n    %s%s history --from %s\n    %s%s verify\n\n",
		prefix, self, prefix, self, lately, prefix, self)
}

// sayWhatIsPolled names the operations, or says why it is the demo: who set an address and forgot the token expects their own.
func (s *site) sayWhatIsPolled(out io.Writer) {
	if s.demo == nil {
		for _, o := range s.producer.TheOperations() {
			fmt.Fprintf(out, "  unconnected: operation %s from %s, windows of %s, asked for %s after their end, local time %s\n",
				o.Name, o.BaseURL, s.producer.Window, s.producer.Settle, time.Now().In(o.Zone).Format("15:04 MST"))
		}
		return
	}
	fmt.Fprintf(out, "  unconnected, demo: a simulated API on windows of %s, with a congestion incident under way.\n", s.producer.Window)
	for _, name := range []string{"WOLKVOX_SERVER", "WOLKVOX_BASE_URL"} {
		if os.Getenv(name) != "" {
			fmt.Fprintf(out, "  %s is set, but WOLKVOX_TOKEN (or WOLKVOX_TOKEN_FILE) is not: YOUR OPERATION IS NOT POLLED.\n", name)
			return
		}
	}
	fmt.Fprintln(out, "  Set WOLKVOX_SERVER and WOLKVOX_TOKEN to poll your own operation.")
}

// self is how the person started this program. What go run starts lies in a temporary directory, or in the build cache, in
// a directory that is named like its contents.
func self() string {
	if strings.Contains(os.Args[0], "go-build") || cached.MatchString(os.Args[0]) {
		return "go run ./cmd/unconnected"
	}
	return os.Args[0]
}

var cached = regexp.MustCompile(`[/\\][0-9a-f]{64}-d[/\\][^/\\]+$`)
