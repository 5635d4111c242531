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
	u, err := url.Parse(nc.ConnectedUrl())
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, monitoringWait)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(u.Hostname(), port)+"/varz", nil)
	if err != nil {
		return nil
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return nil
	}
	defer response.Body.Close()
	var s storing
	const most = 1 << 20
	if err := json.NewDecoder(http.MaxBytesReader(nil, response.Body, most)).Decode(&s); err != nil || s.ID != nc.ConnectedServerId() {
		return nil
	}
	return &s
}
