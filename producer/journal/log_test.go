package journal_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"unconnected/events"
	"unconnected/internal/natstest"
	"unconnected/producer/journal"
)

var begin = time.Date(2026, 11, 25, 15, 0, 0, 0, time.UTC)

// window is the i-th of a log.
func window(i int) events.Window {
	start := begin.Add(time.Duration(i) * 5 * time.Minute)
	return events.Window{Start: start, End: start.Add(5 * time.Minute)}
}

// live is the event of the i-th window.
func live(i int) *events.Event {
	w := window(i)
	return &events.Event{
		Operation: "ventas", Timezone: "UTC", Source: "//simulated/cdr_6", Window: w, PolledAt: w.End, Checkpoint: w.End,
		Counts: map[string]int64{}, Reported: []events.Reported{},
	}
}

// TestWhatIsReadReachesTheEnd: a server of a cluster may not have the log's end yet, of which another has told. What is read is
// not taken for the log before it has.
func TestWhatIsReadReachesTheEnd(t *testing.T) {
	t.Parallel()
	windows := func(all []events.Event, err error) ([]events.Window, error) {
		var list []events.Window
		for i := range all {
			list = append(list, all[i].Window)
		}
		return list, err
	}
	for name, c := range map[string]struct {
		read func(context.Context, *journal.Log, uint64) ([]events.Window, error)
		want []events.Window
	}{
		"after a sequence": {func(ctx context.Context, l *journal.Log, end uint64) ([]events.Window, error) {
			return windows(l.After(ctx, 2, end))
		}, []events.Window{window(2), window(3)}},
		"windows": {func(ctx context.Context, l *journal.Log, end uint64) ([]events.Window, error) {
			all, _, err := l.Windows(ctx, events.Window{Start: window(1).Start, End: window(3).Start}, end)
			return windows(all, err)
		}, []events.Window{window(1), window(2)}},
		"all": {func(ctx context.Context, l *journal.Log, end uint64) ([]events.Window, error) {
			return windows(events.Latest(l.History(ctx, end)))
		}, []events.Window{window(0), window(1), window(2), window(3)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nc, js := natstest.Connect(t, natstest.Server(t))
			store, err := journal.Open(t.Context(), js, events.CallsStream(events.StreamOptions{}), slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			log := store.Log("ventas", time.Now, slog.New(slog.DiscardHandler))
			if _, err := log.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
			add := func(i int) {
				if _, err := log.Append(context.WithoutCancel(t.Context()), live(i), uint64(i)); err != nil {
					t.Error(err)
				}
			}
			for i := range 2 {
				add(i)
			}
			looks, err := nc.SubscribeSync("$JS.API.CONSUMER.CREATE.CALLS.>")
			if err != nil {
				t.Fatal(err)
			}
			later := make(chan struct{})
			go func() { // the rest comes when somebody has looked and has not found it
				defer close(later)
				for look := range 2 {
					if _, err := looks.NextMsg(10 * time.Second); err != nil {
						t.Errorf("look %d: %v", look+1, err)
					}
				}
				add(2)
				add(3)
			}()
			got, err := c.read(t.Context(), log, 4)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("read %v, %v, want %v", got, err, c.want)
			}
			<-later
		})
	}
}
