package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"unconnected/internal/config"
	"unconnected/internal/daemon"
	"unconnected/producer/wolkvox/simulator"
)

// simulateCommand runs the simulated API.
type simulateCommand struct {
	Addr     string          `default:"127.0.0.1:8090" help:"Where to listen; port 0 takes a free one."`
	Seed     int64           `placeholder:"N" help:"Another seed, another operation."`
	Latency  config.Duration `default:"0s" help:"Time that passes before each answer."`
	Timezone string          `default:"America/Bogota" help:"Zone of the operation's clock."`
	Token    []string        `default:"simulated" help:"Tokens that are accepted."`
	Licences int             `placeholder:"N" help:"A thousand requests a day for each; 0 is no limit."`
	Profile  string          `enum:"busy,office" default:"busy" help:"busy: ten calls a second, day and night; office: Monday to Saturday, 07:00 to 21:00."`
	Quirks   bool            `help:"Vary spelling, language and types as the real API does."`
	Late     float64         `placeholder:"SHARE" help:"Share of the calls that are recorded late, up to 40 minutes, 0 to 1."`
}

// Validate checks what kong can't.
func (c *simulateCommand) Validate() error {
	if _, err := time.LoadLocation(c.Timezone); err != nil {
		return fmt.Errorf("--timezone: %q is no zone, for example America/Bogota", c.Timezone)
	}
	if c.Late < 0 || c.Late > 1 {
		return fmt.Errorf("--late: %v is not between 0 and 1", c.Late)
	}
	return nil
}

// Run serves until it is stopped.
func (c *simulateCommand) Run(t *terminal) error {
	zone, err := time.LoadLocation(c.Timezone)
	if err != nil {
		return daemon.Usage(err)
	}
	profile := simulator.AlwaysBusy()
	if c.Profile == "office" {
		profile = simulator.ContactCentre()
	}
	api := simulator.New(simulator.Options{
		Seed: c.Seed, Location: zone, Tokens: c.Token, Licences: c.Licences, Latency: time.Duration(c.Latency),
		Profile: profile, Quirks: c.Quirks, Late: simulator.Late{Share: c.Late, Most: 40 * time.Minute},
	})
	address, stop, err := serve(api, c.Addr)
	if err != nil {
		return err
	}
	defer stop()
	fmt.Fprintf(t.stdout, "simulated API on http://%s/ (a page with an example), token %s\n", address, strings.Join(c.Token, " or "))
	<-t.ctx.Done()
	return nil
}

// serve answers HTTP on addr in the background until stop is called, and returns the address that it listens on.
func serve(handler http.Handler, addr string) (address string, stop func(), err error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return "", nil, fmt.Errorf("listen on %s: %w; choose another address", addr, err)
	}
	server := &http.Server{ // no limit on writing: --latency may be any
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	stop = func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			_ = server.Close() // whoever still waits for an answer hears that there is none
		}
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			panic(err) // unreachable: Serve ends by Shutdown or Close alone
		}
	}
	return listener.Addr().String(), stop, nil
}
