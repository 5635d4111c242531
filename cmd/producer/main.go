// Command producer polls the Wolkvox report cdr_6 and stores every window as an event on NATS JetStream. It is configured
// by the environment: producer --help.
package main

import (
	"context"
	_ "time/tzdata" // the zones, on machines that lack them

	"unconnected/internal/daemon"
	"unconnected/internal/natsio"
	"unconnected/producer"
)

func main() {
	var config producer.Config
	daemon.Main(daemon.Program{
		Name: "producer",
		About: "Polls the Wolkvox report cdr_6, window by window, one request at a time per token, and stores each window\n" +
			"as an event calls.unconnected in the NATS JetStream stream CALLS: once, in order, with nothing lost.",
		Config:   &config,
		Defaults: map[string]string{"HTTP_ADDR": "127.0.0.1:8081"},
		Run: func(ctx context.Context, d *daemon.Daemon) error {
			nc, err := natsio.Connect("unconnected producer", &config.NATS, d.Log)
			if err != nil {
				return err
			}
			defer nc.Close()
			p := producer.New(&config, producer.Options{Log: d.Log, Conn: nc, Metrics: d.Metrics})
			d.Ready(p.Report)
			return p.Run(ctx)
		},
	})
}
