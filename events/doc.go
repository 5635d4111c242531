// Package events is the contract of the streams CALLS and ALERTS: types, subjects, ids, schemas, and the ways to read.
//
// An [Event] says how many calls of one operation did not connect in one window of time, by result. The producer appends
// it to the operation's log in the stream CALLS; nothing is ever changed there. An [Alert] is a transition that follows
// from the events, and an [Action] is what somebody did about it; both are in the stream ALERTS.
//
// # Reading history
//
// [History] is an iterator over what is stored at the moment of the call:
//
//	yesterday := events.Query{Operations: []string{"ventas"}, From: from, To: to}
//	for event, err := range events.History(ctx, js, yesterday) {
//		if errors.Is(err, events.ErrInvalid) {
//			log.Print(err) // foreign bytes on our subject; what is behind them is fine
//			continue
//		}
//		if err != nil {
//			return err
//		}
//		fmt.Println(event.Window, event.Total, event.Counts[events.Congestion])
//	}
//
// From and To select by the start of the window, not by the time of storing. To count every window once, gather the
// history with [Latest]: one event a window, the one that holds, in time order.
//
//	windows, err := events.Latest(events.History(ctx, js, yesterday))
//
// # Following
//
// [Subscribe] calls a function for every event, in the order of storing, one at a time. The subscription has a name, and
// JetStream remembers how far it got: a process that starts again goes on where the last one ended, and several processes
// with one name take turns.
//
//	subscription := events.Subscription{Durable: "billing", From: from}
//	err := events.Subscribe(ctx, js, subscription, func(ctx context.Context, event events.Event) error {
//		return store(ctx, event) // an error brings the event again, before any other
//	})
//
// # Keeping the highest revision
//
// The API corrects its counts sometimes, and the log is never rewritten: the correction is another event for the same
// window, whole, with a higher Revision. So keep one row a window and replace it when [Event.Supersedes] says so. In SQL,
// with the operation and the window as the key:
//
//	insert into windows (operation, starts, ends, revision, missed, total) values (…)
//	on conflict (operation, starts, ends) do update set revision = excluded.revision, …
//	where windows.missed and not excluded.missed or windows.missed = excluded.missed and windows.revision < excluded.revision
//
// This one statement answers most of the following.
//
// # What if an event comes twice?
//
// It does no harm if the effect is keyed by the window and revision, which is what [Event.ID] says. In the stream each
// window and revision is stored once, however often the producer sends it. But a subscriber gets an event again when it
// died, or its acknowledgement was lost, after handling it: at least once, never at most once.
//
// # What if it comes late?
//
// Live windows of one operation follow each other without a gap: after an outage of the API the producer catches up,
// oldest first, so an event may be stored hours after its window's End; [Event.Stored] tells. A backfill ([Event.Backfill],
// the header Unconnected-Backfill) is later still: a window before the checkpoint, stored behind younger ones. It comes
// from a person who asked for older history, or fills a missed window. Only [Event.IsLive] events are in time order.
//
// # What if it was corrected?
//
// Then a revision follows, as above. Revision 0 is the first answer. A revision is stored only if a count changed.
//
// # What if it never comes?
//
// Look at the checkpoint. Every message says up to where the log is complete with it ([Event.Checkpoint], the header
// Unconnected-Checkpoint): every window from the log's first live one up to there is in the log. [Last] gets it with one
// request. So a window before the checkpoint is never merely "not here yet", and a checkpoint that stays behind the clock
// means that the producer does.
//
// A window that could not be had stands in the log as a marker, with [Event.Missed] set and no counts. It is unknown, not
// zero. A backfill may fill it later, and supersedes the marker. An operation without calls has events too, with a Total
// of 0.
//
// # What if the counts are doubtful?
//
// When clocks go back, a local hour comes twice, and the API, which speaks local time, cannot tell the two apart. Windows
// in such an hour are Ambiguous: their counts are the best guess; leave them out of anything that compares.
//
// # Other languages
//
// Messages are CloudEvents 1.0 in the binary mode of the NATS binding, their data is plain JSON. The subjects, headers and
// fields are described by [AsyncAPI], [CallsSchema], [AlertsSchema] and [ActionsSchema]. Name the subjects calls.unconnected and
// calls.unconnected.* both, or none: the wildcard does not match the bare subject, which is the log of the operation
// "default". Ignore fields you do not know.
package events
