package doctor

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"unconnected/internal/config"
	"unconnected/internal/diagnosis"
	"unconnected/internal/natsio"
)

// Connect opens the connection, and says how that went. Without one it returns nil. Close it after use.
func Connect(ctx context.Context, c *config.NATS) (*nats.Conn, diagnosis.Finding) {
	nc, err := natsio.Dial(ctx, "unconnected doctor", c, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, judgeRefusal(err, c.Servers())
	}
	rtt, err := nc.RTT()
	if err != nil {
		nc.Close()
		return nil, judgeRefusal(err, c.Servers())
	}
	_, err = nc.TLSConnectionState()
	return nc, judgeConnection(natsio.Server(nc), rtt, err == nil)
}

// slow is how long a server may take for a round trip: each window costs the producer a handful of them.
const slow = 250 * time.Millisecond

func judgeConnection(server string, rtt time.Duration, encrypted bool) diagnosis.Finding {
	how := "without TLS"
	if encrypted {
		how = "with TLS"
	}
	rtt = rtt.Round(10 * time.Microsecond)
	if rtt > slow {
		return diagnosis.Warn("connection", "look at the network between here and the server; programs that wait for each answer are as slow",
			"%s, %s, but a round trip takes %s", server, how, rtt)
	}
	return diagnosis.Ok("connection", "%s, %s, round trip %s", server, how, rtt)
}

// judgeRefusal says what to do about a connection that did not come about.
func judgeRefusal(err error, servers string) diagnosis.Finding {
	return diagnosis.Fail("connection", adviceOnRefusal(err), "no connection to %s: %s", servers, reason(err))
}

// reason is the innermost text of err that still says what happened.
func reason(err error) string {
	switch {
	case errors.Is(err, nats.ErrNoServers):
		return "nothing answers there" // nats.go keeps the refusal of a connection to itself
	case errors.Is(err, natsio.ErrUntrusted):
		return natsio.ErrUntrusted.Error() // below it there is a broken pipe, or an alert, by chance
	}
	var network *net.OpError
	if errors.As(err, &network) {
		return network.Error()
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return strings.TrimPrefix(err.Error(), "nats: ")
		}
		err = inner
	}
}

func adviceOnRefusal(err error) string {
	if advice := natsio.Advice(err); advice != "" {
		return advice
	}
	var lookup *net.DNSError
	text := strings.ToLower(err.Error())
	switch {
	case errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked),
		strings.Contains(text, "authentication"), strings.Contains(text, "authorization"):
		return "the server does not let this user in any more: check NATS_CREDS, or NATS_USER and NATS_PASSWORD"
	case errors.Is(err, nats.ErrSecureConnRequired), strings.Contains(text, "tls:"):
		return "check tls:// in NATS_URL, NATS_CA, NATS_CERT and NATS_KEY against what the server wants"
	case errors.As(err, &lookup):
		return "the server's name is not known here: check NATS_URL"
	}
	return "start NATS (`unconnected up` brings its own), or set NATS_URL to where it is; " +
		"before the first start, `unconnected doctor --without-nats` checks the rest"
}
