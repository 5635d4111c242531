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

const (
	capacityRhythm = time.Minute      // how often the stream's size is looked at
	rateRhythm     = time.Hour        // how often it is looked how many windows are stored
	ratePatience   = 10 * time.Second // for that look
)

// capacityWarning is what to tell the operator about a stream, in which so many windows are stored a day (0: nobody knows), or "".
// That the oldest windows go because they are old enough is as it should be.
func capacityWarning(info *jetstream.StreamInfo, perDay float64) string {
	o, lacks := natsio.OutlookOf(info, perDay)
	if !lacks || !o.Soon {
		return ""
	}
	used := 100 * float64(info.State.Bytes) / float64(info.Config.MaxBytes)
	what, next := o.Words(info.Config.MaxAge)
	return fmt.Sprintf("history takes %d %% of its %s; %s: %s", int(used), config.Size(info.Config.MaxBytes), what, next)
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
			if n := s.windowsADay(ctx); n > 0 {
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

// windowsADay is how many windows are stored a day; 0 when that can't be found out in time.
func (s *storage) windowsADay(ctx context.Context) float64 {
	ctx, cancel := context.WithTimeout(ctx, ratePatience)
	defer cancel()
	n, err := natsio.WindowsADay(ctx, s.js, s.clock.now())
	if err != nil {
		return 0
	}
	return n
}
