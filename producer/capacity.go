package producer

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/config"
)

// fullFrom is the part of HISTORY_MAX_BYTES from which on the operator is warned: the oldest windows go soon.
const fullFrom = 0.80

// capacityRhythm is how often the stream's size is looked at.
const capacityRhythm = time.Minute

// capacityWarning is what to tell the operator about a stream of this size, or "".
func capacityWarning(bytes uint64, limit int64) string {
	if limit <= 0 || float64(bytes) < fullFrom*float64(limit) {
		return ""
	}
	return fmt.Sprintf("history takes %d %% of its %s; the oldest windows go when it is full: raise the stream's limit (HISTORY_MAX_BYTES) or export them",
		int(100*float64(bytes)/float64(limit)), config.Size(limit))
}

// watchCapacity tells sized how large the history is, and warns once when it begins to fill up, until ctx ends.
func (s *storage) watchCapacity(ctx context.Context, sized func(*jetstream.StreamInfo)) {
	ticker := time.NewTicker(capacityRhythm)
	defer ticker.Stop()
	said := false
	for {
		if stream, err := s.js.Stream(ctx, events.StreamCalls); err == nil {
			sized(stream.CachedInfo())
			warning := capacityOf(stream.CachedInfo())
			if warning != "" && !said {
				s.log.Warn(warning, "stream", events.StreamCalls)
			}
			said = warning != ""
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func capacityOf(info *jetstream.StreamInfo) string {
	return capacityWarning(info.State.Bytes, info.Config.MaxBytes)
}
