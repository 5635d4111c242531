package natsio

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/diagnosis"
)

// Outlook is what becomes of the history when as much goes on being stored.
type Outlook struct {
	Holds time.Duration // of how much history there is room for; 0 when nobody knows how much is stored
	Full  time.Duration // until there is no more room
	Needs int64         // bytes, that hold all that is to be kept, as people write them; 0 when it is to be kept for ever
	Soon  bool          // so near that somebody should do something
}

const (
	day = 24 * time.Hour
	// soon is how long before the oldest windows go for want of room that is worth a warning: a disk may have to be bought.
	soon = 90 * day
	// forEver is as far as it is looked ahead; a Duration does not last three times as long.
	forEver = 36_500 * day
	// fullFrom is the part of its room from which on the history is nearly full.
	fullFrom = 0.80
	// windowBytes is what a window takes, measured, before NATS compresses it; fewWindows are too few to tell by.
	windowBytes, fewWindows = 1 << 10, 100
)

// OutlookOf looks ahead, when so many windows are stored a day. It is nothing to worry about unless lacks: then the oldest
// windows will go for want of room, before they are as old as they are to get. Where it is not known how many are stored
// (perDay is 0), what is nearly full is said to lack.
func OutlookOf(info *jetstream.StreamInfo, perDay float64) (o Outlook, lacks bool) {
	limit, age := info.Config.MaxBytes, info.Config.MaxAge
	if limit <= 0 {
		return Outlook{}, false
	}
	full := float64(info.State.Bytes) >= fullFrom*float64(limit)
	if perDay <= 0 {
		return Outlook{Soon: full}, full
	}
	each := float64(windowBytes)
	if info.State.Msgs >= fewWindows {
		each = float64(info.State.Bytes) / float64(info.State.Msgs)
	}
	lasting := func(bytes float64) time.Duration {
		return time.Duration(min(max(0, bytes)/(each*perDay)*float64(day), float64(forEver)))
	}
	o.Holds = lasting(float64(limit))
	o.Full = lasting(float64(limit) - float64(info.State.Bytes))
	if age > 0 {
		o.Needs = roomy(each * perDay * float64(age) / float64(day))
	}
	o.Soon = o.Full < soon || full
	return o, age <= 0 && o.Holds < forEver || o.Holds < age
}

// roomy is a tenth more, for corrections and busier days, rounded up to what people write.
func roomy(bytes float64) int64 {
	unit := int64(64 << 20)
	if bytes > 1<<30 {
		unit = 1 << 30
	}
	return (int64(bytes*1.1)/unit + 1) * unit
}

// Words say what will come, of a history that is to be kept so long (0: for ever), and what to do about it.
func (o Outlook) Words(age time.Duration) (what, next string) {
	what = fmt.Sprintf("at this rate it is full in %s, and then the oldest windows go", diagnosis.Lasting(o.Full))
	switch {
	case o.Holds == 0:
		what = "when it is full, the oldest windows go"
	case o.Full == 0:
		what = "it is full, and the oldest windows go"
	}
	next = "raise HISTORY_MAX_BYTES, if the disk has room"
	if age > 0 && o.Holds > 0 {
		what += fmt.Sprintf(", before they are %s old: there is room for %s", diagnosis.Lasting(age), diagnosis.Lasting(o.Holds))
		next = fmt.Sprintf("set HISTORY_MAX_BYTES=%s, if the disk has room", config.Size(o.Needs))
	}
	return what, next + ", and run `unconnected streams apply`; or export what goes: `unconnected history --format jsonl`"
}

// retired is how long an operation's log may have been still before nothing more is expected of it.
const retired = 7 * day

// WindowsADay is how many windows the operations store a day that are being polled, by the length of the newest window of each.
func WindowsADay(ctx context.Context, js jetstream.JetStream, now time.Time) (float64, error) {
	consumer, err := js.OrderedConsumer(ctx, events.StreamCalls, jetstream.OrderedConsumerConfig{
		FilterSubjects: events.Subjects(), DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy, InactiveThreshold: time.Minute,
	})
	if err != nil {
		return 0, fmt.Errorf("newest windows: %w", Explain(js, err))
	}
	pending := consumer.CachedInfo().NumPending
	if pending == 0 {
		return 0, nil
	}
	messages, err := consumer.Messages()
	if err != nil {
		return 0, fmt.Errorf("newest windows: %w", Explain(js, err))
	}
	defer messages.Stop()
	// What is stored meanwhile comes, too, and after a connection that was lost, all that was stored since.
	newest, decoder := make(map[string]time.Duration), events.Decoder{}
	for pending > 0 {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return 0, fmt.Errorf("newest windows: %w", Explain(js, err))
		}
		meta, err := msg.Metadata()
		if err != nil {
			return 0, fmt.Errorf("newest windows: %w", err)
		}
		pending = meta.NumPending
		if e, err := decoder.Decode(msg); err == nil && now.Sub(e.Checkpoint) < retired {
			newest[e.Operation] = e.Window.Length()
		}
	}
	perDay := 0.0
	for _, length := range newest {
		perDay += float64(day) / float64(length)
	}
	return perDay, nil
}
