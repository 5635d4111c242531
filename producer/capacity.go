package producer

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/natsio"
)

// fullFrom is the part of HISTORY_MAX_BYTES from which on the operator is warned where nothing can be said about the time that is
// left.
const fullFrom = 0.80

// capacityRhythm is how often the stream's size is looked at, rateRhythm how often how many windows are stored.
const (
	capacityRhythm = time.Minute
	rateRhythm     = time.Hour
)

// capacityWarning is what to tell the operator about a stream, in which so many windows are stored a day, or "". That the oldest
// windows go because they are old enough is as it should be.
func capacityWarning(info *jetstream.StreamInfo, perDay float64) string {
	bytes, limit := info.State.Bytes, info.Config.MaxBytes
	o, lacks := natsio.OutlookOf(info, perDay)
	switch {
	case limit <= 0:
	case lacks && o.Soon:
		what, next := o.Words(info.Config.MaxAge)
		return fmt.Sprintf("history takes %d %% of its %s; %s: %s", int(100*float64(bytes)/float64(limit)), config.Size(limit), what, next)
	case perDay <= 0 && float64(bytes) >= fullFrom*float64(limit):
		return fmt.Sprintf("history takes %d %% of its %s; the oldest windows go when it is full: raise HISTORY_MAX_BYTES and run `unconnected streams apply`, or export them",
			int(100*float64(bytes)/float64(limit)), config.Size(limit))
	}
	return ""
}

// watchCapacity tells sized how large the history is, notes it when it begins to fill up, and says so once, until ctx ends.
func (s *storage) watchCapacity(ctx context.Context, sized func(*jetstream.StreamInfo), note func(string)) {
	ticker := time.NewTicker(capacityRhythm)
	defer ticker.Stop()
	said := false
	var perDay float64
	var looked time.Time
	for {
		if looked.IsZero() || time.Since(looked) > rateRhythm {
			if n, err := natsio.WindowsADay(ctx, s.js, s.clock.now()); err == nil && n > 0 {
				perDay, looked = n, time.Now()
			}
		}
		if stream, err := s.js.Stream(ctx, events.StreamCalls); err == nil {
			sized(stream.CachedInfo())
			warning := capacityWarning(stream.CachedInfo(), perDay)
			if warning != "" && !said {
				s.log.Warn(warning, "stream", events.StreamCalls)
			}
			note(warning)
			said = warning != ""
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
