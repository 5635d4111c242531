package alerter

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/internal/lease"
	"unconnected/internal/natsio"
)

// OnDuty names the alerter that judges and tells now; "" when there is none, or none since some seconds.
func OnDuty(ctx context.Context, js jetstream.JetStream, replicas int) (string, error) {
	keeper, err := lease.New(ctx, js, lease.Options{Bucket: natsio.BucketLeases, Replicas: replicas, Name: "a look at who is on duty"})
	if err != nil {
		return "", err
	}
	defer keeper.Close()
	return keeper.Lease(natsio.KeyDuty, dutyTTL, lease.Live).Holder(), nil
}
