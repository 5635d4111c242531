package alerter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// heartbeatRhythm is how often an external dead man's switch is told that all is well.
const heartbeatRhythm = time.Minute

// beat asks for ALERT_HEARTBEAT_URL at once and every minute while the alerter is ready, until ctx ends: whoever waits there
// notices when this process, its host or NATS is gone. One that stands by does not ask: it would hide that nobody judges. A
// switch that can't be reached is logged once, and holds up nothing.
func (a *Alerter) beat(ctx context.Context) {
	if !a.config.HeartbeatURL.IsSet() {
		return
	}
	ready := a.options.Ready
	if ready == nil {
		ready = func() bool { return a.Report().Ready }
	}
	client := &http.Client{Timeout: heartbeatRhythm / 4}
	failed := false
	for ctx.Err() == nil {
		wait := time.Second // until ready
		if a.onDuty() && ready() {
			wait = heartbeatRhythm
			err := ping(ctx, client, a.config.HeartbeatURL.Value())
			if err != nil && !failed && ctx.Err() == nil {
				a.options.Log.Warn("the dead man's switch at ALERT_HEARTBEAT_URL can't be told that all is well",
					"reason", a.config.HeartbeatURL.Redact(err.Error()))
			}
			if failed = err != nil; failed {
				_, _ = a.config.HeartbeatURL.Reload() // the file may hold a new address; an unreadable one leaves the old
			}
		}
		waitFor(ctx, nil, time.Now().Add(wait))
	}
}

func ping(ctx context.Context, client *http.Client, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return errors.New("the address can't be used") // without the error: it quotes the address, which is a secret
	}
	response, err := client.Do(request)
	if err != nil {
		var withAddress *url.Error
		if errors.As(err, &withAddress) {
			err = withAddress.Err
		}
		return err
	}
	defer func() { _ = response.Body.Close() }() // only read
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16))
	if response.StatusCode >= 300 {
		return fmt.Errorf("it answers %s", response.Status)
	}
	return nil
}
