package doctor

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/nats-io/nats.go"

	"unconnected/internal/diagnosis"
)

// storing is how and how much the server writes to its disk, as its monitoring port tells.
type storing struct {
	ID        string `json:"server_id"`
	JetStream struct {
		Config struct {
			MaxStore     int64         `json:"max_storage"` // bytes, of all accounts
			SyncInterval time.Duration `json:"sync_interval"`
			SyncAlways   bool          `json:"sync_always"`
		} `json:"config"`
		Stats struct {
			ReservedStore uint64 `json:"reserved_storage"` // bytes
		} `json:"stats"`
	} `json:"jetstream"`
	health *health // nil when it does not say
}

// health is what a server says of itself.
type health struct {
	Status string `json:"status"` // ok, or what it is not
	Error  string `json:"error"`
}

// judgeSync takes what the monitoring port said; nil when there is none to be seen.
func judgeSync(s *storing) diagnosis.Finding {
	const check = "sync"
	const advice = "the server's configuration should say `sync_interval: always` in jetstream {…}"
	switch {
	case s == nil:
		return diagnosis.Skip(check, advice+" (`unconnected up` and the docker-compose.yml here do)",
			"when the server writes to its disk is not visible to clients")
	case s.JetStream.Config.SyncAlways:
		return diagnosis.Ok(check, "each message is on the disk before it is acknowledged")
	}
	return diagnosis.Warn(check, advice, "the disk is written every %s: a power failure loses what was acknowledged since",
		s.JetStream.Config.SyncInterval)
}

// Where servers are used to be monitored, and how long that is waited for: most have it off, or closed.
const (
	monitoringPort = "8222"
	monitoringWait = time.Second
)

// storingOf asks the monitoring port of the host that is connected to. What answers there must be the same server.
func storingOf(ctx context.Context, nc *nats.Conn, port string) *storing {
	var s storing
	if !monitored(ctx, nc, port, "/varz", &s) || s.ID != nc.ConnectedServerId() {
		return nil
	}
	// What it says of its health belongs to the same server: it has the port.
	var h health
	if monitored(ctx, nc, port, "/healthz", &h) && h.Status != "" {
		s.health = &h
	}
	return &s
}

// monitored reads what the monitoring port of the host that is connected to says; false when there is no answer to read.
func monitored(ctx context.Context, nc *nats.Conn, port, path string, into any) bool {
	u, err := url.Parse(nc.ConnectedUrl())
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, monitoringWait)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(u.Hostname(), port)+path, nil)
	if err != nil {
		return false
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	const most = 1 << 20
	return json.NewDecoder(http.MaxBytesReader(nil, response.Body, most)).Decode(into) == nil
}
