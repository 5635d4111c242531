package natsio

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/config"
)

// Buckets of this product. Each has one kind of key, so that permissions can be given by bucket.
const (
	BucketMarks   = "unconnected_marks"   // operation → how far its log certainly reaches
	BucketStatus  = "unconnected_status"  // operation → what the producer is doing, for the alerter and people
	BucketLeases  = "unconnected_leases"  // hash of API and token → who may ask now; quota.<hash of API> → the day's requests
	BucketAlerter = "unconnected_alerter" // how far evaluation got
	BucketNotices = "unconnected_notices" // incident and channel → what was done in Slack

	BucketSnapshots = "unconnected_snapshots" // operation → what evaluation knew, so that a restart need not read all of the history
	BucketSilences  = "unconnected_silences"  // silence id → what is to be silent until when
)

// KeyDuty is the key in [BucketLeases] by which the alerters agree which of them judges and tells.
const KeyDuty = "alerter"

// Buckets lists the buckets of this product.
func Buckets() []string {
	return []string{BucketMarks, BucketStatus, BucketLeases, BucketAlerter, BucketNotices, BucketSnapshots, BucketSilences}
}

// StreamOptions are the settings as the stream definitions take them.
func StreamOptions(c *config.NATS, h *config.History) events.StreamOptions {
	return events.StreamOptions{Replicas: c.Replicas, MaxAge: time.Duration(h.MaxAge), MaxBytes: int64(h.MaxBytes)}
}

// EnsureStream creates a stream if it is missing. An existing one is never changed, since the server would silently
// accept a shorter retention; how it differs from want is logged. It looks before it creates, so that a user who may not
// create streams can work with those that are there.
func EnsureStream(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig, log *slog.Logger) (jetstream.Stream, error) {
	stream, err := js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = js.CreateStream(ctx, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // somebody else was faster
			stream, err = js.Stream(ctx, want.Name)
		}
		err = explainMissing(js, err)
	}
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", want.Name, explain(Explain(js, err), want))
	}
	for _, d := range Drift(stream.CachedInfo().Config, want) {
		log.Warn("a stream differs from the settings; it is used as it is, and `unconnected streams plan` shows what could be done",
			"stream", want.Name, "difference", d)
	}
	return stream, nil
}

// explainMissing says what to do when what is missing can't be created for want of a permission. Explain leaves it as it is.
func explainMissing(js jetstream.JetStream, err error) error {
	if err = Explain(js, err); errors.Is(err, ErrPermission) {
		return fmt.Errorf("it is missing, and this user may not create it: run `unconnected streams apply` as a user who may (admin): %w", err)
	}
	return err
}

// jsErrStorage is the server's answer when the bytes that a stream reserves are not there.
const jsErrStorage jetstream.ErrorCode = 10047

// explain adds what a person can do to the errors that only a person can mend.
func explain(err error, want jetstream.StreamConfig) error {
	var api *jetstream.APIError
	if errors.As(err, &api) && api.ErrorCode == jsErrStorage {
		advice := "free disk space"
		if want.Name == events.StreamCalls {
			advice += ", or lower HISTORY_MAX_BYTES"
		}
		return fmt.Errorf("%w: the server has no room for %s; %s", err, config.Size(want.MaxBytes), advice)
	}
	return err
}

// markerTTL is how long the server tells newcomers that a key has expired. Watchers are told at once.
const markerTTL = time.Minute

// EnsureBucket creates a key-value bucket if it is missing, whose keys may have a time to live, and takes an existing one as
// it is. It is kept in files: what is held must outlive a restart of the server.
func EnsureBucket(ctx context.Context, js jetstream.JetStream, bucket string, replicas int) (jetstream.KeyValue, error) {
	kv, err := js.KeyValue(ctx, bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		kv, err = js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket: bucket, History: 1, Storage: jetstream.FileStorage, Replicas: max(replicas, 1),
			LimitMarkerTTL: markerTTL,
		})
		if errors.Is(err, jetstream.ErrBucketExists) { // somebody else was faster
			kv, err = js.KeyValue(ctx, bucket)
		}
		err = explainMissing(js, err)
	}
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", bucket, Explain(js, err))
	}
	return kv, nil
}

// Permanent tells whether asking again cannot help before a person has acted.
func Permanent(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == jsErrStorage ||
		errors.Is(err, jetstream.ErrJetStreamNotEnabled) ||
		errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) ||
		errors.Is(err, nats.ErrAuthorization)
}

// Retry calls attempt until it succeeds, ctx ends or the error is [Permanent] and stopOnPermanent is set: what a daemon
// does while NATS or JetStream is not there yet. It waits from 100 ms to 5 s between attempts, and logs the first failure
// and every new reason.
func Retry(ctx context.Context, log *slog.Logger, what string, stopOnPermanent bool, attempt func(context.Context) error) error {
	var said string
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := attempt(ctx)
		if err == nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if stopOnPermanent && Permanent(err) {
			return err
		}
		if reason := err.Error(); reason != said && !errors.Is(err, ErrAway) { // the connection says itself that it is away
			log.Warn("NATS is not ready; trying again", "doing", what, "error", err)
			said = reason
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}
