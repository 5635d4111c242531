package events_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/natsserver"
)

// demo starts a server of its own whose CALLS holds three windows of two operations; the middle one of "default" was
// corrected later.
func demo(ctx context.Context) (js jetstream.JetStream, stop func()) {
	dir, err := os.MkdirTemp("", "events")
	must(err)
	server, err := natsserver.Start(natsserver.Options{Dir: dir, Listen: "127.0.0.1:0", NoSync: true})
	must(err)
	nc, err := server.Connect()
	must(err)
	js, err = jetstream.New(nc)
	must(err)
	_, err = js.CreateStream(ctx, events.CallsStream(events.StreamOptions{}))
	must(err)
	for _, e := range []events.Event{
		answer("default", 0, 0, 12), answer("ventas", 0, 0, 7), answer("default", 1, 0, 40), missing("default", 2),
		answer("default", 1, 1, 41),
	} {
		msg, err := events.Encode(&e)
		must(err)
		_, err = js.PublishMsg(ctx, msg)
		must(err)
	}
	return js, func() {
		nc.Close()
		server.Close()
		_ = os.RemoveAll(dir)
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

var morning = time.Date(2024, 5, 6, 8, 0, 0, 0, time.UTC)

// answer is the given revision of a window of five minutes, with congested calls only.
func answer(operation string, window, revision int, congested int64) events.Event {
	e := missing(operation, window)
	e.Missed, e.Revision = nil, revision
	e.Total, e.Counts = congested, map[string]int64{events.Congestion: congested}
	return e
}

func missing(operation string, window int) events.Event {
	start := morning.Add(time.Duration(window) * 5 * time.Minute)
	end := start.Add(5 * time.Minute)
	return events.Event{
		Operation: operation, Timezone: "America/Bogota", Source: "//example.com/cdr_6",
		Window: events.Window{Start: start, End: end}, Missed: &events.Missed{Reason: "no answer", Attempts: 60},
		PolledAt: end.Add(90 * time.Second), Checkpoint: end,
	}
}

// Read one operation's log, in the order in which it was stored.
func ExampleHistory() {
	ctx := context.Background()
	js, stop := demo(ctx)
	defer stop()

	query := events.Query{Operations: []string{"default"}, From: morning, To: morning.Add(time.Hour)}
	for event, err := range events.History(ctx, js, query) {
		if errors.Is(err, events.ErrInvalid) {
			fmt.Println("skipped:", err)
			continue
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		if event.Missed != nil {
			fmt.Println(event.Window, "missed:", event.Missed.Reason)
			continue
		}
		fmt.Println(event.Window, "revision", event.Revision, "congestion", event.Counts[events.Congestion])
	}
	// Output:
	// 2024-05-06T08:00:00Z/2024-05-06T08:05:00Z revision 0 congestion 12
	// 2024-05-06T08:05:00Z/2024-05-06T08:10:00Z revision 0 congestion 40
	// 2024-05-06T08:10:00Z/2024-05-06T08:15:00Z missed: no answer
	// 2024-05-06T08:05:00Z/2024-05-06T08:10:00Z revision 1 congestion 41
}

// Read all operations, each window once: its highest revision, in time order.
func ExampleLatest() {
	ctx := context.Background()
	js, stop := demo(ctx)
	defer stop()

	windows, err := events.Latest(events.History(ctx, js, events.Query{}))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, event := range windows {
		fmt.Println(event.Window.Start.Format(time.TimeOnly), event.Operation, event.Total, event.Missed != nil)
	}
	// Output:
	// 08:00:00 default 12 false
	// 08:00:00 ventas 7 false
	// 08:05:00 default 41 false
	// 08:10:00 default 0 true
}

// Follow all operations, and keep the event of each window that holds: it does not matter if one comes twice.
func ExampleSubscribe() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	js, stop := demo(ctx)
	defer stop()

	type key struct {
		operation string
		window    events.Window
	}
	table := make(map[key]events.Event) // a database, in earnest
	subscription := events.Subscription{Durable: "example"}
	err := events.Subscribe(ctx, js, subscription, func(_ context.Context, event events.Event) error {
		k := key{event.Operation, event.Window}
		if old, known := table[k]; known && !event.Supersedes(&old) {
			return nil
		}
		table[k] = event
		fmt.Println(event.ID())
		if event.Revision == 1 { // the last one of the example
			cancel()
		}
		return nil
	})
	fmt.Println(errors.Is(err, context.Canceled), len(table))
	// Output:
	// default/20240506T080000Z/PT300S/0
	// ventas/20240506T080000Z/PT300S/0
	// default/20240506T080500Z/PT300S/0
	// default/20240506T081000Z/PT300S/missed
	// default/20240506T080500Z/PT300S/1
	// true 4
}
