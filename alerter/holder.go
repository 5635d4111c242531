package alerter

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/internal/lease"
	"unconnected/internal/natsio"
)

// LookOnDuty is [OnDuty] for whoever has no part in the leases. An error means that it can't be known.
func LookOnDuty(ctx context.Context, js jetstream.JetStream, replicas int) (string, error) {
	keeper, err := lease.New(ctx, js, lease.Options{Bucket: natsio.BucketLeases, Replicas: replicas, Name: "a look at who is on duty"})
	if err != nil {
		return "", err
	}
	defer keeper.Close()
	return OnDuty(keeper), nil
}
