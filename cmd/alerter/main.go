// Command alerter judges the events of the stream CALLS by rules and tells people in Slack. It is configured by the
// environment: alerter --help.
package main

import (
	"context"
	_ "time/tzdata" // the zones, on machines that lack them

	"unconnected/alerter"
	"unconnected/internal/daemon"
	"unconnected/internal/natsio"
)

func main() {
	var config alerter.Config
	daemon.Main(daemon.Program{
		Name: "alerter",
		About: "Judges the windows in the NATS JetStream stream CALLS by rules, stores every change of an alert in the stream\n" +
			"ALERTS, and tells people in Slack: once per incident, kept up to date.",
		Config:   &config,
		Defaults: map[string]string{"HTTP_ADDR": "127.0.0.1:8082"},
		Run: func(ctx context.Context, d *daemon.Daemon) error {
			nc, err := natsio.Connect("unconnected alerter", &config.NATS, d.Log)
			if err != nil {
				return err
			}
			defer nc.Close()
			a := alerter.New(&config, alerter.Options{Log: d.Log, Conn: nc, Metrics: d.Metrics})
			d.Ready(a.Report)
			return a.Run(ctx)
		},
	})
}
